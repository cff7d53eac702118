import type { Clock, Timer } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { asProblem, isPassing, Problem } from "#base/problem";
import type { Deliver, MessageReply } from "./message-peers.ts";
import type { MessageHeading, MessageStore } from "./message-store.ts";
import { pauseMs } from "./pauses.ts";

/** How the queue of one partner stands. */
export interface QueueState {
  readonly waiting: number;
  readonly oldestAt?: number;
  readonly sentAt?: number;
  /** Why the last attempt failed, and when the next one comes; absent while all goes well. */
  readonly problem?: string;
  readonly nextAt?: number;
}

/**
 * What waits for each partner, in its order, at least once: one message is in flight, and the next one begins when that was taken or was set
 * aside. Unlike an errand of the outbox, what waits holds up what was queued behind it, and is never given up for a partner that is away.
 */
export interface MessageQueue {
  /** Takes up what the store holds. */
  begin(isPaused: (partner: string) => boolean): void;
  /** It rests in the store: it is sent in its turn. */
  queued(heading: Pick<MessageHeading, "id" | "partner">): void;
  /** Whether one more is held for it. */
  hasRoom(partner: string): boolean;
  stateOf(partner: string): QueueState;
  pause(partner: string): void;
  /** Also where it was not paused: what waits for its next attempt is tried now. */
  resume(partner: string): void;
  /** Cuts off what is in flight; it is sent again at the next start. */
  close(): Promise<void>;
}

export interface MessageQueueParts {
  readonly store: MessageStore;
  readonly deliver: Deliver;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** For one partner. What is over is set aside where it comes from, so that one that nobody looks after holds up no other. */
const waitingMost = 20_000;
/** A message that the partner could not do is tried so often before it is set aside. */
const triesMost = 5;
/** A partner that comes back is not kept waiting for hours. */
const longestPauseMs = 5 * 60_000;

interface Lane {
  readonly partner: string;
  readonly ids: string[];
  isPaused: boolean;
  isBusy: boolean;
  /** In a row. */
  failures: number;
  problem?: string | undefined;
  nextAt?: number | undefined;
  sentAt?: number | undefined;
  timer?: Timer | undefined;
}

export function createMessageQueue(parts: MessageQueueParts): MessageQueue {
  const { store, clock, random, log } = parts;
  const lanes = new Map<string, Lane>();
  const stop = new AbortController();
  const busy = new Set<Promise<void>>();
  let isOpen = false;

  const laneOf = (partner: string): Lane => {
    const lane = lanes.get(partner) ?? { partner, ids: [], isPaused: false, isBusy: false, failures: 0 };
    lanes.set(partner, lane);
    return lane;
  };
  const later = (lane: Lane, problem: string): void => {
    lane.failures++;
    lane.problem = problem;
    const afterMs = pauseMs(lane.failures, random, longestPauseMs);
    lane.nextAt = clock.now() + afterMs;
    lane.timer = clock.after(afterMs, () => go(lane));
  };
  /** False: it stays where it is, and is tried again. */
  const attempt = async (lane: Lane, id: string): Promise<boolean> => {
    const heading = store.get(id);
    if (heading?.state !== "waiting") return true;
    const found = await store.bytesOf(id);
    if (found === undefined) return true;
    const outcome = await parts
      .deliver(lane.partner, { id, bytes: found.bytes, controlId: heading.controlId }, stop.signal)
      .catch((error: unknown) => asProblem(error, "sending a message"));
    if (stop.signal.aborted) return false;
    if (!(outcome instanceof Problem)) return answered(lane, heading, outcome);
    if (isPassing(outcome)) {
      later(lane, outcome.message);
      return false;
    }
    await store.turn(id, { state: "failed", attempts: heading.attempts, problem: outcome.message });
    log.warn("a message was set aside", { message: id }, outcome);
    return true;
  };
  const answered = async (lane: Lane, { id, attempts: before }: MessageHeading, reply: MessageReply) => {
    const { kind, said, bytes: answer } = reply;
    const attempts = before + 1;
    if (kind === "accepted") {
      await store.turn(id, { state: "sent", attempts, answer });
      lane.sentAt = clock.now();
      lane.failures = 0;
      return true;
    }
    const isOver = kind === "rejected" || attempts >= triesMost;
    await store.turn(id, { state: isOver ? "failed" : "waiting", attempts, answer, problem: said });
    if (!isOver) later(lane, said);
    else log.warn("a message was set aside", { message: id, answer: kind, attempts });
    return isOver;
  };

  const work = async (lane: Lane): Promise<void> => {
    while (isOpen && !lane.isPaused) {
      const [id] = lane.ids;
      if (id === undefined) return;
      lane.problem = undefined;
      lane.nextAt = undefined;
      if (!(await attempt(lane, id))) return;
      lane.ids.shift();
    }
  };
  const go = (lane: Lane): void => {
    lane.timer?.stop();
    if (!isOpen || lane.isBusy || lane.isPaused || lane.ids.length === 0) return;
    lane.isBusy = true;
    const over: Promise<void> = work(lane)
      .catch((error: unknown) => {
        log.error("what became of a message could not be kept", {}, error);
        if (isOpen) later(lane, asProblem(error, "keeping what became of a message").message);
      })
      .finally(() => {
        lane.isBusy = false;
        busy.delete(over);
        // Resumed while it ended.
        if (lane.nextAt === undefined) go(lane);
      });
    busy.add(over);
  };

  return {
    begin(isPaused) {
      isOpen = true;
      for (const { id, partner, state, direction } of store.all())
        if (direction === "out" && state === "waiting") laneOf(partner).ids.push(id);
      for (const lane of lanes.values()) {
        lane.isPaused = isPaused(lane.partner);
        go(lane);
      }
    },
    queued({ id, partner }) {
      if (!isOpen) return;
      const lane = laneOf(partner);
      lane.ids.push(id);
      if (lane.nextAt === undefined) go(lane);
    },
    hasRoom: (partner) => (lanes.get(partner)?.ids.length ?? 0) < waitingMost,
    stateOf(partner) {
      const lane = lanes.get(partner);
      if (lane === undefined) return { waiting: 0 };
      const waiting = lane.ids.filter((id) => store.get(id)?.state === "waiting");
      const oldestAt = store.get(waiting[0] ?? "")?.at;
      const { sentAt, problem, nextAt } = lane;
      return {
        waiting: waiting.length,
        ...(oldestAt !== undefined && { oldestAt }),
        ...(sentAt !== undefined && { sentAt }),
        ...(problem !== undefined && waiting.length > 0 && { problem }),
        ...(nextAt !== undefined && waiting.length > 0 && !lane.isPaused && { nextAt }),
      };
    },
    pause(partner) {
      const lane = laneOf(partner);
      lane.isPaused = true;
      lane.timer?.stop();
    },
    resume(partner) {
      const lane = laneOf(partner);
      lane.isPaused = false;
      lane.failures = 0;
      lane.nextAt = undefined;
      go(lane);
    },
    async close() {
      isOpen = false;
      stop.abort();
      for (const lane of lanes.values()) lane.timer?.stop();
      await Promise.all(busy);
    },
  };
}
