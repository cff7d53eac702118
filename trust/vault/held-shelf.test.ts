import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem, Problem } from "#base/problem";
import { createMemoryRecordStore } from "#stores/memory";
import { createRecords, type Kept, openHeldShelf, type RecordStore } from "./index.ts";
import { openVault } from "./vault.fixture.ts";

const { vault } = await openVault();
const [recordsMax, charactersMax] = [4, 40];

/** A shelf whose index counts how many records have each value; `again` opens it anew, `elsewhere` are the records for somebody else. */
async function openShelf(store = createMemoryRecordStore()) {
  const open = async (underneath: RecordStore = store) => {
    const counts = new Map<string, number>();
    const count = (value: string, more: number) => counts.set(value, (counts.get(value) ?? 0) + more);
    const shelf = await openHeldShelf<string>({
      ...{ records: createRecords({ store: underneath, vault }), kind: "step", recordsMax, charactersMax },
      full: () => new Problem("no-room", "the test is full"),
      index: { add: ({ value }) => count(value, 1), remove: ({ value }) => count(value, -1) },
    });
    return { ...shelf, counts };
  };
  return { store, elsewhere: createRecords({ store, vault }), again: open, shelf: await open() };
}
type OpenShelf = Awaited<ReturnType<typeof openShelf>>;
type Shelf = OpenShelf["shelf"];

const refused = (code: Parameters<typeof isProblem>[1]) => (error: unknown) => isProblem(error, code);
const put = (shelf: Shelf, id: string, value: string, dueAt?: number) =>
  shelf.inTurn(() => shelf.change(new Map([[id, { value, dueAt }]])));
const valuesOf = (kept: Iterable<Kept<string>>) => new Map(Array.from(kept, ({ id, value }) => [id, value]));

/** What is held is what rests, in the same version, and the index knows of nothing else. */
async function assertAgrees({ elsewhere }: OpenShelf, shelf: Shelf): Promise<void> {
  const resting: Kept<string>[] = [];
  for await (const kept of elsewhere.shelf<string>("step").all()) resting.push(kept);
  const held = shelf.all().sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(held, resting);
  const counted = [...shelf.counts].filter(([, count]) => count !== 0).flatMap(([value, n]) => Array(n).fill(value));
  assert.deepEqual(counted.sort(), held.map(({ value }) => value).sort());
}

test("several records change together, with what else belongs to it, or not at all", async () => {
  const opened = await openShelf();
  const { shelf, elsewhere } = opened;
  const other = elsewhere.shelf<string>("other");
  await put(shelf, "a", "first");
  await put(shelf, "b", "second");
  const changes = new Map([
    ["a", undefined],
    ["b", { value: "third", dueAt: 5 }],
    ["never there", undefined],
  ]);
  await shelf.inTurn(() => shelf.change(changes, other.put("x", "beside")));
  assert.deepEqual(shelf.all(), [{ id: "b", version: 2, dueAt: 5, value: "third" }]);
  assert.equal((await other.get("x"))?.value, "beside");
  const again = shelf.inTurn(() => shelf.change(new Map([["c", { value: "no" }]]), other.put("x", "is there by now")));
  await assert.rejects(again, refused("busy"));
  assert.equal(shelf.get("c"), undefined);
  await assertAgrees(opened, shelf);
});

test("beyond the bounds nothing grows, and what is there may still change and go", async () => {
  const opened = await openShelf();
  const { shelf } = opened;
  for (const id of ["a", "b", "c", "d"]) await put(shelf, id, "12345678");
  await assert.rejects(put(shelf, "e", ""), refused("no-room"), "too many");
  await assert.rejects(put(shelf, "a", "123456789"), refused("no-room"), "too many characters");
  await put(shelf, "a", "87654321");
  await shelf.inTurn(() => shelf.change(new Map([["b", undefined]])));
  await put(shelf, "e", "1");
  await assertAgrees(opened, shelf);
});

test("those whose time has come become what is said, or go", async () => {
  const opened = await openShelf();
  const { shelf } = opened;
  for (const [id, dueAt] of [
    ["never", undefined],
    ["first", 10],
    ["then", 20],
    ["later", 30],
  ] as const) {
    await put(shelf, id, id, dueAt);
  }
  await shelf.inTurn(() => shelf.sweep(20, (value) => (value === "first" ? { value: "past", dueAt: 40 } : undefined)));
  assert.deepEqual([...valuesOf(shelf.all()).values()].sort(), ["later", "never", "past"]);
  await assertAgrees(opened, shelf);
});

