// What somebody may do with the bytes of sealed objects who can write to the packs, knows format and keys' tokens, and has no key.
import { crc32 } from "node:zlib";
import {
  decodeFooter,
  encodeFrameHead,
  type FrameHead,
  footerBytes,
  headBytes,
  headerBytes,
  segmentBytes,
  segmentCount,
  tagBytes,
} from "./format.ts";

/** A sealed object in its pieces, frames without their heads. */
export interface Pieces {
  readonly header: Buffer;
  readonly segments: readonly Buffer[];
  readonly record: Buffer;
  readonly footer: Buffer;
}

export function piecesOf(object: Buffer): Pieces {
  const footerAt = object.length - footerBytes;
  const footer = decodeFooter(object.subarray(footerAt));
  if (footer === undefined) throw new TypeError("not a sealed object");
  const segments: Buffer[] = [];
  let at = headerBytes + headBytes;
  for (let index = 0; index < segmentCount(footer.sizeBytes); index++) {
    const length = Math.min(segmentBytes, footer.sizeBytes - index * segmentBytes) + tagBytes;
    segments.push(object.subarray(at, at + length));
    at += length + headBytes;
  }
  const header = object.subarray(0, headerBytes);
  return { header, segments, record: object.subarray(at, footerAt), footer: object.subarray(footerAt) };
}

/** Put together with the frame heads that recovery wants to see, or with changed ones. */
export function objectOf(pieces: Pieces, changeHead = (head: FrameHead): FrameHead => head): Buffer {
  const id = pieces.header.subarray(32, 48);
  const head = (kind: FrameHead["kind"], index: number, sealed: Buffer) =>
    encodeFrameHead(changeHead({ kind, index, sealedBytes: sealed.length }), id);
  const frames = pieces.segments.flatMap((sealed, index) => [head("data", index, sealed), sealed]);
  const record = [head("record", pieces.segments.length, pieces.record), pieces.record];
  return Buffer.concat([pieces.header, ...frames, ...record, pieces.footer]);
}

/** A copy with changed bytes whose CRC, the last four, is right again. */
export function changed(part: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(part);
  change(bytes);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, bytes.length - 4)), bytes.length - 4);
  return bytes;
}

/** The same change in the identity that header and footer both state: positions as in the header. */
export function withIdentity(pieces: Pieces, change: (identity: Buffer) => void): Pieces {
  return {
    ...pieces,
    header: changed(pieces.header, (bytes) => change(bytes.subarray(0, 112))),
    footer: changed(pieces.footer, (bytes) => change(bytes.subarray(32, 144))),
  };
}

/** With a footer whose lengths are those of the pieces. */
export function withLengths(pieces: Pieces): Pieces {
  const plain = (sealed: Buffer) => sealed.length - tagBytes;
  const size = pieces.segments.reduce((sum, sealed) => sum + plain(sealed), 0);
  const footer = changed(pieces.footer, (bytes) => {
    bytes.writeBigUInt64BE(BigInt(objectOf(pieces).length - footerBytes), 8);
    bytes.writeBigUInt64BE(BigInt(size), 16);
    bytes.writeUInt32BE(plain(pieces.record), 24);
  });
  return { ...pieces, footer };
}

/** Three objects of the same size: two of one study, the third of another. */
export interface Loot {
  readonly victim: Buffer;
  readonly sibling: Buffer;
  readonly stranger: Buffer;
}

export interface Manipulation {
  readonly name: string;
  /** How many segments an object needs for it to be a manipulation. */
  readonly segmentsMin: number;
  /**
   * Whether reading goes on to give the object's own bytes, since none of what was changed is needed for that; `check` tells. Absent:
   * not a byte is given out.
   */
  readonly stillGives?: true;
  /** Nothing for `check` to tell: a whole object in another's place proves (its id is another), a token without key is shredding. */
  readonly isUntold?: true;
  /** What stands in the victim's place afterwards. `pick` is any number. */
  readonly on: (loot: Loot, pick: number) => Buffer;
}

const flip = (bytes: Buffer, at: number, bit = 0) => {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
};
const last = (pieces: Pieces): Buffer => pieces.segments.at(-1) ?? pieces.record;
const recordFrameBytes = (pieces: Pieces) => headBytes + pieces.record.length;

