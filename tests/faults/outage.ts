import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createVirtualClock, type VirtualClock } from "#base/clock";
import { seededRandom } from "#base/id";
import { crashState, createTracedFiles, type DiskImage, type TracedFiles } from "#base/io";
import { silentLog } from "#base/log";
import {
  createLinkReceiver,
  type LinkReceiver,
  type LinkSender,
  type OutgoingQueue,
  startLinkSender,
} from "#doors/link";
import { type ParcelNote, type Spool, urgencies } from "#radiology/uplink";
import { openSpool } from "#stores/spool";
import {
  type Cable,
  createCable,
  createMemoryArrivals,
  type MemoryArrivals,
  receiptOf,
} from "../../doors/link/link.fixture.ts";
import { createIndexHistory, type IndexHistory } from "../../stores/sql/spool-index.fixture.ts";

export interface OutageOrder {
  readonly seed: number;
  readonly days: number;
  /** Put in that time, at a facility's daily rhythm. */
  readonly parcels: number;
  /** Times that the link comes up for a moment. */
  readonly flaps: number;
  /** Times that the edge is killed, at any operation of its disk. */
  readonly kills: number;
  readonly seen?: (hours: number, put: number, arrived: number) => void;
}

export interface OutageReport {
  readonly arrived: number;
  readonly flaps: number;
  readonly kills: number;
  /** Of the parcels of which somebody was told that they are kept. */
  readonly kept: number;
  /** What waited when the outage was over. */
  readonly waitedMost: number;
  /** That the cloud had already when they were offered. */
  readonly offeredTwice: number;
}

const hourMs = 3_600_000;
const edge = "edge-1";

interface Parcel {
  readonly at: number;
  readonly bytes: Buffer;
  readonly note: ParcelNote;
  isKept: boolean;
}

/** The box: one disk, and one process on it after the other. */
interface Edge {
  spool(): Spool;
  /** The spool of a process that has begun. */
  ready(): Promise<Spool>;
  dies(): boolean;
  /** Which process it is. */
  life(): number;
  /** When this process is killed. */
  killed(): Promise<void>;
  kill(): Promise<void>;
}

/**
 * A week without a link that lasts: parcels are put, the link comes up for moments, the edge is killed anywhere. Then the link stays. Rejects where
 * something that was acknowledged does not arrive, or arrives otherwise than it was put, or twice, or what has an order out of it.
 */
export async function outage(order: OutageOrder): Promise<OutageReport> {
  const { seed, days, flaps, kills } = order;
  const clock = wholeMilliseconds(createVirtualClock());
  const random = seededRandom(seed);
  const draw = (below: number) => Math.floor((Buffer.from(random(Buffer.alloc(4))).readUInt32BE() / 2 ** 32) * below);
  const parcels = parcelsOf(order, clock.now(), draw);
  const arrivals = createMemoryArrivals(() => clock.sleep(draw(4)));
  const line = createLine(clock, arrivals);
  const box = await openEdge({ clock, draw, line, stepsBetweenKills: (3 * order.parcels) / Math.max(1, kills) });
  const begun = clock.now();
  const flapsAt = Array.from({ length: flaps }, () => begun + draw(days * 24 * hourMs)).sort((a, b) => a - b);
  const counts = { put: 0, flaps: 0, kills: 0, waitedMost: 0 };
  const puts: Promise<void>[] = [];
  let lastInOrder: Promise<void> = Promise.resolve();

  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (counts.kills >= kills || !box.dies()) continue;
      counts.kills++;
      await box.kill();
    }
  };
  const putDue = () => {
    for (let next = parcels[counts.put]; next !== undefined && next.at <= clock.now(); next = parcels[counts.put]) {
      counts.put++;
      const parcel = next;
      // A machine that sends what has an order sends one after the other.
      const putting = parcel.note.inOrder
        ? lastInOrder.then(() => putUntilKept(box, parcel))
        : putUntilKept(box, parcel);
      if (parcel.note.inOrder) lastInOrder = putting;
      puts.push(putting);
    }
  };
  const live = async (until: () => boolean, stepMsMost = 600_000) => {
    while (!until()) {
      const next = Math.min(parcels[counts.put]?.at ?? Infinity, flapsAt[counts.flaps] ?? Infinity);
      const idle = line.isOut() ? Math.max(1, Math.min(stepMsMost, next - clock.now())) : 250;
      clock.advance(line.isWhole() ? 5 : idle);
      putDue();
      await turns(line.isWhole() ? 2 : 12);
    }
  };
  while (clock.now() < begun + days * 24 * hourMs || counts.flaps < flaps || counts.put < parcels.length) {
    const at = flapsAt[counts.flaps] ?? Infinity;
    await live(() => clock.now() >= at || (at === Infinity && counts.put >= parcels.length));
    counts.waitedMost = Math.max(counts.waitedMost, box.spool().state().parcels);
    order.seen?.(Math.round((clock.now() - begun) / hourMs), counts.put, arrivals.finished.length);
    if (counts.flaps >= flaps) break;
    counts.flaps++;
    line.setOut(false);
    const giveUpAt = clock.now() + 120_000;
    await live(() => line.isWhole() || clock.now() > giveUpAt);
    const upUntil = clock.now() + 20 + draw(400);
    await live(() => clock.now() >= upUntil || !line.isWhole());
    line.cut(draw(101) / 100);
    line.setOut(true);
    // Until both ends have noticed.
    const quietAt = clock.now() + 2000;
    await live(() => clock.now() >= quietAt, 50);
  }
  line.setOut(false);
  const limit = clock.now() + 600_000;
  await live(
    () => clock.now() > limit || (box.spool().state().parcels === 0 && arrivals.finished.length >= parcels.length),
  );
  await Promise.all(puts);
  checkArrived(parcels, arrivals);
  const { parcels: left, aside } = box.spool().state();
  assert.deepEqual({ left, aside }, { left: 0, aside: 0 }, "nothing is left at the edge");
  for (const { note } of parcels) {
    const standing = note.subject === undefined ? undefined : await box.spool().standing(note.subject);
    if (note.subject !== undefined) assert.equal(standing?.state, "arrived", "a receipt is lost");
  }
  return {
    ...{ arrived: arrivals.finished.length, flaps: counts.flaps, kills: counts.kills, waitedMost: counts.waitedMost },
    kept: parcels.filter(({ isKept }) => isKept).length,
    offeredTwice: line.answeredAtOnce(),
  };
}

