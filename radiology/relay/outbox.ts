import type { Clock, Timer } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { asProblem, isPassing, Problem, type ProblemCode } from "#base/problem";
import type { Kept, Records } from "#trust/vault";
import { giveUpMs, pauseMs } from "./pauses.ts";

/** What is shown of an errand; it holds no value of a person's. */
export interface Transfer {
  readonly id: string;
  /** A short fixed word. */
  readonly kind: string;
  /** Id of the device that it goes to, or comes from. */
  readonly to: string;
  /** Token of the study that it is about. */
  readonly study?: string;
  /** Id of the actor that asked for it. */
  readonly by: string;
  readonly priority: Priority;
  readonly state: TransferState;
  readonly attempts: number;
  readonly queuedAt: number;
  /** When the state was last kept; of one that is over, when it ended. */
  readonly changedAt: number;
  /** When it is tried next; of one that waits. */
  readonly nextAt?: number;
  /** How far the running or the last attempt came. */
  readonly progress?: Progress;
  /** Why the last attempt failed. */
  readonly problem?: { readonly code: ProblemCode; readonly message: string };
}

/** - `waiting` for its first or next attempt - `given-up` what failed for good, or too long - `cancelled` called off by somebody */
export type TransferState = "waiting" | "running" | "done" | "given-up" | "cancelled";

/** The lower goes first. */
export type Priority = 0 | 1 | 2;

export interface Progress {
  readonly done: number;
  readonly of: number;
}

export interface NewTransfer<Errand> extends Pick<Transfer, "kind" | "to" | "study" | "by" | "priority"> {
  /** What makes it the same as another one: it is not queued again while that one is under way. May identify. */
  readonly key: string;
  readonly errand: Errand;
}

/** One attempt at an errand, as who performs it sees it. */
export interface Attempt<Errand> {
  readonly transfer: Transfer;
  /** Aborted when the errand is called off, or the process ends. */
  readonly signal: AbortSignal;
  note(progress: Progress): void;
  /** What is left to do. Kept when this attempt fails, for the next one. */
  keep(change: (errand: Errand) => Errand): void;
  /** It is too early: should this attempt fail, it was none, and the next one comes then. */
  notBefore(time: number): void;
}

/**
 * Does an errand, at least once: after a crash it may be done again. A Problem that passes (`isPassing`) is tried again after a pause,
 * another one gives it up.
 */
export type Perform<Errand> = (errand: Errand, attempt: Attempt<Errand>) => Promise<void>;

/** What is still to be sent to other machines: each errand rests sealed until it was done, was called off, or is given up. */
export interface Outbox<Errand> {
  /** Resolves when it rests on stable storage. One with the same key that is under way is returned instead. Problem `busy` when too many wait. */
  add(transfer: NewTransfer<Errand>): Promise<Transfer>;
  /** Those under way, and those that ended some days ago at most; the newest first. */
  list(): readonly Transfer[];
  /** Tries now, and goes on for the whole time again. Problem `absent` without it, `conflict` for one that is done or running. */
  retry(id: string): Promise<Transfer>;
  /** Problem `absent` without it, `conflict` for one that is over. */
  cancel(id: string): Promise<Transfer>;
  /** Something came that the errand waits for, or was given up for want of: keeps it with the errand, and tries now. Problem `absent` when none is. */
  wake(id: string, change: (errand: Errand) => Errand): Promise<Transfer>;
  watch(listener: (transfer: Transfer) => void): () => void;
  /** Takes up what the last process left, and begins to work. */
  begin(): Promise<void>;
  /** Cuts off what runs; it is taken up at the next start. */
  close(): Promise<void>;
}

export interface OutboxParts<Errand> {
  readonly records: Records;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly perform: Perform<Errand>;
  readonly limits?: Partial<OutboxLimits>;
}

export interface OutboxLimits {
  /** Under way. */
  readonly transfersMost: number;
  /** Under way with one machine, of one kind: what one asks for does not take the room of the others. */
  readonly ofOneMost: number;
  /** At once; to one machine, of one kind, it is one. */
  readonly runningMost: number;
  /** That ended, and are shown. */
  readonly endedMost: number;
}

const usualLimits: OutboxLimits = { transfersMost: 20_000, ofOneMost: 10_000, runningMost: 4, endedMost: 1_000 };
const shownMs = 7 * 86_400_000;
/** The wall clock may jump: what is due is looked for at least this often. */
const lookEveryMs = 60_000;

/** As it rests. `running` does not: what was begun is due again after its pause, whatever became of the process. */
interface Entry<Errand> extends Transfer {
  readonly errand: Errand;
  /** From when its time counts. */
  readonly triesSince: number;
}

type Change<Errand> = (entry: Entry<Errand>) => Entry<Errand> | undefined;

