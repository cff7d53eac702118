import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { createMemoryKeyStore } from "#stores/memory";
import { footerBytes, frameStride, headBytes, headerBytes, partOf, segmentBytes } from "./format.ts";
import type { Damage, RecoveredObject, SealedPlace, Vault } from "./index.ts";
import { createSealedBuffers, proveObject } from "./opener.ts";
import { keyOf } from "./primitives.ts";
import { keyring, type MemoryStores, openVault, put } from "./vault.fixture.ts";

const reopened = async (stores: MemoryStores, tenant = "main") => (await openVault({ stores, tenant })).vault;
const isDamaged = (error: unknown) => isProblem(error, "damaged");
const readAll = async (vault: Vault, place: SealedPlace) => {
  const object = await vault.open(place);
  return object.read(0, object.sizeBytes);
};
const damagesOf = async (vault: Vault) => {
  const all: Damage[] = [];
  for await (const damage of vault.check()) all.push(damage);
  return all;
};

test("whatever the length and however it is cut, what was sealed opens, whole, in ranges and as a stream", async () => {
  const { vault } = await openVault();
  const sizes = fc.oneof(
    fc.integer({ min: 0, max: 3 * segmentBytes }),
    fc.constantFrom(0, segmentBytes, 2 * segmentBytes),
  );
  const property = fc.asyncProperty(
    sizes,
    fc.array(fc.nat(), { maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 5 }),
    async (size, cuts, ranges) => {
      const bytes = randomBytes(size);
      const object = await vault.open(await put(vault, bytes, { cuts }));
      assert.equal(object.sizeBytes, size);
      assert.ok((await object.read(0, size)).equals(bytes));
      for (const [one, other] of ranges) {
        const [from, to] = [one % (size + 1), other % (size + 1)].sort((a, b) => a - b) as [number, number];
        assert.ok((await object.read(from, to)).equals(bytes.subarray(from, to)));
        const pieces = [];
        for await (const piece of object.stream(from, to)) pieces.push(piece);
        assert.ok(Buffer.concat(pieces).equals(bytes.subarray(from, to)));
      }
    },
  );
  await fc.assert(property, { numRuns: 60, seed: 1 });
  const object = await vault.open(await put(vault, randomBytes(10)));
  await assert.rejects(object.read(5, 11), RangeError);
  await assert.rejects(object.read(-1, 1), RangeError);
  await assert.rejects(object.read(3, 2), RangeError);
});

test("no bit of a sealed object can be changed without being refused or told of", async () => {
  const { vault, stores } = await openVault();
  const { objects } = stores.image;
  const original = randomBytes(2 * segmentBytes + 999);
  const place = await put(vault, original);
  const length = objects.bytes().length;
  assert.deepEqual(await damagesOf(vault), []);
  const property = fc.asyncProperty(fc.nat({ max: length - 1 }), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
    // Where it is written down what everything hangs on is tried as often as where the bulk lies.
    const where = at % 3 === 0 ? at : at % 3 === 1 ? length - 1 - (at % (footerBytes + 80)) : at % (headerBytes + 64);
    const bytes = objects.bytes();
    bytes[where] = (bytes[where] ?? 0) ^ (1 << bit);
    const read = await readAll(vault, place).catch((error) => {
      assert.ok(isDamaged(error));
      return undefined;
    });
    assert.ok(read === undefined || read.equals(original), "other bytes were served");
    // The eight bytes of the header that only speed up recovery are not secret and prove nothing.
    const isHint = where >= 112 && where < headerBytes;
    if (!isHint) assert.ok((await damagesOf(vault)).length > 0, `byte ${where} was changed and not told of`);
    bytes[where] = (bytes[where] ?? 0) ^ (1 << bit);
  });
  await fc.assert(property, { numRuns: 400, seed: 2 });
  assert.ok((await readAll(vault, place)).equals(original));
});

