import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { newToken, systemRandom } from "#base/id";
import { isProblem } from "#base/problem";
import type { KeyStore, WrappedStudyKey } from "./key-store.ts";

export interface KeyStoreUnderTest {
  readonly keyStore: KeyStore;
  /** The same keys as the next process finds them; undefined where nothing outlives the process. */
  readonly reopen?: () => Promise<KeyStore>;
}

const digestOf = (name: string) => createHash("sha256").update(name).digest();
const newKey = (): WrappedStudyKey => ({ studyToken: newToken(systemRandom), wrappedKey: randomBytes(62) });

/** What every implementation of `KeyStore` does. */
export function testKeyStore(
  name: string,
  fresh: (t: { after(done: () => unknown): void }) => Promise<KeyStoreUnderTest>,
): void {
  const opened = async (t: { after(done: () => unknown): void }) => {
    const made = await fresh(t);
    t.after(() => made.keyStore.close());
    return made;
  };

  test(`${name}: a key is found by digest and by token, and nothing else is`, async (t) => {
    const { keyStore } = await opened(t);
    const key = newKey();
    assert.equal(await keyStore.get(digestOf("a")), undefined);
    assert.deepEqual(await keyStore.putIfAbsent(digestOf("a"), key), key);
    assert.deepEqual(await keyStore.get(digestOf("a")), key);
    assert.deepEqual(await keyStore.byToken(key.studyToken), key);
    assert.equal(await keyStore.get(digestOf("b")), undefined);
    assert.equal(await keyStore.byToken(newToken(systemRandom)), undefined);
  });

  test(`${name}: the first key for a digest stands, also among those who come at once`, async (t) => {
    const { keyStore } = await opened(t);
    const offered = Array.from({ length: 8 }, newKey);
    const stands = await Promise.all(offered.map((key) => keyStore.putIfAbsent(digestOf("a"), key)));
    assert.equal(new Set(stands.map(({ studyToken }) => studyToken)).size, 1);
    assert.deepEqual(await keyStore.putIfAbsent(digestOf("a"), newKey()), stands[0]);
    assert.equal(keyStore.count(), 1);
  });

  test(`${name}: a deleted key is gone for good, and its study may begin anew`, async (t) => {
    const { keyStore } = await opened(t);
    const [key, other] = [newKey(), newKey()];
    await keyStore.putIfAbsent(digestOf("a"), key);
    await keyStore.putIfAbsent(digestOf("b"), other);
    assert.equal(await keyStore.delete(key.studyToken), true);
    assert.equal(await keyStore.delete(key.studyToken), false);
    assert.equal(await keyStore.get(digestOf("a")), undefined);
    assert.equal(await keyStore.byToken(key.studyToken), undefined);
    assert.deepEqual(await keyStore.get(digestOf("b")), other);
    const anew = newKey();
    assert.deepEqual(await keyStore.putIfAbsent(digestOf("a"), anew), anew);
  });

  test(`${name}: three thousand keys put at once are all there`, async (t) => {
    const { keyStore } = await opened(t);
    const keys = Array.from({ length: 3000 }, newKey);
    await Promise.all(keys.map((key, i) => keyStore.putIfAbsent(digestOf(String(i)), key)));
    assert.equal(keyStore.count(), keys.length);
    for (let i = 0; i < keys.length; i += 97) {
      assert.deepEqual(await keyStore.get(digestOf(String(i))), keys[i]);
      assert.deepEqual(await keyStore.byToken(keys[i]?.studyToken ?? ""), keys[i]);
    }
  });

  test(`${name}: the next process finds what was put and not what was deleted`, async (t) => {
    const { keyStore, reopen } = await fresh(t);
    if (reopen === undefined) return t.skip("nothing outlives the process here");
    const [kept, deleted] = [newKey(), newKey()];
    await keyStore.putIfAbsent(digestOf("kept"), kept);
    await keyStore.putIfAbsent(digestOf("deleted"), deleted);
    await keyStore.delete(deleted.studyToken);
    await keyStore.close();
    const again = await reopen();
    t.after(() => again.close());
    assert.deepEqual(await again.get(digestOf("kept")), kept);
    assert.equal(await again.get(digestOf("deleted")), undefined);
    assert.equal(again.count(), 1);
    const later = newKey();
    await again.putIfAbsent(digestOf("later"), later);
    assert.deepEqual(await again.get(digestOf("later")), later);
  });

  test(`${name}: a replaced wrapping takes the old one's place under digest and token, and only where that still stands`, async (t) => {
    const { keyStore } = await opened(t);
    const key = newKey();
    await keyStore.putIfAbsent(digestOf("a"), key);
    const [second, third] = [randomBytes(62), randomBytes(72)];
    assert.equal(await keyStore.replace(key.studyToken, second, key.wrappedKey), true);
    assert.equal(await keyStore.replace(key.studyToken, third, key.wrappedKey), false);
    assert.deepEqual(await keyStore.get(digestOf("a")), { ...key, wrappedKey: second });
    assert.equal(await keyStore.replace(key.studyToken, third), true);
    assert.deepEqual(await keyStore.byToken(key.studyToken), { ...key, wrappedKey: third });
    assert.equal(keyStore.count(), 1);
    assert.equal(await keyStore.replace(newToken(systemRandom), third), false);
    await assert.rejects(keyStore.replace(key.studyToken, randomBytes(73)), (error) => isProblem(error, "invalid"));
    await keyStore.delete(key.studyToken);
    assert.equal(await keyStore.replace(key.studyToken, second), false);
    assert.equal(await keyStore.get(digestOf("a")), undefined);
  });

  test(`${name}: a key is found at every moment while it is replaced again and again, and stays deleted when it is deleted`, async (t) => {
    const { keyStore } = await opened(t);
    const keys = Array.from({ length: 20 }, newKey);
    await Promise.all(keys.map((key, i) => keyStore.putIfAbsent(digestOf(String(i)), key)));
    let isDone = false;
    const replacing = Promise.all(
      keys.map(async ({ studyToken }) => {
        for (let round = 0; round < 15; round++)
          assert.equal(await keyStore.replace(studyToken, randomBytes(62)), true);
      }),
    ).finally(() => {
      isDone = true;
    });
    for (let i = 0; !isDone; i = (i + 1) % keys.length) {
      const token = keys[i]?.studyToken ?? "";
      assert.equal((await keyStore.get(digestOf(String(i))))?.studyToken, token);
      assert.equal((await keyStore.byToken(token))?.studyToken, token);
    }
    await replacing;
    const all = keys.flatMap(({ studyToken }) => [
      keyStore.replace(studyToken, randomBytes(62)),
      keyStore.delete(studyToken),
    ]);
    await Promise.all(all);
    assert.equal(keyStore.count(), 0);
    for (const [i] of keys.entries()) assert.equal(await keyStore.get(digestOf(String(i))), undefined);
  });

  test(`${name}: all keys are walked through once, with those that are put and replaced meanwhile`, async (t) => {
    const { keyStore } = await opened(t);
    const keys = Array.from({ length: 300 }, newKey);
    const putting = keys.map((key, i) => keyStore.putIfAbsent(digestOf(String(i)), key));
    const walked: string[] = [];
    for await (const { studyToken, wrappedKey } of keyStore.all()) {
      walked.push(studyToken);
      const later = keys[walked.length + 3];
      if (later !== undefined) await keyStore.replace(later.studyToken, randomBytes(62));
      await keyStore.replace(studyToken, randomBytes(62), wrappedKey);
    }
    await Promise.all(putting);
    assert.deepEqual(walked.toSorted(), keys.map(({ studyToken }) => studyToken).toSorted());
    assert.equal(keyStore.count(), keys.length);
  });

  test(`${name}: the next process finds what was replaced as it was last`, async (t) => {
    const { keyStore, reopen } = await fresh(t);
    if (reopen === undefined) return t.skip("nothing outlives the process here");
    const [key, shredded] = [newKey(), newKey()];
    await keyStore.putIfAbsent(digestOf("a"), key);
    await keyStore.putIfAbsent(digestOf("b"), shredded);
    const last = randomBytes(62);
    await keyStore.replace(key.studyToken, randomBytes(62));
    await keyStore.replace(key.studyToken, last);
    await keyStore.replace(shredded.studyToken, randomBytes(62));
    await keyStore.delete(shredded.studyToken);
    await keyStore.close();
    const again = await reopen();
    t.after(() => again.close());
    assert.deepEqual(await again.get(digestOf("a")), { ...key, wrappedKey: last });
    assert.equal(await again.get(digestOf("b")), undefined);
    assert.equal(again.count(), 1);
  });

  test(`${name}: what does not fit a record is refused`, async (t) => {
    const { keyStore } = await opened(t);
    const tooLong = { ...newKey(), wrappedKey: randomBytes(73) };
    await assert.rejects(keyStore.putIfAbsent(digestOf("a"), tooLong), (error) => isProblem(error, "invalid"));
    await assert.rejects(keyStore.putIfAbsent(randomBytes(31), newKey()), (error) => isProblem(error, "invalid"));
  });
}
