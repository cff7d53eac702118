import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as laterTurn } from "node:timers/promises";
import { zstdCompressSync } from "node:zlib";
import { isProblem, Problem, type ProblemCode } from "#base/problem";
import { createFrameCodecs } from "#imaging/codecs";
import { describeRun, type PictureLayout, writeCodedHead } from "./coded-pixels.ts";
import { pixelsHere } from "./pixels-here.fixture.ts";
import { unpacked } from "./unpacked.fixture.ts";
import { createUnpacker } from "./unpacking.ts";
import { packedChunk } from "./zstd-chunks.ts";

const mebibyte = 1024 * 1024;

function chunk(body: Uint8Array, plainBytes: number, packedBytes = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(plainBytes, 0);
  head.writeUInt32LE(packedBytes, 4);
  return Buffer.concat([head, body]);
}

const refusesZstd = (parts: readonly Uint8Array[], sizeBytes: number, code: ProblemCode) =>
  assert.rejects(unpacked({ packing: "zstd", parts }, sizeBytes), (error) => isProblem(error, code));

test("a kilobyte that is a gibibyte is refused before it is one, however it is cut", async () => {
  const bomb = zstdCompressSync(Buffer.alloc(64 * mebibyte));
  await refusesZstd([chunk(bomb, 64 * mebibyte)], 1024 * mebibyte, "damaged");
  await refusesZstd([chunk(bomb, mebibyte)], 1024 * mebibyte, "damaged");
  const small = zstdCompressSync(Buffer.alloc(mebibyte));
  assert.ok(small.length < 100);
  await refusesZstd([chunk(small, mebibyte)], 1024 * mebibyte, "damaged");
  // As much as a chunk may hold at most, as our own of blank pixels do, and not one byte more.
  const blank = await packedChunk(Buffer.alloc(mebibyte), 1);
  assert.equal(blank[1]?.length, 1024);
  const parts = [...blank, ...blank];
  assert.deepEqual(await unpacked({ packing: "zstd", parts }, 2 * mebibyte), Buffer.alloc(2 * mebibyte));
  await refusesZstd(parts, 2 * mebibyte - 1, "too-large");
});

test("chunks that lie about their lengths are refused", async () => {
  const body = zstdCompressSync(Buffer.alloc(1_000, 7));
  for (const [plain, packed] of [
    [0, 0],
    [0, body.length],
    [0xffffffff, body.length],
    [999, body.length],
    [1_001, body.length],
    [10, 11],
    [1_000, 0],
  ] as const) {
    await refusesZstd([chunk(body, plain, packed)], 10_000, "damaged");
  }
  await refusesZstd([chunk(body, 1_000, 900)], 10_000, "damaged");
  await refusesZstd([chunk(body.subarray(0, -1), 1_000)], 10_000, "damaged");
  await refusesZstd([Buffer.alloc(5)], 10_000, "damaged");
  await refusesZstd([chunk(Buffer.alloc(900, 1), 1_000)], 10_000, "damaged");
  // A frame that asks for a window, one block of a thousand times the same: of a mebibyte it is taken, of 128 it is not.
  const frame = (window: number) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window, 0x43, 0x1f, 0, 7]);
  const taken = await unpacked({ packing: "zstd", parts: [chunk(frame(10 << 3), 1_000)] }, 10_000);
  assert.deepEqual(taken, Buffer.alloc(1_000, 7));
  await refusesZstd([chunk(frame(17 << 3), 1_000)], 10_000, "damaged");
});

const gray: PictureLayout = {
  ...{ columns: 32, rows: 32, lines: 32, samplesPerPixel: 1, bitsAllocated: 8, bitsStored: 8, pixelRepresentation: 0 },
  ...{ byPlane: false, rgb: false, frames: 1, before: 0, after: 0 },
};

const codecs = createFrameCodecs();
const samples = Uint8Array.from({ length: 1024 }, (_, at) => (at >> 4) + (at % 7));
const codestream = await codecs.encodeFrame(samples, describeRun(gray, 32, "htj2k"));

const refusesCoded = (parts: readonly Uint8Array[], sizeBytes = 1024, code: ProblemCode = "damaged") =>
  assert.rejects(unpacked({ packing: "htj2k", parts }, sizeBytes), (error) => isProblem(error, code));

