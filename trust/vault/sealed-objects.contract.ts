import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { newToken, systemRandom } from "#base/id";
import { isProblem } from "#base/problem";
import { footerBytes, objectContext, segmentBytes } from "./format.ts";
import type { FoundObject, Gap, ObjectWriter, SealedObjects } from "./sealed-objects.ts";
import { createSealer, objectKey } from "./sealer.ts";

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
}

/** An object in its format, under a key that nobody keeps. */
function sealedObject(sizeBytes: number): { id: string; parts(writer: ObjectWriter): Buffer[] } {
  const identity = {
    part: 0,
    version: 1,
    studyToken: newToken(systemRandom),
    id: newToken(systemRandom),
    nonce: randomBytes(32),
  };
  const key = objectKey(randomBytes(32), identity.nonce, objectContext(randomBytes(16), identity));
  return {
    id: identity.id,
    parts(writer) {
      const parts: Buffer[] = [];
      const sealer = createSealer({ ...identity, commitment: key.commitment }, key, (part) => parts.push(part));
      sealer.update(randomBytes(sizeBytes));
      sealer.end(randomBytes(100));
      return [sealer.header(writer.provenTo), ...parts];
    },
  };
}

async function putObject(objects: SealedObjects, sizeBytes: number) {
  const sealed = sealedObject(sizeBytes);
  const writer = await objects.begin();
  const parts = sealed.parts(writer);
  await writer.write(parts.slice(0, 2));
  await writer.commit(parts.slice(2));
  const { pack, start } = writer;
  return { id: sealed.id, pack, start, sizeBytes, bytes: Buffer.concat(parts) };
}

async function readWhole(objects: SealedObjects, pack: string, position: number, into: Buffer): Promise<number> {
  let have = 0;
  while (have < into.length) {
    const count = await objects.read(pack, position + have, into.subarray(have));
    if (count === 0) break;
    have += count;
  }
  return have;
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
