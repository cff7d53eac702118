import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { createFrameCodecs, type FrameDescription } from "#imaging/codecs";
import { createPixelProcesses } from "../../apps/server/index.ts";
import { createDice } from "../fuzz/mutate.ts";
import { dataFolder } from "../house/index.ts";
import { gray, type HostilePixels, openHostilePixels, syntax } from "./hostile-pixels.fixture.ts";

let hostile: HostilePixels;
before(async () => {
  hostile = await openHostilePixels();
});
after(() => hostile.close());

const compressing = [".5", ".4.70", ".4.80", ".4.90", ".4.201"].map(syntax);
const codecs = createFrameCodecs();

/** Real frames of every codec, then hurt: bytes changed, cut out, repeated, the end cut off. */
async function* hurtFrames(each: number): AsyncGenerator<{ frame: Uint8Array; image: FrameDescription }> {
  const dice = createDice(43);
  const samples = Uint8Array.from({ length: 576 }, (_, at) => 100 + 40 * Math.sin(at / 9));
  for (const transferSyntaxUid of compressing) {
    const image = { ...gray, transferSyntaxUid };
    const whole = await codecs.encodeFrame(samples, image);
    for (let round = 0; round < each; round++) {
      const frame = Uint8Array.from(whole.subarray(0, dice(4) === 0 ? dice(whole.length) : whole.length));
      for (let hurts = dice(6); hurts >= 0 && frame.length > 0; hurts--) {
        const at = dice(frame.length);
        if (dice(3) === 0) frame.copyWithin(at, dice(frame.length));
        else frame[at] = [0, 0xff, 0x7f, dice(256)][dice(4)] ?? 0;
      }
      yield { frame, image };
    }
  }
}

test("attack 42: a frame that reads beyond its own shows nothing of what was decoded before it", async () => {
  const one = createPixelProcesses({ clock: systemClock, log: silentLog, processesMax: 1, taskMsMax: 2_000 });
  try {
    // A pattern that no decoder makes by itself, in every codec's memory before each hurt frame of it.
    const dice = createDice(42);
    const pattern = Buffer.from(Uint8Array.from({ length: 12 }, () => dice(256)));
    const secret = Buffer.concat(new Array(48).fill(pattern)).subarray(0, 576);
    const coded = new Map<string, Uint8Array>();
    for (const uid of compressing)
      coded.set(uid, await codecs.encodeFrame(secret, { ...gray, transferSyntaxUid: uid }));
    for await (const { frame, image } of hurtFrames(process.env.LEADGLASS_LONG === "1" ? 2_000 : 40)) {
      const known = await one.decodeFrame(coded.get(image.transferSyntaxUid) ?? new Uint8Array(0), image);
      assert.ok(Buffer.from(known.pixels).includes(pattern));
      const made = await one.decodeFrame(frame, image).catch((error: unknown) => error);
      if (isProblem(made)) continue;
      const { pixels: bytes } = made as { pixels: Uint8Array };
      assert.equal(bytes.length, 576);
      assert.ok(!Buffer.from(bytes).includes(pattern.subarray(0, 8)), `${image.transferSyntaxUid} leaks`);
    }
  } finally {
    await one.close();
  }
});

test("attack 43: malformed JPEG, JPEG-LS, JPEG 2000, HTJ2K and RLE end in a refusal, and the next frame is decoded", async (t) => {
  let refused = 0;
  let decoded = 0;
  for await (const { frame, image } of hurtFrames(process.env.LEADGLASS_LONG === "1" ? 5_000 : 80)) {
    const made = await hostile.pixels.decodeFrame(frame, image).catch((error: unknown) => error);
    if (isProblem(made)) {
      assert.ok(["invalid", "unsupported", "too-large"].includes(made.code), made.code);
      refused++;
    } else decoded++;
  }
  assert.ok(refused > decoded / 4, `${refused} refused, ${decoded} decoded`);
  t.diagnostic(`${refused} refused, ${decoded} decoded to something`);
  const folder = join(dataFolder, "dicom/malformed");
  const files = (() => {
    try {
      return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
    } catch {
      return [];
    }
  })();
  const odd = files.filter((path) => statSync(path).isFile() && /J2K|JPEG2000|jpeg|jls/i.test(path));
  for (const path of odd) {
    const address = await hostile.store(readFileSync(path));
    if (address !== undefined) await hostile.askAll(address);
  }
});

test("attack 47: decoders that are taken over, hang or hoard are killed, however often, and we live on", {
  timeout: 1_800_000,
}, async (t) => {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), "leadglass-taken-")));
  t.after(() => rmSync(scratch, { recursive: true, force: true }));
  const program = join(scratch, "taken.mjs");
  const ready = Buffer.from(JSON.stringify({ kind: "ready" }));
  writeFileSync(
    program,
    `import { readSync, writeSync } from "node:fs";
     const prefix = Buffer.alloc(8); prefix.writeUInt32LE(${ready.length}, 0);
     writeSync(1, Buffer.concat([prefix, Buffer.from(${JSON.stringify(ready.toString())})]));
     const bytes = Buffer.alloc(65536);
     const length = readSync(0, bytes);
     const way = bytes[length - 1] % 5;
     if (way === 0) for (;;);
     if (way === 1) { const hoard = []; for (;;) hoard.push(Buffer.alloc(1 << 24, 1)); }
     if (way === 2) process.abort();
     if (way === 3) { writeSync(1, Buffer.alloc(4096, 255)); for (;;); }
     process.exit(0);`,
  );
  const kills = process.env.LEADGLASS_LONG === "1" ? 1_000 : 20;
  const taken = createPixelProcesses({ clock: systemClock, log: silentLog, taskMsMax: 200, program });
  const handles = () => process.getActiveResourcesInfo().filter((name) => /Process|Pipe/.test(name)).length;
  const before = handles();
  let refused = 0;
  for (let done = 0; done < kills; done += 100) {
    const some = Array.from({ length: Math.min(100, kills - done) }, async (_, at) => {
      const made = await taken.decodeFrame(Uint8Array.of(at), gray).catch((error: unknown) => error);
      if (isProblem(made, "invalid")) refused++;
    });
    await Promise.all(some);
  }
  await taken.close();
  assert.equal(refused, kills);
  assert.ok(handles() <= before + 2, "nothing of them is left");
  const decoded = await hostile.pixels.decodeFrame(new Uint8Array(576).fill(5), gray);
  assert.ok(
    decoded.pixels.every((value) => value === 5),
    "other decoders were not touched",
  );
});
