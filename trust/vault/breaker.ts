import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import type { Actor } from "#trust/access";

export interface StoppedActor {
  readonly actor: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

/**
 * Counts the studies whose identity each actor sees; one that sees more in a minute than a person could read is stopped until it is
 * released: a stolen session or a script that copies the archive.
 */
export interface Breaker {
  /** Counts; true when the actor is stopped by it. A study that is seen again within the minute counts once. */
  take(actor: Actor, studyTokens: readonly string[]): boolean;
  isStopped(actor: Actor): boolean;
  stopped(): StoppedActor[];
  /** False when it was not stopped. */
  release(actorId: string): boolean;
  /** Returns how to stop listening. */
  watch(listener: (stopped: StoppedActor) => void): () => void;
}

interface Window {
  startedMs: number;
  readonly seen: Set<string>;
}

const minuteMs = 60_000;

export function createBreaker(parts: {
  readonly clock: Clock;
  readonly log: Log;
  readonly studiesPerMinuteMax: number;
}): Breaker {
  const { clock, log, studiesPerMinuteMax } = parts;
  const windows = new Map<string, Window>();
  const stopped = new Map<string, StoppedActor>();
  const listeners = new Set<(stopped: StoppedActor) => void>();

  const windowOf = (actor: Actor): Window => {
    const now = clock.monotonicMs();
    const held = windows.get(actor.id);
    if (held !== undefined && now - held.startedMs < minuteMs) return held;
    // Those that ended are let go with every new one, so that the map holds the actors of one minute.
    for (const [id, { startedMs }] of windows) if (now - startedMs >= minuteMs) windows.delete(id);
    const begun: Window = { startedMs: now, seen: new Set() };
    windows.set(actor.id, begun);
    return begun;
  };

  return {
    take(actor, studyTokens) {
      if (actor.kind === "system") return false;
      const { seen } = windowOf(actor);
      for (const token of studyTokens) seen.add(token);
      if (seen.size <= studiesPerMinuteMax) return false;
      const entry = { actor: actor.id, since: clock.now() };
      stopped.set(actor.id, entry);
      windows.delete(actor.id);
      log.error("an actor looked at too many patients in a minute and is stopped", { actor: actor.id });
      for (const listener of listeners) listener(entry);
      return true;
    },
    isStopped: (actor) => stopped.has(actor.id),
    stopped: () => [...stopped.values()],
    release: (actorId) => stopped.delete(actorId),
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