test("frames that were cut, moved, doubled or taken from another object are refused", async () => {
  const { vault, stores } = await openVault();
  const { objects } = stores.image;
  const one = await put(vault, randomBytes(3 * segmentBytes));
  const two = await put(vault, randomBytes(3 * segmentBytes));
  const start = (place: SealedPlace) => (place === one ? 0 : one.offset + footerBytes);
  const frame = (place: SealedPlace, index: number) => {
    const from = start(place) + headerBytes + index * frameStride;
    return objects.bytes().subarray(from, from + frameStride);
  };
  const swap = (a: Buffer, b: Buffer) => {
    const kept = Buffer.from(a);
    b.copy(a);
    kept.copy(b);
  };
  const attacks: [string, Buffer, Buffer][] = [
    ["two frames of one object change places", frame(one, 0), frame(one, 2)],
    ["frames of two objects of one study change places", frame(one, 1), frame(two, 1)],
    [
      "sealed bytes change places, their heads stay",
      frame(one, 0).subarray(headBytes),
      frame(one, 1).subarray(headBytes),
    ],
    [
      "headers change places",
      objects.bytes().subarray(0, headerBytes),
      objects.bytes().subarray(start(two), start(two) + headerBytes),
    ],
  ];
  for (const [what, a, b] of attacks) {
    swap(a, b);
    assert.ok((await damagesOf(vault)).length > 0, what);
    if (!what.startsWith("headers")) await assert.rejects(readAll(vault, one), isDamaged, what);
    swap(a, b);
  }
  const footers = [one, two].map(({ offset }) => objects.bytes().subarray(offset, offset + footerBytes)) as [
    Buffer,
    Buffer,
  ];
  swap(...footers);
  await assert.rejects(readAll(vault, one), isDamaged, "footers change places");
  swap(...footers);
  assert.deepEqual(await damagesOf(vault), []);
  for (const offset of [0, 1, one.offset - 1, one.offset + 1, 2 ** 40, -1, 0.5, Number.NaN]) {
    await assert.rejects(vault.open({ pack: one.pack, offset }), isDamaged);
  }
  await assert.rejects(vault.open({ pack: "00000009-00000000", offset: 5000 }), (error) => isProblem(error, "absent"));
});

test("an object under another study's key, another tenant or no key is refused", async () => {
  const { vault, stores } = await openVault();
  const place = await put(vault, randomBytes(1000));
  const token = await vault.studyToken("1.2.3");
  const other = await reopened(stores, "other");
  await assert.rejects(readAll(other, place), isDamaged);

  const { keyStore } = stores.image;
  const wrapped = await keyStore.byToken(token);
  const stranger = await keyStore.byToken(await vault.studyToken("9.9"));
  if (wrapped === undefined || stranger === undefined) assert.fail();
  const moved = createMemoryKeyStore();
  await moved.putIfAbsent(randomBytes(32), { studyToken: token, wrappedKey: stranger.wrappedKey });
  const fooled = await reopened({ ...stores, image: { ...stores.image, keyStore: moved } });
  await assert.rejects(readAll(fooled, place), isDamaged, "a wrapped key is bound to its study");

  await keyStore.delete(token);
  const shredded = await reopened(stores);
  await assert.rejects(readAll(shredded, place), (error) => isProblem(error, "absent"));
  for await (const _ of shredded.recover(new Map())) assert.fail("a shredded object is not recovered");
  assert.deepEqual(await damagesOf(shredded), [], "a shredded object is not damage");
});

test("an object whose length is known is read at once, to its last byte; a wrong length changes nothing", async () => {
  const { vault, stores } = await openVault();
  for (const size of [0, 1, 20_000, 300_000, 1_100_000]) {
    const plain = randomBytes(size);
    const place = await put(vault, plain);
    for (const said of [undefined, size, 0, 7, 500_000, Number.MAX_SAFE_INTEGER]) {
      const object = await vault.open(place, undefined, said);
      assert.deepEqual(await object.read(0, size), plain, `${size} bytes, said to be ${said}`);
      assert.deepEqual(await object.read(size >> 1, size), plain.subarray(size >> 1), "and again");
    }
  }
  const place = await put(vault, randomBytes(300_000));
  let reads = 0;
  const { read } = stores.image.objects;
  stores.image.objects.read = (...where) => {
    reads++;
    return read(...where);
  };
  for await (const _ of (await vault.open(place, undefined, 300_000)).stream());
  assert.equal(reads, 1);
});

test("an object made to open under two keys is refused under the one it does not commit to", async () => {
  const { vault, stores } = await openVault();
  const { objects } = stores.image;
  const place = await put(vault, randomBytes(1000));
  const readAt = (position: number, into: Uint8Array) => objects.read(place.pack, position, into);
  const { id: tenantId } = keyring.tenant("main");
  const studyKeyOf = () => keyOf(randomBytes(32));
  const proving = { readAt, tenantId, part: partOf.image, studyKeyOf, buffers: createSealedBuffers() };
  // The commitment is checked before the tag is: GCM itself would not notice a message that was built to suit both keys.
  await assert.rejects(
    proveObject(place, proving),
    (error) => isProblem(error, "damaged") && /another key/.test(error.message),
  );
});

