import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createVirtualClock, type VirtualClock } from "#base/clock";
import { isProblem, Problem } from "#base/problem";
import { type ParcelNote, putBackMsMost, type Spool } from "./spool.ts";

/** A note for these bytes, and what a test changes of it. */
export function noteOf(name: string, bytes: Uint8Array, changed: Partial<ParcelNote> = {}): ParcelNote {
  return {
    id: tokenOf(name),
    length: bytes.length,
    sha256: Uint8Array.from(createHash("sha256").update(bytes).digest()),
    ...{ urgency: "routine", inOrder: false, subject: undefined, putAt: 1_700_000_000_000 },
    ...changed,
  };
}

export const tokenOf = (name: string): string => createHash("sha256").update(name).digest("hex").slice(0, 32);
const bytesOf = (name: string, length = 40): Buffer => Buffer.alloc(length, name);
const refused = new Problem("invalid", "the cloud does not want it");

export async function putParcel(
  spool: Spool,
  name: string,
  changed: Partial<ParcelNote> = {},
  bytes: Uint8Array = bytesOf(name),
): Promise<"kept" | "there"> {
  const writer = await spool.begin();
  await writer.write([bytes]);
  return writer.commit(noteOf(name, bytes, changed));
}

/** What every spool must do. `open` gives an empty one. */
export function spoolContract(open: (clock: VirtualClock) => Promise<Spool>): void {
  const withSpool = async (work: (spool: Spool, clock: VirtualClock) => Promise<void>) => {
    const clock = createVirtualClock();
    const spool = await open(clock);
    try {
      await work(spool, clock);
    } finally {
      await spool.close();
    }
  };
  const taken = async (spool: Spool, urgency: ParcelNote["urgency"] = "routine", most = 10) =>
    (await spool.take(urgency, most)).map(({ id }) => id);
  const put = putParcel;

  test("a parcel is given with its length and hash, and read in any ranges", () =>
    withSpool(async (spool) => {
      const bytes = Buffer.alloc(150_000).map((_, at) => at % 251);
      const writer = await spool.begin();
      await writer.write([bytes.subarray(0, 10), bytes.subarray(10, 70_000)]);
      await writer.write([bytes.subarray(70_000)]);
      assert.equal(await writer.commit(noteOf("a", bytes)), "kept");
      const [parcel] = await spool.take("routine", 9);
      assert.deepEqual(
        { ...parcel, sha256: [...(parcel?.sha256 ?? [])] },
        {
          ...{ id: tokenOf("a"), length: bytes.length },
          sha256: [...noteOf("a", bytes).sha256],
        },
      );
      for (const [from, to] of [
        [0, 65_536],
        [65_536, 131_072],
        [131_072, 150_000],
        [16_383, 16_385],
        [7, 7],
        [149_999, 150_000],
      ]) {
        assert.deepEqual(Buffer.from(await spool.read(tokenOf("a"), from ?? 0, to ?? 0)), bytes.subarray(from, to));
      }
      for (const [from, to] of [
        [0, 65_537],
        [149_999, 150_001],
        [5, 4],
        [-1, 4],
      ]) {
        const reading = spool.read(tokenOf("a"), from ?? 0, to ?? 0);
        await assert.rejects(reading, (error) => isProblem(error, "invalid"));
      }
    }));

  test("what is taken is not given twice, and what was settled is gone", () =>
    withSpool(async (spool) => {
      for (const name of ["a", "b", "c"]) await put(spool, name);
      assert.deepEqual(await taken(spool, "routine", 2), [tokenOf("a"), tokenOf("b")]);
      assert.deepEqual(await taken(spool), [tokenOf("c")]);
      assert.deepEqual(await taken(spool), []);
      await spool.settle(tokenOf("b"), bytesOf("receipt"), 1);
      await spool.settle(tokenOf("b"), bytesOf("receipt"), 1);
      await spool.settle(tokenOf("unknown"), bytesOf("receipt"), 1);
      await assert.rejects(spool.read(tokenOf("b"), 0, 1), (error) => isProblem(error, "absent"));
      assert.equal(spool.state().parcels, 2);
    }));

  test("each urgency has its own order, that of putting", () =>
    withSpool(async (spool) => {
      await put(spool, "r1", { putAt: 3 });
      await put(spool, "f1", { urgency: "first" });
      await put(spool, "s1", { urgency: "stat", putAt: 2 });
      await put(spool, "s2", { urgency: "stat", putAt: 1 });
      await put(spool, "r2", { putAt: 1 });
      assert.deepEqual(await taken(spool, "stat"), [tokenOf("s1"), tokenOf("s2")]);
      assert.deepEqual(await taken(spool, "first"), [tokenOf("f1")]);
      assert.deepEqual(await taken(spool), [tokenOf("r1"), tokenOf("r2")]);
    }));

  test("what is in order is given one at a time, whatever its urgency, and the rest meanwhile", () =>
    withSpool(async (spool) => {
      for (const name of ["m1", "m2", "m3"]) await put(spool, name, { inOrder: true });
      await put(spool, "m4", { inOrder: true, urgency: "stat" });
      await put(spool, "free");
      assert.deepEqual(await taken(spool, "stat"), []);
      assert.deepEqual(await taken(spool, "routine"), [tokenOf("m1"), tokenOf("free")]);
      assert.deepEqual(await taken(spool), []);
      await spool.settle(tokenOf("m1"), bytesOf("receipt"), 1);
      assert.deepEqual(await taken(spool), [tokenOf("m2")]);
      await spool.setAside(tokenOf("m2"), refused, 5);
      assert.deepEqual(await taken(spool), [tokenOf("m3")]);
      // It comes before the one that is taken, and waits for it.
      assert.equal(await spool.again(tokenOf("m2")), 1);
      assert.deepEqual(await taken(spool), []);
      await spool.settle(tokenOf("m3"), bytesOf("receipt"), 1);
      assert.deepEqual(await taken(spool, "stat"), []);
      assert.deepEqual(await taken(spool), [tokenOf("m2")]);
      await spool.settle(tokenOf("m2"), bytesOf("receipt"), 1);
      assert.deepEqual(await taken(spool, "stat"), [tokenOf("m4")]);
    }));

  test("what was put back is given again when its time has come, and one in order holds up those behind it", () =>
    withSpool(async (spool, clock) => {
      await put(spool, "a");
      await put(spool, "m1", { inOrder: true });
      await put(spool, "m2", { inOrder: true });
      assert.deepEqual(await taken(spool), [tokenOf("a"), tokenOf("m1")]);
      let told = 0;
      const unlisten = spool.onArrival(() => told++);
      await spool.putBack(tokenOf("a"), clock.now());
      assert.equal(told, 1);
      assert.deepEqual(await taken(spool), [tokenOf("a")]);
      await spool.putBack(tokenOf("a"), clock.now() + 5000);
      await spool.putBack(tokenOf("m1"), clock.now() + 9000);
      assert.deepEqual(await taken(spool), []);
      clock.advance(4999);
      assert.deepEqual(await taken(spool), []);
      told = 0;
      clock.advance(1);
      assert.equal(told, 1);
      assert.deepEqual(await taken(spool), [tokenOf("a")]);
      clock.advance(4000);
      assert.deepEqual(await taken(spool), [tokenOf("m1")]);
      unlisten();
      told = 0;
      await put(spool, "b");
      assert.equal(told, 0);
    }));

  test("what a clock that was ahead put back is not held up for as long", () =>
    withSpool(async (spool, clock) => {
      await put(spool, "m", { inOrder: true });
      assert.deepEqual(await taken(spool), [tokenOf("m")]);
      let told = 0;
      spool.onArrival(() => told++);
      await spool.putBack(tokenOf("m"), clock.now() + 365 * 24 * 3_600_000);
      clock.advance(putBackMsMost);
      assert.ok(told > 0);
      assert.deepEqual(await taken(spool), [tokenOf("m")]);
      await spool.putBack(tokenOf("m"), clock.now() + putBackMsMost);
      assert.deepEqual(await taken(spool), []);
      clock.advance(putBackMsMost);
      assert.deepEqual(await taken(spool), [tokenOf("m")]);
    }));

  test("an id that waits is there already, also when two write it at the same time", () =>
    withSpool(async (spool) => {
      assert.equal(await put(spool, "a"), "kept");
      assert.equal(await put(spool, "a"), "there");
      const both = await Promise.all([put(spool, "b"), put(spool, "b"), put(spool, "c")]);
      assert.deepEqual(both.slice(0, 2).sort(), ["kept", "there"]);
      assert.equal(both[2], "kept");
      assert.equal((await taken(spool)).length, 3);
      assert.equal(await put(spool, "a"), "there", "taken, and not settled");
      await spool.settle(tokenOf("a"), bytesOf("receipt"), 1);
      assert.equal(await put(spool, "a"), "kept");
    }));

  test("what was refused for good is aside until somebody decides; put once more it waits again", () =>
    withSpool(async (spool) => {
      for (const name of ["a", "b", "c"]) await put(spool, name, { subject: tokenOf(`subject ${name}`), putAt: 7 });
      await spool.take("routine", 9);
      for (const [at, name] of ["c", "a", "b"].entries()) await spool.setAside(tokenOf(name), refused, 100 + at);
      const aside = { length: 40, putAt: 7, why: refused.message };
      assert.deepEqual(await spool.asides(2), [
        { ...aside, id: tokenOf("c"), asideAt: 100 },
        { ...aside, id: tokenOf("a"), asideAt: 101 },
      ]);
      assert.deepEqual(spool.state(), { parcels: 0, bytes: 0, oldestAt: null, aside: 3 });
      assert.deepEqual(await spool.standing(tokenOf("subject a")), { state: "aside", since: 101 });
      assert.deepEqual(await taken(spool), []);
      await spool.drop(tokenOf("b"));
      assert.equal(await spool.standing(tokenOf("subject b")), undefined);
      const other = Buffer.alloc(50, "sealed anew");
      assert.equal(await put(spool, "c", { putAt: 8 }, other), "kept");
      assert.deepEqual(Buffer.from(await spool.read(tokenOf("c"), 0, 50)), other);
      assert.equal(await spool.again(), 1);
      assert.equal(await spool.again(tokenOf("c")), 0);
      await spool.drop(tokenOf("c"));
      assert.deepEqual(await taken(spool), [tokenOf("a"), tokenOf("c")]);
      assert.deepEqual(spool.state(), { parcels: 2, bytes: 90, oldestAt: 7, aside: 0 });
    }));

  test("what became of a subject is known by its newest parcel, until it is forgotten", () =>
    withSpool(async (spool) => {
      const subject = tokenOf("subject");
      const receipt = (text: string) => Uint8Array.from(Buffer.from(text));
      assert.equal(await spool.standing(subject), undefined);
      await put(spool, "old", { subject, putAt: 5 });
      assert.deepEqual(await spool.standing(subject), { state: "waiting", since: 5 });
      await put(spool, "new", { subject, putAt: 6 });
      assert.deepEqual(await spool.standing(subject), { state: "waiting", since: 6 });
      await spool.settle(tokenOf("new"), receipt("new"), 20);
      assert.deepEqual(await spool.standing(subject), { state: "arrived", receipt: receipt("new"), at: 20 });
      await spool.settle(tokenOf("old"), receipt("old"), 30);
      assert.deepEqual(await spool.standing(subject), { state: "arrived", receipt: receipt("new"), at: 20 });
      await spool.forget(0);
      assert.equal((await spool.standing(subject))?.state, "arrived", "the newest, whatever the clock says");
      const later = tokenOf("later subject");
      await put(spool, "later", { subject: later });
      await spool.settle(tokenOf("later"), receipt("later"), 50);
      await spool.forget(30);
      assert.equal((await spool.standing(subject))?.state, "arrived");
      await spool.forget(29);
      assert.equal(await spool.standing(subject), undefined);
      assert.equal((await spool.standing(later))?.state, "arrived");
    }));

  test("an aborted parcel leaves nothing, a note that is none is refused, and the state says what waits", () =>
    withSpool(async (spool) => {
      assert.deepEqual(spool.state(), { parcels: 0, bytes: 0, oldestAt: null, aside: 0 });
      const writer = await spool.begin();
      await writer.write([bytesOf("x")]);
      await writer.abort();
      for (const changed of [{ length: 41 }, { id: "A".repeat(32) }, { subject: "s" }, { sha256: new Uint8Array(3) }]) {
        await assert.rejects(put(spool, "bad", changed), (error) => isProblem(error, "invalid"));
      }
      assert.deepEqual(await taken(spool), []);
      await put(spool, "empty", { putAt: 11 }, Buffer.alloc(0));
      await put(spool, "a", { putAt: 10 });
      assert.deepEqual(spool.state(), { parcels: 2, bytes: 40, oldestAt: 11, aside: 0 });
      assert.equal((await spool.read(tokenOf("empty"), 0, 0)).length, 0);
      await assert.rejects(spool.read(tokenOf("x"), 0, 1), (error) => isProblem(error, "absent"));
    }));
}