test("a head that describes no picture, or a larger one than was stated, is refused before anything is decoded", async () => {
  const head = writeCodedHead(gray, [codestream.length]);
  assert.deepEqual(await unpacked({ packing: "htj2k", parts: [head, codestream] }, 1024), Buffer.from(samples));
  await refusesCoded([head, codestream], 1023);
  const changes: Partial<Record<keyof PictureLayout, unknown>>[] = [
    ...[
      { columns: 0 },
      { rows: 0 },
      { lines: 0 },
      { lines: 33 },
      { frames: 0 },
      { frames: 0xffffffff },
      { byPlane: true },
    ],
    ...[{ bitsStored: 0 }, { bitsStored: 9 }, { bitsAllocated: 32 }, { bitsAllocated: 1 }, { samplesPerPixel: 4 }],
    ...[{ samplesPerPixel: 0 }, { pixelRepresentation: 2 }, { before: 0xffffffff }, { after: 1 }],
    ...[
      { columns: 65_535, rows: 65_535, lines: 65_535 },
      { columns: 65_535, rows: 65_535, lines: 1, frames: 2 },
    ],
  ];
  for (const change of changes) {
    const lying = writeCodedHead({ ...gray, ...change } as PictureLayout, [codestream.length]);
    await refusesCoded([lying, codestream]);
    await refusesCoded(
      [lying, codestream],
      change.columns === undefined && change.frames === undefined ? 2 ** 40 : 1024,
    );
  }
  await refusesCoded([Buffer.concat([Buffer.from([2]), head.subarray(1)]), codestream]);
  await refusesCoded([head.subarray(0, 20)]);
});

test("codestreams of lengths that cannot be, that overlap, are missing, or show another picture are refused", async () => {
  for (const length of [0, 0xffffffff, 2 * 1024 + 1025, codestream.length - 1, codestream.length + 1]) {
    await refusesCoded([writeCodedHead(gray, [length]), codestream]);
  }
  const two: PictureLayout = { ...gray, frames: 2 };
  const lengths = [codestream.length, codestream.length];
  await refusesCoded([writeCodedHead(two, lengths), codestream], 2048);
  await refusesCoded([writeCodedHead(two, lengths), codestream, codestream.subarray(0, -2)], 2048);
  await refusesCoded([writeCodedHead(gray, [codestream.length]), codestream, codestream]);
  const other = { ...gray, rows: 16, lines: 16, frames: 2 };
  await refusesCoded([writeCodedHead(other, lengths), codestream, codestream]);
  const blank = { ...gray, rows: 2_000, columns: 2_000, lines: 2_000 };
  await refusesCoded([writeCodedHead(blank, [300]), Buffer.alloc(300)], 4_000_000);
});

test("a decoder that cannot be had is no fault of the object", async () => {
  const busy = () => Promise.reject(new Problem("busy", "too many frames wait"));
  const unpacking = createUnpacker({ pixels: { decodeFrame: busy } }).unpacking("htj2k", 1024, () => {});
  const isBusy = (error: unknown) => isProblem(error, "busy");
  await unpacking.write(writeCodedHead(gray, [codestream.length]));
  await assert.rejects(async () => {
    await unpacking.write(codestream);
    await unpacking.end();
  }, isBusy);
});

test("what takes the bytes slows down who sends them, and ends it by refusing", async () => {
  const taken: PromiseWithResolvers<void>[] = [];
  const unpacking = createUnpacker({ pixels: pixelsHere() }).unpacking("plain", 100, () => {
    const one = Promise.withResolvers<void>();
    taken.push(one);
    return one.promise;
  });
  await unpacking.write(Buffer.alloc(10));
  const second = unpacking.write(Buffer.alloc(10));
  let isWritten = false;
  void second.then(
    () => {
      isWritten = true;
    },
    () => {},
  );
  await laterTurn();
  assert.equal(isWritten, false, "the first is still being taken");
  taken[0]?.reject(new Problem("no-room", "the disk is full"));
  await assert.rejects(
    async () => {
      await second;
      await unpacking.end();
    },
    (error) => isProblem(error, "no-room"),
  );
  await unpacking.abort();
});

test("after an abort nothing more is given", async () => {
  let given = 0;
  const unpacking = createUnpacker({ pixels: pixelsHere() }).unpacking("plain", 100, (bytes) => {
    given += bytes.length;
  });
  await unpacking.write(Buffer.alloc(10));
  await unpacking.abort();
  const before = given;
  await laterTurn();
  assert.equal(given, before);
  await unpacking.abort();
});