export function createOutbox<Errand>(parts: OutboxParts<Errand>): Outbox<Errand> {
  const { records, clock, random, log, perform } = parts;
  const limits = { ...usualLimits, ...parts.limits };
  const shelf = records.shelf<Entry<Errand>>("transfer");
  const held = createHeld(limits.endedMost);
  const running = new Map<string, { readonly lane: string; readonly stop: AbortController; over: Promise<void> }>();
  let isOpen = false;
  let timer: Timer | undefined;

  const now = () => clock.now();
  const shown = (transfer: Transfer): Transfer =>
    running.has(transfer.id) && transfer.state === "waiting" ? { ...transfer, state: "running" } : transfer;
  const remember = (entry: Entry<Errand>): Transfer => {
    const { errand: _errand, triesSince: _since, ...transfer } = entry;
    held.put(transfer);
    return shown(transfer);
  };

  /** Changes a record whoever else does; undefined when it is not there, or `change` leaves it as it is. */
  const update = async (id: string, change: Change<Errand>): Promise<Entry<Errand> | undefined> => {
    for (;;) {
      const known = await shelf.get(id);
      const value = known && change(known.value);
      if (known === undefined || value === undefined) return undefined;
      const isKept = await records.change(shelf.put(id, value, { known }));
      if (!isKept) continue;
      remember(value);
      return value;
    }
  };

  const attempt = async (id: string, signal: AbortSignal): Promise<void> => {
    const begun = await update(id, (entry) =>
      entry.state !== "waiting"
        ? undefined
        : { ...entry, attempts: entry.attempts + 1, nextAt: now() + pauseMs(entry.attempts + 1, random) },
    );
    if (begun === undefined) return;
    let keep = (errand: Errand) => errand;
    let notBefore: number | undefined;
    const failure = await perform(begun.errand, {
      transfer: held.get(id) ?? begun,
      signal,
      note: (progress) => held.note(id, progress),
      keep: (change) => {
        keep = change;
      },
      notBefore: (time) => {
        notBefore = time;
      },
    }).then(
      () => undefined,
      (error: unknown) => asProblem(error, "sending to another machine"),
    );
    const progress = held.get(id)?.progress;
    await update(id, (entry) => {
      if (entry.state !== "waiting") return undefined;
      const told = { ...entry, errand: keep(entry.errand), changedAt: now(), ...(progress && { progress }) };
      if (failure === undefined) return ended(told, "done");
      // Cut off by our own end: that is no attempt.
      const again = signal.aborted ? now() : notBefore;
      if (again !== undefined && now() - entry.triesSince < giveUpMs) {
        return { ...told, attempts: entry.attempts - 1, nextAt: again };
      }
      const failed = { ...told, problem: { code: failure.code, message: failure.message } };
      const isOver = !isPassing(failure) || now() - entry.triesSince >= giveUpMs;
      if (!isOver) return failed;
      log.warn("a transfer was given up", { transfer: id, kind: entry.kind, attempts: entry.attempts }, failure);
      return ended(failed, "given-up");
    });
  };
  const ended = (entry: Entry<Errand>, state: TransferState): Entry<Errand> => {
    const { nextAt: _next, problem, ...rest } = entry;
    return { ...rest, state, changedAt: now(), ...(state !== "done" && problem && { problem }) };
  };

  /** Of one that was given up the time is over: it has one attempt more. */
  const again = (entry: Entry<Errand>): Entry<Errand> => ({ ...entry, state: "waiting", nextAt: now() });

  const run = (transfer: Transfer): void => {
    const { id } = transfer;
    const stop = new AbortController();
    const work = attempt(id, stop.signal)
      .catch((error: unknown) => {
        log.error("what became of a transfer could not be kept", { transfer: id }, error);
        held.postpone(id, now() + lookEveryMs);
      })
      .finally(() => {
        running.delete(id);
        const left = held.get(id);
        if (left !== undefined) held.tell(left);
        pump();
      });
    running.set(id, { lane: laneOf(transfer), stop, over: work });
    held.tell(shown(transfer));
  };

  const pump = (): void => {
    timer?.stop();
    if (!isOpen) return;
    const lanes = new Set([...running.values()].map(({ lane }) => lane));
    for (const transfer of held.due(now())) {
      if (running.size >= limits.runningMost) break;
      if (running.has(transfer.id) || lanes.has(laneOf(transfer))) continue;
      lanes.add(laneOf(transfer));
      run(transfer);
    }
    const nextAt = held.nextAt((id) => running.has(id));
    // What waits for its lane is looked at when that ends.
    const afterMs = nextAt <= now() ? lookEveryMs : Math.min(nextAt - now(), lookEveryMs);
    timer = clock.after(afterMs, lookAgain);
  };
  const lookAgain = (): void => {
    sweep().catch((error) => log.warn("transfers that ended were not put away", {}, error));
    pump();
  };
  const sweep = async (): Promise<void> => {
    for (const { id } of held.overdue(now() - shownMs)) {
      const known = await shelf.get(id);
      if (known !== undefined && !(await records.change(shelf.remove(known)))) continue;
      held.forget(id);
    }
  };

  const changed = async (id: string, change: Change<Errand>): Promise<Transfer> => {
    if (!held.get(id)) throw absent();
    const entry = await update(id, change);
    if (entry === undefined) throw absent();
    return remember(entry);
  };

  return {
    async add({ key, errand, ...told }) {
      const id = records.idOf("transfer", key);
      for (;;) {
        const known: Kept<Entry<Errand>> | undefined = await shelf.get(id);
        if (known?.value.state === "waiting") return remember(known.value);
        const waiting = held.waiting();
        const ofOne = waiting.filter((one) => laneOf(one) === laneOf(told)).length;
        if (waiting.length >= limits.transfersMost || ofOne >= limits.ofOneMost) {
          throw new Problem("busy", "too much waits to be sent", { remedy: "`leadglass transfers` shows why" });
        }
        const at = now();
        const times = { attempts: 0, queuedAt: at, changedAt: at, nextAt: at, triesSince: at };
        const entry: Entry<Errand> = { ...told, id, state: "waiting", ...times, errand };
        if (!(await records.change(shelf.put(id, entry, { known })))) continue;
        const transfer = remember(entry);
        pump();
        return transfer;
      }
    },
    list: () => held.all().map(shown),
    async retry(id) {
      if (running.has(id)) throw new Problem("conflict", "this transfer is running");
      const transfer = await changed(id, (entry) => {
        if (entry.state === "done") throw new Problem("conflict", "this transfer is done");
        return { ...again(entry), attempts: 0, changedAt: now(), triesSince: now() };
      });
      pump();
      return transfer;
    },
    async cancel(id) {
      const transfer = await changed(id, (entry) => {
        if (entry.state !== "waiting") throw new Problem("conflict", "this transfer is over");
        return ended(entry, "cancelled");
      });
      running.get(id)?.stop.abort();
      return transfer;
    },
    async wake(id, change) {
      const transfer = await changed(id, (entry) =>
        entry.state === "waiting" || entry.state === "given-up"
          ? again({ ...entry, errand: change(entry.errand) })
          : undefined,
      );
      pump();
      return transfer;
    },
    watch: held.watch,
    async begin() {
      for await (const { value } of shelf.all()) remember(value);
      isOpen = true;
      lookAgain();
    },
    async close() {
      isOpen = false;
      timer?.stop();
      const left = [...running.values()];
      for (const { stop } of left) stop.abort();
      await Promise.all(left.map(({ over }) => over));
    },
  };
}

