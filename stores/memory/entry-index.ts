import type { EntryIndex, IndexedEntry, IndexMark, LogCriteria } from "#trust/audit";
import { isOfActs } from "#trust/audit";
import { type Failing, withFailures } from "./failing.ts";

const hourMs = 3_600_000;

export function createMemoryEntryIndex(): EntryIndex & Failing {
  let held: IndexedEntry[] = [];
  let standing: IndexMark | undefined;
  const fits = ({ at, actor, act, outcome, studies }: IndexedEntry, asked: LogCriteria) =>
    (asked.actor === undefined || actor === asked.actor) &&
    (asked.act === undefined || isOfActs(act, asked.act)) &&
    (asked.outcome === undefined || outcome === asked.outcome) &&
    (asked.study === undefined || studies.includes(asked.study)) &&
    (asked.from === undefined || at >= asked.from) &&
    (asked.to === undefined || at < asked.to);
  return withFailures<EntryIndex>({
    mark: async () => standing,
    async add(entries, mark) {
      held.push(...entries);
      standing = mark;
    },
    find: async (criteria, { before, limit }) =>
      held
        .filter((entry) => entry.index < before && fits(entry, criteria))
        .map(({ index }) => index)
        .sort((a, b) => b - a)
        .slice(0, limit),
    async hoursOf(actor, acts, since) {
      const hours = new Map<number, Set<string>>();
      for (const entry of held) {
        const [study] = entry.studies;
        if (entry.actor !== actor || !acts.includes(entry.act) || entry.at < since || study === undefined) continue;
        const hour = Math.floor(entry.at / hourMs);
        hours.set(hour, (hours.get(hour) ?? new Set()).add(study));
      }
      return [...hours].map(([hour, studies]) => ({ hour, studies: studies.size }));
    },
    async clear() {
      held = [];
      standing = undefined;
    },
    close: async () => {},
  });
}
