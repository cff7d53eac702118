import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { systemRandom } from "#base/id";
import { isProblem } from "#base/problem";
import { createVault, openWholeTask, type Patches, type Vault, type WholeOpener } from "./index.ts";
import { keyring, memoryStores, put } from "./vault.fixture.ts";

/** Opens in this thread what another would, and takes the buffer as that would. */
function opener() {
  const seen = { asked: 0, isBusy: false };
  const threads: WholeOpener = {
    open(task) {
      if (seen.isBusy) return undefined;
      seen.asked++;
      const answer = openWholeTask(task);
      const [first = assert.fail("no segment")] = task.segments;
      const sealed = (first.buffer as ArrayBuffer).transfer();
      return Promise.resolve({ answer, sealed });
    },
    close: async () => {},
  };
  return { threads, seen };
}

async function openVault() {
  const { threads, seen } = opener();
  const stores = memoryStores();
  const vault = await createVault({ keyring, tenant: "main", stores, random: systemRandom, threads });
  return { vault, seen, stores };
}

const none: Patches = { offsets: new Float64Array(), lengths: new Float64Array(), bytes: Buffer.alloc(0) };

async function opened(vault: Vault, bytes: Buffer) {
  return vault.open(await put(vault, bytes), undefined, bytes.length);
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("patches land in their places, whichever segments they lie in, and the hash covers them", async () => {
  const { vault } = await openVault();
  const plain = randomBytes(400_000);
  const patch = fc.tuple(fc.nat({ max: 30_000 }), fc.integer({ min: 1, max: 30_000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(patch, { maxLength: 12 }), fc.nat({ max: 400_000 }), async (gaps, hashFrom) => {
      const expected = Buffer.from(plain);
      const [offsets, lengths, values]: [number[], number[], Buffer[]] = [[], [], []];
      let at = 0;
      for (const [gap, length] of gaps) {
        if (at + gap + length > plain.length) break;
        const value = Buffer.alloc(length, values.length + 1);
        offsets.push(at + gap);
        lengths.push(length);
        values.push(value);
        expected.set(value, at + gap);
        at += gap + length;
      }
      const patches = {
        offsets: Float64Array.from(offsets),
        lengths: Float64Array.from(lengths),
        bytes: Buffer.concat(values),
      };
      const whole = await (await opened(vault, plain)).patched(patches, hashFrom);
      assert.ok(whole);
      assert.deepEqual(Buffer.concat(whole.pieces), expected);
      assert.equal(whole.sha256, sha256(expected.subarray(hashFrom)));
    }),
    { numRuns: 60, seed: 11 },
  );
});

test("a thread is asked once for what is short and was not read yet; the rest is streamed", async () => {
  const { vault, seen } = await openVault();
  const plain = randomBytes(200_000);
  const object = await opened(vault, plain);
  assert.ok(await object.patched(none, 0));
  assert.equal(object.patched(none, 0), undefined, "its bytes are used up");
  assert.deepEqual(await object.read(0, plain.length), plain, "and are read again");
  for (const bytes of [randomBytes(1000), randomBytes(3_000_000)]) {
    assert.equal((await opened(vault, bytes)).patched(none, 0), undefined, `${bytes.length} bytes`);
  }
  const unsaid = await vault.open(await put(vault, plain));
  assert.equal(unsaid.patched(none, 0), undefined, "nobody said how long it is");
  seen.isBusy = true;
  const waiting = await opened(vault, plain);
  assert.equal(waiting.patched(none, 0), undefined);
  assert.deepEqual(await waiting.read(0, plain.length), plain, "nothing was taken from who streams it then");
  assert.equal(seen.asked, 1);
});

test("a byte changed in any frame is damage, as it is when it is streamed", async () => {
  const { vault, stores } = await openVault();
  const { read } = stores.image.objects;
  const plain = randomBytes(300_000);
  const place = await put(vault, plain);
  const reads = fc.nat({ max: 300_000 });
  await fc.assert(
    fc.asyncProperty(reads, async (at) => {
      stores.image.objects.read = async (pack, position, into) => {
        const count = await read(pack, position, into);
        const target = place.offset - 300_200 + at - position;
        if (target >= 0 && target < count) into[target] = (into[target] as number) ^ 1;
        return count;
      };
      const isDamaged = (error: unknown) => isProblem(error, "damaged");
      await assert.rejects(async () => {
        await (await vault.open(place, undefined, plain.length)).patched(none, 0);
      }, isDamaged);
    }),
    { numRuns: 60, seed: 5 },
  );
});
