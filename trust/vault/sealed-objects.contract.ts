import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { isProblem, Problem } from "#base/problem";
import { footerBytes, segmentBytes } from "./format.ts";
import { type PutObject, putObject, readWhole, sealedObject, verifyObject } from "./sealed-objects.fixture.ts";
import type { Compacting, FoundObject, Gap, ObjectMove, SealedObjects } from "./sealed-objects.ts";

export interface SealedObjectsUnderTest {
  readonly objects: SealedObjects;
  /** The same objects as the next process finds them; undefined where nothing outlives the process. */
  readonly reopen?: () => Promise<SealedObjects>;
}

/** What every implementation of `SealedObjects` does. Each test asks for fresh ones, which `start` was not called on. */
export function testSealedObjects(
  name: string,
  fresh: (t: { after(done: () => unknown): void }) => Promise<SealedObjectsUnderTest>,
): void {
  const started = async (t: { after(done: () => unknown): void }) => {
    const made = await fresh(t);
    await made.objects.start(async () => true);
    t.after(() => made.objects.close());
    return made;
  };

  test(`${name}: what was committed is found with its place, length and id, and reads back`, async (t) => {
    const { objects } = await started(t);
    const sizes = [0, 1, 5000, segmentBytes, segmentBytes + 1, 3 * segmentBytes + 77];
    const kept = [];
    for (const size of sizes) kept.push(await putObject(objects, size));
    const found = await foundIn(objects);
    assert.deepEqual(new Set(found.map(({ id }) => id)), new Set(kept.map(({ id }) => id)));
    for (const { id, pack, start, bytes, sizeBytes } of kept) {
      const object = found.find((each) => each.id === id);
      assert.deepEqual([object?.pack, object?.start, object?.sizeBytes], [pack, start, sizeBytes]);
      assert.equal(object?.offset, start + bytes.length - footerBytes);
      const into = Buffer.alloc(bytes.length);
      assert.equal(await readWhole(objects, pack, start, into), bytes.length);
      assert.ok(into.equals(bytes));
    }
  });

  test(`${name}: a scan from an end position gives what came behind it`, async (t) => {
    const { objects } = await started(t);
    const first = await putObject(objects, 1000);
    const second = await putObject(objects, 2000);
    assert.equal(first.pack, second.pack, "one after the other they lie in one pack");
    const rest = await collect(objects.scan(first.pack, first.start + first.bytes.length));
    assert.deepEqual(
      rest.map((each) => "id" in each && each.id),
      [second.id],
    );
    assert.deepEqual(await collect(objects.scan(second.pack, second.start + second.bytes.length)), []);
  });

  test(`${name}: an aborted object leaves nothing, and the next one takes its place`, async (t) => {
    const { objects } = await started(t);
    const before = await putObject(objects, 300);
    const writer = await objects.begin();
    await writer.write([randomBytes(5000)]);
    await writer.abort();
    await writer.abort();
    await assert.rejects(writer.write([randomBytes(1)]));
    const after = await putObject(objects, 400);
    const found = await collect(objects.scan(before.pack, 0));
    assert.deepEqual(
      found.map((each) => "id" in each && each.id),
      [before.id, after.id],
    );
  });

  test(`${name}: nothing of an object is found before it is committed`, async (t) => {
    const { objects } = await started(t);
    const sealed = sealedObject(100_000);
    const writer = await objects.begin();
    await writer.write(sealed.parts(writer));
    assert.deepEqual(await foundIn(objects), []);
    await writer.commit([]);
    assert.deepEqual(
      (await foundIn(objects)).map(({ id }) => id),
      [sealed.id],
    );
  });

  test(`${name}: parts that are handed over without waiting stay in their order`, async (t) => {
    const { objects } = await started(t);
    const bytes = randomBytes(400_000);
    const writer = await objects.begin();
    const writes = [];
    for (let at = 0; at < bytes.length; at += 1000) writes.push(writer.write([bytes.subarray(at, at + 1000)]));
    await Promise.all(writes);
    await writer.commit([]);
    const into = Buffer.alloc(bytes.length);
    await readWhole(objects, writer.pack, writer.start, into);
    assert.ok(into.equals(bytes));
  });

  test(`${name}: objects written at the same time do not mix`, async (t) => {
    const { objects } = await started(t);
    const kept = await Promise.all(Array.from({ length: 12 }, (_, i) => putObject(objects, i * 30_000)));
    const found = await foundIn(objects);
    assert.equal(found.length, kept.length);
    assert.equal(new Set(found.map(({ id }) => id)).size, kept.length);
  });

  test(`${name}: a pack that was never there is a clear "absent"`, async (t) => {
    const { objects } = await started(t);
    await assert.rejects(objects.read("00000099-00000000", 0, Buffer.alloc(1)), (error) => isProblem(error, "absent"));
  });

  test(`${name}: once closed, nothing begins`, async (t) => {
    const { objects } = await started(t);
    const underWay = await objects.begin();
    await underWay.write([randomBytes(10)]);
    await objects.close();
    await assert.rejects(objects.begin(), (error) => isProblem(error, "unavailable"));
  });

  test(`${name}: the next process finds the same, and goes on`, async (t) => {
    const { objects, reopen } = await started(t);
    if (reopen === undefined) return t.skip("nothing outlives the process here");
    const before = await putObject(objects, 70_000);
    await objects.close();
    const again = await reopen();
    t.after(() => again.close());
    await again.start(async () => true);
    const after = await putObject(again, 10);
    assert.deepEqual(new Set((await foundIn(again)).map(({ id }) => id)), new Set([before.id, after.id]));
  });

  testDiscarding(name, started);
  testCompaction(name, started);
}

