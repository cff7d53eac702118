import assert from "node:assert/strict";
import { type KeyObject, randomBytes } from "node:crypto";
import { test } from "node:test";
import { type Random, seededRandom } from "#base/id";
import { isProblem } from "#base/problem";
import {
  bodyBytesOf,
  encodeFooter,
  encodeHeader,
  footerBytes,
  footerProven,
  frameNonce,
  objectContext,
  partOf,
} from "./format.ts";
import { createVault } from "./index.ts";
import { objectOf } from "./manipulations.fixture.ts";
import { openMessage } from "./primitives.ts";
import { type ObjectKey, objectKey } from "./sealer.ts";
import { tagUnderBoth } from "./two-keys.fixture.ts";
import { keyring, memoryStores } from "./vault.fixture.ts";

const times = 1000;
const studyUid = "1.2.3";

/** A vault whose tokens come from one source and whose keys from another, and every key that it drew. */
async function vaultWith(tenant: string, tokens: Random, keys: Random) {
  const drawn: Buffer[] = [];
  const random: Random = (into) => {
    if (into.length !== 32) return tokens(into);
    drawn.push(Buffer.from(keys(into)));
    return into;
  };
  const stores = memoryStores();
  const vault = await createVault({ keyring, tenant, stores, random });
  return { vault, objects: stores.image.objects, studyToken: await vault.studyToken(studyUid), drawn: [...drawn] };
}

const isDamaged = (error: unknown) => isProblem(error, "damaged");
const isAnotherKey = (error: unknown) => isDamaged(error) && /another key/.test((error as Error).message);

test(`${times} objects of one tenant are refused by another that holds the same key under the same token`, async () => {
  const same = (tenant: string) => vaultWith(tenant, seededRandom(7), seededRandom(8));
  const [main, twin, other] = [await same("main"), await same("main"), await same("other")];
  assert.deepEqual([twin.studyToken, other.studyToken], [main.studyToken, main.studyToken]);
  assert.deepEqual(other.drawn, main.drawn);
  for (let serial = 0; serial < times; serial++) {
    const sealing = main.vault.seal({ studyToken: main.studyToken, half: "image" });
    const plain = randomBytes(serial % 200);
    sealing.write(Buffer.from(plain));
    const { place, sizeBytes } = await sealing.finish(Buffer.from("record"));
    const begin = place.offset - bodyBytesOf(sizeBytes, 6);
    const bytes = main.objects.bytes().subarray(begin, place.offset + footerBytes);
    for (const { objects } of [twin, other]) {
      await (await objects.begin()).commit([bytes]);
    }
    const opened = await twin.vault.open(place);
    assert.deepEqual(await opened.read(0, sizeBytes), plain, "its own tenant opens it");
    await assert.rejects(other.vault.open(place), isAnotherKey);
  }
});

/** A message of random blocks that opens under both, with its tag behind it. */
function twoKeyMessage(
  keys: readonly [KeyObject, KeyObject],
  nonce: Buffer,
  additional: Buffer,
  bytes: number,
): Buffer {
  const ciphertext = randomBytes(bytes);
  return Buffer.concat([ciphertext, tagUnderBoth(keys, nonce, { additional, ciphertext }, "ciphertext", 0)]);
}

test(`${times} objects made to open under two keys are refused for what they commit to, though every tag of theirs holds`, async () => {
  // The same token stands for one key here and for another there.
  const [one, two] = [
    await vaultWith("main", seededRandom(7), seededRandom(8)),
    await vaultWith("main", seededRandom(7), seededRandom(9)),
  ];
  const { studyToken } = one;
  assert.equal(two.studyToken, studyToken);
  const studyKeys = await Promise.all([one, two].map(studyKeyOf));
  for (let serial = 0; serial < times; serial++) {
    const unsigned = {
      part: partOf.image,
      version: 1,
      studyToken,
      id: randomBytes(16).toString("hex"),
      nonce: randomBytes(32),
    };
    const context = objectContext(keyring.tenant("main").id, unsigned);
    const [mine, theirs] = studyKeys.map((key) => objectKey(key, unsigned.nonce, context)) as [ObjectKey, ObjectKey];
    const keys = [mine.key, theirs.key] as const;
    const [sizeBytes, recordBytes] = [16 + (serial % 500), 16 + (serial % 32)];
    const segment = twoKeyMessage(keys, frameNonce("data", 0), context, sizeBytes);
    const record = twoKeyMessage(keys, frameNonce("record", 1), context, recordBytes);
    const identity = { ...unsigned, commitment: Buffer.alloc(32) };
    const bodyBytes = bodyBytesOf(sizeBytes, recordBytes);
    const additional = Buffer.concat([context, footerProven({ ...identity, bodyBytes, sizeBytes, recordBytes })]);
    const proven = additional.subarray(context.length);
    // Nothing else in a footer is free: keys hang on its id and nonce, so the commitment itself is given up.
    const message = { additional, ciphertext: Buffer.alloc(0) };
    const tag = tagUnderBoth(keys, frameNonce("footer", 1), message, "additional", context.length + 112);
    proven.copy(identity.commitment, 0, 112, 144);
    const header = encodeHeader({ ...identity, provenTo: 0 });
    const object = objectOf({ header, segments: [segment], record, footer: encodeFooter(proven, tag) });

    const opened = keys.map((key) => {
      assert.ok(openMessage(key, frameNonce("footer", 1), additional, tag), "the footer's tag holds");
      assert.ok(openMessage(key, frameNonce("record", 1), context, record), "the record's tag holds");
      return openMessage(key, frameNonce("data", 0), context, segment) ?? assert.fail("the segment's tag holds");
    });
    assert.notDeepEqual(opened[0], opened[1], "two plain texts in one object");
    for (const { vault, objects } of [one, two]) {
      const before = objects.bytes().length;
      await (await objects.begin()).commit([object]);
      const [{ pack } = assert.fail()] = await objects.packs();
      await assert.rejects(vault.open({ pack, offset: before + bodyBytes }), isAnotherKey);
    }
  }
});

/** Found among what was drawn by what an object of the study commits to. */
async function studyKeyOf({
  vault,
  objects,
  studyToken,
  drawn,
}: Awaited<ReturnType<typeof vaultWith>>): Promise<Buffer> {
  const sealing = vault.seal({ studyToken, half: "image" });
  await sealing.finish(Buffer.alloc(0));
  const said = objects.bytes().subarray(-footerBytes).subarray(32, 144);
  const [nonce, commitment] = [Buffer.from(said.subarray(48, 80)), said.subarray(80, 112)];
  const identity = { part: partOf.image, version: 1, studyToken, id: sealing.id, nonce };
  const context = objectContext(keyring.tenant("main").id, identity);
  const found = drawn.find((key) => objectKey(key, nonce, context).commitment.equals(commitment));
  return found ?? assert.fail("the study's key was not drawn");
}