/** As Node's timers, at least one: a fraction of it would not move a clock that stands at a week of them. */
function wholeMilliseconds(clock: VirtualClock): VirtualClock {
  return { ...clock, after: (ms, fire) => clock.after(Math.max(1, Math.ceil(ms)), fire) };
}

function checkArrived(parcels: readonly Parcel[], arrivals: MemoryArrivals): void {
  const byId = new Map(parcels.map((parcel) => [parcel.note.id, parcel]));
  assert.equal(new Set(arrivals.finished).size, arrivals.finished.length, "nothing arrives twice");
  for (const { note, bytes, isKept } of parcels) {
    if (!isKept) continue;
    const held = arrivals.held.get(note.id);
    assert.ok(held !== undefined, `the parcel put at ${note.putAt} is lost`);
    assert.ok(bytes.equals(held), "a parcel is not what was put");
  }
  const ordered = (ids: readonly string[]) => ids.filter((id) => byId.get(id)?.note.inOrder === true);
  assert.deepEqual(ordered(arrivals.finished), ordered(parcels.map(({ note }) => note.id)), "the order is kept");
}

/** Few at night, most in the morning; every tenth a message, which has an order. */
function parcelsOf({ parcels, days }: OutageOrder, from: number, draw: (below: number) => number): Parcel[] {
  const busy = Array.from({ length: 24 }, (_, hour) => (hour < 6 || hour > 20 ? 1 : hour < 12 ? 12 : 7));
  const slots = Array.from({ length: days * 24 }, (_, hour) => Array<number>(busy[hour % 24] ?? 1).fill(hour)).flat();
  const times = Array.from({ length: parcels }, () => from + (slots[draw(slots.length)] ?? 0) * hourMs + draw(hourMs));
  return times
    .sort((a, b) => a - b)
    .map((at, number) => {
      const bytes = Buffer.alloc(20 + draw(400), `parcel ${number} `);
      const id = createHash("sha256").update(`${number}`).digest("hex").slice(0, 32);
      const inOrder = number % 10 === 0;
      const note: ParcelNote = {
        ...{ id, length: bytes.length, inOrder, putAt: at, subject: inOrder ? undefined : id },
        sha256: Uint8Array.from(createHash("sha256").update(bytes).digest()),
        urgency: inOrder ? "routine" : (urgencies[draw(3)] ?? "routine"),
      };
      return { at, bytes, note, isKept: false };
    });
}

/** As a machine does that was told of no success: it sends once more, to whichever process is there then. */
async function putUntilKept(box: Edge, parcel: Parcel): Promise<void> {
  while (!parcel.isKept) {
    const spool = await box.ready();
    const life = box.life();
    const kept = put(spool, parcel).then(
      () => true,
      () => false,
    );
    // A process that was killed answers nobody.
    const answer = await Promise.race([kept, box.killed().then(() => false)]);
    parcel.isKept = answer && life === box.life();
  }
}

