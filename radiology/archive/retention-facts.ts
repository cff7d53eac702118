import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";

/**
 * Something that happened to a study and must outlive the index: held, released, deleted. Said by numbers and tokens only. It is
 * sealed under a key that shredding the study does not take away.
 */
export interface Fact {
  readonly kind: "hold" | "release" | "deletion-begun" | "deletion-ended";
  readonly studyToken: string;
  /** Counts up over all facts: the order in which they hold. */
  readonly serial: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Port: where facts rest, appended and never changed. */
export interface Facts {
  /** On stable storage when it resolves. After a rejection it may be there or not. */
  record(fact: Fact): Promise<void>;
  /** All of them, in any order; one may come twice. */
  all(): AsyncIterable<Fact>;
}

/** Which studies nobody may delete, and what was deleted. */
export interface StudyFates {
  load(): Promise<void>;
  isHeld(studyToken: string): boolean;
  held(): readonly { readonly studyToken: string; readonly since: number }[];
  /** Deleted, to its end: what is left of it in the packs may go. */
  isDeleted(studyToken: string): boolean;
  /** Begun by a process that stopped. */
  unfinished(): readonly string[];
  hold(studyToken: string): Promise<void>;
  release(studyToken: string): Promise<void>;
  /** Does the work between the facts that it began and ended, so that no hold comes in between. Problem "conflict" when it is held. */
  deleting(studyToken: string, work: () => Promise<void>): Promise<void>;
}

export function createStudyFates(parts: { readonly facts: Facts; readonly now: () => number }): StudyFates {
  const { facts, now } = parts;
  const heldSince = new Map<string, number>();
  const begun = new Set<string>();
  const deleted = new Set<string>();
  let nextSerial = 1;
  const turns = createTurns();

  const apply = ({ kind, studyToken, at }: Fact) => {
    if (kind === "hold" && !heldSince.has(studyToken)) heldSince.set(studyToken, at);
    if (kind === "release") heldSince.delete(studyToken);
    if (kind === "deletion-begun") begun.add(studyToken);
    if (kind === "deletion-ended") deleted.add(studyToken);
  };
  const record = async (kind: Fact["kind"], studyToken: string) => {
    const fact = { kind, studyToken, serial: nextSerial++, at: now() };
    // A hold that may or may not be on the disk is a hold.
    if (kind === "hold") apply(fact);
    await facts.record(fact);
    apply(fact);
  };
  return {
    async load() {
      const all: Fact[] = [];
      for await (const fact of facts.all()) all.push(fact);
      all.sort((a, b) => a.serial - b.serial);
      for (const fact of all) apply(fact);
      nextSerial = (all.at(-1)?.serial ?? 0) + 1;
    },
    isHeld: (studyToken) => heldSince.has(studyToken),
    held: () => [...heldSince].map(([studyToken, since]) => ({ studyToken, since })),
    isDeleted: (studyToken) => deleted.has(studyToken),
    unfinished: () => [...begun].filter((studyToken) => !deleted.has(studyToken)),
    hold: (studyToken) =>
      turns.take(async () => {
        if (!heldSince.has(studyToken)) await record("hold", studyToken);
      }),
    release: (studyToken) =>
      turns.take(async () => {
        if (heldSince.has(studyToken)) await record("release", studyToken);
      }),
    deleting: (studyToken, work) =>
      turns.take(async () => {
        if (heldSince.has(studyToken)) {
          throw new Problem("conflict", "the study is under legal hold", {
            remedy: "release it first: leadglass vault hold STUDY --release",
          });
        }
        if (!begun.has(studyToken)) await record("deletion-begun", studyToken);
        await work();
        await record("deletion-ended", studyToken);
      }),
  };
}
