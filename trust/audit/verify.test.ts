import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import fc from "fast-check";
import { createVirtualClock } from "#base/clock";
import { createMemoryEntryStore } from "#stores/memory";
import { type Cosigner, createAuditLog, createCosigner, verifyLog } from "./index.ts";
import { textOfNote } from "./note.ts";

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
    verifyLog({ text: changed.map((line) => Buffer.concat([line, Buffer.from("\n")])), checkpoints, verifierKey });
  /** The size of the last checkpoint that is not behind the entry at `index`. */
  const signedBefore = (index: number) => Math.max(0, ...sizes.filter((size) => size <= index));

  test("as it was exported it holds, up to the latest checkpoint", async () => {
    const verdict = await verify(entries.slice(0, 63));
    assert.deepEqual([verdict.ok, verdict.size, verdict.vouchedUntil, verdict.what], [true, 63, 63, undefined]);
  });

  test("entries that no checkpoint speaks of are told of, and so is a log without any", async () => {
    const { ok, vouchedUntil, what } = await verify(entries);
    assert.deepEqual([ok, vouchedUntil, what], [false, 63, "no checkpoint vouches for the last 1 entries"]);
    assert.equal((await verify([], [])).what, "there is no checkpoint");
  });

  test("the verdict is the same wherever the text is cut into pieces, and one without its last newline is cut off", async () => {
    const whole = Buffer.concat(entries.slice(0, 63).map((line) => Buffer.concat([line, Buffer.from("\n")])));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: whole.length }), { maxLength: 9 }), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const text = places.slice(1).map((end, at) => Buffer.from(whole.subarray(places[at], end)));
        assert.equal((await verifyLog({ text, checkpoints: notes, verifierKey })).ok, true);
        text.push(Buffer.from("x"));
        assert.equal((await verifyLog({ text, checkpoints: notes, verifierKey })).what, "entry 63 is cut off");
      }),
      { numRuns: 50, seed: 5 },
    );
    const endless = function* () {
      for (;;) yield Buffer.alloc(1000, "x");
    };
    const verdict = await verifyLog({ text: endless(), checkpoints: notes, verifierKey });
    assert.equal(verdict.what, "entry 0 is longer than an entry can be");
  });

  test("with the keys of witnesses only what all of them have signed is vouched for", async () => {
    const [one, two] = [1, 2].map((n) => createCosigner(`witness.test/${n}`, Buffer.alloc(32, n)));
    assert.ok(one !== undefined && two !== undefined);
    const signedBy = (note: string, ...by: Cosigner[]) =>
      note + by.map((each) => each.cosign(textOfNote(note) ?? "", 1_700_000_000_000)).join("");
    const witnessed = async (cosigned: readonly string[], ...by: Cosigner[]) => {
      const text = entries.slice(0, 63).map((line) => Buffer.concat([line, Buffer.from("\n")]));
      const witnessKeys = by.map((each) => each.verifierKey());
      const verdict = await verifyLog({ text, checkpoints: cosigned, verifierKey, witnessKeys });
      return [verdict.ok, verdict.vouchedUntil, verdict.witnesses, verdict.what];
    };
    const names = [one.name, two.name];
    const both = notes.with(4, signedBy(notes[4] ?? "", one, two)).with(6, signedBy(notes[6] ?? "", two, one));
    assert.deepEqual(await witnessed(both, one, two), [true, 63, names, undefined]);
    const onlyOne = both.with(6, signedBy(notes[6] ?? "", one));
    assert.deepEqual(await witnessed(onlyOne, one), [true, 63, [one.name], undefined]);
    const lacking = "the newest checkpoint is not signed by the witness witness.test/2";
    assert.deepEqual(await witnessed(onlyOne, one, two), [false, 45, names, lacking]);
    const swapped = both.with(6, (notes[6] ?? "") + signedBy(notes[4] ?? "", one, two).slice((notes[4] ?? "").length));
    const forged = "checkpoint 6 holds a false signature of the witness witness.test/1";
    assert.deepEqual(await witnessed(swapped, one, two), [false, 45, names, forged]);
    assert.deepEqual(await witnessed(swapped), [true, 63, [], undefined]);
  });

  test("a log that an auditor saw larger, or otherwise, before is found", async () => {
    const text = entries.slice(0, 27).map((line) => Buffer.concat([line, Buffer.from("\n")]));
    const seenBefore = (seen: readonly string[]) =>
      verifyLog({ text, checkpoints: notes.slice(0, 3), verifierKey, seen }).then(({ ok, what }) => ok || what);
    assert.equal(await seenBefore(notes.slice(0, 3)), true);
    assert.equal(await seenBefore(notes.slice(4, 5)), "27 entries are there, a checkpoint kept from before signed 45");
    assert.match(String(await seenBefore(["x"])), /a checkpoint kept from before is not signed/);
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
    assert.equal((await verify(entries.slice(0, 63), [...notes, notes.at(-1) ?? ""])).ok, false);
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
