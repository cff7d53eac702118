import { Problem } from "#base/problem";
import type { LookKind } from "#formats/api";
import type { Actor, Gate, Purpose, StudyFacts } from "#trust/access";
import type { FoundEntry, LogFinder } from "#trust/audit";
import type { Archive } from "./archive.ts";
import type { StudyIndex } from "./study-index.ts";

export interface Look extends Pick<FoundEntry, "index" | "at" | "actor" | "act" | "purpose" | "outcome"> {
  readonly what: LookKind;
}

/** What one actor did with a patient's images on one day for one purpose (45 CFR 164.528(b)(3)). */
export interface Disclosure {
  readonly firstAt: number;
  readonly lastAt: number;
  readonly count: number;
  /** Actor id. */
  readonly actor: string;
  readonly what: LookKind;
  readonly purpose: Purpose | "";
  readonly studies: number;
}

export interface DisclosureChoice {
  readonly from: number;
  readonly to: number;
  /** Leaves out treatment, payment and operations, which the law does not ask for. */
  readonly isExcludingTpo: boolean;
}

/** Who looked: at a study, for staff; at all of a patient's, for the patient. Out of the log, by tokens. */
export interface Disclosures {
  /** Newest first. */
  looks(
    actor: Actor,
    studyToken: string,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<{ readonly looks: Look[]; readonly next?: number }>;
  /** Newest first. Problem `too-large` for more than can be told at once. */
  of(actor: Actor, patientToken: string, choice: DisclosureChoice): Promise<Disclosure[]>;
}

export interface DisclosuresParts {
  readonly archive: Pick<Archive, "subjectOf" | "settled">;
  readonly index: Pick<StudyIndex, "findStudies">;
  readonly finder: LogFinder;
  readonly gate: Gate;
}

const studiesMost = 500;
const entriesMost = 100_000;
const atOnce = 500;
const dayMs = 86_400_000;
const tpo: readonly string[] = ["treatment", "payment", "operations"];

export function createDisclosures({ archive, index, finder, gate }: DisclosuresParts): Disclosures {
  const collected = async (tokens: readonly string[], { from, to }: DisclosureChoice): Promise<Found[]> => {
    const found: Found[] = [];
    for (const token of tokens) {
      for (let before: number | undefined; ; ) {
        const page = { limit: atOnce, ...(before !== undefined && { before }) };
        const { entries, next } = await finder.find({ study: token, from, to }, page);
        found.push(...entries.flatMap((entry) => asFound(entry, token)));
        if (found.length > entriesMost) throw tooMany();
        if (next === undefined) break;
        before = next;
      }
    }
    return found;
  };

  return {
    async looks(actor, studyToken, page) {
      const subject = await archive.subjectOf(studyToken);
      return gate.pass(actor, "disclosure.read", subject, async () => {
        if (subject === undefined) throw absent();
        const { entries, next } = await finder.find({ study: subject.id }, page);
        const looks = entries.flatMap((entry) => {
          const what = whatOf(entry.act);
          if (what === undefined) return [];
          const { index: at, actor: who, act, purpose, outcome } = entry;
          return [{ index: at, at: entry.at, actor: who, act, outcome, what, ...(purpose && { purpose }) }];
        });
        return { looks, ...(next !== undefined && { next }) };
      });
    },
    async of(actor, patientToken, choice) {
      const patient = /^[0-9a-f]{32}$/.test(patientToken) ? patientToken : "unknown";
      const facts: StudyFacts = { facility: "", patient, study: "", order: "" };
      await archive.settled();
      return gate.pass(actor, "disclosure.read", { kind: "patient", id: patient, facts }, async () => {
        const matches = [{ kind: "lies", in: "patient", ids: [patient] } as const];
        const studies = await index.findStudies({ matches, limit: studiesMost, offset: 0 });
        if (studies.length === 0) throw absent();
        if (studies.length === studiesMost) throw tooMany();
        const found = await collected([patient, ...studies.map(({ studyToken }) => studyToken)], choice);
        return summed(choice.isExcludingTpo ? found.filter(({ purpose }) => !tpo.includes(purpose)) : found);
      });
    },
  };
}

interface Found {
  readonly at: number;
  readonly actor: string;
  readonly what: LookKind;
  readonly purpose: Purpose | "";
  readonly token: string;
}

/** Who does something without a grant does it for the running of the house. */
function asFound({ at, actor, act, purpose, outcome }: FoundEntry, token: string): Found[] {
  const what = whatOf(act);
  if (what === undefined || outcome !== "done") return [];
  return [{ at, actor, what, purpose: (purpose ?? "operations") as Purpose, token }];
}

/** One line for what one did on one day in one way for one purpose. */
function summed(found: readonly Found[]): Disclosure[] {
  const lines = new Map<string, { line: Disclosure; tokens: Set<string> }>();
  for (const { at, actor, what, purpose, token } of found) {
    const key = [Math.floor(at / dayMs), actor, what, purpose].join(" ");
    const { line, tokens } = lines.get(key) ?? {
      line: { firstAt: at, lastAt: at, count: 0, actor, what, purpose, studies: 0 },
      tokens: new Set<string>(),
    };
    tokens.add(token);
    const times = { firstAt: Math.min(at, line.firstAt), lastAt: Math.max(at, line.lastAt) };
    lines.set(key, { line: { ...line, ...times, count: line.count + 1, studies: tokens.size }, tokens });
  }
  return [...lines.values()].map(({ line }) => line).sort((a, b) => b.lastAt - a.lastAt || b.firstAt - a.firstAt);
}

/** What an act is to the patient; undefined for an entry that only accompanies another one's. */
function whatOf(act: string): LookKind | undefined {
  if (Object.hasOwn(kinds, act)) return kinds[act];
  return act.startsWith("identity.") ? undefined : "other";
}

const kinds: Readonly<Record<string, LookKind | undefined>> = {
  "study.view": "viewed",
  "study.read": "read",
  "identity.search": "listed",
  "identity.export": "exported",
  "identity.correction": "corrected",
  "study.correct": undefined,
  "disclosure.read": undefined,
  "share.make": "shared",
  "share.end": "share-ended",
  "study.send": "sent",
  "study.route": "sent",
  "transfer.carry": undefined,
  "instance.store": "received",
  "study.delete": "deleted",
  "study.shred": "deleted",
  "patient.shred": "deleted",
  "glass.break": "emergency",
};

function absent(): Problem {
  return new Problem("absent", "not found", { remedy: "check the identifier; a search shows what there is" });
}

function tooMany(): Problem {
  return new Problem("too-large", "there is more than can be told at once", { remedy: "ask for a shorter time" });
}
