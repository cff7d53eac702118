import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { AuditLog, AuditSubject, EntryDetail } from "#trust/audit";
import type { Act, Actor } from "./acts.ts";
import type { Purpose } from "./grant-store.ts";
import type { Reach, StudyFacts } from "./place.ts";
import type { Policy } from "./policy.ts";

/** What an act is done on; a study with the facts that grants are compared with. Only kind and id go to the log. */
export type Subject = AuditSubject & { readonly facts?: StudyFacts };

/**
 * What the gate hands to the work it let through: who, and what for. Only the gate makes them; one ends some time after its work has
 * begun, so that what the work handed out (an open study) can still be read.
 */
export interface Pass {
  readonly actor: Actor;
  readonly act: Act;
  readonly on?: AuditSubject;
  /** Where the actor may do this act: what a list leaves out is what a read would refuse. */
  readonly reach: Reach;
  /** How the actor sees identity. */
  readonly sees: "whole" | "masked";
  /** What for, as the grant says; absent for who needs none. */
  readonly purpose?: Purpose;
}

/** The one way to any data: every door and every service goes through `pass`. */
export interface Gate {
  /**
   * Checks that `actor` may do `act`, appends the audit entry, does the work. Resolves with its result only when the entry
   * is on stable storage: an act that cannot be logged fails. The entry is written while the work runs.
   *
   * Rejects with Problem `denied` when the actor may not (doors answer as for something absent), with what the work
   * rejects with (a second entry says `failed`), or with what the log rejects with. `detail` is what is personal about the act: it is kept
   * sealed beside the log.
   */
  pass<T>(
    actor: Actor,
    act: Act,
    on: Subject | undefined,
    work: (pass: Pass) => Promise<T>,
    detail?: EntryDetail,
  ): Promise<T>;
  /** Whether this gate made the pass, it has not ended, and what let the actor through still holds. */
  isLive(pass: Pass): boolean;
}

/** A retrieve of a large study over a slow line takes so long. */
const passMs = 60 * 60 * 1000;

/** Refusals of one actor that are logged one by one in a minute; what is over is counted into its next that is logged. */
const refusalsLoggedPerMinuteMax = 120;

export function createGate(parts: { policy: Policy; audit: AuditLog; clock: Clock }): Gate {
  const { policy, audit, clock } = parts;
  const refusals = createMinuteBudget(clock, refusalsLoggedPerMinuteMax);
  /** When each pass ends, and the facts it was given for. */
  const passes = new WeakMap<Pass, { readonly endsAt: number; readonly facts: StudyFacts | undefined }>();

  const refuse = async (logged: Logged): Promise<never> => {
    const turn = refusals.take(logged.actor);
    if (turn.granted) {
      const counts = turn.skipped > 0 ? { counts: { refusalsNotLogged: turn.skipped } } : {};
      await audit.append({ ...logged, outcome: "refused", ...counts });
    }
    throw new Problem("denied", "not found", { remedy: "sign in as someone who has access" });
  };

  return {
    async pass(actor, act, on, work, detail) {
      const decision = policy.decide(actor, act, on?.facts);
      const subject = on === undefined ? {} : { on: { kind: on.kind, id: on.id } };
      if (!decision.isAllowed) return refuse({ actor: actor.id, act, ...subject });
      const { reach, sees, purpose } = decision;
      const entry = { actor: actor.id, act, ...subject, ...(purpose !== undefined && { purpose }) };
      const logged = audit.append({ ...entry, outcome: "done" }, detail);
      const pass: Pass = { actor, act, ...subject, reach, sees, ...(purpose !== undefined && { purpose }) };
      passes.set(pass, { endsAt: clock.monotonicMs() + passMs, facts: on?.facts });
      const worked = Promise.resolve().then(() => work(pass));
      const [log, result] = await Promise.allSettled([logged, worked]);
      if (log.status === "rejected") throw log.reason;
      if (result.status === "fulfilled") return result.value;
      await audit.append({ ...entry, outcome: "failed" });
      throw result.reason;
    },
    isLive(pass) {
      const made = passes.get(pass);
      if (made === undefined || clock.monotonicMs() >= made.endsAt) return false;
      return policy.decide(pass.actor, pass.act, made.facts).isAllowed;
    },
  };
}

/** What an entry says before its outcome. */
interface Logged {
  readonly actor: string;
  readonly act: Act;
  readonly on?: AuditSubject;
  readonly purpose?: Purpose;
}

/** So many for each actor in a minute: one that floods hides nobody else. */
function createMinuteBudget(clock: Clock, most: number) {
  let minute = -1;
  const used = new Map<string, number>();
  const skipped = new Map<string, number>();
  return {
    take(actorId: string): { granted: boolean; skipped: number } {
      const now = Math.floor(clock.monotonicMs() / 60_000);
      if (now !== minute) {
        minute = now;
        used.clear();
      }
      const before = used.get(actorId) ?? 0;
      const left = skipped.get(actorId) ?? 0;
      if (before >= most) {
        skipped.set(actorId, left + 1);
        return { granted: false, skipped: left + 1 };
      }
      used.set(actorId, before + 1);
      skipped.delete(actorId);
      return { granted: true, skipped: left };
    },
  };
}
