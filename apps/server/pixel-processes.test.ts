import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import type { FrameDescription } from "#imaging/codecs";
import { createPixelProcesses } from "./pixel-processes.ts";

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
const scratch = realpathSync(mkdtempSync(join(tmpdir(), "leadglass-pixels-")));
after(() => rmSync(scratch, { recursive: true, force: true }));
let programs = 0;

/** A program that says it is ready, and to each frame does `body`, which has its first byte in `first` and can `answer`. */
function program(body: string): string {
  const path = join(scratch, `${++programs}.mjs`);
  const source = `
    import { readFileSync, readSync, writeFileSync, writeSync } from "node:fs";
    const take = (count) => { const b = Buffer.alloc(count); for (let at = 0; at < count;) { const n = readSync(0, b, at, count - at); if (n === 0) process.exit(0); at += n; } return b; };
    const send = (bytes) => { for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at); };
    const answer = (head, body = Buffer.alloc(0)) => { const h = Buffer.from(JSON.stringify(head)); const p = Buffer.alloc(8); p.writeUInt32LE(h.length, 0); p.writeUInt32LE(body.length, 4); send(p); send(h); send(body); };
    for (;;) {
      answer({ kind: "ready" });
      const prefix = take(8);
      take(prefix.readUInt32LE(0));
      const first = take(prefix.readUInt32LE(4))[0];
      await (async () => { ${body} })();
    }`;
  writeFileSync(path, source);
  return path;
}

const gray = `answer({ kind: "rendered", width: 1, height: 1, channels: 1 }, Buffer.of(first));`;
const rendering = (first: number) => ({ frame: Uint8Array.of(first), image, attributes: {}, options: {} });

test("frames are decoded, compressed and rendered in another process, and the caller keeps its bytes", async () => {
  const pixels = createPixelProcesses(parts);
  try {
    const decoded = await pixels.decodeFrame(frame, image);
    assert.deepEqual([...decoded.pixels], [...frame]);
    const coded = await pixels.recodeFrame(frame, image, "1.2.840.10008.1.2.4.70");
    const back = await pixels.decodeFrame(coded.bytes, { ...image, transferSyntaxUid: "1.2.840.10008.1.2.4.70" });
    assert.deepEqual([...back.pixels], [...frame]);
    const picture = await pixels.renderFrame({ frame, image, attributes: {}, options: {} });
    assert.deepEqual([picture.width, picture.height, picture.channels], [4, 4, 1]);
    assert.equal(frame.length, 16);
  } finally {
    await pixels.close();
  }
});

test("a problem of the decoder comes back as that problem", async () => {
  const pixels = createPixelProcesses(parts);
  try {
    const short = pixels.decodeFrame(frame.subarray(0, 3), image);
    await assert.rejects(short, (error) => isProblem(error, "invalid"));
    const video = pixels.decodeFrame(frame, { ...image, transferSyntaxUid: "1.2.840.10008.1.2.4.102" });
    await assert.rejects(video, (error) => isProblem(error, "unsupported"));
  } finally {
    await pixels.close();
  }
});

test("a decoder that hangs is killed, and the next frame finds a new one", async () => {
  const hangs = program(`while (first === 1); ${gray}`);
  const pixels = createPixelProcesses({ ...parts, processesMax: 1, taskMsMax: 300, program: hangs });
  try {
    const stuck = pixels.renderFrame(rendering(1));
    const behind = pixels.renderFrame(rendering(2));
    await assert.rejects(stuck, (error) => isProblem(error, "invalid"));
    assert.deepEqual([...(await behind).pixels], [2]);
  } finally {
    await pixels.close();
  }
});

test("a decoder that ends, crashes or takes too much memory fails its own frame only", async () => {
  const falls = program(`
    if (first === 1) process.exit(3);
    if (first === 2) { const hoard = []; for (;;) hoard.push(new Array(100000).fill({})); }
    if (first === 3) { const hoard = []; for (;;) hoard.push(Buffer.alloc(16 * 1024 * 1024, 1)); }
    if (first === 4) new WebAssembly.Memory({ initial: 16384 });
    if (first === 5) process.abort();
    ${gray}`);
  const pixels = createPixelProcesses({ ...parts, processesMax: 1, taskMsMax: 60_000, program: falls });
  try {
    for (const way of process.platform === "linux" ? [1, 2, 3, 4, 5] : [1, 2, 5]) {
      await assert.rejects(pixels.renderFrame(rendering(way)), (error) => isProblem(error, "invalid"), `way ${way}`);
    }
    assert.deepEqual([...(await pixels.renderFrame(rendering(9))).pixels], [9]);
  } finally {
    await pixels.close();
  }
});

