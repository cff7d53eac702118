import assert from "node:assert/strict";
import { test } from "node:test";
import type { Session, SessionStore } from "./session-store.ts";

export const sessionOf = (digest: string, holder: string, more: Partial<Session> = {}): Session => ({
  digest,
  holder,
  createdAt: 1,
  authenticatedAt: 1,
  lastSeenAt: 1,
  endsAt: 2_000_000_000_000,
  fromSealed: Uint8Array.of(0, 255),
  ...more,
});

/** What every session store must do; part of the contract of the access store. */
export function sessionStoreTests(store: () => SessionStore): void {
  const ours = async () => (await store().sessions()).filter(({ digest }) => digest.startsWith("seated"));

  test("a session is there until it is ended, and remembers when it was seen and proved", async () => {
    const [first, second] = [sessionOf("seated-2", "user:1"), sessionOf("seated-1", "share:2", { createdAt: 2 })];
    await store().addSession(second);
    await store().addSession(first);
    assert.deepEqual(await ours(), [first, second]);
    await store().touchSession("seated-2", { lastSeenAt: 50, authenticatedAt: 40 });
    await store().touchSession("none", { lastSeenAt: 50, authenticatedAt: 40 });
    assert.deepEqual(await ours(), [{ ...first, lastSeenAt: 50, authenticatedAt: 40 }, second]);
    await store().endSession("seated-2");
    await store().endSession("seated-2");
    await store().endSession("seated-1");
    assert.deepEqual(await ours(), []);
  });
}
