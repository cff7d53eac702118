import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { seededRandom } from "#base/id";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { createFrameReader } from "./frame-reader.ts";
import { encodeFrame, type Frame, protocolVersion } from "./frames.ts";
import {
  createCable,
  createMemoryArrivals,
  createMemoryQueue,
  hashOf,
  type LinkInMemory,
  linkInMemory,
  receiptOf,
} from "./link.fixture.ts";
import { createLinkReceiver } from "./receiver.ts";
import { startLinkSender } from "./sender.ts";

const fill = (link: LinkInMemory, count: number, bytesMax: number) => {
  const [a = 0, b = 0] = link.random(new Uint8Array(2));
  for (let at = 0; at < count; at++) {
    const length = 1 + ((a * 256 + b + at * 7_919) % bytesMax);
    link.queue.add(at % 10 === 0 ? "first" : "routine", link.random(new Uint8Array(length)));
  }
};
const isDone = (link: LinkInMemory) => () => link.queue.waiting.size === 0;

/** Every object that was ever in the queue is held once, bit for bit. */
function assertAllOnce(link: LinkInMemory, objects: ReadonlyMap<string, Uint8Array>): void {
  assert.deepEqual([...link.arrivals.finished].sort(), [...objects.keys()].sort());
  assert.deepEqual([...link.queue.settled].sort(), [...objects.keys()].sort());
  for (const [id, bytes] of objects) assert.ok(Buffer.from(link.arrivals.held.get(id)!).equals(bytes));
}
const contentOf = (link: LinkInMemory) =>
  new Map([...link.queue.waiting].map(([id, { bytes }]) => [id, bytes] as const));

test("what is queued arrives once and bit for bit, and no byte is sent twice where nothing breaks", async () => {
  const link = linkInMemory(1);
  fill(link, 150, 150_000);
  link.queue.add("routine", new Uint8Array(0));
  const objects = contentOf(link);
  await link.until(isDone(link), 60_000);
  assertAllOnce(link, objects);
  assert.equal(
    link.queue.readBytes(),
    [...objects.values()].reduce((sum, { length }) => sum + length, 0),
  );
});

test("1,000 flaps, quiet ones, restarts of both ends and outages: nothing is lost, nothing is held twice", async () => {
  for (const seed of [2, 3]) {
    const link = linkInMemory(seed, { path: { delayMs: 8, bytesPerMs: 60 }, sender: { streamsMax: 6 } });
    fill(link, 120, 40_000);
    const objects = contentOf(link);
    const draw = (below: number) => {
      const [a = 0, b = 0] = link.random(new Uint8Array(2));
      return (a * 256 + b) % below;
    };
    let flaps = 0;
    const flap = () => {
      const whole = link.cables.filter((cable) => cable.isWhole());
      const cable = whole[draw(Math.max(1, whole.length))];
      if (flaps >= 500 || cable === undefined || draw(3) > 0) return;
      flaps += 1;
      // New work comes in for as long as it flaps.
      if (link.queue.waiting.size < 30) {
        const bytes = link.random(new Uint8Array(1 + draw(40_000)));
        objects.set(link.queue.add("routine", bytes).id, bytes);
      }
      cable.cut(draw(256) / 256, draw(20) === 0);
      const luck = draw(120);
      if (luck < 2) link.restartCloud();
      else if (luck < 4) link.restartEdge();
      else if (luck < 8) {
        link.setOutage(true);
        link.clock.after(draw(2_000), () => link.setOutage(false));
      }
    };
    await link.until(() => flaps >= 500 && link.queue.waiting.size === 0, 3_600_000, flap);
    assertAllOnce(link, objects);
    assert.deepEqual(
      link.queue.refused.filter(({ problem }) => problem.code === "damaged"),
      [],
    );
  }
});

