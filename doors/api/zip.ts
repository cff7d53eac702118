import { pipeline } from "node:stream";
import { crc32, createDeflateRaw } from "node:zlib";

/** One file of an archive that is made while it is sent. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: () => AsyncIterable<Uint8Array>;
}

const [localHead, descriptorHead, centralHead] = [0x04034b50, 0x08074b50, 0x02014b50];
const [endHead, end64Head, locatorHead] = [0x06054b50, 0x06064b50, 0x07064b50];
/** 4.5, of ZIP64. */
const version = 45;
/** Sizes stand behind the bytes (bit 3); names are UTF-8 (bit 11). */
const flags = 0x0808;
const deflate = 8;
/** 1980-01-01: when it was packed is nobody's business. */
const dosDate = 0x21;
const all32 = 0xff_ff_ff_ff;
const all16 = 0xff_ff;

/** A ZIP64 archive (PKWARE APPNOTE 6.3.10 §4.3), sent as it is made: nothing is held but the names. */
export async function* zipOf(entries: Iterable<ZipEntry> | AsyncIterable<ZipEntry>): AsyncGenerator<Buffer> {
  const central: Buffer[] = [];
  let offset = 0;
  for await (const { name, bytes } of entries) {
    const at = offset;
    const head = localHeader(name);
    offset += head.length;
    yield head;
    const told = { crc: 0, plain: 0, packed: 0 };
    for await (const piece of deflated(bytes(), told)) {
      told.packed += piece.length;
      offset += piece.length;
      yield piece;
    }
    const tail = words([4, descriptorHead], [4, told.crc], [8, told.packed], [8, told.plain]);
    offset += tail.length;
    yield tail;
    central.push(centralHeader(name, told, at));
  }
  const directory = Buffer.concat(central);
  yield Buffer.concat([directory, ending(central.length, directory.length, offset)]);
}

interface Told {
  crc: number;
  plain: number;
  packed: number;
}

function deflated(bytes: AsyncIterable<Uint8Array>, told: Told): AsyncIterable<Buffer> {
  const reckoned = async function* () {
    for await (const piece of bytes) {
      told.crc = crc32(piece, told.crc);
      told.plain += piece.length;
      yield piece;
    }
  };
  // What fails on the way fails the reading of what comes out.
  return pipeline(reckoned, createDeflateRaw({ level: 1 }), () => {});
}

/** Little-endian numbers, each of so many bytes. */
function words(...all: readonly (readonly [size: 2 | 4 | 8, value: number])[]): Buffer {
  return Buffer.concat(
    all.map(([size, value]) => {
      const bytes = Buffer.alloc(size);
      if (size === 8) bytes.writeBigUInt64LE(BigInt(value));
      else bytes.writeUIntLE(value, 0, size);
      return bytes;
    }),
  );
}

function localHeader(name: string): Buffer {
  const extra = words([2, 1], [2, 16], [8, 0], [8, 0]);
  const text = Buffer.from(name, "utf8");
  const fixed = words(
    ...([
      [4, localHead],
      [2, version],
      [2, flags],
      [2, deflate],
      [2, 0],
      [2, dosDate],
    ] as const),
    ...([
      [4, 0],
      [4, all32],
      [4, all32],
      [2, text.length],
      [2, extra.length],
    ] as const),
  );
  return Buffer.concat([fixed, text, extra]);
}

function centralHeader(name: string, { crc, plain, packed }: Told, at: number): Buffer {
  const extra = words([2, 1], [2, 24], [8, plain], [8, packed], [8, at]);
  const text = Buffer.from(name, "utf8");
  const fixed = words(
    ...([
      [4, centralHead],
      [2, version],
      [2, version],
      [2, flags],
      [2, deflate],
      [2, 0],
      [2, dosDate],
    ] as const),
    ...([
      [4, crc],
      [4, all32],
      [4, all32],
      [2, text.length],
      [2, extra.length],
      [2, 0],
    ] as const),
    ...([
      [2, 0],
      [2, 0],
      [4, 0],
      [4, all32],
    ] as const),
  );
  return Buffer.concat([fixed, text, extra]);
}

function ending(count: number, size: number, offset: number): Buffer {
  return Buffer.concat([
    words([4, end64Head], [8, 44], [2, version], [2, version], [4, 0], [4, 0], [8, count], [8, count], [8, size]),
    words([8, offset]),
    words([4, locatorHead], [4, 0], [8, offset + size], [4, 1]),
    words([4, endHead], [2, 0], [2, 0], [2, all16], [2, all16], [4, all32], [4, all32], [2, 0]),
  ]);
}