type Started = (t: { after(done: () => unknown): void }) => Promise<SealedObjectsUnderTest>;

const rangeOf = ({ pack, start, bytes }: PutObject) => ({ pack, from: start, to: start + bytes.length });
const placeOf = ({ pack, offset }: FoundObject | PutObject) => ({ pack, offset });
const idsIn = async (objects: SealedObjects) => (await foundIn(objects)).map(({ id }) => id);

function testDiscarding(name: string, started: Started): void {
  test(`${name}: what was discarded is never found again, the rest is`, async (t) => {
    const { objects, reopen } = await started(t);
    const [one, two, three] = [
      await putObject(objects, 10),
      await putObject(objects, 200_000),
      await putObject(objects, 30),
    ];
    await objects.discard([rangeOf(two)]);
    await objects.discard([rangeOf(two)]);
    assert.deepEqual(await idsIn(objects), [one.id, three.id]);
    assert.equal((await objects.packs())[0]?.discardedBytes, two.bytes.length);
    await objects.discard([rangeOf(one), rangeOf(three)]);
    assert.deepEqual(await idsIn(objects), []);
    const last = await putObject(objects, 5);
    assert.deepEqual(await idsIn(objects), [last.id]);
    if (reopen === undefined) return;
    await objects.close();
    const again = await reopen();
    t.after(() => again.close());
    await again.start(async () => true);
    assert.deepEqual(await idsIn(again), [last.id]);
  });

  test(`${name}: a range outside of what was acknowledged is not discarded`, async (t) => {
    const { objects } = await started(t);
    const { pack, bytes } = await putObject(objects, 10);
    const ends = bytes.length;
    const ranges = [
      [-1, 5],
      [5, 5],
      [9, 3],
      [0, ends + 1],
      [0.5, 3],
      [0, Number.NaN],
    ] as const;
    for (const [from, to] of ranges) {
      await assert.rejects(
        objects.discard([{ pack, from, to }]),
        (error) => isProblem(error, "invalid"),
        `${from} ${to}`,
      );
    }
    await assert.rejects(objects.discard([{ pack: "00000099-00000000", from: 0, to: 1 }]), (error) =>
      isProblem(error, "absent"),
    );
    assert.equal((await idsIn(objects)).length, 1);
  });
}

/** Keeps what proves and is not named; notes the moves. */
function keeping(objects: SealedObjects, drops: readonly string[] = []): Compacting & { readonly moves: ObjectMove[] } {
  const moves: ObjectMove[] = [];
  return {
    moves,
    async keeps(found) {
      if (drops.includes(found.id)) return false;
      await verifyObject(objects, found);
      return true;
    },
    async moved(these) {
      moves.push(...these);
    },
  };
}

