import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EntryIndex, IndexedEntry } from "./entry-index.ts";
import { isOfActs, type LogCriteria } from "./finder.ts";

const study = (number: number) => number.toString(16).padStart(2, "0").repeat(16);
const entry = fc.record({
  at: fc.integer({ min: 0, max: 50 }),
  actor: fc.constantFrom("user:1", "user:2", "system"),
  act: fc.constantFrom("study.view", "study.read", "identity.read", "session.begin"),
  outcome: fc.constantFrom("done", "refused", "failed"),
  studies: fc.uniqueArray(fc.integer({ min: 1, max: 3 }).map(study), { maxLength: 2 }),
});
const criteria = fc.record(
  {
    actor: fc.constantFrom("user:1", "user:2", "nobody"),
    act: fc.constantFrom("study.view", "study.", "identity.", "none"),
    outcome: fc.constantFrom("done", "refused", "failed"),
    study: fc.integer({ min: 1, max: 4 }).map(study),
    from: fc.integer({ min: 0, max: 50 }),
    to: fc.integer({ min: 0, max: 50 }),
  },
  { requiredKeys: [] },
);

/** What every index of entries must do. `open` gives an empty one. */
export function entryIndexContract(open: () => Promise<EntryIndex>): void {
  const withIndex = async (work: (index: EntryIndex) => Promise<void>) => {
    const index = await open();
    try {
      await work(index);
    } finally {
      await index.close();
    }
  };
  const fits = (one: IndexedEntry, asked: LogCriteria) =>
    (asked.actor === undefined || one.actor === asked.actor) &&
    (asked.act === undefined || isOfActs(one.act, asked.act)) &&
    (asked.outcome === undefined || one.outcome === asked.outcome) &&
    (asked.study === undefined || one.studies.includes(asked.study)) &&
    (asked.from === undefined || one.at >= asked.from) &&
    (asked.to === undefined || one.at < asked.to);

  test("an index finds what fits and nothing else, newest first, page by page, however it was asked", () =>
    withIndex(async (index) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(entry, { maxLength: 40 }),
          fc.array(criteria, { maxLength: 6 }),
          fc.integer({ min: 1, max: 7 }),
          async (drawn, asked, limit) => {
            await index.clear();
            const entries = drawn.map((one, at) => ({ ...one, index: at }) as IndexedEntry);
            for (let at = 0; at < entries.length; at += 9) {
              const some = entries.slice(at, at + 9);
              await index.add(some, { size: at + some.length, lastHash: "ab" });
            }
            for (const one of asked) {
              const expected = entries.filter((each) => fits(each, one as LogCriteria)).map((each) => each.index);
              const found: number[] = [];
              for (let before = entries.length; ; ) {
                const page = await index.find(one as LogCriteria, { before, limit });
                found.push(...page);
                if (page.length < limit) break;
                before = page.at(-1) ?? 0;
              }
              assert.deepEqual(found, expected.toReversed());
            }
          },
        ),
        { numRuns: 60 },
      );
    }));

  test("the mark says how far the index stands, and is gone with everything else", () =>
    withIndex(async (index) => {
      assert.equal(await index.mark(), undefined);
      const one: IndexedEntry = { index: 0, at: 1, actor: "a", act: "b.c", outcome: "done", studies: [] };
      await index.add([one], { size: 1, lastHash: "ff" });
      await index.add([{ ...one, index: 1 }], { size: 2, lastHash: "ee" });
      assert.deepEqual(await index.mark(), { size: 2, lastHash: "ee" });
      await index.clear();
      assert.equal(await index.mark(), undefined);
      assert.deepEqual(await index.find({}, { before: 9, limit: 9 }), []);
    }));

  test("studies are counted by the hour, each once", () =>
    withIndex(async (index) => {
      const looked = (number: number, at: number, act = "identity.read", actor = "user:1"): IndexedEntry => ({
        ...{ index: number, at, actor, act, outcome: "done" },
        studies: [study(number % 2)],
      });
      const hour = 3_600_000;
      const all = [
        ...[looked(0, 1), looked(1, 2), looked(2, 3), looked(3, 5 * hour + 1), looked(4, 5 * hour, "identity.search")],
        looked(5, 5 * hour + 2, "identity.read", "user:2"),
      ];
      await index.add(all, { size: 6, lastHash: "aa" });
      const hours = async (since: number) =>
        (await index.hoursOf("user:1", ["identity.read", "none"], since)).sort((a, b) => a.hour - b.hour);
      assert.deepEqual(await hours(0), [
        { hour: 0, studies: 2 },
        { hour: 5, studies: 1 },
      ]);
      assert.deepEqual(await hours(hour), [{ hour: 5, studies: 1 }]);
      assert.deepEqual(await index.hoursOf("nobody", ["identity.read"], 0), []);
    }));
}
