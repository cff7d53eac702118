import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";

export interface FairQueueLimits {
  /** Turns at once, of all callers together and of one of them. */
  readonly turnsMax: number;
  readonly turnsOfOneMax: number;
  /** Who waits, in the same way. One more is refused. */
  readonly waitingMax: number;
  readonly waitingOfOneMax: number;
  /** A turn that lasts longer and only moves bytes no longer counts as one, but a caller has so many of them at most. */
  readonly longAfterMs: number;
  readonly longOfOneMax: number;
}

export const fairQueueLimits: FairQueueLimits = {
  turnsMax: 128,
  turnsOfOneMax: 32,
  waitingMax: 16_384,
  waitingOfOneMax: 1_024,
  longAfterMs: 1_000,
  longOfOneMax: 128,
};

export interface Turn {
  /** Undefined when the turn began at once; else resolves when it does. Rejects when it was ended before. */
  readonly begun: Promise<void> | undefined;
  /** Leaves: the turn, or the queue. More than once does nothing. */
  end(): void;
}

/**
 * Who asks waits behind one's own requests, not behind another's: whoever has requests waiting is served one each in turn.
 * A caller that floods fills the turns of one caller and the queue of one caller, and no more.
 */
export interface FairQueue {
  /**
   * Takes a turn, or a place in the queue. `isMoving` tells, when the turn has lasted long, whether it works or only moves
   * bytes to or from its caller: a watched stream, a large download, an upload.
   *
   * @throws Problem `busy` when too many wait.
   */
  enter(caller: string, isMoving?: () => boolean): Turn;
}

/** One caller: what of theirs is done and what waits. Gone when there is neither. */
interface Lane {
  readonly caller: string;
  turns: number;
  long: number;
  /** In the order in which they came; a Set, so that one who leaves costs nothing. */
  readonly waiting: Set<() => void>;
}

export function createFairQueue(clock: Clock, limits: FairQueueLimits = fairQueueLimits): FairQueue {
  const lanes = new Map<string, Lane>();
  /** Lanes with somebody who waits and could begin, in the order in which they are served. */
  const ready = new Set<Lane>();
  let turns = 0;
  let waiting = 0;

  const canBegin = (lane: Lane) => lane.turns < limits.turnsOfOneMax && lane.long < limits.longOfOneMax;

  /** Puts a lane whose numbers have changed where it belongs. One that is in the row keeps its place. */
  const place = (lane: Lane) => {
    if (lane.waiting.size > 0 && canBegin(lane)) ready.add(lane);
    else ready.delete(lane);
    if (lane.turns + lane.long + lane.waiting.size === 0) lanes.delete(lane.caller);
  };

  const serve = () => {
    while (turns < limits.turnsMax) {
      const lane = ready.values().next().value;
      const begin = lane?.waiting.values().next().value;
      if (lane === undefined || begin === undefined) return;
      lane.waiting.delete(begin);
      waiting--;
      ready.delete(lane);
      begin();
      place(lane);
    }
  };

  /** Begins a turn. Returns how to end it. */
  const begin = (lane: Lane, isMoving: () => boolean): (() => void) => {
    let state: "turn" | "long" | "ended" = "turn";
    turns++;
    lane.turns++;
    const give = (next: "long" | "ended") => {
      if (state === "ended") return;
      timer.stop();
      if (state === "long") lane.long--;
      else {
        turns--;
        lane.turns--;
      }
      if (next === "long") lane.long++;
      state = next;
      place(lane);
      serve();
    };
    const look = () => {
      if (isMoving()) return give("long");
      timer = clock.after(limits.longAfterMs, look);
    };
    let timer = clock.after(limits.longAfterMs, look);
    return () => give("ended");
  };

  const refuseTooMany = (lane: Lane) => {
    if (waiting < limits.waitingMax && lane.waiting.size < limits.waitingOfOneMax) return;
    place(lane);
    throw new Problem("busy", "too many requests at once", { remedy: "send fewer at a time, and this one again" });
  };

  const wait = (lane: Lane, isMoving: () => boolean): Turn => {
    refuseTooMany(lane);
    let end = () => {};
    const begun = new Promise<void>((resolve, reject) => {
      const onTurn = () => {
        end = begin(lane, isMoving);
        resolve();
      };
      end = () => {
        if (!lane.waiting.delete(onTurn)) return;
        waiting--;
        place(lane);
        reject(new Problem("unavailable", "left the queue"));
      };
      lane.waiting.add(onTurn);
    });
    waiting++;
    place(lane);
    return { begun, end: () => end() };
  };

  return {
    enter(caller, isMoving = () => false) {
      let lane = lanes.get(caller);
      if (lane === undefined) {
        lane = { caller, turns: 0, long: 0, waiting: new Set() };
        lanes.set(caller, lane);
      }
      // Nobody overtakes: where somebody is ready to begin, there is no free turn.
      if (turns < limits.turnsMax && canBegin(lane)) return { begun: undefined, end: begin(lane, isMoving) };
      return wait(lane, isMoving);
    },
  };
}