test("a decoder that was taken over finds no environment, no files, no processes, and is not believed", async () => {
  const pries = program(`
    const refused = (work) => { try { work(); return "done"; } catch (error) { return error.code; } };
    const { spawnSync } = await import("node:child_process");
    const found = [
      Object.keys(process.env).filter((name) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(name)).length,
      refused(() => readFileSync("/etc/passwd")),
      refused(() => writeFileSync(${JSON.stringify(join(scratch, "left"))}, "x")),
      refused(() => spawnSync("/bin/true")),
    ];
    if (first === 1) answer({ kind: "problem", code: "invalid", message: JSON.stringify(found) });
    if (first === 2) answer({ kind: "rendered", width: 1000, height: 1000, channels: 1 }, Buffer.of(1));
    if (first === 3) answer({ kind: "decoded", photometricInterpretation: "<script>", planarConfiguration: 0 }, Buffer.alloc(16));
    if (first === 4) send(Buffer.alloc(8, 255));
    if (first === 5) { answer({ kind: "rendered", width: 1, height: 1, channels: 1 }, Buffer.of(1)); answer({ kind: "ready" }); }
    if (first === 6) send(Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 123, 0]));
    if (first === 7) answer({ kind: "problem", code: "denied", message: "x".repeat(5000) });`);
  const pixels = createPixelProcesses({ ...parts, processesMax: 1, program: pries });
  try {
    const said = await pixels.renderFrame(rendering(1)).catch((error: Error) => error.message);
    const denied = "ERR_ACCESS_DENIED";
    assert.deepEqual(JSON.parse(String(said)), [0, denied, denied, denied]);
    await assert.rejects(pixels.renderFrame(rendering(2)), (error) => isProblem(error, "fault"));
    await assert.rejects(pixels.decodeFrame(Uint8Array.of(3), image), (error) => isProblem(error, "fault"));
    await assert.rejects(pixels.renderFrame(rendering(4)), (error) => isProblem(error, "invalid"));
    await pixels.renderFrame(rendering(5)).catch(() => {});
    await assert.rejects(pixels.renderFrame(rendering(6)), (error) => isProblem(error));
    const boasts = pixels.renderFrame(rendering(7));
    await assert.rejects(boasts, (error) => isProblem(error, "invalid") && error.message.length <= 300);
  } finally {
    await pixels.close();
  }
});

test("large frames follow each other in one process, and none fails for what the one before took", async () => {
  const pixels = createPixelProcesses({ ...parts, processesMax: 1, memoryMibMax: 192, taskMsMax: 60_000 });
  const large = { ...image, rows: 3000, columns: 4000, bitsAllocated: 16, bitsStored: 16 };
  const samples = new Uint8Array(3000 * 4000 * 2).fill(3);
  try {
    for (let round = 0; round < 4; round++) {
      const { bytes } = await pixels.recodeFrame(samples, large, "1.2.840.10008.1.2.5");
      const back = await pixels.decodeFrame(bytes, { ...large, transferSyntaxUid: "1.2.840.10008.1.2.5" });
      assert.ok(Buffer.from(samples.buffer).equals(back.pixels));
    }
  } finally {
    await pixels.close();
  }
});

test("over its bound the queue refuses, and what waits is refused at the end", async () => {
  const pixels = createPixelProcesses({ ...parts, processesMax: 1, waitingMax: 3, program: program("") });
  const asked = [1, 2, 3].map(() => pixels.decodeFrame(frame, image));
  for (const each of asked) each.catch(() => {});
  await assert.rejects(pixels.decodeFrame(frame, image), (error) => isProblem(error, "busy"));
  await pixels.close();
  for (const each of asked) await assert.rejects(each, (error) => isProblem(error, "unavailable"));
});
