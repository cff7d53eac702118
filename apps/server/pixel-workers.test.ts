import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import type { FrameDescription } from "#imaging/codecs";
import { createPixelWorkers } from "./pixel-workers.ts";

const image: FrameDescription = {
  transferSyntaxUid: "1.2.840.10008.1.2.1",
  rows: 4,
  columns: 4,
  samplesPerPixel: 1,
  bitsAllocated: 8,
  bitsStored: 8,
  pixelRepresentation: 0,
  photometricInterpretation: "MONOCHROME2",
};
const frame = Uint8Array.from({ length: 16 }, (_, at) => at * 16);
const parts = { clock: systemClock, log: silentLog };
const program = (source: string) => new URL(`data:text/javascript,${encodeURIComponent(source)}`);

test("frames are decoded and rendered in another thread, and the caller keeps its bytes", async () => {
  const workers = createPixelWorkers(parts);
  try {
    const decoded = await workers.decodeFrame(frame, image);
    assert.deepEqual([...decoded.pixels], [...frame]);
    const jpeg = await workers.renderPicture({
      frame,
      image,
      attributes: {},
      options: {},
      format: { type: "image/jpeg" },
    });
    assert.deepEqual([...jpeg.subarray(0, 3)], [0xff, 0xd8, 0xff]);
    const png = await workers.renderPicture({
      frame,
      image,
      attributes: {},
      options: {},
      format: { type: "image/png" },
    });
    assert.equal(Buffer.from(png.subarray(1, 4)).toString(), "PNG");
    assert.equal(frame.length, 16);
  } finally {
    await workers.close();
  }
});

test("a problem of the decoder comes back as that problem", async () => {
  const workers = createPixelWorkers(parts);
  try {
    const short = workers.decodeFrame(frame.subarray(0, 3), image);
    await assert.rejects(short, (error) => isProblem(error, "invalid"));
    const video = workers.decodeFrame(frame, { ...image, transferSyntaxUid: "1.2.840.10008.1.2.4.102" });
    await assert.rejects(video, (error) => isProblem(error, "unsupported"));
  } finally {
    await workers.close();
  }
});

test("a decoder that hangs is ended, and the next frame finds a new one", async () => {
  const hangsOnce = `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", (task) => {
      while (task.frame[0] === 1);
      parentPort.postMessage({ kind: "rendered", bytes: new Uint8Array([task.frame[0]]) });
    });`;
  const workers = createPixelWorkers({ ...parts, workersMax: 1, taskMsMax: 300, program: program(hangsOnce) });
  const request = { image, attributes: {}, options: {}, format: { type: "image/jpeg" } as const };
  try {
    const stuck = workers.renderPicture({ ...request, frame: Uint8Array.of(1) });
    const behind = workers.renderPicture({ ...request, frame: Uint8Array.of(2) });
    await assert.rejects(stuck, (error) => isProblem(error, "invalid"));
    assert.deepEqual([...(await behind)], [2]);
  } finally {
    await workers.close();
  }
});

test("a decoder that crashes or runs out of memory fails its own frame only", async () => {
  const crashes = `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", (task) => {
      if (task.frame[0] === 1) process.exit(3);
      const hoard = [];
      while (task.frame[0] === 2) hoard.push(new Array(100000).fill({}));
      parentPort.postMessage({ kind: "rendered", bytes: new Uint8Array([3]) });
    });`;
  const workers = createPixelWorkers({
    ...parts,
    workersMax: 1,
    taskMsMax: 60_000,
    heapMibMax: 48,
    program: program(crashes),
  });
  const render = (first: number) =>
    workers.renderPicture({
      frame: Uint8Array.of(first),
      image,
      attributes: {},
      options: {},
      format: { type: "image/jpeg" },
    });
  try {
    await assert.rejects(render(1), (error) => isProblem(error, "unavailable"));
    await assert.rejects(render(2), (error) => isProblem(error, "invalid"));
    assert.deepEqual([...(await render(0))], [3]);
  } finally {
    await workers.close();
  }
});

test("over its bound the queue refuses, and what waits is refused at the end", async () => {
  const never = `import { parentPort } from "node:worker_threads"; parentPort.on("message", () => {});`;
  const workers = createPixelWorkers({ ...parts, workersMax: 1, waitingMax: 2, program: program(never) });
  const asked = [1, 2, 3].map(() => workers.decodeFrame(frame, image));
  for (const each of asked) each.catch(() => {});
  await assert.rejects(workers.decodeFrame(frame, image), (error) => isProblem(error, "busy"));
  await workers.close();
  for (const each of asked) await assert.rejects(each, (error) => isProblem(error, "unavailable"));
});
