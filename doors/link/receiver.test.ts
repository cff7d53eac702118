import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "#base/clock";
import { seededRandom } from "#base/id";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { createFrameReader } from "./frame-reader.ts";
import { encodeFrame, type Frame, protocolVersion } from "./frames.ts";
import type { Arrivals } from "./incoming.ts";
import { type Cable, createCable, createMemoryArrivals, hashOf, turnsOf } from "./link.fixture.ts";
import { createLinkReceiver } from "./receiver.ts";

const windowBytes = 300_000;

/** A cloud, and edges that say to it what they like. */
function cloudWith(change: (arrivals: Arrivals) => Partial<Arrivals> = () => ({})) {
  const clock = createVirtualClock();
  const random = seededRandom(1);
  const memory = createMemoryArrivals(() => Promise.resolve());
  const arrivals: Arrivals = { ...memory, ...change(memory) };
  const receiver = createLinkReceiver({ clock, random, log: silentLog, windowBytes });
  const passes = (ms: number) => turnsOf(clock, ms);
  return {
    ...{ clock, memory, receiver, passes },
    edge: () => receiver.edges()[0],
    call(): Caller {
      const cable = createCable(clock, { delayMs: 1, bytesPerMs: 100_000 });
      const said: Frame[] = [];
      const reader = createFrameReader((frame) => said.push(frame));
      cable.edge.on("data", (chunk: Uint8Array) => reader.read(chunk));
      cable.edge.on("error", () => {});
      receiver.accept(cable.cloud, { edge: "edge-2", arrivals });
      return {
        ...{ cable, said },
        isCut: () => cable.cloud.destroyed,
        async say(...frames) {
          for (const frame of frames) {
            for (const part of frame instanceof Uint8Array ? [frame] : encodeFrame(frame)) cable.edge.write(part);
            await passes(60);
          }
          return this;
        },
        heard: (type) => said.filter((frame) => frame.type === type).length,
      };
    },
  };
}

interface Caller {
  readonly cable: Cable;
  readonly said: readonly Frame[];
  isCut(): boolean;
  say(...frames: readonly (Frame | Uint8Array)[]): Promise<Caller>;
  heard(type: Frame["type"]): number;
}

