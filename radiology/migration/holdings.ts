import type { Archive, StudyIndex } from "#radiology/archive";
import { type Held, nothingHeld, type Outcome } from "./job.ts";
import type { Contents, Wanted } from "./source.ts";

/** What a study of an old archive looks like beside ours. */
export interface Comparison {
  readonly held: Held;
  /** Instances that the archive lists; where it lists none, those that it says there are. */
  readonly listed: number;
  readonly missing: number;
  readonly outcome: Exclude<Outcome, "failed" | "passed-over">;
  /** What is to be fetched; undefined: nothing. */
  readonly wanted: Wanted | undefined;
}

export interface HoldingsParts {
  readonly archive: Pick<Archive, "settled">;
  readonly index: Pick<StudyIndex, "study" | "instances" | "heldIn" | "findSeries">;
}

/** In one look-up. */
const askedMost = 500;

/** Compares what the archive says of a study with what is here: by instance where it lists them, else by the numbers of its series, else by its own. */
export type Compare = (studyUid: string, contents: Contents) => Promise<Comparison>;

export function createCompare({ archive, index }: HoldingsParts): Compare {
  const heldOf = async (studyUid: string): Promise<Held> => {
    const study = await index.study(studyUid);
    if (study === undefined) return nothingHeld;
    const bytes = (await index.instances(studyUid)).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    // What rejection notes hide came all the same.
    return { instances: study.instanceCount + study.rejectedCount, conflicts: study.conflictCount, bytes };
  };
  /** What of these is nowhere, and how many came as copies in conflict. */
  const lookUp = async (studyUid: string, sopUids: readonly string[]) => {
    const absent: string[] = [];
    let copies = 0;
    for (let from = 0; from < sopUids.length; from += askedMost) {
      const asked = sopUids.slice(from, from + askedMost);
      const here = await index.heldIn(studyUid, asked);
      absent.push(...asked.filter((uid) => !here.served.has(uid) && !here.copies.has(uid)));
      copies += here.copies.size;
    }
    return { absent, copies };
  };
  const seriesCount = async (studyUid: string, seriesUid: string): Promise<number> => {
    const uid = (keyword: string, value: string) => ({ keyword, kind: "equal", values: [value] }) as const;
    const matches = [uid("StudyInstanceUID", studyUid), uid("SeriesInstanceUID", seriesUid)];
    const [row] = await index.findSeries({ matches, limit: 1, offset: 0 });
    return row?.instanceCount ?? 0;
  };

  const byInstance = async (
    studyUid: string,
    series: readonly Listing[],
    count: number,
    counted: Held,
  ): Promise<Comparison> => {
    const seen = new Set<string>();
    const only: { seriesUid: string; sopUids?: readonly string[] }[] = [];
    const sopClassUids = new Set<string>();
    let [missing, conflicts] = [0, 0];
    for (const { seriesUid, instances } of series) {
      const fresh = new Map(instances.filter(({ sopUid }) => !seen.has(sopUid)).map((one) => [one.sopUid, one]));
      for (const uid of fresh.keys()) seen.add(uid);
      const { absent, copies } = await lookUp(studyUid, [...fresh.keys()]);
      conflicts += copies;
      if (absent.length === 0) continue;
      missing += absent.length;
      for (const uid of absent) sopClassUids.add(fresh.get(uid)?.sopClassUid ?? "");
      only.push(absent.length === fresh.size ? { seriesUid } : { seriesUid, sopUids: absent });
    }
    sopClassUids.delete("");
    const held = { ...counted, conflicts };
    const isAll = missing === seen.size;
    const wanted = { studyUid, sopClassUids: [...sopClassUids], ...(!isAll && { only }) };
    if (missing > 0) return { held, listed: Math.max(seen.size, count), missing, outcome: "short", wanted };
    // It may send what it does not list.
    const unlisted = Math.max(0, count - Math.max(seen.size, held.instances));
    if (unlisted === 0)
      return { held, listed: seen.size, missing: 0, outcome: moreOr(held, seen.size), wanted: undefined };
    const whole = { studyUid, sopClassUids: [] };
    return { held, listed: count, missing: unlisted, outcome: "differs", wanted: whole };
  };

  const byNumber = async (studyUid: string, { count, series = [] }: Contents, held: Held): Promise<Comparison> => {
    const whole = { studyUid, sopClassUids: [] };
    const counted = series.filter((one) => one.count !== undefined);
    let [listed, missing, more] = [0, 0, 0];
    if (series.length > 0 && counted.length === series.length) {
      for (const { seriesUid, count: there = 0 } of counted) {
        const here = await seriesCount(studyUid, seriesUid);
        listed += there;
        missing += Math.max(0, there - here);
        more += Math.max(0, here - there);
      }
    } else if (count !== undefined) {
      listed = count;
      missing = Math.max(0, count - held.instances);
      more = Math.max(0, held.instances - count);
    } else {
      // Nothing to compare with: what it sends is all there is to know.
      return { held, listed: held.instances, missing: 0, outcome: "differs", wanted: whole };
    }
    const outcome = missing > 0 ? (more > 0 ? "differs" : "short") : more > 0 ? "more" : "whole";
    return { held, listed, missing, outcome, wanted: missing > 0 ? whole : undefined };
  };

  return async (studyUid, contents) => {
    await archive.settled();
    const held = await heldOf(studyUid);
    const { series = [], count = 0 } = contents;
    const listings = series.flatMap((one): Listing[] => (one.instances ? [{ ...one, instances: one.instances }] : []));
    const isListed = series.length > 0 && listings.length === series.length;
    return isListed ? byInstance(studyUid, listings, count, held) : byNumber(studyUid, contents, held);
  };
}

interface Listing {
  readonly seriesUid: string;
  readonly instances: readonly { readonly sopUid: string; readonly sopClassUid: string }[];
}

const moreOr = (held: Held, listed: number): "more" | "whole" => (held.instances > listed ? "more" : "whole");
