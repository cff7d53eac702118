import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import type { AuditEntry, AuditLog } from "./audit.ts";
import type { EntryIndex, IndexedEntry, IndexMark, StudiesInHour } from "./entry-index.ts";
import { createLogFinder, type FoundEntry, isMatch, type LogFinder } from "./finder.ts";
import { entryOf } from "./line.ts";
import { leafHash } from "./tree.ts";

/** Finds by an index that follows the log behind it. */
export interface KeptFinder extends LogFinder {
  /** The hours since then in which an actor looked at studies: what is usual for them. */
  hoursOf(actor: string, since: number): Promise<StudiesInHour[]>;
  /** Resolves when everything that the log held when it was called is in the index. */
  followed(): Promise<void>;
  close(): Promise<void>;
}

export interface KeptFinderParts {
  readonly audit: Pick<AuditLog, "size" | "entries" | "lines">;
  readonly index: EntryIndex;
  readonly clock: Clock;
  readonly log: Log;
}

const followEveryMs = 500;
const takenAtOnce = 2_000;
/** Who searches waits for so many entries to be taken in; further behind the log is walked. */
const behindMost = 20_000;
/** Entries that lie so near to each other are read together. */
const gapMost = 16;
/** Identity that was opened for a look, not for a list. */
const looks = ["identity.read", "identity.export", "identity.correction"];

/**
 * The index is asked where, the log says what: every entry that is given out was read from the log and fits. Without a working index the
 * log is walked from its end.
 */
export async function createKeptFinder(parts: KeptFinderParts): Promise<KeptFinder> {
  const { audit, index, log } = parts;
  const walking = createLogFinder(audit);
  const following = await createFollowing(parts);

  return {
    async find(criteria, page) {
      if (following.behind() > behindMost) return walking.find(criteria, page);
      const before = Math.max(0, Math.min(page.before ?? audit.size(), audit.size()));
      try {
        await following.catchUp();
        const found = await index.find(criteria, { before, limit: page.limit });
        const entries = (await entriesAt(audit, found)).filter((entry) => isMatch(entry, criteria));
        const last = found.at(-1);
        return { entries, ...(found.length === page.limit && last !== undefined && last > 0 && { next: last }) };
      } catch (error) {
        log.warn("the index of the log does not answer: the log is walked", {}, error);
        return walking.find(criteria, page);
      }
    },
    async hoursOf(actor, since) {
      await following.catchUp();
      return index.hoursOf(actor, looks, since);
    },
    followed: following.catchUp,
    async close() {
      await following.close();
      await index.close();
    },
  };
}

async function createFollowing({ audit, index, clock, log }: KeptFinderParts) {
  let mark: IndexMark = await standing(audit, index);
  let running: Promise<void> | undefined;
  let timer: Timer | undefined;
  let isClosed = false;

  const take = async (): Promise<void> => {
    const end = audit.size();
    while (mark.size < end && !isClosed) {
      const lines = await audit.lines(mark.size, Math.min(end, mark.size + takenAtOnce));
      const last = lines.at(-1);
      if (last === undefined) return;
      const next = { size: mark.size + lines.length, lastHash: leafHash(last).toString("hex") };
      const from = mark.size;
      await index.add(
        lines.map((line, at) => indexed(entryOf(line), from + at)),
        next,
      );
      mark = next;
    }
  };
  const catchUp = (): Promise<void> => {
    running ??= take().finally(() => {
      running = undefined;
    });
    return running;
  };
  const follow = () => {
    timer = clock.after(followEveryMs, () => {
      const followed = mark.size < audit.size() ? catchUp() : Promise.resolve();
      followed
        .catch((error) => log.warn("the index of the log does not follow it", {}, error))
        .finally(() => {
          if (!isClosed) follow();
        });
    });
  };
  follow();
  return {
    behind: () => audit.size() - mark.size,
    /** What is under way may have begun before the newest entries were there. */
    async catchUp() {
      const size = audit.size();
      while (mark.size < size && !isClosed) await catchUp();
    },
    async close() {
      isClosed = true;
      timer?.stop();
      await running?.catch(() => {});
    },
  };
}

/** Where the index stands; begun anew when it is not this log's. */
async function standing(audit: Pick<AuditLog, "size" | "lines">, index: EntryIndex): Promise<IndexMark> {
  const mark = await index.mark();
  if (mark !== undefined && mark.size > 0) {
    const [last] = await audit.lines(mark.size - 1, mark.size);
    if (last !== undefined && leafHash(last).toString("hex") === mark.lastHash) return mark;
    await index.clear();
  }
  return { size: 0, lastHash: "" };
}

function indexed({ at, actor, act, outcome, on, studies = [] }: AuditEntry, index: number): IndexedEntry {
  const about = on?.kind === "study" || on?.kind === "patient" ? [on.id, ...studies] : studies;
  return { index, at, actor, act, outcome, studies: [...new Set(about)] };
}

/** Newest first, as they were found. */
async function entriesAt(audit: Pick<AuditLog, "entries">, found: readonly number[]): Promise<FoundEntry[]> {
  const entries: FoundEntry[] = [];
  for (let at = 0; at < found.length; ) {
    let end = at + 1;
    while (end < found.length && (found[end - 1] ?? 0) - (found[end] ?? 0) <= gapMost) end++;
    const [newest = 0, oldest = 0] = [found[at], found[end - 1]];
    const read = await audit.entries(oldest, newest + 1);
    for (const index of found.slice(at, end)) {
      const entry = read[index - oldest];
      if (entry !== undefined) entries.push({ ...entry, index });
    }
    at = end;
  }
  return entries;
}
