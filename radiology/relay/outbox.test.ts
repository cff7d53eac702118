import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { seededRandom } from "#base/id";
import { silentLog } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import { createMemoryRecordStore } from "#stores/memory";
import { createRecords, type RecordStore } from "#trust/vault";
import { openVault } from "../../trust/vault/vault.fixture.ts";
import { createOutbox, type NewTransfer, type OutboxLimits, type Perform } from "./outbox.ts";

interface Letter {
  readonly say: string;
}

const { vault } = await openVault();
const hourMs = 3_600_000;

function openBox(perform: Perform<Letter>, more: { store?: RecordStore; limits?: Partial<OutboxLimits> } = {}) {
  const { store = createMemoryRecordStore(), limits = {} } = more;
  const clock = createVirtualClock();
  const records = createRecords({ store, vault });
  const parts = { records, clock, random: seededRandom(3), log: silentLog, perform, limits };
  return { ...parts, store, outbox: createOutbox<Letter>(parts) };
}

const letter = (key: string, more: Partial<NewTransfer<Letter>> = {}): NewTransfer<Letter> => ({
  ...{ key, kind: "send", to: "pacs", by: "user:1", priority: 1, errand: { say: key } },
  ...more,
});

/** Lets everything that is ready run: the stores are in memory. */
async function settle() {
  for (let turn = 0; turn < 40; turn++) await setImmediate();
}

const offline = () => new Problem("unavailable", "nobody answers");

test("what is added is done once, and shown as done for a week", async () => {
  const done: string[] = [];
  const { outbox, clock, store } = openBox(async ({ say }) => void done.push(say));
  await outbox.begin();
  const { id } = await outbox.add(letter("a", { study: "s1" }));
  await settle();
  assert.deepEqual(done, ["a"]);
  assert.deepEqual(
    outbox.list().map(({ id, state, attempts, study }) => ({ id, state, attempts, study })),
    [{ id, state: "done", attempts: 1, study: "s1" }],
  );
  clock.advance(8 * 24 * hourMs);
  await settle();
  assert.deepEqual(outbox.list(), []);
  assert.deepEqual(await store.list("transfer", "", 10), []);
  await outbox.close();
});

test("one that is under way is not queued twice; after it is over it is", async () => {
  let runs = 0;
  const gates: (() => void)[] = [];
  const { outbox } = openBox(() => {
    runs++;
    return new Promise((resolve) => gates.push(resolve));
  });
  await outbox.begin();
  const first = await outbox.add(letter("a"));
  await settle();
  assert.equal((await outbox.add(letter("a"))).id, first.id);
  await settle();
  assert.equal(runs, 1);
  gates[0]?.();
  await settle();
  await outbox.add(letter("a"));
  await settle();
  assert.equal(runs, 2);
  gates[1]?.();
  await outbox.close();
});

test("what fails is tried again after pauses that grow to hours, and given up after days with the reason", async () => {
  const at: number[] = [];
  const { outbox, clock } = openBox(async () => {
    at.push(clock.now());
    throw offline();
  });
  await outbox.begin();
  await outbox.add(letter("a"));
  for (let step = 0; step < 8 * 24 * 6; step++) {
    await settle();
    clock.advance(600_000);
  }
  await settle();
  const pauses = at.slice(1).map((time, n) => time - (at[n] ?? 0));
  assert.ok((pauses[0] ?? 0) <= 600_000);
  assert.ok(Math.max(...pauses) > 2 * hourMs && Math.max(...pauses) < 6 * hourMs);
  assert.ok(at.length > 20 && at.length < 60);
  const [transfer] = outbox.list();
  assert.equal(transfer?.state, "given-up");
  assert.deepEqual(transfer?.problem, { code: "unavailable", message: "nobody answers" });
  await outbox.close();
});

test("what time does not mend is given up at once; somebody may try it again", async () => {
  let isThere = false;
  const { outbox } = openBox(async () => {
    if (!isThere) throw new Problem("absent", "no such study");
  });
  await outbox.begin();
  const { id } = await outbox.add(letter("a"));
  await settle();
  assert.equal(outbox.list()[0]?.state, "given-up");
  isThere = true;
  await outbox.retry(id);
  await settle();
  const [transfer] = outbox.list();
  assert.deepEqual([transfer?.state, transfer?.attempts, transfer?.problem], ["done", 1, undefined]);
  await assert.rejects(outbox.retry(id), (error) => isProblem(error, "conflict"));
  await assert.rejects(outbox.retry("other"), (error) => isProblem(error, "absent"));
  await outbox.close();
});

test("a transfer is called off while it waits, and while it runs", async () => {
  const aborted: string[] = [];
  const { outbox } = openBox(
    ({ say }, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          aborted.push(say);
          reject(offline());
        });
      }),
  );
  await outbox.begin();
  const running = await outbox.add(letter("a"));
  const waiting = await outbox.add(letter("b"));
  await settle();
  assert.deepEqual(
    outbox
      .list()
      .map(({ state }) => state)
      .sort(),
    ["running", "waiting"],
  );
  await outbox.cancel(waiting.id);
  await outbox.cancel(running.id);
  await settle();
  assert.deepEqual(aborted, ["a"]);
  assert.deepEqual(
    outbox.list().map(({ state }) => state),
    ["cancelled", "cancelled"],
  );
  await assert.rejects(outbox.cancel(running.id), (error) => isProblem(error, "conflict"));
  await outbox.close();
});

