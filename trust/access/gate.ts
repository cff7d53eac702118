import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { AuditLog, AuditSubject } from "#trust/audit";
import { type Act, type Actor, may } from "./acts.ts";

/**
 * What the gate hands to the work it let through: who, and what for. Only the gate makes them; one ends some time after its work has
 * begun, so that what the work handed out (an open study) can still be read.
 */
export interface Pass {
  readonly actor: Actor;
  readonly act: Act;
  readonly on?: AuditSubject;
}

/** The one way to any data: every door and every service goes through `pass`. */
export interface Gate {
  /**
   * Checks that `actor` may do `act`, appends the audit entry, does the work. Resolves with its result only when the entry
   * is on stable storage: an act that cannot be logged fails. The entry is written while the work runs.
   *
   * Rejects with Problem `denied` when the actor may not (doors answer as for something absent), with what the work
   * rejects with (a second entry says `failed`), or with what the log rejects with.
   */
  pass<T>(actor: Actor, act: Act, on: AuditSubject | undefined, work: (pass: Pass) => Promise<T>): Promise<T>;
  /** Whether this gate made the pass and it has not ended. */
  isLive(pass: Pass): boolean;
}

/** A retrieve of a large study over a slow line takes so long. */
const grantMs = 60 * 60 * 1000;

/** Refusals that are logged one by one in a minute; what is over is counted into the next that is logged. */
const refusalsLoggedPerMinuteMax = 120;

export function createGate(parts: { audit: AuditLog; clock: Clock }): Gate {
  const { audit, clock } = parts;
  const refusals = createMinuteBudget(clock, refusalsLoggedPerMinuteMax);
  /** When each pass ends. */
  const passes = new WeakMap<Pass, number>();

  const refuse = async (actor: Actor, act: Act, on: AuditSubject | undefined): Promise<never> => {
    const turn = refusals.take();
    if (turn.granted) {
      const counts = turn.skipped > 0 ? { counts: { refusalsNotLogged: turn.skipped } } : {};
      await audit.append({ actor: actor.id, act, ...(on && { on }), outcome: "refused", ...counts });
    }
    throw new Problem("denied", "not found", { remedy: "sign in as someone who has access" });
  };

  return {
    async pass(actor, act, on, work) {
      if (!may(actor, act)) return refuse(actor, act, on);
      const subject = on === undefined ? {} : { on };
      const logged = audit.append({ actor: actor.id, act, ...subject, outcome: "done" });
      const pass: Pass = { actor, act, ...subject };
      passes.set(pass, clock.monotonicMs() + grantMs);
      const worked = Promise.resolve().then(() => work(pass));
      const [log, result] = await Promise.allSettled([logged, worked]);
      if (log.status === "rejected") throw log.reason;
      if (result.status === "fulfilled") return result.value;
      await audit.append({ actor: actor.id, act, ...subject, outcome: "failed" });
      throw result.reason;
    },
    isLive: (pass) => clock.monotonicMs() < (passes.get(pass) ?? 0),
  };
}

function createMinuteBudget(clock: Clock, most: number) {
  let minute = -1;
  let used = 0;
  let skipped = 0;
  return {
    take(): { granted: boolean; skipped: number } {
      const now = Math.floor(clock.monotonicMs() / 60_000);
      if (now !== minute) {
        minute = now;
        used = 0;
      }
      if (used >= most) {
        skipped++;
        return { granted: false, skipped };
      }
      used++;
      const reported = skipped;
      skipped = 0;
      return { granted: true, skipped: reported };
    },
  };
}
