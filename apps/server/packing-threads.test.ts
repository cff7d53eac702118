import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { type ElementInput, Tag, TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import { createShrinker, createUnpacker, type PackingTask, type PackingWork } from "#radiology/images";
import { createPackingThreads } from "./packing-threads.ts";
import { createPixelProcesses } from "./pixel-processes.ts";

const explicit = TransferSyntaxUid.explicitLittleEndian;
const ramp = Buffer.from(Array.from({ length: 40_000 }, (_, index) => (index >> 6) & 0xff));
const task: PackingTask = { bytes: ramp, picture: undefined, recipe: { packing: "zstd", level: 1 } };

const program = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`);
const port = 'import { parentPort } from "node:worker_threads";';

test("threads pack what they are given, more than there are of them, and leave it to who asked", async () => {
  const threads = createPackingThreads({ clock: systemClock, threadsMax: 2 });
  const done = await Promise.all(Array.from({ length: 5 }, () => threads.pack(task)));
  for (const { parts } of done) {
    const size = parts?.reduce((sum, { length }) => sum + length, 0) ?? Number.NaN;
    assert.ok(size < 10_000, `${size}`);
  }
  assert.equal(ramp.length, 40_000, "its bytes were copied, not moved");
  const picture = await threads.pack({ ...task, recipe: { packing: "htj2k", level: 1 } });
  assert.equal(picture.parts, undefined, "no pixels, no codestreams");
  await threads.close();
  await assert.rejects(threads.pack(task), (error) => isProblem(error, "unavailable"));
});

test("what threads pack, pixel processes restore, up to the longest codestream that there is", async () => {
  const [columns, rows] = [2_048, 1_100];
  const us = (tag: number, value: number): ElementInput => ({ tag, vr: "US", value });
  const samples = Uint16Array.from({ length: columns * rows }, (_, at) => (at >> 11) + (Math.imul(at, at) & 3));
  const elements: ElementInput[] = [
    ...[us(Tag.SamplesPerPixel, 1), us(Tag.Rows, rows), us(Tag.Columns, columns)],
    ...[us(Tag.BitsAllocated, 16), us(Tag.BitsStored, 12), us(Tag.PixelRepresentation, 0)],
    { tag: Tag.PixelData, vr: "OW", value: new Uint8Array(samples.buffer) },
  ];
  const dataSet = writeDataSet(elements, { transferSyntaxUid: explicit });
  const threads = createPackingThreads({ clock: systemClock, threadsMax: 1 });
  const onlyPictures: PackingWork = {
    lanes: 1,
    pack: async (each) => (each.recipe.packing === "zstd" ? { parts: undefined, milliseconds: 1 } : threads.pack(each)),
  };
  const shrinker = createShrinker({ work: onlyPictures, clock: systemClock });
  shrinker.pace(1); // whatever it takes
  const { packing, parts } = await shrinker.pack(dataSet, explicit);
  await threads.close();
  assert.ok(packing === "htj2k" || packing === "jpeg-ls", packing);
  const pixels = createPixelProcesses({ clock: systemClock, log: silentLog });
  const given: Uint8Array[] = [];
  const unpacking = createUnpacker({ pixels }).unpacking(packing, dataSet.length, (bytes) => void given.push(bytes));
  for (const part of parts) await unpacking.write(part);
  await unpacking.end();
  await pixels.close();
  assert.equal(Buffer.compare(Buffer.concat(given), dataSet), 0);
});

test("a thread that dies over a data set refuses that one; the next has another thread", async () => {
  const dies = program(`${port} parentPort.on("message", ({ bytes }) => {
    if (bytes.length === 1) process.exit();
    parentPort.postMessage({ parts: undefined, milliseconds: 1 });
  });`);
  const threads = createPackingThreads({ clock: systemClock, threadsMax: 1, program: dies });
  const [first, second] = await Promise.allSettled([
    threads.pack({ ...task, bytes: Buffer.alloc(1) }),
    threads.pack(task),
  ]);
  assert.ok(first?.status === "rejected" && isProblem(first.reason, "fault"));
  assert.deepEqual(second, { status: "fulfilled", value: { parts: undefined, milliseconds: 1 } });
  await threads.close();
});

test("a thread that hangs is ended, and one that nobody needs", async () => {
  const clock = createVirtualClock();
  const hangs = program(`${port} parentPort.on("message", () => {});`);
  const threads = createPackingThreads({ clock, threadsMax: 1, program: hangs });
  const packing = assert.rejects(threads.pack(task), (error) => isProblem(error, "fault"));
  clock.advance(30_000);
  await packing;
  await threads.close();
});
