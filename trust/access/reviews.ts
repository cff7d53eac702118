import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import type { AuditLog, LogFinder } from "#trust/audit";
import type { Actor } from "./acts.ts";
import type { Gate } from "./gate.ts";
import type { ReviewChoice, ReviewKind, ReviewOutcome, ReviewStore, StoredReview } from "./review-store.ts";
import type { SecretBox } from "./secret-box.ts";

export interface Review extends Omit<StoredReview, "noteSealed"> {
  readonly note: string;
  /** What was said for a look in an emergency, the last first. */
  readonly reasons: readonly string[];
}

/** Something to be judged. */
export interface Noticed {
  readonly kind: ReviewKind;
  /** Actor id. */
  readonly actor: string;
  /** Tokens. */
  readonly patient?: string;
  readonly study?: string;
  readonly count?: number;
}

/** What somebody else than who did it has to judge afterwards. */
export interface Reviews {
  /** One for each kind, actor, patient and day; more of the same is counted. */
  notice(noticed: Noticed): Promise<void>;
  list(actor: Actor, choice: Omit<ReviewChoice, "before"> & { readonly before?: string }): Promise<Review[]>;
  /** Once. Problem `conflict` for who is reviewed, and when it was decided. */
  decide(actor: Actor, id: string, outcome: ReviewOutcome, note: string): Promise<Review>;
  /** Told of each that is new, and of each look in an emergency. Returns how to stop. */
  watch(listener: (noticed: Noticed) => void): () => void;
}

export interface ReviewsParts {
  readonly store: ReviewStore;
  readonly gate: Gate;
  readonly finder: Pick<LogFinder, "find">;
  readonly audit: Pick<AuditLog, "details">;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly random: Random;
}

const dayMs = 86_400_000;
const reasonsMost = 20;
const noteCharactersMost = 1000;
/** Between the entry in the log and the review. */
const entryWithinMs = 60_000;

export function createReviews(parts: ReviewsParts): Reviews {
  const { store, gate, finder, audit, box, clock, random } = parts;
  const listeners = new Set<(noticed: Noticed) => void>();

  /** They stand beside the log, behind the commitment in its entries. */
  const reasonsOf = async ({ kind, actor, patient, firstAt, lastAt }: StoredReview): Promise<string[]> => {
    if (kind !== "break-glass") return [];
    const times = { from: firstAt - entryWithinMs, to: lastAt + entryWithinMs };
    const { entries } = await finder.find({ actor, act: "glass.break", ...times }, { limit: reasonsMost });
    const ofPatient = entries.filter(({ on, outcome }) => on?.id === patient && outcome === "done");
    const found = await Promise.all(ofPatient.map(({ index }) => audit.details(index, index + 1)));
    return found.flatMap((details) => [...details.values()].flatMap(({ detail }) => detail.reason ?? []));
  };
  const opened = async (review: StoredReview): Promise<Review> => {
    const { noteSealed, ...rest } = review;
    const note = noteSealed.length === 0 ? "" : box.open(purposeOf(review.id), noteSealed);
    return { ...rest, note: Buffer.from(note).toString("utf8"), reasons: await reasonsOf(review) };
  };

  return {
    async notice(noticed) {
      const { kind, actor, patient = "", study = "", count = 1 } = noticed;
      const at = clock.now();
      const day = Math.floor(at / dayMs);
      const isNew = await store.noteReview({ id: newToken(random), kind, actor, patient, study, count, at, day });
      if (isNew || kind === "break-glass") for (const listener of listeners) listener(noticed);
    },
    list: (actor, { before, ...choice }) =>
      gate.pass(actor, "review.read", undefined, async () => {
        const behind = before === undefined ? undefined : await store.review(before);
        if (before !== undefined && behind === undefined) throw absent();
        const found = await store.reviews({ ...choice, ...(behind && { before: behind }) });
        return Promise.all(found.map(opened));
      }),
    async decide(actor, id, outcome, note) {
      const review = await store.review(id);
      return gate.pass(actor, "review.decide", { kind: "review", id: review?.id ?? "unknown" }, async () => {
        if (review === undefined) throw absent();
        if (review.actor === actor.id) {
          throw new Problem("conflict", "this is about you", { remedy: "somebody else decides it" });
        }
        const kept = Buffer.from(note.trim().slice(0, noteCharactersMost), "utf8");
        const noteSealed = kept.length === 0 ? new Uint8Array(0) : box.seal(purposeOf(id), kept);
        const decision = { reviewer: actor.id, outcome, noteSealed, decidedAt: clock.now() };
        if (!(await store.decideReview(id, decision))) {
          throw new Problem("conflict", "this was decided already", { remedy: "look again" });
        }
        return opened({ ...review, ...decision });
      });
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const purposeOf = (id: string) => `review ${id}`;

function absent(): Problem {
  return new Problem("absent", "not found", { remedy: "look at the queue again" });
}
