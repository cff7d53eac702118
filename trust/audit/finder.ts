import type { AuditEntry, AuditLog } from "./audit.ts";

/** An entry with its place in the log, which is its name for good. */
export interface FoundEntry extends AuditEntry {
  readonly index: number;
}

/** What entries are looked for; all that is given must hold. */
export interface LogCriteria {
  readonly actor?: string;
  /** Token of a study, or of a patient: entries on it, and those by which the study's identity was opened. */
  readonly study?: string;
  /** An act, or with a dot at its end the beginning of several: `study.`. */
  readonly act?: string;
  readonly outcome?: AuditEntry["outcome"];
  /** Epoch milliseconds, inclusive. */
  readonly from?: number;
  /** Epoch milliseconds, exclusive. */
  readonly to?: number;
}

export interface FoundPage {
  /** Newest first. */
  readonly entries: readonly FoundEntry[];
  /** `before` of the page that follows; absent when the log was read to its beginning. */
  readonly next?: number;
}

export interface LogFinder {
  /**
   * At most `limit` entries that stand before the entry `before` (absent: from the newest on). One call reads a bounded part of
   * the log, so it may give fewer, even none, and a `next`.
   */
  find(criteria: LogCriteria, page: { readonly before?: number; readonly limit: number }): Promise<FoundPage>;
}

const readAtOnce = 500;
/** Entries that one call looks at. */
const budget = 20_000;
/** The clock was set back by no more than this: entries before one that is so much too old are too old. */
const clockStepMs = 24 * 60 * 60 * 1000;

/** Walks the log from its end. */
export function createLogFinder(audit: Pick<AuditLog, "size" | "entries">): LogFinder {
  return {
    async find(criteria, { before, limit }) {
      const entries: FoundEntry[] = [];
      let at = Math.max(0, Math.min(before ?? audit.size(), audit.size()));
      const end = Math.max(0, at - budget);
      while (at > end) {
        const from = Math.max(end, at - readAtOnce);
        const read = await audit.entries(from, at);
        for (let index = at - 1; index >= from; index--) {
          const entry = read[index - from];
          if (entry === undefined) continue;
          if (isTooOld(entry, criteria)) return { entries };
          if (!isMatch(entry, criteria)) continue;
          entries.push({ ...entry, index });
          if (entries.length === limit) return { entries, ...(index > 0 && { next: index }) };
        }
        at = from;
      }
      return { entries, ...(at > 0 && { next: at }) };
    },
  };
}

function isTooOld({ at }: AuditEntry, { from }: LogCriteria): boolean {
  return from !== undefined && at < from - clockStepMs;
}

/** Whether an entry is one of those. */
export function isMatch(entry: AuditEntry, criteria: LogCriteria): boolean {
  const { actor, study, act, outcome, from, to } = criteria;
  if (actor !== undefined && entry.actor !== actor) return false;
  if (act !== undefined && !isOfActs(entry.act, act)) return false;
  if (outcome !== undefined && entry.outcome !== outcome) return false;
  if (from !== undefined && entry.at < from) return false;
  if (to !== undefined && entry.at >= to) return false;
  if (study === undefined) return true;
  const isOn = (entry.on?.kind === "study" || entry.on?.kind === "patient") && entry.on.id === study;
  return isOn || entry.studies?.includes(study) === true;
}

export function isOfActs(act: string, asked: string): boolean {
  return asked.endsWith(".") ? act.startsWith(asked) : act === asked;
}