async function put(spool: Spool, { bytes, note }: Parcel): Promise<void> {
  const writer = await spool.begin();
  await writer.write([bytes]);
  await writer.commit(note);
}

/** What the link is to the edge and the cloud: it is there or not. */
interface Line {
  dial(): Promise<Cable["edge"]>;
  isOut(): boolean;
  setOut(isOut: boolean): void;
  isWhole(): boolean;
  cut(share: number): void;
  answeredAtOnce(): number;
}

function createLine(clock: VirtualClock, arrivals: MemoryArrivals): Line {
  const receiver: LinkReceiver = createLinkReceiver({ clock, random: seededRandom(3), log: silentLog });
  let cables: Cable[] = [];
  let isOut = true;
  let known = 0;
  const counting = {
    ...arrivals,
    async standing(objects: Parameters<MemoryArrivals["standing"]>[0]) {
      const standings = await arrivals.standing(objects);
      known += standings.filter((each) => "receipt" in each).length;
      return standings;
    },
  };
  return {
    async dial() {
      if (isOut) throw new Error("nobody answers");
      const cable = createCable(clock, { delayMs: 5, bytesPerMs: 2000 });
      cables.push(cable);
      receiver.accept(cable.cloud, { edge, arrivals: counting });
      return cable.edge;
    },
    isOut: () => isOut,
    setOut(out) {
      isOut = out;
    },
    isWhole() {
      cables = cables.filter((cable) => cable.isWhole());
      return cables.length > 0;
    },
    cut(share) {
      for (const cable of cables) cable.cut(share);
      cables = [];
    },
    answeredAtOnce: () => known,
  };
}

/** What takes parcels out of the spool for the link, verifies receipts, and waits before it tries again. */
function queueOf(spool: Spool, clock: VirtualClock): OutgoingQueue {
  const taken = new Map<string, Uint8Array>();
  return {
    async take(urgency, most) {
      const parcels = await spool.take(urgency, most);
      for (const { id, sha256 } of parcels) taken.set(id, sha256);
      return parcels;
    },
    read: (id, from, to) => spool.read(id, from, to),
    async settle(id, receipt) {
      const sha256 = taken.get(id);
      const expected = sha256 && receiptOf({ id, length: 0, sha256 });
      assert.ok(expected !== undefined && Buffer.from(receipt).equals(expected), "a receipt is not the cloud's");
      await spool.settle(id, receipt, clock.now());
      taken.delete(id);
    },
    // Nothing here is refused for good: a session that was cut off may still have it open in the cloud.
    refuse: (id) => spool.putBack(id, clock.now() + 1000),
    onArrival: (listener) => spool.onArrival(listener),
  };
}

async function openEdge(parts: {
  readonly clock: VirtualClock;
  readonly draw: (below: number) => number;
  readonly line: Line;
  readonly stepsBetweenKills: number;
}): Promise<Edge> {
  const { clock, draw, line, stepsBetweenKills } = parts;
  const chance = () => draw(1000) / 1000;
  let life = 0;
  let killed = Promise.withResolvers<void>();
  let ready = Promise.withResolvers<Spool>();
  let diesAt = Infinity;
  let traced: TracedFiles;
  let history: IndexHistory = await createIndexHistory();
  let spool: Spool;
  let sender: LinkSender;
  const start = async (disk: DiskImage) => {
    traced = createTracedFiles(disk);
    const { files } = traced;
    const { index } = history;
    const sizes = { segmentBytes: 64 * 1024, segmentsLeast: 4, reserveBytes: 0 };
    spool = await openSpool({ files, folder: "spool", clock, openIndex: async () => index, ...sizes });
    const random = seededRandom(life + 1);
    sender = startLinkSender({
      queue: queueOf(spool, clock),
      dial: line.dial,
      clock,
      random,
      log: silentLog,
      streamsMax: 2,
    });
    diesAt = traced.trace.length + 5 + draw(stepsBetweenKills);
    ready.resolve(spool);
  };
  await start(new Map());
  return {
    spool: () => spool,
    ready: () => ready.promise,
    life: () => life,
    killed: () => killed.promise,
    dies: () => traced.trace.length >= diesAt,
    async kill() {
      // From here on the former process has told nobody anything.
      life++;
      const former = killed;
      killed = Promise.withResolvers<void>();
      ready = Promise.withResolvers<Spool>();
      former.resolve();
      const unsynced = (["kept", "dropped", "mixed"] as const)[draw(3)] ?? "kept";
      const { disk } = crashState(traced.trace, traced.trace.length, unsynced, chance);
      line.cut(0);
      void sender.close();
      history = await history.survive();
      await start(disk);
    },
  };
}
