import { Problem } from "#base/problem";
import { type Archive, createSeriesHeaders, type Query } from "#radiology/archive";
import type { Actor } from "#trust/access";
import { createAnswers, type Entity } from "./archive-find-answers.ts";
import { type FindKeys, readKeys } from "./archive-find-keys.ts";
import { readLevel, requireUniqueKeys, valuesOf } from "./archive-identifier.ts";
import { countKeys, type InformationModel, informationModels, uniqueKeys } from "./archive-models.ts";
import type { FindService } from "./service-ports.ts";

export interface ArchiveFindParts {
  readonly archive: Pick<Archive, "findStudies" | "findSeries" | "findInstances" | "findPatients" | "seriesMetadata">;
  readonly actor: Actor;
  /** Where what is found can be had by C-MOVE and C-GET. */
  readonly retrieveAe: string;
}

/** So many answers across studies, which nobody reads; and inside one, which a workstation needs whole. */
const acrossStudiesMost = 2_000;
const insideStudyMost = 20_000;
const pageMost = 500;

/** C-FIND over the archive for one caller (PS3.4 §C.4.1), by SOP class. */
export function archiveFinds(parts: ArchiveFindParts): ReadonlyMap<string, FindService> {
  return new Map(informationModels.map((model) => [model.find, findService(parts, model)]));
}

function findService(parts: ArchiveFindParts, model: InformationModel): FindService {
  return {
    supports: {
      ...{ relational: true, dateTime: true, fuzzyNames: true, timezone: false },
      ...{ emptyValues: true, multipleValues: true },
    },
    async *find({ identifier, extended }) {
      const asked = readLevel(identifier, model);
      if (!extended.relational) requireUniqueKeys(identifier, asked.above);
      const { fuzzyNames, dateTime: dateTimes = false, emptyValues = false, multipleValues = false } = extended;
      const keys = readKeys(identifier, asked, { fuzzyNames, dateTimes, emptyValues, multipleValues });
      const answer = createAnswers(keys, createSeriesHeaders(parts.archive, parts.actor), parts.retrieveAe);
      const isInside = asked.level !== "STUDY" && valuesOf(identifier, uniqueKeys.STUDY).length === 1;
      let left = isInside ? insideStudyMost : acrossStudiesMost;
      for await (const page of entities(parts, keys)) {
        for (const entity of page) {
          if (left-- === 0) throw tooMany();
          const found = await answer(entity);
          if (found !== undefined) yield found;
        }
      }
    },
  };
}

/** In pages, each an act of its own: what is open is not more than one of them. */
function entities({ archive, actor }: ArchiveFindParts, keys: FindKeys): AsyncIterable<readonly Entity[]> {
  const { level, matches, wanted } = keys;
  switch (level) {
    case "PATIENT": {
      const counts = wanted.some(({ keyword }) => countKeys[keyword] === "PATIENT");
      return archive.findPatients(actor, { matches, counts });
    }
    case "STUDY":
      return pagesOf(keys, async (query) => (await archive.findStudies(actor, query)).map((study) => ({ study })));
    case "SERIES":
      return pagesOf(keys, async (query) =>
        (await archive.findSeries(actor, query)).map((series) => ({ study: series.study, series })),
      );
    case "IMAGE":
      return pagesOf(keys, async (query) =>
        (await archive.findInstances(actor, query)).map((instance) => {
          const { series } = instance;
          return { study: series.study, series, instance };
        }),
      );
  }
}

async function* pagesOf(
  { matches }: FindKeys,
  find: (query: Query) => Promise<readonly Entity[]>,
): AsyncGenerator<readonly Entity[]> {
  // What arrives meanwhile moves the pages: an entity may come twice.
  const seen = new Set<string>();
  for (let offset = 0; ; offset += pageMost) {
    const page = await find({ matches, limit: pageMost, offset });
    yield page.filter(({ study, series, instance }) => {
      const uid = instance?.sopUid ?? series?.seriesUid ?? study.studyUid;
      return !seen.has(uid) && seen.add(uid);
    });
    // Some of a page may be left out: they were destroyed since the index found them.
    if (page.length <= pageMost / 2) return;
  }
}

function tooMany(): Problem {
  return new Problem("too-large", "more was found than is answered at once", {
    remedy: "narrow the search, for example by a date range",
  });
}
