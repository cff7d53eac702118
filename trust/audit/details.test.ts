import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { isProblem } from "#base/problem";
import { createMemoryDetailStore, createMemoryEntryStore } from "#stores/memory";
import { createAuditLog, verifyLog } from "./index.ts";

/** Seals by turning every bit over, for the one purpose. */
const box = {
  seal: (purpose: string, secret: Uint8Array) =>
    Buffer.concat([Buffer.from(purpose), Uint8Array.from(secret, (byte) => byte ^ 255)]),
  open(purpose: string, sealed: Uint8Array) {
    assert.equal(Buffer.from(sealed.subarray(0, purpose.length)).toString(), purpose);
    return Uint8Array.from(sealed.subarray(purpose.length), (byte) => byte ^ 255);
  },
};
const entry = { actor: "user:0123456789abcdef0123456789abcdef", act: "study.view", outcome: "done" } as const;
const detail = { reason: "Unfall, Bewusstlosigkeit „akut“", ip: "192.0.2.7", agent: "Firefox" };

async function opened() {
  const [store, details] = [createMemoryEntryStore(), createMemoryDetailStore()];
  const parts = { signingSeed: Buffer.alloc(32, 3), origin: "log.test/1", clock: createVirtualClock() };
  const log = await createAuditLog({ store, details: { store: details, box, random: systemRandom }, ...parts });
  return { store, details, log };
}

test("an entry holds a commitment that the salt and the detail prove, and nothing of the detail", async () => {
  const { log } = await opened();
  assert.equal(await log.append(entry, detail), 0);
  await log.append(entry);
  const [line = Buffer.alloc(0), plain = Buffer.alloc(0)] = await log.lines(0, 2);
  assert.doesNotMatch(line.toString(), /Unfall|192\.0\.2|Firefox/);
  assert.doesNotMatch(plain.toString(), /detail/);
  const revealed = await log.details(0, 2);
  assert.deepEqual([...revealed.keys()], [0]);
  const { salt = "", detail: said } = revealed.get(0) ?? {};
  assert.deepEqual(said, detail);
  const canonical = '{"agent":"Firefox","ip":"192.0.2.7","reason":"Unfall, Bewusstlosigkeit „akut“"}';
  const digest = hash("sha256", Buffer.concat([Buffer.from(salt, "hex"), Buffer.from(canonical)]), "hex");
  assert.equal(JSON.parse(line.toString()).detail, digest);
});

test("the same detail twice gives two commitments", async () => {
  const { log } = await opened();
  await log.append(entry, detail);
  await log.append(entry, detail);
  const [one, two] = await log.entries(0, 2);
  assert.notEqual(one?.detail, two?.detail);
});

test("details that are erased are gone, and the log still proves", async () => {
  const { log } = await opened();
  for (let i = 0; i < 10; i++) await log.append(entry, { reason: `number ${i}` });
  assert.equal(await log.eraseDetails(2, 5), 3);
  assert.equal(await log.eraseDetails(0, 5), 2);
  assert.deepEqual([...(await log.details(0, 10)).keys()], [5, 6, 7, 8, 9]);
  assert.equal((await log.details(7, 8)).get(7)?.detail.reason, "number 7");
  const { note } = await log.checkpoint();
  const text = (await log.lines(0, 10)).map((line) => Buffer.concat([line, Buffer.from("\n")]));
  assert.ok((await verifyLog({ text, checkpoints: [note], verifierKey: log.verifierKey() })).ok);
});

test("an act whose details are not kept fails, those that came with it do not, and the log goes on", async () => {
  const { log, details, store } = await opened();
  details.failNext(Object.assign(new Error("full"), { code: "ENOSPC" }), "put");
  const [plain, detailed, last] = await Promise.allSettled([
    log.append(entry),
    log.append(entry, detail),
    log.append(entry),
  ]);
  assert.deepEqual(
    [plain, last],
    [
      { status: "fulfilled", value: 0 },
      { status: "fulfilled", value: 2 },
    ],
  );
  assert.ok(detailed.status === "rejected" && isProblem(detailed.reason, "no-room"));
  store.failNext(Object.assign(new Error("full"), { code: "ENOSPC" }), "append");
  await assert.rejects(log.append(entry, detail), (error) => isProblem(error, "no-room"));
  assert.equal(await log.append(entry, detail), 3);
  assert.deepEqual([...(await log.details(0, 9)).keys()], [3]);
});

test("details of callers that come together are put together", async () => {
  const { log, details } = await opened();
  let puts = 0;
  const put = details.put;
  const counted: typeof put = (given) => {
    puts++;
    return put(given);
  };
  const again = await createAuditLog({
    store: createMemoryEntryStore(),
    details: { store: { ...details, put: counted }, box, random: systemRandom },
    ...{ signingSeed: Buffer.alloc(32, 3), origin: "log.test/1", clock: createVirtualClock() },
  });
  await Promise.all(Array.from({ length: 300 }, (_, i) => again.append(entry, { i: String(i) })));
  assert.equal(puts, 1);
  await log.close();
});

test("words that are too long are cut, too many are refused, and a log without a place for them takes none", async () => {
  const { log } = await opened();
  await log.append(entry, { agent: `${"a".repeat(999)}\u{1f600}${"b".repeat(9000)}` });
  assert.equal((await log.details(0, 1)).get(0)?.detail.agent, `${"a".repeat(999)}\ufffd`);
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`name${i}`, "x"]));
  await assert.rejects(log.append(entry, many), (error) => isProblem(error, "invalid"));
  const bare = await createAuditLog({
    store: createMemoryEntryStore(),
    ...{ signingSeed: Buffer.alloc(32, 3), origin: "log.test/1", clock: createVirtualClock() },
  });
  await assert.rejects(bare.append(entry, detail), (error) => isProblem(error, "fault"));
  assert.equal(bare.size(), 0);
});

test("what was changed at rest is not shown as what the entry committed to", async () => {
  const { log, details } = await opened();
  await log.append(entry, detail);
  const [{ detail: commitment = "" } = {}] = await log.entries(0, 1);
  await details.erase([commitment]);
  const forged = box.seal(`audit detail ${commitment}`, Buffer.from(`${"s".repeat(32)}{"reason":"other"}`));
  await details.put([{ commitment, sealed: forged }]);
  await assert.rejects(log.details(0, 1), (error) => isProblem(error, "damaged"));
});
