import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { type Arrival, createArrivals } from "./arrivals.ts";
import type { AddOutcome, InstanceRecord, PackMark, StudyIndex } from "./study-index.ts";

const batchMax = 200;
/** Over this many waiting, senders are slowed to the speed of the index: memory stays bounded. */
const waitingMax = 2_000;
/** Nobody waits: collect so long, so that a stream of images costs few transactions. */
const gatherMs = 100;
const retryAfterMs = 1_000;
const takenInMsMax = 60_000;

export interface Indexed {
  readonly record: InstanceRecord;
  readonly outcome: AddOutcome;
}

/**
 * Takes stored instances into the index behind the acknowledgement. The packs are the truth: what a crash keeps from the
 * index is found again from the pack marks at the next start, so nothing here decides about loss.
 */
export interface Indexer {
  /**
   * To be called when an object is on stable storage, before anybody is told; the index's mark of its pack does not pass it
   * until it was pushed and taken in, or dropped.
   */
  arrived(mark: PackMark): Arrival;
  /** Queues a stored instance. Returns a promise when the caller should slow down. */
  push(record: InstanceRecord, arrival: Arrival): void | Promise<void>;
  /** It was not acknowledged after all. */
  drop(arrival: Arrival): void;
  /**
   * While the index is made again from the packs: marks wait until the returned function is called, so that a crash on the way
   * leaves none that passes what the index lacks, and the next start takes in everything.
   */
  holdMarks(): () => Promise<void>;
  /** Resolves when all that was pushed before is in the index: a search sees what was acknowledged. */
  settled(): Promise<void>;
  /** Resolves when what had arrived is in the index or was dropped. Problem "busy" when that takes a minute. */
  takenIn(): Promise<void>;
  onIndexed(listener: (batch: readonly Indexed[]) => void): void;
  /** What is to be done with instances before the index takes them in: a crash in between has them come again. While it fails, nothing is taken in. */
  beforeIndexed(work: (records: readonly InstanceRecord[]) => Promise<void>): void;
  /** Stops gathering, takes in what is queued. */
  close(): Promise<void>;
}

interface Waiting {
  readonly record: InstanceRecord;
  readonly arrival: Arrival;
}

export function createIndexer(parts: { index: StudyIndex; clock: Clock; log: Log }): Indexer {
  const { index, clock, log } = parts;
  const queue: Waiting[] = [];
  const arrivals = createArrivals();
  const listeners: ((batch: readonly Indexed[]) => void)[] = [];
  const before: ((records: readonly InstanceRecord[]) => Promise<void>)[] = [];
  let pushed = 0;
  let taken = 0;
  let running: Promise<void> | undefined;
  let closed = false;
  let heldMarks: Map<string, PackMark> | undefined;
  let hurry = 0;
  let wake: (() => void) | undefined;
  const watchers: { until: number; resolve: () => void }[] = [];

  const pause = (ms: number, woken: boolean) =>
    new Promise<void>((resolve) => {
      const timer = clock.after(ms, resolve);
      if (!woken) return;
      wake = () => {
        timer.stop();
        resolve();
      };
    });

  const marksWith = (arrived: readonly Arrival[]): PackMark[] => {
    const marks = arrivals.marksWith(arrived);
    if (heldMarks === undefined) return marks;
    for (const mark of marks) heldMarks.set(mark.pack, mark);
    return [];
  };

  const takeBatch = async (): Promise<void> => {
    const batch = queue.slice(0, batchMax);
    const arrived = batch.map(({ arrival }) => arrival);
    try {
      const records = batch.map(({ record }) => record);
      for (const work of before) await work(records);
      const outcomes = await index.add(records, marksWith(arrived));
      arrivals.settle(arrived);
      queue.splice(0, batch.length);
      taken += batch.length;
      const indexed = batch.map(({ record }, at) => ({ record, outcome: outcomes[at] ?? "added" }));
      for (const listener of listeners) listener(indexed);
      while (watchers[0] !== undefined && watchers[0].until <= taken) watchers.shift()?.resolve();
    } catch (error) {
      log.error("index does not take stored instances; they are safe in the packs", { waiting: queue.length }, error);
      if (closed) throw error;
      await pause(retryAfterMs, false);
    }
  };

  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      if (hurry === 0 && queue.length < batchMax && !closed) await pause(gatherMs, true);
      wake = undefined;
      await takeBatch();
    }
  };

  const start = () => {
    if (running !== undefined) return;
    running = run().finally(() => {
      running = undefined;
      if (queue.length > 0 && !closed) start();
    });
    running.catch(() => {});
  };

  const settled = async (): Promise<void> => {
    if (taken >= pushed) return;
    hurry++;
    wake?.();
    try {
      await new Promise<void>((resolve) => watchers.push({ until: pushed, resolve }));
    } finally {
      hurry--;
    }
  };

  return {
    arrived: (mark) => arrivals.add(mark),
    drop: (arrival) => arrivals.settle([arrival]),
    push(record, arrival) {
      if (closed) throw new Problem("unavailable", "the archive is closing", { remedy: "send it again" });
      queue.push({ record, arrival });
      pushed++;
      start();
      if (queue.length > waitingMax) return settled();
    },
    holdMarks() {
      heldMarks = new Map();
      return async () => {
        const marks = [...(heldMarks?.values() ?? [])];
        heldMarks = undefined;
        await index.add([], marks);
      };
    },
    settled,
    async takenIn() {
      // Who waited for a commit hears of it a turn before the object has arrived.
      await pause(0, false);
      const waiting = arrivals.waiting();
      for (let waitedMs = 0; waiting.some(({ isSettled }) => !isSettled); waitedMs += gatherMs) {
        if (closed || waitedMs >= takenInMsMax)
          throw new Problem("busy", "stored objects are on their way into the index");
        await pause(gatherMs, false);
      }
    },
    onIndexed: (listener) => listeners.push(listener),
    beforeIndexed: (work) => before.push(work),
    async close() {
      closed = true;
      wake?.();
      await running;
    },
  };
}
