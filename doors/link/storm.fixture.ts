// Everything that can go wrong between an edge and its cloud, at random: what both ends promise has to hold all the time, and at the end.
import assert from "node:assert/strict";
import { seededRandom } from "#base/id";
import { Problem } from "#base/problem";
import { type LinkInMemory, linkInMemory } from "./link.fixture.ts";

export interface StormOrder {
  readonly seed: number;
  /** How many faults there are, before it calms down. */
  readonly faults: number;
}

export interface StormReport {
  readonly objects: number;
  readonly restarts: number;
  readonly refusals: number;
  /** Of the time that passed on the clock of both ends. */
  readonly hours: number;
}

const reasons = ["busy", "no-room", "unavailable"] as const;
const calls = ["standing", "open", "write", "finish"] as const;

/** Rejects where something was lost, came twice or differently, where an end passed its bounds or broke a rule, or does not come to rest. */
export async function weather({ seed, faults }: StormOrder): Promise<StormReport> {
  const random = seededRandom(seed * 7_919 + 1);
  const draw = (below: number): number => {
    const [a = 0, b = 0, c = 0] = random(new Uint8Array(3));
    return (a * 65_536 + b * 256 + c) % below;
  };
  // Half of the windows are narrower than the largest objects.
  const windowBytes = 70_000 + draw(draw(2) === 0 ? 30_000 : 400_000);
  const broken: string[] = [];
  const link = linkInMemory(seed, {
    path: { delayMs: 2 + draw(30), bytesPerMs: 20 + draw(200) },
    sender: { streamsMax: 1 + draw(8) },
    windowBytes,
    // One that is slow fills the window.
    archiveMsMax: seed % 3 === 0 ? 150 : 4,
    sink(line) {
      if (/"code":"(invalid|damaged|conflict|fault)"/.test(line)) broken.push(line);
      // A refusal is on its way, or a withdrawal.
      if (draw(6) === 0) link.clock.after(1, () => breakAll(link, draw));
    },
  });
  const objects = new Map<string, Uint8Array>();
  const add = (): void => {
    const bytes = link.random(new Uint8Array(draw(3) === 0 ? draw(120_000) : draw(9_000)));
    objects.set(link.queue.add((["stat", "first", "routine"] as const)[draw(3)]!, bytes).id, bytes);
  };
  failAtTimes(link, draw);
  for (let count = 0; count < 40; count++) add();
  const counts = { faults: 0, restarts: 0 };
  // What stands still is set free by a restart: half of the storms have none.
  const canRestart = seed % 2 === 0;
  const isCalm = () => counts.faults >= faults;
  await link.until(isCalm, 24 * 3_600_000, () => {
    assert.ok(
      link
        .receiver()
        .edges()
        .every(({ heldBytes }) => heldBytes >= 0 && heldBytes <= windowBytes),
    );
    if (draw(15) === 0) {
      counts.faults += 1;
      if (link.queue.waiting.size < 60) add();
      goWrong(link, draw, canRestart, counts);
    }
  });
  await link.until(() => link.queue.waiting.size === 0, 1_800_000);
  const sorted = [...objects.keys()].sort();
  assert.deepEqual([...link.arrivals.finished].sort(), sorted);
  assert.deepEqual([...link.queue.settled].sort(), sorted);
  for (const [id, bytes] of objects) assert.ok(Buffer.from(link.arrivals.held.get(id)!).equals(bytes));
  assert.deepEqual(broken, []);
  await comesToRest(link);
  return {
    objects: objects.size,
    restarts: counts.restarts,
    refusals: link.queue.refused.length,
    hours: link.clock.monotonicMs() / 3_600_000,
  };
}

/** The queue cannot read, or settle, now and again; and gives what was refused again after a while. */
function failAtTimes({ queue, clock }: LinkInMemory, draw: Draw): void {
  const { read, settle, refuse } = queue;
  queue.read = (id, from, to) =>
    draw(100) === 0 ? Promise.reject(new Problem("unavailable", "the spool does not answer")) : read(id, from, to);
  queue.settle = (id, receipt) =>
    draw(50) === 0 ? Promise.reject(new Problem("no-room", "the spool's disk is full")) : settle(id, receipt);
  queue.refuse = async (id, problem) => {
    await refuse(id, problem);
    clock.after(draw(3_000), () => queue.giveAgain(id));
  };
}

type Draw = (below: number) => number;

function breakAll({ cables }: LinkInMemory, draw: Draw): void {
  for (const cable of cables) if (cable.isWhole()) cable.cut(draw(256) / 256);
}

function goWrong(link: LinkInMemory, draw: Draw, canRestart: boolean, counts: { restarts: number }): void {
  const whole = link.cables.filter((cable) => cable.isWhole());
  const breakOne = (quietly = false) => whole[draw(Math.max(1, whole.length))]?.cut(draw(256) / 256, quietly);
  const luck = draw(100);
  if (luck >= 52 && luck < 57) {
    if (!canRestart) {
      breakOne();
      return;
    }
    counts.restarts += 1;
  }
  if (luck < 45) breakOne();
  else if (luck < 48) breakOne(true);
  else if (luck < 52) breakAll(link, draw);
  else if (luck < 54) link.restartCloud();
  else if (luck < 56) link.restartEdge();
  else if (luck < 57) void link.closeEdge();
  else if (luck < 60) {
    link.setOutage(true);
    link.clock.after(draw(20_000), () => link.setOutage(false));
  } else {
    link.arrivals.failNext(calls[draw(4)]!, new Problem(reasons[draw(3)]!, "the archive cannot"));
    if (draw(3) === 0) breakOne();
  }
}

/** Nothing is held, nothing is open, and both ends close within seconds. */
async function comesToRest(link: LinkInMemory): Promise<void> {
  const isEmpty = () =>
    link.arrivals.openObjects() === 0 &&
    link
      .receiver()
      .edges()
      .every(({ heldBytes, objectsOnTheWay }) => heldBytes + objectsOnTheWay === 0);
  await link.until(isEmpty, 120_000);
  let closed = 0;
  void link
    .sender()
    .close()
    .then(() => closed++);
  await link.until(() => closed === 1, 8_000);
  void link
    .receiver()
    .close()
    .then(() => closed++);
  await link.until(() => closed === 2, 8_000);
  assert.deepEqual(link.receiver().edges(), []);
}
