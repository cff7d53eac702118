import { constants, inflateRawSync, zstdDecompressSync } from "node:zlib";
import { type Canary, encodings, formsOf } from "./nothing-in-the-clear-canaries.fixture.ts";

/** Something to find, by any of several runs of bytes. */
export interface Wanted {
  readonly name: string;
  readonly forms: readonly Uint8Array[];
}

export interface Search {
  /** Names of what stands in these bytes, or in a compressed stream in them. */
  in(bytes: Buffer): string[];
}

/** Every canary in every encoding. */
export function wantedOf(canaries: readonly Canary[]): Wanted[] {
  return canaries.flatMap(({ what, text }) => {
    const forms = formsOf(text);
    return encodings.map((encoding) => ({ name: `${what} ${text} (${encoding})`, forms: forms[encoding] }));
  });
}

const windowBytes = 7;
const filterBits = 24;
const inflatedBytesMax = 256 * 1024 * 1024;
const streamsWithin = 3;

const hashOf = (high: number, low: number): number => {
  const mixed = Math.imul(Math.imul(high, 0x9e3779b1) ^ low, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
};

/**
 * Looks for tens of thousands of runs of bytes in one pass: seven bytes at every offset are looked up in a filter by their hash, and
 * only what passes is compared.
 */
export function createSearch(wanted: readonly Wanted[]): Search {
  const filter = new Uint8Array(2 ** (filterBits - 3));
  const ending = new Map<number, { readonly name: string; readonly form: Buffer }[]>();
  for (const { name, forms } of wanted) {
    for (const one of forms) {
      if (one.length < windowBytes) throw new RangeError(`${name} is too short to be told from chance`);
      const form = Buffer.from(one);
      const hash = hashOf(form.readUIntBE(form.length - windowBytes, 3), form.readInt32BE(form.length - 4));
      const slot = hash >>> (32 - filterBits);
      filter[slot >>> 3] = (filter[slot >>> 3] ?? 0) | (1 << (slot & 7));
      ending.set(hash, [...(ending.get(hash) ?? []), { name, form }]);
    }
  }
  const inPlain = (bytes: Buffer, found: Set<string>) => {
    let [high, low] = [0, 0];
    for (let at = 0; at < bytes.length; at++) {
      high = ((high << 8) | (low >>> 24)) & 0xff_ffff;
      low = (low << 8) | (bytes[at] as number);
      const hash = hashOf(high, low);
      const slot = hash >>> (32 - filterBits);
      if (((filter[slot >>> 3] as number) & (1 << (slot & 7))) === 0) continue;
      for (const { name, form } of ending.get(hash) ?? []) {
        const from = at + 1 - form.length;
        if (from >= 0 && form.compare(bytes, from, at + 1) === 0) found.add(name);
      }
    }
  };
  const inAll = (bytes: Buffer, found: Set<string>, depth: number) => {
    inPlain(bytes, found);
    if (depth < streamsWithin) for (const inner of streamsIn(bytes)) inAll(inner, found, depth + 1);
  };
  return {
    in(bytes) {
      const found = new Set<string>();
      inAll(bytes, found, 0);
      return [...found];
    },
  };
}

/** What every run of bytes that begins like a compressed stream gives, as far as it can be read: gzip, zlib, ZIP members, Zstandard. */
function* streamsIn(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + windowBytes <= bytes.length; at++) {
    const first = bytes[at] as number;
    if (first !== 0x1f && first !== 0x78 && first !== 0x50 && first !== 0x28) continue;
    const inner = streamAt(bytes, at);
    if (inner !== undefined && inner.length >= windowBytes) yield inner;
  }
}

/** The deflated bytes behind the head; checksums are not asked for: a torn stream was written too. */
function streamAt(bytes: Buffer, at: number): Buffer | undefined {
  const from = bytes.subarray(at);
  try {
    if (from.readUInt32BE(0) === 0x28b52ffd) return zstdDecompressSync(from, { maxOutputLength: inflatedBytesMax });
    const head = headBytesOf(from);
    if (head === undefined) return undefined;
    return inflateRawSync(from.subarray(head), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: inflatedBytesMax,
    });
  } catch {
    return undefined;
  }
}

/** Of gzip (RFC 1952), zlib (RFC 1950) and a member of a ZIP file; undefined for anything else. */
function headBytesOf(bytes: Buffer): number | undefined {
  if (bytes[0] === 0x78 && bytes.readUInt16BE(0) % 31 === 0) return 2;
  if (bytes.readUInt32BE(0) === 0x504b0304) {
    return bytes.readUInt16LE(8) === 8 ? 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28) : undefined;
  }
  if (bytes.readUInt16BE(0) !== 0x1f8b || bytes[2] !== 8) return undefined;
  const flags = bytes[3] ?? 0;
  let end = 10;
  if ((flags & 4) !== 0) end += 2 + bytes.readUInt16LE(end);
  for (const text of [8, 16]) if ((flags & text) !== 0) end = bytes.indexOf(0, end) + 1;
  return (flags & 2) !== 0 ? end + 2 : end;
}
