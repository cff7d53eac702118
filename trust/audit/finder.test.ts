import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AuditEntry } from "./audit.ts";
import { createLogFinder, type FoundEntry, type LogCriteria } from "./finder.ts";

const finderOver = (entries: readonly AuditEntry[]) =>
  createLogFinder({ size: () => entries.length, entries: async (from, to) => entries.slice(from, to) });

/** Every page of a search, one behind the other. */
async function all(entries: readonly AuditEntry[], criteria: LogCriteria, limit: number): Promise<FoundEntry[]> {
  const finder = finderOver(entries);
  const found: FoundEntry[] = [];
  for (let before: number | undefined = entries.length; before !== undefined; ) {
    const page = await finder.find(criteria, { before, limit });
    found.push(...page.entries);
    assert.ok(page.entries.length <= limit);
    assert.ok(page.next === undefined || page.next < before, "a page goes on before the one in front of it");
    before = page.next;
  }
  return found;
}

const entry = fc.record({
  at: fc.integer({ min: 0, max: 20 }),
  actor: fc.constantFrom("user:a", "user:b"),
  act: fc.constantFrom("study.view", "identity.read"),
  outcome: fc.constantFrom("done" as const, "refused" as const),
  on: fc.constantFrom({ kind: "study" as const, id: "s1" }, { kind: "device" as const, id: "s1" }),
  studies: fc.subarray(["s1", "s2"]),
});
const criteria = fc.record(
  {
    actor: fc.constantFrom("user:a", "user:b", "user:c"),
    act: fc.constantFrom("study.view", "identity.read"),
    outcome: fc.constantFrom("done" as const, "failed" as const),
    study: fc.constantFrom("s1", "s2", "s3"),
    from: fc.integer({ min: 0, max: 20 }),
    to: fc.integer({ min: 0, max: 20 }),
  },
  { requiredKeys: [] },
);

test("what is found by pages is what holds, newest first, whatever the size of a page", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 30 }),
      criteria,
      fc.integer({ min: 1, max: 9 }),
      async (entries, wanted, limit) => {
        const expected = entries
          .map((each, index) => ({ ...each, index }))
          .filter(({ at, actor, act, outcome, on, studies }) =>
            [
              wanted.actor === undefined || actor === wanted.actor,
              wanted.act === undefined || act === wanted.act,
              wanted.outcome === undefined || outcome === wanted.outcome,
              wanted.from === undefined || at >= wanted.from,
              wanted.to === undefined || at < wanted.to,
              wanted.study === undefined ||
                studies.includes(wanted.study) ||
                (on.kind === "study" && on.id === wanted.study),
            ].every(Boolean),
          )
          .reverse();
        assert.deepEqual(await all(entries, wanted, limit), expected);
      },
    ),
  );
});

test("one call reads a bounded part of a long log and says where it goes on", async () => {
  let read = 0;
  const finder = createLogFinder({
    size: () => 1_000_000,
    entries: async (from, to) => {
      read += to - from;
      return Array.from(
        { length: to - from },
        () => ({ at: 1, actor: "user:a", act: "study.view", outcome: "done" }) as const,
      );
    },
  });
  assert.deepEqual(await finder.find({ actor: "user:nobody" }, { limit: 10 }), { entries: [], next: 980_000 });
  assert.equal(read, 20_000);
});

test("entries that are too old end a search, also where the clock was set back a little", async () => {
  const hour = 3_600_000;
  const at = (hours: number) => ({ at: hours * hour, actor: "user:a", act: "study.view", outcome: "done" }) as const;
  const read: number[] = [];
  const entries = [at(100), at(10), at(95), at(100)];
  const finder = createLogFinder({
    size: () => entries.length,
    entries: async (from, to) => {
      read.push(from);
      return entries.slice(from, to);
    },
  });
  const { entries: found, next } = await finder.find({ from: 96 * hour }, { limit: 10 });
  assert.deepEqual(
    found.map(({ index }) => index),
    [3],
  );
  assert.equal(next, undefined);
});
