import type { IndexBox } from "#trust/vault";
import type { LogEntry } from "./blind-log.ts";
import { hex, type RowDigests } from "./blind-rows.ts";
import { goneSortKeys, sortKeysIn } from "./blind-sort-keys.ts";
import type { BlindChange, InstanceHeld, RejectionHeld, SeriesHeld, StudyHeld } from "./blind-store.ts";
import type { Term } from "./blind-terms.ts";
import type { InstanceRecord } from "./study-index.ts";

/*
 * What rejection notes say is kept by the digest of what they name, so that it does not matter whether a note or an instance is
 * taken in first (a rebuild, two routes to here). Rows that are hidden stay where they are; the counts of their study and series are
 * made again, and a study of which nothing is shown loses its place in the columns, as one that was removed.
 */

/** Stands as the code of a note itself: notes are never shown, whatever other notes say of them. */
const noteItself = "note";

interface Parts {
  readonly box: IndexBox;
  readonly digests: RowDigests;
  /** Of studies that lists and columns may say too much of. */
  readonly corrected: Term;
}

/** What was taken in by a batch, in rows that were put. */
export interface TakenIn {
  readonly added: readonly InstanceHeld[];
  readonly notes: readonly InstanceRecord[];
  /** Studies whose counts cannot be trusted: something came to what had been hidden whole. */
  readonly doubtful: ReadonlySet<number>;
}

/** Hides what is rejected, shows what is not any more; gives what lists and columns have to learn. */
export async function applyRejections(
  parts: Parts,
  rows: BlindChange,
  { added, notes, doubtful }: TakenIn,
): Promise<LogEntry[]> {
  const flipped = new Map<number, Set<number>>([...doubtful].map((id) => [id, new Set()]));
  const follow = async (instances: readonly InstanceHeld[]) => {
    const said = await saidOf(
      rows,
      instances.map(({ sopDigest }) => sopDigest),
    );
    const wrong = instances.filter((row) => row.isRejected !== isHidden(said.get(hex(row.sopDigest))));
    await rows.put({ instances: wrong.map((row) => ({ ...row, isRejected: !row.isRejected })) });
    for (const { studyId, seriesId } of wrong)
      flipped.set(studyId, (flipped.get(studyId) ?? new Set<number>()).add(seriesId));
  };
  for (const note of notes) await putNote(parts.digests, rows, note);
  await follow(added);
  // One after the other: a note names thousands.
  for (const { rejection } of notes) {
    await follow(await rows.instancesByDigest((rejection?.sopUids ?? []).map(parts.digests.sop)));
  }
  const entries: LogEntry[] = [];
  for (const [studyId, seriesIds] of flipped) {
    const [study] = await rows.studies([studyId]);
    if (study !== undefined) entries.push(await reckon(parts, rows, study, seriesIds));
  }
  return entries;
}

const isHidden = (said: RejectionHeld | undefined): boolean => said !== undefined && said.code !== "";

async function saidOf(rows: BlindChange, digests: readonly Uint8Array[]): Promise<Map<string, RejectionHeld>> {
  return new Map((await rows.rejections(digests)).map((one) => [hex(one.sopDigest), one]));
}

/** The newest note holds, by when it came; the same note again says what it said before. */
async function putNote(digests: RowDigests, rows: BlindChange, record: InstanceRecord): Promise<void> {
  const { id: note, receivedAt: at, rejection, sopUid } = record;
  if (rejection === undefined) return;
  const own = digests.sop(sopUid);
  const named = [...new Set(rejection.sopUids)].map(digests.sop).filter((digest) => !digest.equals(own));
  const said = await saidOf(rows, named);
  const isNewer = (digest: Buffer) => {
    const before = said.get(hex(digest));
    if (before === undefined) return true;
    return before.code !== noteItself && (at > before.at || (at === before.at && note > before.note));
  };
  const { code } = rejection;
  await rows.put({
    rejections: [
      ...named.filter(isNewer).map((sopDigest) => ({ sopDigest, note, at, code })),
      { sopDigest: own, note, at, code: noteItself },
    ],
  });
}

/** Whether a row of `rejections` says that an instance is rejected, and not that it is a note. */
export const isRejection = (said: RejectionHeld): boolean => isHidden(said) && said.code !== noteItself;

/** Makes the counts of a study again, and those of the series in which something was hidden or shown. */
async function reckon(
  { box, corrected }: Parts,
  rows: BlindChange,
  study: StudyHeld,
  seriesIds: ReadonlySet<number>,
): Promise<LogEntry> {
  const { id, studyToken, identity } = study;
  const instances = await rows.instancesOfStudy(id);
  const shown = instances.filter(({ isRejected }) => !isRejected);
  const counts = new Map<number, number>();
  for (const { seriesId } of shown) counts.set(seriesId, (counts.get(seriesId) ?? 0) + 1);
  const series = await rows.seriesOfStudies([id]);
  const shownIds = new Set(shown.map((row) => row.id));
  const copies = (await rows.conflicts({ studyId: id })).filter(({ instanceId }) => shownIds.has(instanceId));
  await rows.put({
    series: series.filter((one) => seriesIds.has(one.id)).map((one) => withCount(one, counts.get(one.id) ?? 0)),
    studies: [
      {
        ...study,
        // Of a study that is hidden whole it stays what it was: retention goes by it.
        ...(shown.length > 0 && {
          modalities: modalitiesOf(study, series, counts),
          sopClassUids: [...new Set(shown.map(({ sopClassUid }) => sopClassUid))].sort(),
        }),
        seriesCount: counts.size,
        instanceCount: shown.length,
        conflictCount: copies.length,
        rejectedCount: instances.length - shown.length,
      },
    ],
  });
  const entry = { id, terms: [corrected] };
  if (shown.length === 0) return { ...entry, sortKeys: goneSortKeys };
  let sortKeys: number[] | undefined;
  await box.examine([{ studyToken, sealed: identity }], ({ values }) => {
    sortKeys = sortKeysIn(values);
    return true;
  });
  return { ...entry, ...(sortKeys !== undefined && { sortKeys }) };
}

/** What was computed of it shows what is not shown any more. */
function withCount({ blobPlace: _stale, ...one }: SeriesHeld, instanceCount: number): SeriesHeld {
  return { ...one, instanceCount, blobInstanceCount: instanceCount === 0 ? 0 : -1 };
}

/** Without those that only series have of which nothing is shown. */
function modalitiesOf(
  { modalities }: StudyHeld,
  series: readonly SeriesHeld[],
  counts: ReadonlyMap<number, number>,
): string[] {
  const inSeries = (isShown: boolean) =>
    series
      .filter(({ id }) => counts.has(id) === isShown)
      .flatMap(({ modality }) => modality.split("\\").filter((one) => one !== ""));
  const [shown, hidden] = [new Set(inSeries(true)), new Set(inSeries(false))];
  return [...new Set([...modalities.filter((one) => !hidden.has(one)), ...shown])].sort();
}
