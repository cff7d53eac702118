import { isProblem } from "#base/problem";
import { type DicomJson, Tag } from "#formats/dicom";
import type { Actor } from "#trust/access";
import type { Archive } from "./archive.ts";
import { inflatedSeries, instancesIn, jsonText } from "./series-json.ts";

/** One answer reads the headers of so many series at most. */
const seriesReadMax = 50;

/** Attributes that the index does not hold, of what a search found: from the kept metadata of its series. */
export interface SeriesHeaders {
  /** Of one instance, or without its UID of the first of the series. Undefined where it has gone, or more series were asked for than are read. */
  of(studyUid: string, seriesUid: string, sopUid?: string): Promise<DicomJson | undefined>;
}

export function createSeriesHeaders(archive: Pick<Archive, "seriesMetadata">, actor: Actor): SeriesHeaders {
  const series = new Map<string, Promise<Headers>>();
  const headersOf = (studyUid: string, seriesUid: string): Promise<Headers> => {
    const known = series.get(seriesUid);
    if (known !== undefined) return known;
    const read = series.size < seriesReadMax ? readHeaders(archive, actor, studyUid, seriesUid) : nothingRead;
    series.set(seriesUid, read);
    return read;
  };
  return {
    async of(studyUid, seriesUid, sopUid) {
      const { first, bySop } = await headersOf(studyUid, seriesUid);
      return sopUid === undefined ? first : bySop.get(sopUid);
    },
  };
}

interface Headers {
  readonly first: DicomJson | undefined;
  readonly bySop: ReadonlyMap<string, DicomJson>;
}

const nothingRead: Promise<Headers> = Promise.resolve({ first: undefined, bySop: new Map<string, DicomJson>() });

async function readHeaders(
  archive: Pick<Archive, "seriesMetadata">,
  actor: Actor,
  studyUid: string,
  seriesUid: string,
): Promise<Headers> {
  try {
    const blob = await archive.seriesMetadata(actor, studyUid, seriesUid);
    const all = [...instancesIn(await inflatedSeries(blob))];
    return { first: all[0], bySop: new Map(all.map((json) => [jsonText(json, Tag.SOPInstanceUID), json])) };
  } catch (error) {
    // Gone between the search and now.
    if (isProblem(error, "absent")) return nothingRead;
    throw error;
  }
}
