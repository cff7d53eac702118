import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import { type Actor, ruleOf } from "./acts.ts";
import type { Gate } from "./gate.ts";
import type { Grant } from "./grant-store.ts";
import type { Grants } from "./grants.ts";
import { covers } from "./place.ts";
import type { Policy } from "./policy.ts";
import type { Reviews } from "./reviews.ts";
import type { Session } from "./session-store.ts";
import { requireRecent } from "./sessions.ts";

/** Whom it is about: exactly, by one of the two. */
export type EmergencyPatient =
  | { readonly patientId: string; readonly issuer: string }
  | { readonly accessionNumber: string };

/**
 * A look at what one has no grant for, in an emergency: with a reason, proved anew, for a short time, to one patient, told at once to
 * those who review. What it opens is a grant like any other, in the role that one has.
 */
export interface BreakGlass {
  /**
   * `session`: of who asks, who must have proved lately who they are (Problem `unproven`). Problem `absent` for nobody of this number,
   * `busy` after five of these in an hour.
   */
  begin(actor: Actor, session: Session | undefined, patient: EmergencyPatient, reason: string): Promise<Grant>;
  /** Those that hold: one's own, and everybody's for who may review. */
  list(actor: Actor): Promise<readonly Grant[]>;
  /** By oneself, or who may end grants. Problem `absent` when there is none. */
  end(actor: Actor, id: string): Promise<void>;
}

export interface BreakGlassParts {
  readonly grants: Pick<Grants, "give" | "end" | "liveOf" | "list">;
  readonly policy: Policy;
  readonly gate: Gate;
  readonly reviews: Pick<Reviews, "notice">;
  /** Tokens of the patients whom this stands for; opens nothing that identifies. */
  readonly patientsOf: (asked: EmergencyPatient) => Promise<readonly string[]>;
  readonly clock: Clock;
  /** How long a look lasts, 15 to 240. */
  readonly minutes: number;
}

const guessesPerHour = 5;
const hourMs = 3_600_000;
const [reasonMin, reasonMost] = [10, 500];
const unknown = { kind: "patient", id: "unknown" } as const;

export function createBreakGlass(parts: BreakGlassParts): BreakGlass {
  const { grants, policy, gate, reviews, patientsOf, clock, minutes } = parts;
  const guesses = createGuesses(clock);
  const roles: readonly string[] = ruleOf("glass.break").who;
  /** A look in an emergency is no standing from which to begin the next. */
  const standing = ({ id }: Actor) =>
    grants.liveOf(id).find(({ role, purpose }) => purpose !== "break-glass" && roles.includes(role));

  const find = async (actor: Actor, patient: EmergencyPatient): Promise<string | undefined> => {
    const found = await patientsOf(patient);
    if (found.length === 1) return found[0];
    guesses.failed(actor.id);
    if (found.length === 0) return undefined;
    throw new Problem("invalid", "several patients have this number", {
      remedy: "give its issuer too, or an accession number",
    });
  };
  const requireTurn = async (actor: Actor): Promise<void> => {
    if (!guesses.isOver(actor.id)) return;
    if (guesses.tellsToday(actor.id)) await reviews.notice({ kind: "guessing", actor: actor.id });
    await gate.pass(actor, "glass.break", unknown, async () => {
      throw new Problem("busy", "too many numbers that stand for nobody", { remedy: "try again in an hour" });
    });
  };

  return {
    async begin(actor, session, asked, typed) {
      const role = standing(actor)?.role;
      // Who may not, is refused before anything is looked for: how long it takes tells nothing.
      if (role === undefined || !policy.decide(actor, "glass.break").isAllowed) return refuse(gate, actor);
      if (session === undefined) throw unproven();
      requireRecent(session, clock);
      const reason = reasonOf(typed);
      await requireTurn(actor);
      const patient = await find(actor, asked);
      const on = patient === undefined ? unknown : ({ kind: "patient", id: patient } as const);
      const work = async () => {
        if (patient === undefined) throw absent();
        requireOutside(policy, actor, patient);
        const endsAt = clock.now() + minutes * 60_000;
        const place = { kind: "patient", id: patient } as const;
        return grants.give(actor.id, { role, place, purpose: "break-glass", endsAt }, actor);
      };
      const grant = await gate.pass(actor, "glass.break", on, work, { reason });
      await reviews.notice({
        kind: "break-glass",
        actor: actor.id,
        patient: grant.place.kind === "patient" ? grant.place.id : "",
      });
      return grant;
    },
    async list(actor) {
      const isReviewer = policy.decide(actor, "review.read").isAllowed;
      const held = (await grants.list()).filter(
        ({ id, holder, purpose }) => purpose === "break-glass" && grants.liveOf(holder).some((live) => live.id === id),
      );
      return gate.pass(actor, isReviewer ? "review.read" : "glass.break", undefined, async () =>
        isReviewer ? held : held.filter(({ holder }) => holder === actor.id),
      );
    },
    async end(actor, id) {
      const grant = (await grants.list()).find((one) => one.id === id && one.purpose === "break-glass");
      const act = grant?.holder === actor.id ? "glass.break" : "grant.write";
      await gate.pass(actor, act, { kind: "grant", id: grant?.holder ?? "unknown" }, async () => {
        if (grant === undefined) throw absent();
        await grants.end(id, actor);
      });
    },
  };
}

/** Never resolves: the gate refuses, and says so in the log. */
async function refuse(gate: Gate, actor: Actor): Promise<never> {
  return gate.pass(actor, "glass.break", unknown, async () => {
    throw new Problem("denied", "not found", { remedy: "sign in as someone who has access" });
  });
}

/** What is within reach needs no emergency. */
function requireOutside(policy: Policy, actor: Actor, patient: string): void {
  const decision = policy.decide(actor, "study.search");
  if (!decision.isAllowed || !covers(decision.reach, { facility: "", patient, study: "", order: "" })) return;
  throw new Problem("conflict", "you may look at this patient already", { remedy: "search for them" });
}

function reasonOf(typed: string): string {
  const reason = typed.trim();
  if (reason.length >= reasonMin && reason.length <= reasonMost) return reason;
  throw new Problem("invalid", `a reason is ${reasonMin} to ${reasonMost} characters`, {
    remedy: "say what the emergency is",
  });
}

/** Numbers that stood for nobody, by actor, within the hour. */
function createGuesses(clock: Clock) {
  const failures = new Map<string, readonly number[]>();
  const told = new Map<string, number>();
  const recent = (actor: string) => (failures.get(actor) ?? []).filter((at) => clock.monotonicMs() - at < hourMs);
  return {
    failed: (actor: string) => void failures.set(actor, [...recent(actor), clock.monotonicMs()]),
    isOver: (actor: string) => recent(actor).length >= guessesPerHour,
    tellsToday(actor: string): boolean {
      const now = clock.monotonicMs();
      const before = told.get(actor);
      if (before !== undefined && now - before < 24 * hourMs) return false;
      told.set(actor, now);
      return true;
    },
  };
}

function unproven(): Problem {
  return new Problem("unproven", "show again that it is you", { remedy: "sign in in a browser" });
}

function absent(): Problem {
  return new Problem("absent", "not found", { remedy: "check the number and its issuer" });
}