test("an object of which a part is held goes on from there after the cloud was started anew", async () => {
  const link = linkInMemory(4, { path: { delayMs: 10, bytesPerMs: 50 }, sender: { streamsMax: 1 } });
  const bytes = link.random(new Uint8Array(400_000));
  const { id } = link.queue.add("routine", bytes);
  await link.until(() => link.queue.readBytes() > 300_000, 60_000);
  const readBefore = link.queue.readBytes();
  link.restartCloud();
  await link.until(isDone(link), 60_000);
  assert.ok(Buffer.from(link.arrivals.held.get(id)!).equals(bytes));
  assert.ok(link.queue.readBytes() - readBefore < 300_000);
});

test("what the cloud holds is told before a byte of it is sent", async () => {
  const link = linkInMemory(5);
  fill(link, 20, 50_000);
  const queued = [...link.queue.waiting.values()];
  await link.until(isDone(link), 60_000);
  const before = link.queue.readBytes();
  // The receipts were lost with the edge's disk: it offers the same again.
  const again = linkInMemory(6);
  again.arrivals.standing = async (objects) => objects.map((object) => ({ receipt: receiptOf(object) }));
  for (const { bytes } of queued) again.queue.add("routine", bytes);
  await again.until(isDone(again), 60_000);
  assert.equal(again.queue.readBytes(), 0);
  assert.ok(before > 0);
});

test("a STAT object is there within a few round trips, whatever lies before it", async () => {
  const link = linkInMemory(7, { path: { delayMs: 25, bytesPerMs: 200 }, sender: { streamsMax: 4 } });
  fill(link, 400, 200_000);
  await link.until(() => link.queue.settled.length > 50, 60_000);
  const asked = link.clock.monotonicMs();
  const { id } = link.queue.add("stat", link.random(new Uint8Array(100_000)));
  await link.until(() => link.queue.settled.includes(id), 60_000);
  // Asked for, sent, signed: three ways there and back, what is ahead of it on each, and its own 500 ms of one stream over four.
  assert.ok(link.clock.monotonicMs() - asked < 1_000, `${link.clock.monotonicMs() - asked} ms`);
  assert.ok(link.queue.waiting.size > 200);
});

test("the first instance of each series comes before the rest", async () => {
  const link = linkInMemory(8, { path: { delayMs: 10, bytesPerMs: 50 }, sender: { streamsMax: 2 } });
  const firsts = new Set<string>();
  for (let at = 0; at < 60; at++) {
    const { id } = link.queue.add(at % 10 === 9 ? "first" : "routine", link.random(new Uint8Array(20_000)));
    if (at % 10 === 9) firsts.add(id);
  }
  await link.until(isDone(link), 60_000);
  assert.deepEqual(new Set(link.arrivals.begun.slice(0, firsts.size)), firsts);
});

test("an object that the cloud refuses goes back to the queue with the reason, and the others go on", async () => {
  for (const call of ["standing", "open", "write", "finish"] as const) {
    const link = linkInMemory(9, { sender: { streamsMax: 1 } });
    link.arrivals.failNext(call, new Problem("no-room", "the archive's disk is full"));
    const { id } = link.queue.add("stat", link.random(new Uint8Array(30_000)));
    await link.until(() => link.queue.refused.length === 1, 60_000);
    fill(link, 5, 50_000);
    await link.until(() => link.queue.waiting.size === 1, 60_000);
    assert.deepEqual(
      link.queue.refused.map((each) => [each.id, each.problem.code]),
      [[id, "no-room"]],
    );
    await link.until(() => link.arrivals.openObjects() === 0, 60_000);
  }
});

test("an object that cannot be read, or whose receipt is not true, goes back to the queue", async () => {
  const link = linkInMemory(10);
  const unread = link.queue.add("stat", link.random(new Uint8Array(10_000)));
  const readIt = link.queue.read.bind(link.queue);
  link.queue.read = (id, from, to) =>
    id === unread.id
      ? Promise.reject(new Problem("damaged", "a segment of the spool is damaged"))
      : readIt(id, from, to);
  const { id: unsigned } = link.queue.add("routine", link.random(new Uint8Array(10_000)));
  const settleIt = link.queue.settle.bind(link.queue);
  link.queue.settle = (id, receipt) => settleIt(id, id === unsigned ? Buffer.from("forged") : receipt);
  await link.until(() => link.queue.refused.length === 2, 60_000);
  assert.deepEqual(new Set(link.queue.refused.map(({ id }) => id)), new Set([unread.id, unsigned]));
  await link.until(() => link.arrivals.openObjects() === 0, 60_000);
});

