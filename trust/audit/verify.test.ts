import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import fc from "fast-check";
import { createVirtualClock } from "#base/clock";
import { createMemoryEntryStore } from "#stores/memory";
import { createAuditLog, verifyLog } from "./index.ts";

describe("verifying an exported log", () => {
  const count = 64;
  let entries: Buffer[] = [];
  const notes: string[] = [];
  const sizes: number[] = [];
  let verifierKey = "";

  before(async () => {
    const parts = { signingSeed: Buffer.alloc(32, 3), origin: "leadglass.test/audit", clock: createVirtualClock() };
    const log = await createAuditLog({ store: createMemoryEntryStore(), ...parts });
    for (let i = 0; i < count; i++) {
      await log.append({ actor: "system", act: "study.read", outcome: "done", counts: { i } });
      if (i % 9 === 8) await log.checkpoint();
    }
    entries = await log.lines(0, count);
    verifierKey = log.verifierKey();
    for await (const { note, size } of log.checkpoints()) {
      notes.push(note);
      sizes.push(size);
    }
  });

  const verify = (changed: readonly Buffer[], checkpoints = notes) =>
    verifyLog({ entries: changed, checkpoints, verifierKey });
  /** The size of the last checkpoint that is not behind the entry at `index`. */
  const signedBefore = (index: number) => Math.max(0, ...sizes.filter((size) => size <= index));

  test("as it was exported it holds, up to the latest checkpoint", async () => {
    const verdict = await verify(entries);
    assert.deepEqual([verdict.ok, verdict.size, verdict.vouchedUntil, verdict.what], [true, 64, 63, undefined]);
    assert.equal((await verify(entries.slice(0, 63))).ok, true);
    assert.deepEqual(await verify([], []), { ok: true, size: 0, vouchedUntil: 0 });
  });

  test("1,000 random changes are found, and no entry at or behind a change is vouched for", async () => {
    const index = fc.nat({ max: 62 });
    const change = fc.oneof(
      fc.record({ kind: fc.constant("byte" as const), index, at: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ kind: fc.constant("remove" as const), index, many: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant("insert" as const), index, from: index }),
      fc.record({ kind: fc.constant("swap" as const), index, other: index }),
      fc.record({ kind: fc.constant("cut" as const), index }),
      fc.record({ kind: fc.constant("extend" as const), index, text: fc.string({ minLength: 1, maxLength: 3 }) }),
    );
    await fc.assert(
      fc.asyncProperty(change, async (made) => {
        const { changed, first } = apply(made, entries);
        if (first === undefined) return;
        const verdict = await verify(changed);
        assert.equal(verdict.ok, false);
        assert.equal(verdict.vouchedUntil, signedBefore(first));
        assert.ok(verdict.what !== undefined && verdict.size === changed.length);
      }),
      { numRuns: 1000, seed: 94 },
    );
  });

  test("checkpoints that are forged, of another log, or out of order are found", async () => {
    const other = await createAuditLog({
      store: createMemoryEntryStore(),
      signingSeed: Buffer.alloc(32, 4),
      origin: "leadglass.test/audit",
      clock: createVirtualClock(),
    });
    const foreign = (await other.checkpoint()).note;
    assert.equal((await verify(entries, [...notes, foreign])).ok, false);
    assert.equal((await verify(entries, notes.toReversed())).ok, false);
    assert.equal((await verify(entries, [notes[0]?.replace("\n9\n", "\n8\n") ?? ""])).ok, false);
    const spoiled = notes.with(3, "nothing");
    assert.deepEqual(await verify(entries, spoiled).then(({ ok, vouchedUntil }) => [ok, vouchedUntil]), [false, 27]);
    assert.equal((await verify(entries, [])).ok, false);
  });

  test("a log that was forked has no two checkpoints that both hold", async () => {
    const parts = { signingSeed: Buffer.alloc(32, 3), origin: "leadglass.test/audit", clock: createVirtualClock() };
    const fork = await createAuditLog({ store: createMemoryEntryStore(), ...parts });
    for (let i = 0; i < 30; i++)
      await fork.append({ actor: "system", act: i < 20 ? "study.read" : "x", outcome: "done", counts: { i } });
    const forked = (await fork.checkpoint()).note;
    const both = [...notes.slice(0, 3), forked];
    assert.equal((await verify(entries, both)).vouchedUntil, 27);
    assert.equal((await verify(await fork.lines(0, 30), both)).vouchedUntil, 18);
  });
});

type Change =
  | { kind: "byte"; index: number; at: number; flip: number }
  | { kind: "remove"; index: number; many: number }
  | { kind: "insert"; index: number; from: number }
  | { kind: "swap"; index: number; other: number }
  | { kind: "cut"; index: number }
  | { kind: "extend"; index: number; text: string };

/** The changed entries, and the first that is not what it was; none when the change changed nothing. */
function apply(change: Change, entries: readonly Buffer[]): { changed: Buffer[]; first: number | undefined } {
  const { index } = change;
  const one = entries[index] as Buffer;
  switch (change.kind) {
    case "byte": {
      const bytes = Buffer.from(one);
      const at = change.at % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ change.flip;
      return { changed: entries.with(index, bytes), first: index };
    }
    case "remove":
      return { changed: entries.toSpliced(index, change.many), first: index };
    case "insert":
      return {
        changed: entries.toSpliced(index, 0, entries[change.from] as Buffer),
        first: change.from === index ? index + 1 : index,
      };
    case "swap": {
      const swapped = entries.with(index, entries[change.other] as Buffer).with(change.other, one);
      return { changed: swapped, first: change.other === index ? undefined : Math.min(index, change.other) };
    }
    case "cut":
      return { changed: entries.slice(0, index), first: index };
    case "extend":
      return { changed: entries.with(index, Buffer.concat([one, Buffer.from(change.text)])), first: index };
  }
}
