import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { asProblem, type Problem } from "#base/problem";
import type { IndexedParcel, SpoolChange, SpoolIndex, SpoolTotals } from "#stores/sql";

/** What becomes of parcels, on its way into the index: all that waits goes in one commit, in the order in which it happened. */
export interface Changes {
  /** Of something that the segments hold durably: it gets there, in this process or at the next start. */
  note(change: SpoolChange): void;
  /** Durable when it resolves; how many parcels it met. A rejection has changed nothing. */
  make(change: SpoolChange): Promise<number>;
  /** Resolves when all that was noted before is in the index. */
  flushed(): Promise<void>;
  /** Whether a parcel of this id is on its way into the index. */
  isNoted(id: string): boolean;
  /** With what is on its way. */
  totals(): SpoolTotals;
  /** Throws when nothing more can be taken in. */
  check(): void;
  /** Tries to get everything in, and ends. */
  close(): Promise<void>;
}

interface Waiting {
  readonly change: SpoolChange;
  /** Undefined for what was only noted. */
  readonly done: PromiseWithResolvers<number> | undefined;
}

/** What nobody waits for may wait so long for company. */
const patienceMs = 25;
const retryMs = 1000;
const atOnceMost = 1000;
/** An index that takes nothing (its disk is full) stops the intake here. */
const notedMost = 10_000;

export function createChanges(parts: {
  readonly index: SpoolIndex;
  readonly clock: Clock;
  readonly log: Log;
  readonly start: SpoolTotals;
  /** After each commit. */
  readonly committed: (totals: SpoolTotals) => void;
  /** The index cannot be used any more. */
  readonly broke: (problem: Problem) => void;
}): Changes {
  const { index, clock, log } = parts;
  const noted = new Map<string, IndexedParcel>();
  let totals = parts.start;
  let queue: Waiting[] = [];
  let pump: Promise<void> | undefined;
  let isDue = false;
  let broken: Problem | undefined;
  let refusal: Problem | undefined;

  const committed = (batch: readonly Waiting[], result: Awaited<ReturnType<SpoolIndex["apply"]>>) => {
    for (const [at, { change, done }] of batch.entries()) {
      if (change.kind === "put" && noted.get(change.parcel.id) === change.parcel) noted.delete(change.parcel.id);
      done?.resolve(result.changed[at] ?? 0);
    }
    refusal = undefined;
    totals = result.totals;
    parts.committed(totals);
  };
  /** What was only noted stays, in its place before what comes later. */
  const failed = (batch: readonly Waiting[], problem: Problem) => {
    for (const { done } of batch) done?.reject(problem);
    queue = [...batch.filter(({ done }) => done === undefined), ...queue];
    refusal = problem;
    // A thread that is gone (`unavailable`) does not come back.
    if (problem.code === "no-room" || problem.code === "busy") {
      log.warn("the index of the spool takes nothing for now", { code: problem.code }, problem);
      clock.after(retryMs, flush);
      return;
    }
    // What it holds is not known: it is read again, and brought up to date from the segments, when it is opened anew.
    log.error("the index of the spool failed and is given up", { code: problem.code }, problem);
    broken = problem;
    for (const { done } of queue) done?.reject(problem);
    parts.broke(problem);
  };
  const work = async () => {
    // Who comes in the same turn comes along.
    await undefined;
    while (queue.length > 0 && broken === undefined) {
      const batch = queue.splice(0, atOnceMost);
      try {
        committed(batch, await index.apply(batch.map(({ change }) => change)));
      } catch (error) {
        failed(batch, asProblem(error, "noting what became of parcels"));
        break;
      }
    }
    pump = undefined;
  };
  const flush = () => {
    if (broken === undefined && queue.length > 0) pump ??= work();
  };
  const add = (change: SpoolChange, done?: PromiseWithResolvers<number>) => {
    if (change.kind === "put") noted.set(change.parcel.id, change.parcel);
    queue.push({ change, done });
  };
  const flushed = async () => {
    while (queue.length > 0 || pump !== undefined) {
      flush();
      await pump;
      if (refusal !== undefined) throw refusal;
    }
    if (broken !== undefined) throw broken;
  };
  return {
    note(change) {
      add(change);
      if (queue.length >= atOnceMost / 4) flush();
      if (isDue) return;
      isDue = true;
      clock.after(patienceMs, () => {
        isDue = false;
        flush();
      });
    },
    make(change) {
      if (broken !== undefined) return Promise.reject(broken);
      const done = Promise.withResolvers<number>();
      add(change, done);
      flush();
      return done.promise;
    },
    flushed,
    isNoted: (id) => noted.has(id),
    totals() {
      let { parcels, bytes, oldestAt } = totals;
      for (const { length, putAt } of noted.values()) {
        parcels++;
        bytes += length;
        oldestAt ??= putAt;
      }
      return { ...totals, parcels, bytes, oldestAt };
    },
    check() {
      if (broken !== undefined) throw broken;
      if (noted.size >= notedMost && refusal !== undefined) throw refusal;
    },
    close: () => flushed().catch((error) => log.warn("the index of the spool is behind its segments", {}, error)),
  };
}