test("to one machine goes one of a kind at a time, the urgent before the others, and a full queue says so", async () => {
  const order: string[] = [];
  let most = 0;
  let at = 0;
  const { outbox } = openBox(
    async ({ say }) => {
      most = Math.max(most, ++at);
      order.push(say);
      await setImmediate();
      at--;
    },
    { limits: { transfersMost: 4 } },
  );
  await outbox.add(letter("late", { priority: 2 }));
  await outbox.add(letter("usual"));
  await outbox.add(letter("urgent", { priority: 0 }));
  await outbox.add(letter("report", { kind: "report" }));
  await assert.rejects(outbox.add(letter("more")), (error) => isProblem(error, "busy"));
  await outbox.begin();
  await settle();
  assert.deepEqual(
    order.filter((say) => say !== "report"),
    ["urgent", "usual", "late"],
  );
  assert.equal(most, 2, "the report beside the sending");
  await outbox.close();
});

test("one machine does not take the room of the others", async () => {
  const { outbox } = openBox(async () => {}, { limits: { ofOneMost: 2 } });
  for (const key of ["a", "b"]) await outbox.add(letter(key));
  await assert.rejects(outbox.add(letter("c")), (error) => isProblem(error, "busy"));
  await outbox.add(letter("a"));
  await outbox.add(letter("c", { to: "ct" }));
  await outbox.add(letter("d", { kind: "report" }));
  assert.equal(outbox.list().length, 4);
});

test("closing cuts off what runs; the next process takes it up with what was left to do", async () => {
  const store = createMemoryRecordStore();
  const first = openBox(
    (_letter, { signal, keep, note }) =>
      new Promise((_resolve, reject) => {
        note({ done: 1, of: 2 });
        keep(() => ({ say: "the rest" }));
        signal.addEventListener("abort", () => reject(offline()));
      }),
    { store },
  );
  await first.outbox.begin();
  await first.outbox.add(letter("a"));
  await settle();
  await first.outbox.close();
  const done: string[] = [];
  const second = openBox(async ({ say }) => void done.push(say), { store });
  await second.outbox.begin();
  await settle();
  assert.deepEqual(done, ["the rest"]);
  assert.equal(second.outbox.list()[0]?.attempts, 1, "being cut off was no attempt");
  await second.outbox.close();
});

test("what it is too early for was no attempt; what an errand waits for is kept with it and tried at once", async () => {
  const { outbox, clock } = openBox(async ({ say }, { notBefore }) => {
    if (say === "ready") return;
    notBefore(clock.now() + hourMs);
    throw new Problem("busy", "not yet");
  });
  await outbox.begin();
  const { id } = await outbox.add(letter("a"));
  await settle();
  clock.advance(hourMs + 1);
  await settle();
  assert.deepEqual([outbox.list()[0]?.state, outbox.list()[0]?.attempts], ["waiting", 0]);
  await outbox.wake(id, () => ({ say: "ready" }));
  await settle();
  assert.equal(outbox.list()[0]?.state, "done");
  await assert.rejects(
    outbox.wake(id, (same) => same),
    (error) => isProblem(error, "absent"),
  );
  await outbox.close();
});

/** The process is gone at the n-th change of a record, before it rests or right after; nothing of it answers any more. */
function dying(store: RecordStore, at: number, isAfter: boolean): RecordStore {
  let changes = 0;
  const gone = new Promise<never>(() => {});
  const guard =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      changes >= at ? gone : call(...args);
  return {
    get: guard(store.get),
    list: guard(store.list),
    due: guard(store.due),
    async change(rows) {
      if (changes >= at) return gone;
      changes++;
      if (changes < at) return store.change(rows);
      if (isAfter) await store.change(rows);
      return gone;
    },
  };
}

for (const isAfter of [false, true]) {
  for (const at of [1, 2, 3, 4, 5]) {
    test(`what was accepted is done although the process is killed ${isAfter ? "after" : "before"} change ${at}`, async () => {
      const store = createMemoryRecordStore();
      const done: string[] = [];
      let refusals = 1;
      const perform: Perform<Letter> = async ({ say }) => {
        if (refusals-- > 0) throw offline();
        done.push(say);
      };
      const first = openBox(perform, { store: dying(store, at, isAfter) });
      const accepted: string[] = [];
      void first.outbox.add(letter("a")).then(({ id }) => accepted.push(id));
      void first.outbox.begin();
      await settle();
      first.clock.advance(20_000);
      await settle();
      const second = openBox(perform, { store });
      await second.outbox.begin();
      for (let step = 0; step < 4; step++) {
        second.clock.advance(hourMs);
        await settle();
      }
      const rests = (await store.list("transfer", "", 10)).length;
      assert.equal(rests, at === 1 && !isAfter ? 0 : 1);
      if (accepted.length > 0 || rests > 0) {
        assert.ok(done.length >= 1 && done.length <= 2, "done at least once");
        assert.equal(second.outbox.list()[0]?.state, "done");
      }
      await second.outbox.close();
    });
  }
}

test("a store that fails for a while holds nothing up for good, and nothing is tried without end", async () => {
  const store = createMemoryRecordStore();
  let runs = 0;
  const { outbox, clock } = openBox(async () => void runs++, { store });
  await outbox.begin();
  store.failNext(new Error("no disk"), "change");
  await assert.rejects(outbox.add(letter("a")));
  await outbox.add(letter("a"));
  await settle();
  assert.equal(runs, 1);
  await outbox.add(letter("b"));
  store.failNext(new Error("no disk"), "change");
  await settle();
  clock.advance(120_000);
  await settle();
  assert.equal(outbox.list().filter(({ state }) => state === "done").length, 2);
  assert.ok(runs <= 3);
  await outbox.close();
});