test("a cloud that writes slowly is sent its window and no more", async () => {
  const windowBytes = 1_000_000;
  const link = linkInMemory(11, { windowBytes });
  const openIt = link.arrivals.open.bind(link.arrivals);
  let isStuck = true;
  link.arrivals.open = async (object, from) => {
    const arrival = await openIt(object, from);
    const write = async (at: number, bytes: Uint8Array) => {
      while (isStuck) await link.clock.sleep(50);
      await arrival.write(at, bytes);
    };
    return { ...arrival, write };
  };
  fill(link, 100, 100_000);
  await link.until(() => link.clock.monotonicMs() > 20_000, 30_000);
  assert.ok(link.queue.readBytes() <= windowBytes + 8 * 65_536, `${link.queue.readBytes()}`);
  isStuck = false;
  await link.until(isDone(link), 120_000);
});

test("a connection that goes quiet is noticed, and what was on it is sent on another", async () => {
  const link = linkInMemory(12, { path: { delayMs: 10, bytesPerMs: 50 }, sender: { streamsMax: 2 } });
  fill(link, 10, 100_000);
  await link.until(() => link.queue.settled.length > 0, 60_000);
  for (const cable of link.cables) cable.cut(0.5, true);
  const cutAt = link.clock.monotonicMs();
  await link.until(isDone(link), 60_000);
  assert.ok(link.clock.monotonicMs() - cutAt > 15_000);
  assert.equal(link.queue.refused.length, 0);
});

test("closing the edge waits for what is on its way; closing the cloud tells the edge, which comes back", async () => {
  const link = linkInMemory(13, { path: { delayMs: 10, bytesPerMs: 100 } });
  fill(link, 40, 60_000);
  const objects = contentOf(link);
  await link.until(() => link.queue.settled.length > 3, 60_000);
  link.restartCloud();
  await link.until(() => link.queue.settled.length > 10, 60_000);
  let isClosed = false;
  void link
    .sender()
    .close()
    .then(() => {
      isClosed = true;
    });
  await link.until(() => isClosed, 10_000);
  await link.until(
    () => link.receiver().edges().length === 0 || link.receiver().edges()[0]?.objectsOnTheWay === 0,
    90_000,
  );
  const settled = link.queue.settled.length;
  await link.until(() => link.clock.monotonicMs() > 100_000, 200_000);
  assert.equal(link.queue.settled.length, settled);
  link.restartEdge();
  await link.until(isDone(link), 60_000);
  assertAllOnce(link, objects);
});

test("an edge that may no longer is cut off", async () => {
  const link = linkInMemory(14, { path: { delayMs: 10, bytesPerMs: 50 } });
  fill(link, 50, 100_000);
  await link.until(() => link.queue.settled.length > 3, 60_000);
  link.setOutage(true);
  void link.receiver().cut("edge-1");
  await link.until(() => link.sender().state().streams === 0, 5_000);
  await link.until(() => link.arrivals.openObjects() === 0, 5_000);
  await link.until(() => link.sender().state().error?.problem.code === "unavailable", 60_000);
});

