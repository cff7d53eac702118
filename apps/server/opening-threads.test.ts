import assert from "node:assert/strict";
import { createCipheriv, createHash, createSecretKey, randomBytes } from "node:crypto";
import { test } from "node:test";
import { createVirtualClock, systemClock } from "#base/clock";
import { isProblem } from "#base/problem";
import type { WholeOpener, WholeTask } from "#trust/vault";
import { createOpeningThreads } from "./opening-threads.ts";

const plain = randomBytes(200_000);
const none = { offsets: new Float64Array(), lengths: new Float64Array(), bytes: new Uint8Array() };

/** The segments of `plain` as the vault seals them: counter and kind in the nonce. */
function task(): WholeTask {
  const secret = randomBytes(32);
  const context = randomBytes(40);
  const sealed = new ArrayBuffer(plain.length + 32);
  let at = 0;
  const segments = [plain.subarray(0, 131_072), plain.subarray(131_072)].map((bytes, index) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(index, 7);
    const cipher = createCipheriv("aes-256-gcm", secret, nonce).setAAD(context);
    const parts = Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    const segment = new Uint8Array(sealed, at, parts.length);
    segment.set(parts);
    at += parts.length;
    return segment;
  });
  return { segments, key: createSecretKey(secret), context, patches: none, hashFrom: 100 };
}

/** Asks until a thread has started. */
async function ready(threads: WholeOpener) {
  for (;;) {
    const done = threads.open(task());
    if (done !== undefined) return done;
    await systemClock.sleep(5);
  }
}

test("a thread opens what it is given, and gives the buffer back", async () => {
  const threads = createOpeningThreads({ clock: systemClock, threadsMax: 1 });
  assert.equal(threads.open(task()), undefined, "while it starts, who asks goes on by itself");
  const { answer, sealed } = await ready(threads);
  assert.ok("pieces" in answer);
  assert.deepEqual(Buffer.concat(answer.pieces), plain);
  assert.equal(answer.sha256, createHash("sha256").update(plain.subarray(100)).digest("hex"));
  assert.equal(sealed.byteLength, plain.length + 32);
  await threads.close();
  assert.equal(threads.open(task()), undefined);
});

test("a segment that does not prove is named, and nothing of it comes out", async () => {
  const threads = createOpeningThreads({ clock: systemClock, threadsMax: 1 });
  await ready(threads);
  const changed = task();
  const [, second] = changed.segments;
  second?.set([(second[7] ?? 0) ^ 1], 7);
  const done = await threads.open(changed);
  assert.deepEqual(done?.answer, { damagedSegment: 1 });
  await threads.close();
});

test("more than it can hold ready is not taken; what was taken is answered before it closes", async () => {
  const threads = createOpeningThreads({ clock: systemClock, threadsMax: 1 });
  await ready(threads);
  const asked = Array.from({ length: 20 }, () => threads.open(task()));
  const taken = asked.filter((done) => done !== undefined);
  assert.equal(taken.length, 8);
  const [, ...answers] = await Promise.all([threads.close(), ...taken]);
  for (const { answer } of answers) assert.ok("pieces" in answer);
});

test("a thread that ends fails what it had, and the next is started", async () => {
  const threads = createOpeningThreads({ clock: systemClock, threadsMax: 1 });
  await ready(threads);
  // What no task is: the thread falls over it.
  const broken = { ...task(), patches: undefined } as unknown as WholeTask;
  await assert.rejects(threads.open(broken) ?? assert.fail("taken"), (error) => isProblem(error, "fault"));
  const { answer } = await ready(threads);
  assert.ok("pieces" in answer);
  await threads.close();
});

test("nobody asks for a minute: the thread is ended", async () => {
  const clock = createVirtualClock();
  const threads = createOpeningThreads({ clock, threadsMax: 1 });
  await ready(threads);
  assert.notEqual(await threads.open(task()), undefined);
  clock.advance(60_000);
  assert.equal(threads.open(task()), undefined);
  await threads.close();
});
