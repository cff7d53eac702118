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

  test(`${name}: what does not fit a record is refused`, async (t) => {
    const { keyStore } = await opened(t);
    const tooLong = { ...newKey(), wrappedKey: randomBytes(73) };
    await assert.rejects(keyStore.putIfAbsent(digestOf("a"), tooLong), (error) => isProblem(error, "invalid"));
    await assert.rejects(keyStore.putIfAbsent(randomBytes(31), newKey()), (error) => isProblem(error, "invalid"));
  });
}
