import { Problem, type ProblemCode } from "#base/problem";

/** What an object is to the cloud before its bytes come. */
export interface OfferedObject {
  /** Names the object for the time of a session, in few bytes. */
  readonly number: number;
  /** 16 random bytes in hexadecimal. */
  readonly id: string;
  readonly length: number;
  readonly sha256: Uint8Array;
}

/** A place in an object: from where bytes are wanted, or up to where they were taken. */
export interface Position {
  readonly number: number;
  readonly at: number;
}

/** Why the cloud does not take an object: the code of its Problem, no text. The order is that on the wire: append only. */
export const refusalReasons = [
  "invalid",
  "denied",
  "unproven",
  "absent",
  "conflict",
  "unsupported",
  "too-large",
  "no-room",
  "busy",
  "damaged",
  "unavailable",
  "fault",
] as const satisfies readonly ProblemCode[];
export type RefusalReason = (typeof refusalReasons)[number];

/** Why an end takes leave. */
export const farewells = ["leaving", "other-version", "broken-rule", "too-many"] as const;
export type Farewell = (typeof farewells)[number];

/** Everything that is said on the link. docs/decisions/0025-link.md says when. */
export type Frame =
  | { readonly type: "hello"; readonly version: number; readonly session: Uint8Array }
  | {
      readonly type: "welcome";
      readonly incarnation: Uint8Array;
      readonly windowBytes: number;
      readonly objectsMax: number;
    }
  | { readonly type: "offer"; readonly objects: readonly OfferedObject[] }
  | { readonly type: "answer"; readonly positions: readonly Position[] }
  | { readonly type: "taken"; readonly positions: readonly Position[] }
  | { readonly type: "data"; readonly number: number; readonly from: number; readonly bytes: Uint8Array }
  | { readonly type: "received"; readonly bytes: number }
  | { readonly type: "receipt"; readonly number: number; readonly receipt: Uint8Array }
  | { readonly type: "refusal"; readonly number: number; readonly reason: RefusalReason }
  | { readonly type: "withdrawal"; readonly number: number }
  | { readonly type: "alive" }
  | { readonly type: "goodbye"; readonly reason: Farewell };

export const protocolVersion = 1;
export const sessionBytes = 16;
export const dataBytesMax = 65_536;
export const receiptBytesMax = 16_384;
/** Objects of one offer, positions of one answer. */
export const listedMax = 256;
/** The largest object: what six bytes of a position can say, less a wide margin. */
export const objectBytesMax = 2 ** 44;

export const frameHeaderBytes = 4;
const magic = Buffer.from("LGLK");
const idBytes = 16;
const hashBytes = 32;
const offerBytes = 4 + idBytes + 6 + hashBytes;
const positionBytes = 4 + 6;
const dataHeadBytes = 4 + 6;

/** Each type's number and the lengths that its body may have, checked before the body is waited for. */
const shapes = {
  hello: { code: 1, least: magic.length + 2 + sessionBytes, most: magic.length + 2 + sessionBytes },
  welcome: { code: 2, least: sessionBytes + 4 + 2, most: sessionBytes + 4 + 2 },
  offer: { code: 3, least: offerBytes, most: listedMax * offerBytes },
  answer: { code: 4, least: positionBytes, most: listedMax * positionBytes },
  taken: { code: 5, least: positionBytes, most: listedMax * positionBytes },
  data: { code: 6, least: dataHeadBytes + 1, most: dataHeadBytes + dataBytesMax },
  received: { code: 7, least: 6, most: 6 },
  receipt: { code: 8, least: 4, most: 4 + receiptBytesMax },
  refusal: { code: 9, least: 5, most: 5 },
  withdrawal: { code: 10, least: 4, most: 4 },
  alive: { code: 11, least: 0, most: 0 },
  goodbye: { code: 12, least: 1, most: 1 },
} as const satisfies Record<Frame["type"], { code: number; least: number; most: number }>;

const typesByCode = new Map(Object.entries(shapes).map(([type, { code }]) => [code as number, type as Frame["type"]]));

/** The type and the length that a header of four bytes says. Throws a `Problem` where no frame begins so. */
export function frameHeader(header: Buffer): { readonly type: Frame["type"]; readonly length: number } {
  const type = typesByCode.get(header.readUInt8(0));
  const length = header.readUIntBE(1, 3);
  if (type === undefined) throw malformed("a frame of a type that there is not");
  const { least, most } = shapes[type];
  if (length < least || length > most) throw malformed("a frame of a length that its type cannot have");
  return { type, length };
}

/** The bytes of a frame; those of data as they are, not copied. */
export function encodeFrame(frame: Frame): readonly Uint8Array[] {
  if (frame.type === "data") {
    const head = headed("data", dataHeadBytes, frame.bytes.length);
    head.writeUInt32BE(frame.number, frameHeaderBytes);
    head.writeUIntBE(frame.from, frameHeaderBytes + 4, 6);
    return [head, frame.bytes];
  }
  const body = bodyOf(frame);
  const whole = headed(frame.type, body.length);
  whole.set(body, frameHeaderBytes);
  return [whole];
}