test("a change whose answer was lost is known of by the next who looks before changing", async () => {
  const opened = await openShelf();
  const { store } = opened;
  let isAway = false;
  const shelf = await opened.again({
    ...store,
    async change(changes) {
      const isChanged = await store.change(changes);
      if (isAway) throw new Error("the connection broke");
      return isChanged;
    },
    get: (kind, id) => (isAway ? Promise.reject(new Error("nobody answers")) : store.get(kind, id)),
  });
  await put(shelf, "a", "first");
  isAway = true;
  await assert.rejects(put(shelf, "a", "second"), /the connection broke/);
  await assert.rejects(put(shelf, "b", "another"), /nobody answers/);
  assert.equal(shelf.get("a")?.value, "first");
  isAway = false;
  assert.equal(await shelf.inTurn(async () => shelf.get("a")?.value), "second");
  await assertAgrees(opened, shelf);
  await put(shelf, "a", "third");
});

test("what somebody else changed is refused once, and known of from then on", async () => {
  const opened = await openShelf();
  const { shelf, elsewhere } = opened;
  const theirs = elsewhere.shelf<string>("step");
  await put(shelf, "a", "ours");
  await elsewhere.change(theirs.put("a", "theirs", { known: await theirs.get("a") }), theirs.put("b", "new"));
  await assert.rejects(put(shelf, "a", "ours again"), refused("busy"));
  await assert.rejects(put(shelf, "b", "ours"), refused("busy"));
  await assertAgrees(opened, shelf);
  await put(shelf, "a", "ours again");
});

type Model = ReadonlyMap<string, { readonly value: string; readonly dueAt: number | undefined }>;

const id = fc.constantFrom("a", "b", "c", "d", "e");
const dueAt = fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined });
const wanted = fc.option(fc.record({ value: fc.string({ maxLength: 16 }), dueAt }, { noNullPrototype: true }), {
  nil: undefined,
});
const changes = fc.array(fc.tuple(id, wanted), { maxLength: 4 }).map((pairs) => new Map(pairs));
const step = fc.oneof(
  fc.record({ change: changes }),
  fc.record({ sweep: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ fail: fc.constantFrom("change", "due", "get") }),
  fc.record({ reopen: fc.constant(true) }),
);

const without = (model: Model, isGone: (dueAt: number) => boolean) =>
  new Map([...model].filter(([, { dueAt = Number.POSITIVE_INFINITY }]) => !isGone(dueAt)));

function changed(model: Model, by: ReadonlyMap<string, { value: string; dueAt: number | undefined } | undefined>) {
  const next = new Map(model);
  for (const [key, made] of by) {
    if (made === undefined) next.delete(key);
    else next.set(key, made);
  }
  return next;
}

function outgrows(next: Model, model: Model): boolean {
  const size = (of: Model) => [...of.values()].reduce((sum, { value }) => sum + JSON.stringify(value).length, 0);
  const hasMore = next.size > model.size && next.size > recordsMax;
  return hasMore || (size(next) > size(model) && size(next) > charactersMax);
}

test("whatever is changed, swept, refused and failed, it holds what a map would, and what rests", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const opened = await openShelf();
      let { shelf } = opened;
      let model: Model = new Map();
      for (const each of steps) {
        if ("fail" in each) opened.store.failNext(new Error("the disk is away"), each.fail);
        else if ("reopen" in each) shelf = await opened.again();
        else {
          const isSweep = "sweep" in each;
          const next = isSweep ? without(model, (at) => at <= each.sweep) : changed(model, each.change);
          const work = () => (isSweep ? shelf.sweep(each.sweep, () => undefined) : shelf.change(each.change));
          const failure = await shelf.inTurn(work).catch((error: unknown) => error);
          const isAway = failure instanceof Error && failure.message === "the disk is away";
          if (!isAway) assert.equal(isProblem(failure, "no-room"), outgrows(next, model), String(failure));
          if (failure === undefined) model = next;
        }
        const held = shelf.all().map(({ id, value, dueAt }) => [id, { value, dueAt }] as const);
        assert.deepEqual(new Map(held), model);
        await assertAgrees(opened, shelf);
      }
    }),
    { numRuns: 200, seed: 11 },
  );
});