test("recovery gives every finished object with its record, from a mark on those behind it", async () => {
  const { vault, stores } = await openVault();
  const places = [];
  for (const size of [10, 200_000, 0]) places.push(await put(vault, randomBytes(size), { half: "identity" }));
  const next = await reopened(stores);
  const all: RecoveredObject[] = [];
  for await (const object of next.recover(new Map())) all.push(object);
  assert.deepEqual(
    all.map(({ place }) => place),
    places,
  );
  assert.deepEqual(
    all.map(({ record }) => String(record)),
    ["record of 10", "record of 200000", "record of 0"],
  );
  assert.ok(all.every(({ studyToken }) => studyToken === all[0]?.studyToken));
  const marks = new Map([[all[1]?.place.pack ?? "", all[1]?.endPosition ?? 0]]);
  const rest = [];
  for await (const object of next.recover(marks)) rest.push(object.id);
  assert.deepEqual(rest, [all[2]?.id]);
});

test("a study has one token, also for those who ask at once and after the next start", async () => {
  const { vault, stores } = await openVault();
  const tokens = await Promise.all(Array.from({ length: 20 }, () => vault.studyToken("1.2.3")));
  assert.equal(new Set(tokens).size, 1);
  assert.notEqual(await vault.studyToken("1.2.4"), tokens[0]);
  const next = await reopened(stores);
  assert.equal(await next.studyToken("1.2.3"), tokens[0]);
});

test("an object may be sealed before its study's key has been read", async () => {
  const { vault, stores } = await openVault();
  const studyToken = await vault.studyToken("1.2.3");
  const next = await reopened(stores);
  const sealing = next.seal({ studyToken, half: "image" });
  const bytes = randomBytes(1000);
  const wait = sealing.write(bytes.subarray(0, 500));
  assert.ok(wait instanceof Promise);
  sealing.write(bytes.subarray(500));
  const { place } = await sealing.finish(Buffer.from("r"));
  assert.ok((await readAll(next, place)).equals(bytes));
  const unknown = next.seal({ studyToken: "00".repeat(16), half: "image" });
  await assert.rejects(unknown.finish(Buffer.from("r")), (error) => isProblem(error, "absent"));
});

test("a failed commit is told with its cause, and nothing of the object is found", async () => {
  const { vault, stores } = await openVault();
  const { objects } = stores.image;
  objects.failCommits(1);
  await assert.rejects(put(vault, randomBytes(10)), (error) => isProblem(error, "no-room"));
  for await (const _ of vault.recover(new Map())) assert.fail("it was refused");
  await put(vault, randomBytes(10));
});

test("an object is ended once, and a closed vault takes none", async () => {
  const { vault } = await openVault();
  const sealing = vault.seal({ studyToken: await vault.studyToken("1.2.3"), half: "image" });
  await sealing.abort();
  await sealing.abort();
  assert.throws(
    () => sealing.write(Buffer.alloc(1)),
    (error) => isProblem(error, "conflict"),
  );
  await assert.rejects(sealing.finish(Buffer.alloc(1)), (error) => isProblem(error, "conflict"));
  const underWay = vault.seal({ studyToken: await vault.studyToken("1.2.3"), half: "image" });
  underWay.write(Buffer.alloc(10));
  await vault.close();
  await vault.close();
  assert.throws(
    () => vault.seal({ studyToken: "00".repeat(16), half: "image" }),
    (error) => isProblem(error, "unavailable"),
  );
  await assert.rejects(underWay.finish(Buffer.alloc(1)), (error) => isProblem(error, "conflict"));
});

test("a record that is too long is refused", async () => {
  const { vault } = await openVault();
  const sealing = vault.seal({ studyToken: await vault.studyToken("1.2.3"), half: "image" });
  await assert.rejects(sealing.finish(Buffer.alloc(1024 * 1024 + 1)), (error) => isProblem(error, "too-large"));
});

test("a secret opens for its purpose and tenant only, and no two of the same look alike", async () => {
  const { vault } = await openVault();
  const { vault: other } = await openVault({ tenant: "other" });
  const sealed = vault.secrets.seal("totp", Buffer.from("seed"));
  assert.deepEqual(vault.secrets.open("totp", sealed), Buffer.from("seed"));
  assert.notDeepEqual(vault.secrets.seal("totp", Buffer.from("seed")), sealed);
  assert.throws(() => vault.secrets.open("other purpose", sealed), isDamaged);
  assert.throws(() => other.secrets.open("totp", sealed), isDamaged);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => vault.secrets.open("totp", changed), isDamaged);
    assert.throws(() => vault.secrets.open("totp", sealed.subarray(0, at)), isDamaged);
  }
});

test("what is derived is the same at every start and differs by purpose and tenant", async () => {
  const [{ vault }, { vault: again }, { vault: other }] = [
    await openVault(),
    await openVault(),
    await openVault({ tenant: "other" }),
  ];
  const seed = vault.derive("audit signing key", 32);
  assert.equal(seed.length, 32);
  assert.deepEqual(again.derive("audit signing key", 32), seed);
  assert.notDeepEqual(other.derive("audit signing key", 32), seed);
  assert.notDeepEqual(vault.derive("another", 32), seed);
});