/** Room for a header and `own` bytes of the body, the header written; `apart` more bytes of the body follow elsewhere. */
function headed(type: Frame["type"], own: number, apart = 0): Buffer {
  const { code, least, most } = shapes[type];
  const length = own + apart;
  if (length < least || length > most) throw new RangeError(`a ${type} frame cannot have ${length} bytes`);
  const bytes = Buffer.alloc(frameHeaderBytes + own);
  bytes.writeUInt8(code, 0);
  bytes.writeUIntBE(length, 1, 3);
  return bytes;
}

function bodyOf(frame: Exclude<Frame, { type: "data" }>): Buffer {
  switch (frame.type) {
    case "hello":
      return Buffer.concat([magic, numberOf(frame.version, 2), frame.session]);
    case "welcome":
      return Buffer.concat([frame.incarnation, numberOf(frame.windowBytes, 4), numberOf(frame.objectsMax, 2)]);
    case "offer":
      return Buffer.concat(frame.objects.flatMap(offered));
    case "answer":
    case "taken":
      return Buffer.concat(frame.positions.flatMap(({ number, at }) => [numberOf(number, 4), numberOf(at, 6)]));
    case "received":
      return numberOf(frame.bytes, 6);
    case "receipt":
      return Buffer.concat([numberOf(frame.number, 4), frame.receipt]);
    case "refusal":
      return Buffer.concat([numberOf(frame.number, 4), numberOf(refusalReasons.indexOf(frame.reason), 1)]);
    case "withdrawal":
      return numberOf(frame.number, 4);
    case "alive":
      return Buffer.alloc(0);
    case "goodbye":
      return numberOf(farewells.indexOf(frame.reason), 1);
  }
}

const offered = ({ number, id, length, sha256 }: OfferedObject) => [
  numberOf(number, 4),
  Buffer.from(id, "hex"),
  numberOf(length, 6),
  sha256,
];

function numberOf(value: number, bytes: number): Buffer {
  const into = Buffer.alloc(bytes);
  into.writeUIntBE(value, 0, bytes);
  return into;
}

/** A frame of a body whose length `frameHeader` let through. Throws a `Problem` where it says what cannot be. */
export function decodeFrame(type: Frame["type"], body: Buffer): Frame {
  switch (type) {
    case "hello":
      if (!body.subarray(0, magic.length).equals(magic)) throw malformed("the first bytes of another protocol");
      return { type, version: body.readUInt16BE(4), session: body.subarray(6) };
    case "welcome":
      return {
        type,
        incarnation: body.subarray(0, sessionBytes),
        windowBytes: body.readUInt32BE(sessionBytes),
        objectsMax: body.readUInt16BE(sessionBytes + 4),
      };
    case "offer":
      return { type, objects: listed(body, offerBytes, offerAt) };
    case "answer":
    case "taken":
      return { type, positions: listed(body, positionBytes, positionAt) };
    case "data":
      return { type, number: body.readUInt32BE(0), from: body.readUIntBE(4, 6), bytes: body.subarray(dataHeadBytes) };
    case "received":
      return { type, bytes: body.readUIntBE(0, 6) };
    case "receipt":
      return { type, number: body.readUInt32BE(0), receipt: body.subarray(4) };
    case "refusal":
      return { type, number: body.readUInt32BE(0), reason: oneOf(refusalReasons, body.readUInt8(4)) };
    case "withdrawal":
      return { type, number: body.readUInt32BE(0) };
    case "alive":
      return { type };
    case "goodbye":
      return { type, reason: oneOf(farewells, body.readUInt8(0)) };
  }
}

function listed<T>(body: Buffer, itemBytes: number, itemAt: (body: Buffer, at: number) => T): T[] {
  if (body.length % itemBytes !== 0) throw malformed("a list that ends within an entry");
  return Array.from({ length: body.length / itemBytes }, (_, index) => itemAt(body, index * itemBytes));
}

function offerAt(body: Buffer, at: number): OfferedObject {
  const length = body.readUIntBE(at + 4 + idBytes, 6);
  if (length > objectBytesMax) throw malformed("an object larger than any may be");
  const hashAt = at + 4 + idBytes + 6;
  return {
    number: body.readUInt32BE(at),
    id: body.toString("hex", at + 4, at + 4 + idBytes),
    length,
    // A copy: a view would keep the whole offer for as long as one object of it is on its way.
    sha256: new Uint8Array(body.subarray(hashAt, hashAt + hashBytes)),
  };
}

function positionAt(body: Buffer, at: number): Position {
  return { number: body.readUInt32BE(at), at: body.readUIntBE(at + 4, 6) };
}

function oneOf<T>(known: readonly T[], index: number): T {
  const found = known[index];
  if (found === undefined) throw malformed("a reason that there is not");
  return found;
}

const malformed = (what: string) =>
  new Problem("invalid", `the other end of the link sent ${what}`, {
    remedy: "see that both ends run versions that fit each other",
  });
