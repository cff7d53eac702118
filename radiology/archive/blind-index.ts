import type { Clock } from "#base/clock";
import { type Log, silentLog } from "#base/log";
import type { IndexBox } from "#trust/vault";
import { type AddingParts, createAdding } from "./blind-adding.ts";
import { createBlockNames } from "./blind-block-names.ts";
import { createChanges } from "./blind-changing.ts";
import { createFactsBox } from "./blind-facts.ts";
import { count, type FindingParts, type From, find, type Hit } from "./blind-finding.ts";
import { createHeld } from "./blind-held.ts";
import { type BlindMemory, loadMemory } from "./blind-memory.ts";
import { mergeLog } from "./blind-merging.ts";
import { createReading } from "./blind-reading.ts";
import { createRowDigests, indexedInstance, indexedSeries, indexedStudy } from "./blind-rows.ts";
import { createLooks } from "./blind-sifting.ts";
import type { BlindStore } from "./blind-store.ts";
import { createTerms } from "./blind-terms.ts";
import type { IndexedStudy, Level, Query, StudyIndex } from "./study-index.ts";

export interface BlindIndexParts {
  readonly store: BlindStore;
  readonly box: IndexBox;
  readonly clock: Clock;
  readonly log?: Log;
  /**
   * By how many terms the texts of one field are told apart where equality is asked. More: fewer rows are opened that turn out to be
   * others. Fewer: lists say less. An index that was made with another number must be made again.
   */
  readonly sharedTerms?: number;
  /** The log is merged into lists and columns when it holds so many terms. */
  readonly mergedAtTerms?: number;
  /** Rows that one question may open and read, and that are opened to count. */
  readonly limits?: FindingParts["limits"];
}

const sharedTermsDefault = 2 ** 18;
const mergedAtTermsDefault = 128 * 1024;
/** Whatever is in them: each is a row of the store. */
const mergedAtBlocks = 1024;
const limitsDefault = { openedMost: 20_000, readMost: 200_000, countedMost: 1_000 };
/** A question that studies moved under is asked again; so often, then it trusts nothing but the rows. */
const attempts = 3;

/**
 * The study index over sealed rows (docs/decisions/0008): studies are found by keyed terms in sealed lists and ordered by sealed
 * columns, and what those leave open is decided by opening the rows that remain.
 */
export function createBlindIndex(given: BlindIndexParts): StudyIndex {
  const { store, box, clock } = given;
  const names = createBlockNames(box);
  const digests = createRowDigests(box);
  const terms = createTerms(box, given.sharedTerms ?? sharedTermsDefault);
  const corrected = terms.exact("corrected", "");
  const facts = createFactsBox(box);
  const parts: AddingParts = { store, box, clock, names, digests, terms, facts, corrected };
  const finding = { ...parts, looks: createLooks(digests, facts), limits: given.limits ?? limitsDefault };
  const adding = createAdding(parts);
  const held = createHeld({ clock, log: given.log ?? silentLog }, () => loadMemory(parts), adding.forget);
  const { mergedAtTerms = mergedAtTermsDefault } = given;

  const mergeWhenLong = (memory: BlindMemory) => {
    const isLong = memory.tail.termCount >= mergedAtTerms || memory.tail.blockCount >= mergedAtBlocks;
    if (isLong || memory.isMerging) held.merge(memory, (inTurn) => mergeLog(parts, memory, inTurn));
  };
  const asking = async <T>(ask: (from: From) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      const memory = await held.memory();
      const before = memory.moves;
      const isTrusted = attempt < attempts && !memory.isDisturbed;
      const answer = await ask({ memory, isTrusted });
      if (!isTrusted || (memory.moves === before && !memory.isDisturbed)) return answer;
    }
  };
  const hits = (level: Level, query: Query) => asking((from) => find(finding, from, level, query));

  return {
    async add(records, marks) {
      return held.inTurn(async () => {
        const memory = await held.memory();
        const outcomes = await adding.add(memory, records, marks);
        mergeWhenLong(memory);
        return outcomes;
      });
    },
    marks: () => store.marks(),
    findStudies: async (query) => (await hits("study", query)).map(({ study }) => indexedStudy(study.row)),
    countStudies: (matches) => asking((from) => count(finding, from, matches)),
    async findSeries(query) {
      const study = sharing();
      return (await hits("series", query)).flatMap((hit) =>
        hit.series === undefined ? [] : [indexedSeries(hit.series.row, study(hit))],
      );
    },
    async findInstances(query) {
      const study = sharing();
      const series = once((hit: Hit) => hit.series && indexedSeries(hit.series.row, study(hit)), seriesIdOf);
      return (await hits("instance", query)).flatMap((hit) => {
        const above = series(hit);
        return hit.instance === undefined || above === undefined
          ? []
          : [{ ...indexedInstance(hit.instance.row), series: above }];
      });
    },
    factsOf: facts.factsOf,
    ...createReading(store, digests),
    ...createChanges(parts, held, adding.forget),
    async close() {
      await held.close();
      await store.close();
    },
  };
}

const seriesIdOf = ({ series }: Hit) => series?.row.id ?? 0;
/** Rows of one study share its object: it is opened once for all of them. */
const sharing = () =>
  once(
    ({ study }: Hit): IndexedStudy => indexedStudy(study.row),
    ({ study }) => study.row.id,
  );

function once<From, To>(make: (from: From) => To, idOf: (from: From) => number): (from: From) => To {
  const made = new Map<number, To>();
  return (from) => {
    const id = idOf(from);
    const known = made.get(id);
    if (known !== undefined) return known;
    const one = make(from);
    made.set(id, one);
    return one;
  };
}
