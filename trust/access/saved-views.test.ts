import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { isProblem } from "#base/problem";
import { createMemoryAccessStore } from "#stores/memory";
import { actorOf } from "./acts.ts";
import type { Gate } from "./gate.ts";
import { createSavedViews } from "./saved-views.ts";

function viewsOverMemory() {
  const store = createMemoryAccessStore();
  const turned = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0x55);
  const box = {
    seal: (_: string, secret: Uint8Array) => turned(secret),
    open: (_: string, sealed: Uint8Array) => turned(sealed),
  };
  const gate = { pass: async (_actor, _act, _on, work) => work({} as never) } as Gate;
  return { store, views: createSavedViews({ store, gate, box, clock: systemClock, random: systemRandom }) };
}

const [ada, bob] = [actorOf("user", "a"), actorOf("user", "b")];
const nights = { page: "log", name: "Nights", search: "outcome=refused" };

test("a view comes back to who kept it, and to nobody else", async () => {
  const { views } = viewsOverMemory();
  const kept = await views.keep(ada, nights);
  assert.deepEqual(await views.list(ada, "log"), [kept]);
  assert.deepEqual(await views.list(ada, "studies"), []);
  assert.deepEqual(await views.list(bob), []);
  await assert.rejects(views.drop(bob, kept.id), (problem) => isProblem(problem) && problem.code === "absent");
  await views.drop(ada, kept.id);
  assert.deepEqual(await views.list(ada), []);
});

test("a name stands for one view of a page: the newest", async () => {
  const { views } = viewsOverMemory();
  await views.keep(ada, nights);
  const newer = await views.keep(ada, { ...nights, name: " Nights ", search: "outcome=failed" });
  await views.keep(ada, { ...nights, page: "studies" });
  assert.deepEqual(await views.list(ada, "log"), [newer]);
});

test("what somebody called a view does not rest in the clear, and there is an end to them", async () => {
  const { views, store } = viewsOverMemory();
  for (let at = 0; at < 100; at++) await views.keep(ada, { ...nights, name: `Mrs. Quill ${at}` });
  await assert.rejects(views.keep(ada, nights), (problem) => isProblem(problem) && problem.code === "conflict");
  for (const { sealed } of await store.savedViewsOf("a")) {
    assert.doesNotMatch(Buffer.from(sealed).toString("latin1"), /Quill/);
  }
});