const helloOf = (session: number): Frame => ({
  type: "hello",
  version: protocolVersion,
  session: new Uint8Array(16).fill(session),
});
const hello = helloOf(0);
const offer = (number: number, length: number, count = 1): Frame => ({
  type: "offer",
  objects: Array.from({ length: count }, (_, index) => ({
    number: number + index,
    id: (number + index).toString(16).padStart(32, "0"),
    length,
    sha256: hashOf(new Uint8Array(0)),
  })),
});
const piece = (number: number, from: number, length = 65_536): Frame => ({
  type: "data",
  number,
  from,
  bytes: new Uint8Array(length),
});
const withdrawal = (number: number): Frame => ({ type: "withdrawal", number });
/** An archive that takes a piece and is not done with it until told. */
function stuck(arrivals: Arrivals): { readonly change: Partial<Arrivals>; letOn(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const open: Arrivals["open"] = async (object, from) => ({
    ...(await arrivals.open(object, from)),
    write: () => promise,
  });
  return { change: { open }, letOn: resolve };
}
function cloudThatIsStuck() {
  let letOn = () => {};
  const cloud = cloudWith((arrivals) => {
    const made = stuck(arrivals);
    letOn = made.letOn;
    return made.change;
  });
  return { ...cloud, letOn: () => letOn() };
}

test("who breaks a rule is cut off", async () => {
  const breaches: readonly (readonly (Frame | Uint8Array)[])[] = [
    [Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    [offer(1, 10)],
    [hello, hello],
    [hello, { type: "data", number: 1, from: 0, bytes: new Uint8Array(9) }],
    [hello, offer(1, 10), { type: "data", number: 1, from: 5, bytes: new Uint8Array(9) }],
    [hello, { type: "receipt", number: 1, receipt: new Uint8Array(9) }],
    [hello, Buffer.from([6, 0xff, 0xff, 0xff])],
  ];
  for (const breach of breaches)
    assert.equal(
      (
        await cloudWith()
          .call()
          .say(...breach)
      ).isCut(),
      true,
    );
});

test("another version is told so, and who says nothing is not waited for", async () => {
  const cloud = cloudWith();
  const other = await cloud.call().say({ ...hello, version: 9 } as Frame);
  assert.deepEqual(other.said, [{ type: "goodbye", reason: "other-version" }]);
  const silent = cloud.call();
  await cloud.passes(11_000);
  assert.ok(silent.isCut());
  assert.deepEqual(cloud.receiver.edges(), []);
});

test("a refusal that was lost is repeated, until its object is withdrawn; then it is asked for anew", async () => {
  let asked = 0;
  const cloud = cloudWith((arrivals) => ({
    standing: async (objects) => {
      asked += 1;
      if (asked === 1) throw new Problem("no-room", "the archive's disk is full");
      return arrivals.standing(objects);
    },
  }));
  const refusal: Frame = { type: "refusal", number: 1, reason: "no-room" };
  const first = await cloud.call().say(hello, offer(1, 10));
  assert.deepEqual(first.said.slice(1), [refusal]);
  first.cable.cut(0);
  const second = await cloud.call().say(hello, offer(1, 10), offer(1, 10));
  assert.deepEqual(second.said.slice(1), [refusal, refusal]);
  await second.say(withdrawal(1), withdrawal(1), offer(1, 10));
  const answer: Frame = { type: "answer", positions: [{ number: 1, at: 0 }] };
  assert.deepEqual(second.said.slice(3), [withdrawal(1), withdrawal(1), answer]);
  assert.equal(asked, 2);
});

test("refused objects have their places, as others have, until they are withdrawn", async () => {
  const cloud = cloudWith(() => ({ standing: () => Promise.reject(new Problem("busy", "later")) }));
  const edge = await cloud.call().say(hello, ...Array.from({ length: 8 }, (_, at) => offer(1 + at * 256, 10, 256)));
  assert.equal(edge.heard("refusal"), 2_048);
  await edge.say(withdrawal(5), offer(3_000, 10));
  assert.equal(edge.isCut(), false);
  await edge.say(offer(3_001, 10));
  assert.equal(edge.isCut(), true);
});

test("an object is in order whatever was lost: the cloud says what it took, and what it wants", async () => {
  const cloud = cloudThatIsStuck();
  const edge = await cloud.call().say(hello, offer(1, 400_000), piece(1, 0), piece(1, 65_536), piece(1, 200_000));
  edge.cable.cut(0);
  const again = await cloud.call().say(hello, offer(1, 400_000));
  assert.deepEqual(again.said.slice(1), [
    { type: "answer", positions: [{ number: 1, at: 131_072 }] },
    { type: "taken", positions: [{ number: 1, at: 0 }] },
  ]);
});

test("pieces that leave gaps are held up to the window and no further; then their sender is cut off, and the object begun anew", async () => {
  const cloud = cloudWith();
  const gaps = [0, 1, 2, 3].map((index) => piece(1, 1 + index * 65_536));
  const within = await cloud.call().say(hello, offer(1, 10_000_000), ...gaps);
  assert.equal(within.isCut(), false);
  assert.equal(cloud.edge()?.heldBytes, 4 * 65_536);
  const watcher = await cloud.call().say(hello);
  await within.say(piece(1, 1 + 4 * 65_536));
  assert.equal(within.isCut(), true);
  assert.equal(cloud.edge()?.heldBytes, 0);
  assert.deepEqual(watcher.said.slice(1), [withdrawal(1)]);
});

test("withdrawing gives no room back before the archive is done with the piece that it writes", async () => {
  const cloud = cloudThatIsStuck();
  const edge = await cloud.call().say(hello);
  for (let number = 1; number <= 4; number++) {
    await edge.say(offer(number, 100_000), piece(number, 0), withdrawal(number));
    assert.equal(cloud.edge()?.heldBytes, number * 65_536);
  }
  assert.equal(edge.heard("withdrawal"), 0);
  await edge.say(offer(5, 100_000), piece(5, 0));
  assert.ok(edge.isCut());
  assert.equal(cloud.edge()?.heldBytes, 4 * 65_536);
  const next = await cloud.call().say(hello);
  cloud.letOn();
  await cloud.passes(10);
  assert.equal(next.heard("withdrawal"), 4);
  assert.equal(cloud.edge()?.heldBytes, 0);
  assert.equal(cloud.memory.openObjects(), 0);
});

test("a session begins when the archive has let go of the former, however often the edge comes with another", async () => {
  const cloud = cloudThatIsStuck();
  const first = await cloud.call().say(hello, offer(1, 100_000), piece(1, 0));
  const others = [];
  for (let session = 1; session <= 3; session++) others.push(await cloud.call().say(helloOf(session)));
  assert.ok(first.isCut());
  assert.deepEqual(
    others.map((each) => each.heard("welcome")),
    [0, 0, 0],
  );
  assert.equal(cloud.edge()?.heldBytes, 65_536);
  cloud.letOn();
  await cloud.passes(10);
  // Of those that waited, the last is the edge's session.
  assert.deepEqual(
    others.map((each) => each.isCut()),
    [true, true, false],
  );
  assert.equal(others[2]?.heard("welcome"), 1);
  assert.equal(cloud.edge()?.heldBytes, 0);
});

test("a session without a stream is kept for a minute, and for as long as one comes back in time", async () => {
  const cloud = cloudWith();
  const first = await cloud.call().say(hello, offer(1, 100_000), piece(1, 10));
  first.cable.cut(0);
  await cloud.passes(50_000);
  const second = await cloud.call().say(hello);
  for (let passed = 0; passed < 70_000; passed += 5_000) {
    await cloud.passes(5_000);
    await second.say({ type: "alive" });
  }
  assert.equal(second.isCut(), false);
  assert.equal(cloud.edge()?.heldBytes, 65_536);
  second.cable.cut(0);
  await cloud.passes(61_000);
  assert.deepEqual(cloud.receiver.edges(), []);
});

test("what an edge that was cut off has left behind is counted when it comes again", async () => {
  const cloud = cloudThatIsStuck();
  await cloud.call().say(hello, offer(1, 100_000), piece(1, 0));
  void cloud.receiver.cut("edge-2");
  const again = await cloud.call().say(hello);
  assert.deepEqual([again.heard("welcome"), cloud.edge()?.heldBytes], [0, 65_536]);
  cloud.letOn();
  await cloud.passes(10);
  assert.equal(again.heard("welcome"), 1);
});

test("an edge has 64 streams, those that wait for their session and those that have said nothing among them", async () => {
  const cloud = cloudThatIsStuck();
  await cloud.call().say(hello, offer(1, 100_000), piece(1, 0));
  const waiting = Array.from({ length: 32 }, () => cloud.call());
  await Promise.all(waiting.map((each) => each.say(helloOf(1))));
  const silent = Array.from({ length: 32 }, () => cloud.call());
  const more = cloud.call();
  await cloud.passes(60);
  assert.deepEqual(more.said, [{ type: "goodbye", reason: "too-many" }]);
  // Who has been told to go is not waited for, nor listened to, and of those there are not many either.
  const flood = Array.from({ length: 100 }, () => cloud.call());
  assert.ok(flood.at(-1)?.isCut());
  await cloud.passes(3_000);
  assert.ok([more, ...flood].every((each) => each.isCut()));
  assert.ok(![...waiting, ...silent].some((each) => each.isCut()));
  cloud.letOn();
  await cloud.passes(60);
  assert.ok(waiting.every((each) => each.heard("welcome") === 1));
});

test("an object that was withdrawn while the archive was asked is not begun", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cloud = cloudWith((arrivals) => ({
    standing: (objects) => promise.then(() => arrivals.standing(objects)),
  }));
  const edge = await cloud.call().say(hello, offer(1, 10), offer(1, 10), withdrawal(1));
  assert.equal(edge.heard("withdrawal"), 0);
  resolve();
  await cloud.passes(10);
  assert.deepEqual(edge.said.slice(1), [withdrawal(1)]);
  assert.equal(cloud.edge()?.objectsOnTheWay, 0);
});

test("an object that is offered under two numbers is asked for and brought under one after the other", async () => {
  const cloud = cloudWith();
  const content = new Uint8Array(10);
  const named = (number: number) => ({ number, id: "0".repeat(32), length: 10, sha256: hashOf(content) });
  const edge = await cloud.call().say(hello, { type: "offer", objects: [named(1), named(2)] });
  await edge.say({ type: "offer", objects: [named(3)] });
  assert.deepEqual(edge.said.slice(1), [{ type: "answer", positions: [{ number: 1, at: 0 }] }]);
  await edge.say(piece(1, 0, 10));
  assert.equal(edge.heard("receipt"), 3);
  assert.equal(cloud.memory.finished.length, 1);
});

test("closing is a matter of seconds, also where the other end is silent", async () => {
  const cloud = cloudWith();
  const edge = await cloud.call().say(hello, offer(1, 100_000), piece(1, 0));
  cloud.call();
  edge.cable.cut(0, true);
  let isClosed = false;
  void cloud.receiver.close().then(() => {
    isClosed = true;
  });
  await cloud.passes(3_000);
  assert.ok(isClosed);
  assert.deepEqual([cloud.receiver.edges(), cloud.memory.openObjects()], [[], 0]);
  assert.ok(cloud.call().isCut());
});
