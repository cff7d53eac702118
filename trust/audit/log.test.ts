import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { isProblem } from "#base/problem";
import { createMemoryEntryStore } from "#stores/memory";
import type { AuditEntry } from "./audit.ts";
import { createAuditLog, leafHash, verifyConsistency, verifyInclusion } from "./index.ts";
import { nodeHash } from "./tree.ts";

const signingSeed = Buffer.alloc(32, 42);
const origin = "leadglass.test/audit";
const entry: Omit<AuditEntry, "at"> = {
  actor: "device:0123456789abcdef",
  act: "instance.store",
  on: { kind: "instance", id: "fedcba9876543210" },
  outcome: "done",
  counts: { instances: 1, bytes: 526_000 },
};

async function opened(store = createMemoryEntryStore()) {
  const clock = createVirtualClock();
  return { store, clock, log: await createAuditLog({ store, signingSeed, origin, clock }) };
}

/** Lets what waits on nothing but promises run to its end. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("an entry is one line of JSON with its keys in one order, whatever order they came in", async () => {
  const { log } = await opened();
  assert.equal(await log.append(entry), 0);
  assert.equal(await log.append({ outcome: "failed", act: "a\nb", actor: "system" }), 1);
  const [first, second] = (await log.lines(0, 2)).map(String);
  assert.equal(
    first,
    '{"at":1700000000000,"actor":"device:0123456789abcdef","act":"instance.store",' +
      '"on":{"kind":"instance","id":"fedcba9876543210"},"outcome":"done","counts":{"bytes":526000,"instances":1}}',
  );
  assert.equal(second, '{"at":1700000000000,"actor":"system","act":"a\\nb","outcome":"failed"}');
  assert.deepEqual(await log.entries(0, 1), [{ at: 1_700_000_000_000, ...entry }]);
});

test("an entry that is too long, or counts what is no whole number, is refused and leaves nothing", async () => {
  const { log } = await opened();
  const refused = (error: unknown) => isProblem(error, "invalid");
  await assert.rejects(log.append({ ...entry, act: "x".repeat(5000) }), refused);
  await assert.rejects(log.append({ ...entry, counts: { bytes: 0.5 } }), refused);
  assert.equal(log.size(), 0);
});

test("callers that come together share one write, and each gets its own index in order", async () => {
  const { store, log } = await opened();
  let writes = 0;
  const append = store.append;
  const counted = (lines: Uint8Array[]) => {
    writes++;
    return append(lines);
  };
  Object.assign(store, { append: counted });
  const indices = await Promise.all(Array.from({ length: 200 }, () => log.append(entry)));
  assert.deepEqual(
    indices,
    Array.from({ length: 200 }, (_, i) => i),
  );
  assert.equal(writes, 1);
});

test("when the store fails every caller of that write is told, and none of them counts", async () => {
  const { store, log } = await opened();
  await log.append(entry);
  store.failNext(Object.assign(new Error("disk"), { code: "ENOSPC" }), "append");
  const results = await Promise.allSettled([log.append(entry), log.append(entry)]);
  for (const result of results) {
    assert.ok(result.status === "rejected" && isProblem(result.reason, "no-room"));
  }
  assert.equal(log.size(), 1);
  assert.equal(await log.append(entry), 1);
});

test("a minute after an entry there is a checkpoint, and none while nothing happens", async () => {
  const { store, clock, log } = await opened();
  clock.advance(300_000);
  await settled();
  assert.equal(store.checkpointCount(), 0);
  await log.append(entry);
  clock.advance(59_999);
  await settled();
  assert.equal(log.latestCheckpoint(), undefined);
  clock.advance(1);
  await settled();
  assert.deepEqual([log.latestCheckpoint()?.size, log.latestCheckpoint()?.at], [1, 1_700_000_360_000]);
  clock.advance(300_000);
  await settled();
  assert.equal(store.checkpointCount(), 1);
});

test("a checkpoint that fails is tried again a minute later", async () => {
  const { store, clock, log } = await opened();
  await log.append(entry);
  store.failNext(new Error("disk"), "appendCheckpoint");
  clock.advance(60_000);
  await settled();
  assert.equal(log.latestCheckpoint(), undefined);
  clock.advance(60_000);
  await settled();
  assert.equal(log.latestCheckpoint()?.size, 1);
});

test("closing signs what is not signed yet, and then nothing is taken", async () => {
  const { store, log } = await opened();
  const last = log.append(entry);
  await log.close();
  assert.equal(await last, 0);
  assert.equal(store.checkpointCount(), 1);
  await assert.rejects(log.append(entry), (error) => isProblem(error, "unavailable"));
});

test("every entry is proved in every checkpoint, and each checkpoint begins with the one before", async () => {
  const { log } = await opened();
  for (let i = 0; i < 37; i++) {
    await log.append({ ...entry, counts: { i } });
    if (i % 5 === 0) await log.checkpoint();
  }
  await log.checkpoint();
  const lines = await log.lines(0, 37);
  let before: { size: number; rootHash: Buffer } | undefined;
  for await (const { size, rootHash } of log.checkpoints()) {
    for (let index = 0; index < size; index++) {
      const path = await log.prove(index, size);
      assert.ok(verifyInclusion(leafHash(lines[index] as Buffer), index, size, path, rootHash));
    }
    if (before !== undefined) {
      const path = await log.proveConsistency(before.size, size);
      assert.ok(verifyConsistency(before.size, before.rootHash, size, rootHash, path));
    }
    before = { size, rootHash };
  }
  assert.equal(before?.size, 37);
  await assert.rejects(log.prove(37, 37), (error) => isProblem(error, "invalid"));
  await assert.rejects(log.prove(0, 38), (error) => isProblem(error, "invalid"));
});

test("opened again, the log goes on where it was, with what came behind the last checkpoint", async () => {
  const { store, log, clock } = await opened();
  for (let i = 0; i < 10; i++) await log.append(entry);
  await log.checkpoint();
  for (let i = 0; i < 5; i++) await log.append(entry);
  const crashed = await createAuditLog({ store, signingSeed, origin, clock });
  assert.equal(crashed.size(), 15);
  assert.equal(await crashed.append(entry), 15);
  const { rootHash } = await crashed.checkpoint();
  assert.ok(
    verifyInclusion(leafHash((await crashed.lines(3, 4))[0] as Buffer), 3, 16, await crashed.prove(3, 16), rootHash),
  );
});

test("a log whose entries or key are not those of its checkpoint does not open", async () => {
  const { store, log, clock } = await opened();
  for (let i = 0; i < 10; i++) await log.append(entry);
  await log.close();
  const damaged = (error: unknown) => isProblem(error, "damaged");
  await assert.rejects(createAuditLog({ store, signingSeed: Buffer.alloc(32, 1), origin, clock }), damaged);
  await assert.rejects(createAuditLog({ store, signingSeed, origin: "another.test", clock }), damaged);
  await assert.rejects(createAuditLog({ store: { ...store, size: () => 9 }, signingSeed, origin, clock }), damaged);
  const lost = async () => Array.from({ length: 2 }, () => Buffer.alloc(32));
  const read = async (from: number, to: number) =>
    (await store.read(from, to)).map((line, i) => (from + i === 4 ? Buffer.from("{}") : line));
  const changed = createAuditLog({ store: { ...store, readHashes: lost, read }, signingSeed, origin, clock });
  await assert.rejects(changed, damaged);
});

test("cosignatures are kept with the checkpoint they belong to, each witness's newest, also when the log is opened again", async () => {
  const { store, log, clock } = await opened();
  for (let i = 0; i < 5; i++) {
    await log.append(entry);
    await log.checkpoint();
  }
  const [two, five] = [2, 5].map((size) =>
    ["a", "b"].map((name) => `— w/${name} ${btoa(`signature ${size}${name}`)}\n`),
  );
  for (const line of two ?? []) await log.addCosignature(2, line);
  await Promise.all((five ?? []).map((line) => log.addCosignature(5, line)));
  const newer = `— w/a ${btoa("newer signature")}\n`;
  await log.addCosignature(2, newer);
  await assert.rejects(log.addCosignature(6, "— w/a x=\n"), (error) => isProblem(error, "absent"));
  const again = await createAuditLog({ store, signingSeed, origin, clock });
  for (const each of [log, again]) {
    const behind: string[] = [];
    for await (const { note } of each.checkpoints()) behind.push(note.split("\n").slice(6).join("\n"));
    assert.deepEqual(behind, ["", `${two?.[1]}${newer}`, "", "", five?.join("")]);
    assert.ok(each.latestCheckpoint()?.note.endsWith(`\n${five?.join("")}`));
  }
  await log.append(entry);
  assert.doesNotMatch((await log.checkpoint()).note, /— w\/a /);
  await store.writeCosignatures(5, Buffer.from("nonsense"));
  assert.equal((await createAuditLog({ store, signingSeed, origin, clock })).latestCheckpoint()?.size, 6);
});

test("subtrees of every level are those of the tree, whether they are written already or not", async () => {
  const { log } = await opened();
  for (let i = 0; i < 21; i++) await log.append({ ...entry, counts: { i } });
  const lines = await log.lines(0, 21);
  const rootOf = (some: Buffer[]): Buffer => {
    const half = some.length / 2;
    return some.length === 1
      ? leafHash(some[0] as Buffer)
      : nodeHash(rootOf(some.slice(0, half)), rootOf(some.slice(half)));
  };
  for (let pass = 0; pass < 2; pass++) {
    for (let level = 0; 2 ** level <= 21; level++) {
      const count = Math.floor(21 / 2 ** level);
      const hashes = await log.subtrees(level, 0, count);
      assert.deepEqual(
        hashes,
        hashes.map((_, n) => rootOf(lines.slice(n * 2 ** level, (n + 1) * 2 ** level))),
      );
      await assert.rejects(log.subtrees(level, 0, count + 1), (error) => isProblem(error, "invalid"));
    }
    await log.checkpoint();
  }
});