const cuts: Manipulation[] = [
  {
    name: "cut off at the border of a segment",
    segmentsMin: 1,
    on: ({ victim }, pick) => {
      const { segments } = piecesOf(victim);
      const kept = segments.slice(0, pick % segments.length);
      return victim.subarray(
        0,
        kept.reduce((sum, { length }) => sum + headBytes + length, headerBytes),
      );
    },
  },
  {
    name: "cut off inside a segment",
    segmentsMin: 1,
    on: ({ victim }, pick) => victim.subarray(0, headerBytes + headBytes + (pick % last(piecesOf(victim)).length)),
  },
  {
    name: "cut off inside the record",
    segmentsMin: 0,
    on: ({ victim }, pick) => {
      const { length } = piecesOf(victim).record;
      return victim.subarray(0, victim.length - footerBytes - 1 - (pick % length));
    },
  },
  {
    name: "cut off inside the footer",
    segmentsMin: 0,
    on: ({ victim }, pick) => victim.subarray(0, victim.length - 1 - (pick % (footerBytes - 1))),
  },
  {
    name: "the last segment left out, with a footer of the right lengths",
    segmentsMin: 1,
    on: ({ victim }) => {
      const pieces = piecesOf(victim);
      return objectOf(withLengths({ ...pieces, segments: pieces.segments.slice(0, -1) }));
    },
  },
  {
    name: "the last segment cut shorter, with a footer of the right lengths",
    segmentsMin: 1,
    on: ({ victim }) => {
      const pieces = piecesOf(victim);
      const short = Buffer.concat([last(pieces).subarray(0, -tagBytes - 1), last(pieces).subarray(-tagBytes)]);
      return objectOf(withLengths({ ...pieces, segments: [...pieces.segments.slice(0, -1), short] }));
    },
  },
];

const moves: Manipulation[] = [
  {
    name: "two segments in each other's place",
    segmentsMin: 2,
    on: ({ victim }) => {
      const pieces = piecesOf(victim);
      const [first, second, ...rest] = pieces.segments as [Buffer, Buffer];
      return objectOf({ ...pieces, segments: [second, first, ...rest] });
    },
  },
  {
    name: "a segment in the place of the next",
    segmentsMin: 2,
    on: ({ victim }) => {
      const pieces = piecesOf(victim);
      const [first, , ...rest] = pieces.segments as [Buffer, Buffer];
      return objectOf({ ...pieces, segments: [first, first, ...rest] });
    },
  },
  {
    name: "a segment doubled, with a footer of the right lengths",
    segmentsMin: 2,
    on: ({ victim }) => {
      const pieces = piecesOf(victim);
      const [first = assertSegment(), ...rest] = pieces.segments;
      return objectOf(withLengths({ ...pieces, segments: [first, first, ...rest] }));
    },
  },
  ...(["sibling", "stranger"] as const).map(
    (from): Manipulation => ({
      name: `a segment of another object of ${from === "sibling" ? "the same" : "another"} study`,
      segmentsMin: 1,
      on: (loot, pick) => {
        const pieces = piecesOf(loot.victim);
        const at = pick % pieces.segments.length;
        const segments = pieces.segments.with(at, piecesOf(loot[from]).segments[at] ?? assertSegment());
        return objectOf({ ...pieces, segments });
      },
    }),
  ),
  {
    name: "the head of one spliced with the tail of another",
    segmentsMin: 1,
    on: ({ victim, sibling }, pick) => {
      const [head, tail] = [piecesOf(victim), piecesOf(sibling)];
      const at = 1 + (pick % head.segments.length);
      return objectOf({
        ...tail,
        header: head.header,
        segments: [...head.segments.slice(0, at), ...tail.segments.slice(at)],
      });
    },
  },
  {
    name: "the header of another",
    segmentsMin: 1,
    on: ({ victim, sibling }) => objectOf({ ...piecesOf(victim), header: piecesOf(sibling).header }),
  },
  {
    name: "the record of another",
    segmentsMin: 0,
    stillGives: true,
    on: ({ victim, sibling }) => objectOf({ ...piecesOf(victim), record: piecesOf(sibling).record }),
  },
  ...(["sibling", "stranger"] as const).map(
    (from): Manipulation => ({
      name: `the footer of another object of ${from === "sibling" ? "the same" : "another"} study`,
      segmentsMin: 0,
      on: (loot) => objectOf({ ...piecesOf(loot.victim), footer: piecesOf(loot[from]).footer }),
    }),
  ),
  ...(["sibling", "stranger"] as const).map(
    (from): Manipulation => ({
      name: `a whole object of ${from === "sibling" ? "the same study, an older one replayed," : "another study"} in its place`,
      segmentsMin: 0,
      isUntold: true,
      on: (loot) => loot[from],
    }),
  ),
];

