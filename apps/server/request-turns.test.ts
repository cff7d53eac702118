import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { silentLog } from "#base/log";
import { actorOf } from "#trust/access";
import { createFairQueue, fairQueueLimits } from "./fair-queue.ts";
import { createHttp } from "./http.ts";

const limits = { ...fairQueueLimits, turnsMax: 4, turnsOfOneMax: 2, waitingOfOneMax: 60 };

/** The server with one route that answers when it is told to, and whoever holds the token `NAME` is that client. */
async function slowServer() {
  const http = await createHttp({
    sessions: { of: () => undefined },
    clientTokens: { of: async (secret: string) => actorOf("client", secret) },
    tokenActorOf: async () => undefined,
    log: silentLog,
    random: systemRandom,
    clock: systemClock,
    queue: createFairQueue(systemClock, limits),
    webRoot: undefined,
    ready: () => true,
  });
  const begun: string[] = [];
  const answers: (() => void)[] = [];
  const work = async (name: string) => {
    begun.push(name);
    await new Promise<void>((resolve) => answers.push(resolve));
    return { name };
  };
  http.server.get("/work", async (request) => work(http.actorOf(request).id.replace("client:", "")));
  http.server.get("/open-work", { config: { anonymous: true } }, async ({ ip }) => work(ip));
  await http.server.ready();
  /** Nothing has begun for some turns of the loop. */
  const settled = async () => {
    for (let quiet = 0, seen = -1; quiet < 10; quiet = begun.length === seen ? quiet + 1 : 0) {
      seen = begun.length;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  return {
    begun,
    settled,
    ask: (name: string) => http.server.inject({ url: "/work", headers: { authorization: `Bearer ${name}` } }),
    askFrom: (remoteAddress: string) => http.server.inject({ url: "/open-work", remoteAddress }),
    /** Answers the one that has waited for it the longest. */
    async answer() {
      answers.shift()?.();
      await settled();
    },
  };
}

test("a flood of one caller is served one each in turn with who comes later, and its overflow is told to come again", async () => {
  const { begun, settled, ask, answer } = await slowServer();
  const flood = Array.from({ length: 80 }, () => ask("flood"));
  await settled();
  assert.deepEqual(begun, ["flood", "flood"], "two at once, however many come");
  const others = [ask("ann"), ask("bob"), ask("ann"), ask("bob")];
  await settled();
  assert.deepEqual(begun.slice(2), ["ann", "bob"], "nobody waits behind the flood");
  await answer();
  await answer();
  await answer();
  await answer();
  assert.deepEqual(begun.slice(4, 8).sort(), ["ann", "bob", "flood", "flood"], "and then it is each one's turn");
  for (let left = 0; left < 100; left++) await answer();
  const statuses = (await Promise.all(flood)).map(({ statusCode }) => statusCode);
  assert.equal(statuses.filter((status) => status === 200).length, 62);
  assert.equal(statuses.filter((status) => status === 429).length, 18);
  const refused = (await Promise.all(flood)).find(({ statusCode }) => statusCode === 429);
  assert.match(String(refused?.headers["retry-after"]), /^\d+$/);
  assert.deepEqual(
    (await Promise.all(others)).map(({ statusCode }) => statusCode),
    [200, 200, 200, 200],
  );
});

test("addresses of one range share their turns while nobody knows who they are", async () => {
  const { begun, settled, askFrom, answer } = await slowServer();
  const asked = [1, 2, 3, 4].map((last) => askFrom(`192.0.2.${last}`));
  asked.push(askFrom("198.51.100.1"));
  await settled();
  assert.deepEqual(begun, ["192.0.2.1", "192.0.2.2", "198.51.100.1"]);
  for (let left = 0; left < 6; left++) await answer();
  await Promise.all(asked);
});