function testCompaction(name: string, started: Started): void {
  test(`${name}: compaction moves what stays, unchanged but for its place, and removes the pack`, async (t) => {
    const { objects } = await started(t);
    const put = [];
    for (const size of [10, 300_000, 0, segmentBytes, 50, 70]) put.push(await putObject(objects, size));
    const [a, b, c, d, e, f] = put as [PutObject, PutObject, PutObject, PutObject, PutObject, PutObject];
    await objects.discard([rangeOf(b)]);
    const how = keeping(objects, [e.id]);
    const compacted = await objects.compact(a.pack, how);
    assert.deepEqual(compacted, { objects: 4, freedBytes: b.bytes.length + e.bytes.length, damaged: [] });
    const found = await foundIn(objects);
    assert.deepEqual(
      found.map(({ id }) => id),
      [a.id, c.id, d.id, f.id],
    );
    assert.deepEqual(
      how.moves,
      [a, c, d, f].map((before, at) => ({ from: placeOf(before), to: placeOf(found[at] as FoundObject) })),
    );
    assert.ok((await objects.packs()).every(({ pack }) => pack !== a.pack));
    for (const each of found) await verifyObject(objects, each);
    const after = await putObject(objects, 20);
    assert.equal((await idsIn(objects)).at(-1), after.id);
  });

  test(`${name}: an old place in hand is served while and after its pack is compacted, twice over`, async (t) => {
    const { objects } = await started(t);
    const one = await putObject(objects, 400_000);
    const two = await putObject(objects, 5);
    await objects.discard([rangeOf(two)]);
    const reads: Promise<unknown>[] = [];
    const base = keeping(objects);
    const during: Compacting = {
      async keeps(found) {
        reads.push(verifyObject(objects, one));
        return base.keeps(found);
      },
      async moved(moves) {
        reads.push(verifyObject(objects, one));
        await verifyObject(objects, moves[0]?.to ?? placeOf(one));
      },
    };
    await objects.compact(one.pack, during);
    await Promise.all(reads);
    await verifyObject(objects, one);
    const [again] = await foundIn(objects);
    await objects.compact(again?.pack ?? "", during);
    await verifyObject(objects, one);
    const into = Buffer.alloc(one.bytes.length);
    assert.equal(await readWhole(objects, one.pack, one.start, into), into.length);
    assert.ok(into.subarray(128).equals(one.bytes.subarray(128)), "all but the header's hint is the same");
    await assert.rejects(verifyObject(objects, two), (error) => isProblem(error, "absent"));
    await objects.discard([rangeOf(one)]);
    assert.deepEqual(await idsIn(objects), [], "discarding by an old place reaches the new one");
  });

  test(`${name}: a scan that began before a compaction goes on to its end, one that begins behind it finds the new pack`, async (t) => {
    const { objects } = await started(t);
    const put = [await putObject(objects, 10), await putObject(objects, 20), await putObject(objects, 30)];
    const pack = put[0]?.pack ?? "";
    const scan = objects.scan(pack, 0)[Symbol.asyncIterator]();
    await scan.next();
    await objects.compact(pack, keeping(objects));
    const rest = [await scan.next(), await scan.next(), await scan.next()];
    assert.deepEqual(
      rest.map(({ value }) => value?.id),
      [put[1]?.id, put[2]?.id, undefined],
    );
    const later = await collect(objects.scan(pack, 0));
    assert.deepEqual(
      later.map((each) => "id" in each && each.id),
      put.map(({ id }) => id),
    );
  });

  test(`${name}: a pack of which nothing stays is removed`, async (t) => {
    const { objects } = await started(t);
    const { pack, id } = await putObject(objects, 1000);
    let into: unknown = "not told";
    const how: Compacting = {
      keeps: (found) => found.id !== id,
      async moved(_, now) {
        into = now;
      },
    };
    await objects.compact(pack, how);
    assert.equal(into, undefined);
    assert.deepEqual(await objects.packs(), []);
    assert.deepEqual(await collect(objects.scan(pack, 0)), []);
  });

  test(`${name}: what is damaged is never dropped: its pack stays as it was`, async (t) => {
    const { objects } = await started(t);
    const one = await putObject(objects, 1000);
    const two = await putObject(objects, 2000);
    const how = keeping(objects);
    const compacted = await objects.compact(one.pack, {
      ...how,
      keeps(found) {
        if (found.id === two.id) throw new Problem("damaged", "made to fail");
        return how.keeps(found);
      },
    });
    assert.deepEqual(compacted, { objects: 0, freedBytes: 0, damaged: [rangeOf(two)] });
    assert.deepEqual(how.moves, []);
    assert.deepEqual(await idsIn(objects), [one.id, two.id]);
    await objects.discard([rangeOf(two)]);
    await objects.compact(one.pack, keeping(objects));
    assert.deepEqual(await idsIn(objects), [one.id]);
  });

  test(`${name}: when the index does not take the moves, nothing is removed, and it can be tried again`, async (t) => {
    const { objects } = await started(t);
    const { pack, id } = await putObject(objects, 1000);
    const other = await putObject(objects, 10);
    const how = keeping(objects);
    const refuse = { ...how, moved: () => Promise.reject(new Problem("unavailable", "no index")) };
    await assert.rejects(objects.compact(pack, refuse), (error) => isProblem(error, "unavailable"));
    assert.deepEqual(await idsIn(objects), [id, other.id]);
    await objects.discard([rangeOf(other)]);
    await objects.compact(pack, how);
    assert.deepEqual(await idsIn(objects), [id]);
  });

  test(`${name}: what is discarded while its pack is compacted is not found behind it`, async (t) => {
    const { objects } = await started(t);
    const one = await putObject(objects, 1000);
    const two = await putObject(objects, 10);
    const how = keeping(objects);
    await objects.compact(one.pack, {
      ...how,
      async keeps(found) {
        if (found.id === two.id) await objects.discard([rangeOf(one)]);
        return how.keeps(found);
      },
    });
    assert.deepEqual(await idsIn(objects), [two.id]);
  });

  test(`${name}: a pack that is being written to is busy`, async (t) => {
    const { objects } = await started(t);
    const { id } = await putObject(objects, 1000);
    const writer = await objects.begin();
    await assert.rejects(objects.compact(writer.pack, keeping(objects)), (error) => isProblem(error, "busy"));
    await writer.abort();
    assert.deepEqual(await idsIn(objects), [id]);
  });
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function foundIn(objects: SealedObjects): Promise<FoundObject[]> {
  const found: FoundObject[] = [];
  for (const { pack } of await objects.packs()) {
    for (const each of (await collect(objects.scan(pack, 0))) as (FoundObject | Gap)[]) {
      assert.ok("id" in each, "there is no gap between objects");
      found.push(each);
    }
  }
  return found;
}