function assertSegment(): never {
  throw new TypeError("an object without segments");
}

/** What the identity in header and footer may be made to say; positions of docs/decisions/0002. */
const lies: readonly [string, (identity: Buffer, loot: Loot, pick: number) => void][] = [
  ["the token of another study", (identity, { stranger }) => stranger.copy(identity, 16, 16, 32)],
  ["the token of no study", (identity) => identity.fill(0x77, 16, 32)],
  ["another object's id", (identity, { sibling }) => sibling.copy(identity, 32, 32, 48)],
  ["another object's nonce", (identity, { sibling }) => sibling.copy(identity, 48, 48, 80)],
  ["another object's commitment", (identity, { sibling }) => sibling.copy(identity, 80, 80, 112)],
  ["an older version", (identity) => void identity.writeUInt32BE(0, 12)],
  ["a newer version", (identity) => void identity.writeUInt32BE(2, 12)],
  ["the number of the other part", (identity) => flip(identity, 11, identity[11] === 1 ? 1 : 0)],
  ["another format", (identity) => void identity.writeUInt8(2, 8)],
  ["another algorithm", (identity) => void identity.writeUInt8(0, 9)],
  ["another size of segments", (identity) => void identity.writeUInt8(16, 10)],
];

const changes: Manipulation[] = [
  ...lies.map(
    ([what, lie]): Manipulation => ({
      name: `header and footer name ${what}`,
      segmentsMin: 0,
      ...(what === "the token of no study" && { isUntold: true }),
      on: (loot, pick) => objectOf(withIdentity(piecesOf(loot.victim), (identity) => lie(identity, loot, pick))),
    }),
  ),
  {
    name: "other sizes in the footer whose sum is the same",
    segmentsMin: 1,
    on: ({ victim }) => {
      const pieces = piecesOf(victim);
      const longer = Buffer.concat([last(pieces).subarray(-1), pieces.record]);
      const segments = [...pieces.segments.slice(0, -1), last(pieces).subarray(0, -1)];
      return objectOf(withLengths({ ...pieces, segments, record: longer }));
    },
  },
  {
    name: "a bit of a segment flipped",
    segmentsMin: 1,
    on: ({ victim }, pick) => {
      const bytes = Buffer.from(victim);
      const from = headerBytes + headBytes;
      // The first segment, so that the ranges that are asked for below all lie in it or behind it.
      flip(bytes, from + (pick % (piecesOf(victim).segments[0]?.length ?? 1)), pick % 8);
      return bytes;
    },
  },
  {
    name: "a bit of the record flipped",
    segmentsMin: 0,
    stillGives: true,
    on: ({ victim }, pick) => {
      const bytes = Buffer.from(victim);
      flip(bytes, victim.length - footerBytes - 1 - (pick % piecesOf(victim).record.length), pick % 8);
      return bytes;
    },
  },
  {
    name: "a bit of the footer's tag flipped",
    segmentsMin: 0,
    on: ({ victim }, pick) => {
      const pieces = piecesOf(victim);
      const footer = changed(pieces.footer, (bytes) => flip(bytes, 144 + (pick % 16), pick % 8));
      return objectOf({ ...pieces, footer });
    },
  },
  ...(
    [
      ["the counter", (head, pick) => ({ ...head, index: head.index + 1 + (pick % 5) })],
      ["the kind", (head) => ({ ...head, kind: "record" })],
      ["the length", (head) => ({ ...head, sealedBytes: head.sealedBytes - 1 })],
    ] as [string, (head: FrameHead, pick: number) => FrameHead][]
  ).map(
    ([what, change]): Manipulation => ({
      name: `${what} in the head of the first frame changed`,
      segmentsMin: 1,
      on: ({ victim }, pick) =>
        objectOf(piecesOf(victim), (head) => (head.index === 0 && head.kind === "data" ? change(head, pick) : head)),
    }),
  ),
  {
    name: "the head of the record's frame taken away",
    segmentsMin: 0,
    stillGives: true,
    on: ({ victim }) => {
      const bytes = Buffer.from(victim);
      const from = victim.length - footerBytes - recordFrameBytes(piecesOf(victim));
      bytes.fill(0, from, from + headBytes);
      return bytes;
    },
  },
];

export const manipulations: readonly Manipulation[] = [...cuts, ...moves, ...changes];