/** What a stranger's frames get from the cloud. */
async function talk(
  link: LinkInMemory,
  ...frames: readonly (Frame | Uint8Array)[]
): Promise<{ said: Frame[]; isCut: boolean }> {
  const cable = createCable(link.clock, { delayMs: 1, bytesPerMs: 10_000 });
  const said: Frame[] = [];
  const reader = createFrameReader((frame) => said.push(frame));
  cable.edge.on("data", (chunk: Uint8Array) => reader.read(chunk));
  cable.edge.on("error", () => {});
  link.receiver().accept(cable.cloud, { edge: "edge-2", arrivals: link.arrivals });
  for (const frame of frames) {
    for (const part of frame instanceof Uint8Array ? [frame] : encodeFrame(frame)) cable.edge.write(part);
    const until = link.clock.monotonicMs() + 100;
    await link.until(() => link.clock.monotonicMs() >= until, 200);
  }
  return { said, isCut: cable.cloud.destroyed };
}
const hello: Frame = { type: "hello", version: protocolVersion, session: new Uint8Array(16) };
const offer = (number: number, length: number): Frame => ({
  type: "offer",
  objects: [{ number, id: number.toString(16).padStart(32, "0"), length, sha256: hashOf(new Uint8Array(0)) }],
});

test("who breaks a rule is cut off, and others are not", async () => {
  const breaches: readonly (readonly (Frame | Uint8Array)[])[] = [
    [Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    [offer(1, 10)],
    [hello, hello],
    [hello, { type: "data", number: 1, from: 0, bytes: new Uint8Array(9) }],
    [hello, offer(1, 10), { type: "data", number: 1, from: 5, bytes: new Uint8Array(9) }],
    [hello, { type: "receipt", number: 1, receipt: new Uint8Array(9) }],
    [hello, Buffer.from([6, 0xff, 0xff, 0xff])],
  ];
  const link = linkInMemory(15);
  fill(link, 30, 50_000);
  for (const breach of breaches) assert.equal((await talk(link, ...breach)).isCut, true);
  await link.until(isDone(link), 60_000);
});

test("pieces that leave gaps are held up to the window, and then their sender is cut off", async () => {
  const link = linkInMemory(16, { windowBytes: 300_000 });
  const piece = (index: number): Frame => ({
    type: "data",
    number: 1,
    from: 1 + index * 65_536,
    bytes: new Uint8Array(65_536),
  });
  const within = await talk(link, hello, offer(1, 10_000_000), ...[0, 1, 2, 3].map(piece));
  assert.equal(within.isCut, false);
  const beyond = await talk(link, hello, piece(4));
  assert.equal(beyond.isCut, true);
});

test("another version is told so, and who says nothing is not waited for", async () => {
  const link = linkInMemory(17);
  const { said } = await talk(link, { ...hello, version: 9 } as Frame);
  assert.deepEqual(said, [{ type: "goodbye", reason: "other-version" }]);
  const cable = createCable(link.clock, { delayMs: 1, bytesPerMs: 10 });
  link.receiver().accept(cable.cloud, { edge: "edge-3", arrivals: link.arrivals });
  await link.until(() => cable.cloud.destroyed, 15_000);
});

test("over sockets and the real clock it is the same", async () => {
  const random = seededRandom(18);
  const queue = createMemoryQueue(random);
  const arrivals = createMemoryArrivals(() => Promise.resolve());
  const receiver = createLinkReceiver({ clock: systemClock, random, log: silentLog });
  const server = createServer((socket) => receiver.accept(socket, { edge: "edge-1", arrivals }));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const objects = Array.from({ length: 40 }, () => random(new Uint8Array(50_000)));
  const ids = objects.map((bytes) => queue.add("routine", bytes).id);
  const allSettled = Promise.withResolvers<void>();
  const settleIt = queue.settle.bind(queue);
  queue.settle = async (id, receipt) => {
    await settleIt(id, receipt);
    if (queue.waiting.size === 0) allSettled.resolve();
  };
  const dial = async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };
  const sender = startLinkSender({ queue, dial, clock: systemClock, random, log: silentLog });
  await allSettled.promise;
  await sender.close();
  await receiver.close();
  server.close();
  for (const [index, id] of ids.entries()) assert.ok(Buffer.from(arrivals.held.get(id)!).equals(objects[index]!));
});
