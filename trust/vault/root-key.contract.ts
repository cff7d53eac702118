import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import { isProblem } from "#base/problem";
import type { RootKeySource } from "./root-key.ts";

export interface RootKeyUnderTest {
  readonly source: RootKeySource;
  /** Another key of the same kind. */
  readonly other: RootKeySource;
}

/** What every implementation of `RootKey` does. `fresh` returns undefined when this machine lacks what it needs, having skipped the test. */
export function testRootKey(name: string, fresh: (t: TestContext) => Promise<RootKeyUnderTest | undefined>): void {
  test(`${name}: what was wrapped opens again under the same settings, for its context alone`, async (t) => {
    const under = await fresh(t);
    if (under === undefined) return;
    const made = await under.source();
    const key = randomBytes(32);
    const wrapped = await made.wrap(key, "tenant a");
    assert.ok(!wrapped.includes(key));
    assert.notDeepEqual(await made.wrap(key, "tenant a"), wrapped, "no two wrappings are alike");
    await made.close();
    const settings = JSON.parse(JSON.stringify(made.settings)) as typeof made.settings;
    const opened = await under.source(settings);
    assert.deepEqual(await opened.unwrap(wrapped, "tenant a"), key);
    assert.equal(await opened.unwrap(wrapped, "tenant b"), undefined);
    assert.deepEqual(opened.settings, settings);
    await opened.close();
  });

  test(`${name}: a changed or cut wrapping opens not, and closing ends it`, async (t) => {
    const under = await fresh(t);
    if (under === undefined) return;
    const root = await under.source();
    const wrapped = await root.wrap(randomBytes(32), "context");
    for (const at of [0, 13, wrapped.length - 1]) {
      const changed = Buffer.from(wrapped);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(await root.unwrap(changed, "context"), undefined);
    }
    for (const length of [0, 5, 20, wrapped.length - 1]) {
      assert.equal(await root.unwrap(wrapped.subarray(0, length), "context"), undefined);
    }
    await root.close();
    await root.close();
    await assert.rejects(root.wrap(randomBytes(32), "context"), (error) => isProblem(error, "unavailable"));
    await assert.rejects(root.unwrap(wrapped, "context"), (error) => isProblem(error, "unavailable"));
  });

  test(`${name}: another root key of the same kind opens nothing`, async (t) => {
    const under = await fresh(t);
    if (under === undefined) return;
    const [root, other] = [await under.source(), await under.other()];
    const wrapped = await root.wrap(randomBytes(32), "context");
    assert.equal(await other.unwrap(wrapped, "context"), undefined);
    await Promise.all([root.close(), other.close()]);
  });

  test(`${name}: many at once each get their own`, async (t) => {
    const under = await fresh(t);
    if (under === undefined) return;
    const root = await under.source();
    const keys = Array.from({ length: 12 }, () => randomBytes(32));
    const wrapped = await Promise.all(keys.map((key, i) => root.wrap(key, `context ${i}`)));
    const opened = await Promise.all(wrapped.map((each, i) => root.unwrap(each, `context ${i}`)));
    assert.deepEqual(opened, keys);
    await root.close();
  });

  test(`${name}: settings of another kind are refused`, async (t) => {
    const under = await fresh(t);
    if (under === undefined) return;
    await assert.rejects(under.source({ kind: "other" }), (error) => isProblem(error, "conflict"));
  });
}