/** One after the other: a machine is not overrun, and a report does not wait for a long sending. */
function laneOf({ to, kind }: Pick<Transfer, "to" | "kind">): string {
  return `${to} ${kind}`;
}

/** All transfers, without their errands: few enough to be looked through. */
function createHeld(endedMost: number) {
  const all = new Map<string, Transfer>();
  const listeners = new Set<(transfer: Transfer) => void>();
  const isWaiting = ({ state }: Transfer) => state === "waiting";
  const tell = (transfer: Transfer) => {
    for (const listener of listeners) listener(transfer);
  };
  const overOnes = () => [...all.values()].filter((one) => !isWaiting(one)).sort((a, b) => b.changedAt - a.changedAt);
  return {
    get: (id: string) => all.get(id),
    put(transfer: Transfer) {
      all.set(transfer.id, transfer);
      tell(transfer);
    },
    tell,
    note(id: string, progress: Progress) {
      const transfer = all.get(id);
      if (transfer === undefined) return;
      all.set(id, { ...transfer, progress });
      tell({ ...transfer, progress, state: "running" });
    },
    postpone(id: string, nextAt: number) {
      const transfer = all.get(id);
      if (transfer !== undefined && isWaiting(transfer)) all.set(id, { ...transfer, nextAt });
    },
    forget: (id: string) => all.delete(id),
    all: () => [...all.values()].sort((a, b) => b.queuedAt - a.queuedAt || (a.id < b.id ? -1 : 1)),
    waiting: () => [...all.values()].filter(isWaiting),
    due: (until: number) =>
      [...all.values()]
        .filter((one) => isWaiting(one) && (one.nextAt ?? 0) <= until)
        .sort((a, b) => a.priority - b.priority || (a.nextAt ?? 0) - (b.nextAt ?? 0)),
    nextAt: (isBusy: (id: string) => boolean) =>
      [...all.values()]
        .filter((one) => isWaiting(one) && !isBusy(one.id))
        .reduce((soonest, { nextAt = 0 }) => Math.min(soonest, nextAt), Number.POSITIVE_INFINITY),
    /** Ended before `before`, or more than are shown. */
    overdue: (before: number) => overOnes().filter(({ changedAt }, at) => changedAt <= before || at >= endedMost),
    watch(listener: (transfer: Transfer) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function absent(): Problem {
  return new Problem("absent", "no such transfer", { remedy: "`leadglass transfers` lists those there are" });
}
