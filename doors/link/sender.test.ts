import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "#base/problem";
import { createCable, type LinkInMemory, linkInMemory, turnsOf } from "./link.fixture.ts";

const passes = (link: LinkInMemory, ms: number) => turnsOf(link.clock, ms);
const isDone = (link: LinkInMemory) => () => link.queue.waiting.size === 0;
const fill = (link: LinkInMemory, count: number, bytes: number) => {
  for (let at = 0; at < count; at++) link.queue.add("routine", link.random(new Uint8Array(bytes)));
};

test("streams that break together are one failure; one tries until it is welcomed, and then the others come", async () => {
  const link = linkInMemory(31, { path: { delayMs: 20, bytesPerMs: 20 } });
  fill(link, 200, 50_000);
  await link.until(() => link.queue.settled.length > 3 && link.sender().state().streams >= 4, 60_000);
  for (const cable of link.cables) cable.cut(0.5);
  link.setOutage(true);
  await passes(link, 0);
  const brokenAt = link.clock.monotonicMs();
  const before = link.dialledAt.length;
  await passes(link, 10_000);
  const tried = link.dialledAt.slice(before);
  assert.ok((tried[0] ?? 0) - brokenAt <= 260, "the first pause is the shortest");
  // One at a time, and each pause is up to twice as long as the one before: 125 to 250 ms, 250 to 500, …
  for (const [index, at] of tried.slice(1).entries()) {
    const pauseMs = at - (tried[index] ?? 0);
    const longestMs = 250 * 2 ** (index + 1);
    assert.ok(pauseMs >= longestMs / 2 && pauseMs <= longestMs + 10, `${pauseMs} of ${longestMs} ms`);
  }
  link.setOutage(false);
  await link.until(() => link.dialledAt.length > before + tried.length, 60_000);
  const through = link.dialledAt.at(-1) ?? 0;
  await link.until(() => link.sender().state().streams >= 4, 1_000);
  const others = link.dialledAt.slice(before + tried.length + 1);
  assert.ok(others.length >= 3 && others.every((at) => at >= through + 40), "not before the first was welcomed");
  // Bytes were acknowledged: the next failure is the first again.
  await link.until(() => link.sender().state().error === undefined, 5_000);
  const settledAt = link.clock.monotonicMs();
  const dialled = link.dialledAt.length;
  for (const cable of link.cables) cable.cut(0.5);
  await link.until(() => link.dialledAt.length > dialled, 1_000);
  assert.ok((link.dialledAt[dialled] ?? 0) - settledAt <= 260);
});

test("a link with nothing to send shows no error once the cloud is there again", async () => {
  const link = linkInMemory(32);
  await passes(link, 200);
  link.setOutage(true);
  for (const cable of link.cables) cable.cut(0);
  await passes(link, 2_000);
  assert.equal(link.sender().state().error?.problem.code, "unavailable");
  link.setOutage(false);
  await passes(link, 10_000);
  assert.equal(link.sender().state().error, undefined);
});

test("closing is a matter of seconds, also where the cloud is silent, before its welcome and after", async () => {
  const mute = linkInMemory(33, {
    sender: { dial: async () => createCable(mute.clock, { delayMs: 1, bytesPerMs: 1_000 }).edge },
  });
  const silent = linkInMemory(34, { path: { delayMs: 5, bytesPerMs: 20 } });
  fill(silent, 20, 50_000);
  await passes(mute, 100);
  await silent.until(() => silent.queue.settled.length > 2, 60_000);
  for (const cable of silent.cables) cable.cut(0.5, true);
  for (const link of [mute, silent]) {
    let isClosed = false;
    void link
      .sender()
      .close()
      .then(() => {
        isClosed = true;
      });
    await passes(link, 6_000);
    assert.ok(isClosed);
    assert.equal(link.sender().state().streams, 0);
  }
});

test("a queue that cannot be told of an object, by a rejection or an exception, does not stop the others", async () => {
  const link = linkInMemory(35);
  const { settle } = link.queue;
  const untold = new Set([10_000, 20_000].map((length) => link.queue.add("stat", new Uint8Array(length)).id));
  const [rejecting] = untold;
  const failure = (): Promise<never> => Promise.reject(new Problem("fault", "the spool is broken"));
  const fail = (id: string): Promise<never> => {
    if (id === rejecting) return failure();
    throw new Error("the spool is broken");
  };
  link.queue.settle = (id, receipt) => (untold.has(id) ? fail(id) : settle(id, receipt));
  link.queue.refuse = fail;
  fill(link, 10, 20_000);
  await link.until(() => link.queue.waiting.size === 2, 60_000);
  // The next process of the edge is given them.
  link.queue.settle = settle;
  link.restartEdge();
  await link.until(isDone(link), 60_000);
});
