import { isProblem } from "#base/problem";
import type { Correction, IdentityValues } from "#trust/vault";
import type { AddingParts } from "./blind-adding.ts";
import { placeTexts } from "./blind-facts.ts";
import type { Held } from "./blind-held.ts";
import { type LogEntry, logBlock } from "./blind-log.ts";
import { seriesIn } from "./blind-reading.ts";
import { goneSortKeys, sortKeysIn } from "./blind-sort-keys.ts";
import type { BlindChange, ConflictHeld, StudyHeld } from "./blind-store.ts";
import { termTexts } from "./blind-terms.ts";
import { withCorrection } from "./corrected-values.ts";
import { instancesDigest } from "./instances-digest.ts";
import type { InstancePlaces, StudyIndex } from "./study-index.ts";

type Changes = Pick<
  StudyIndex,
  "putSeriesBlob" | "correct" | "patientChanged" | "removeStudy" | "removeConflict" | "relocate" | "clear"
>;

/** Changes of what stands in the index; `forget` is called when what is remembered of rows is not so any more. */
export function createChanges(parts: AddingParts, held: Held, forget: () => void): Changes {
  const { store, digests } = parts;
  const change = <T>(work: (rows: BlindChange) => Promise<T>) => held.inTurn(() => store.change(work));
  /** With an entry in the log, unless there is nothing to change. */
  const logging = <T>(work: (rows: BlindChange) => Promise<{ readonly result: T; readonly entry?: LogEntry }>) =>
    held.inTurn(async () => {
      const memory = await held.memory();
      return memory.disturbed(async () => {
        const { result, entry } = await store.change(async (rows) => {
          const done = await work(rows);
          if (done.entry !== undefined) await rows.put({ blocks: [logBlock(parts, memory.logSerial, [done.entry])] });
          return done;
        });
        if (entry !== undefined) memory.logged([entry]);
        forget();
        return result;
      });
    });
  return {
    putSeriesBlob: (studyUid, seriesUid, { place, instanceCount }, corrections, instances = "") =>
      change(async (rows) => {
        const series = await seriesIn(rows, digests, studyUid, seriesUid);
        if (series === undefined) return;
        const studies = await rows.studies([series.studyId]);
        if (studies.some(({ rejectedCount }) => rejectedCount > 0)) {
          const shown = (await rows.instancesOfStudy(series.studyId, series.id)).filter((row) => !row.isRejected);
          if (instances !== instancesDigest(shown.map(({ token }) => token))) return;
        }
        const owners = studies.map(sealedOf);
        const areSame = (held: IdentityValues) => (held.corrections?.length ?? 0) === corrections;
        if ((await parts.box.examine(owners, areSame))[0] !== true) return;
        await rows.put({ series: [{ ...series, blobPlace: place, blobInstanceCount: instanceCount }] });
      }),
    correct: (studyToken, correction) => logging((rows) => correctIn(parts, rows, studyToken, correction)),
    patientChanged: (studyToken) => logging((rows) => changePatientIn(parts, rows, studyToken)),
    removeStudy: (studyToken) => logging((rows) => removeStudyIn(rows, studyToken)),
    removeConflict: (id) =>
      change(async (rows) => {
        const copy = (await rows.conflicts()).find(({ token }) => token === id);
        if (copy === undefined) return undefined;
        await removeCopies(rows, [copy]);
        return copy.places;
      }),
    relocate: (half, moves) => change((rows) => rows.relocate(half, moves)),
    clear: () =>
      held.inTurn(async () => {
        await store.change((rows) => rows.clear());
        held.forget();
      }),
  };
}

const sealedOf = ({ studyToken, identity }: StudyHeld) => ({ studyToken, sealed: identity });

/** Of a study of which everything is rejected none. */
const sortKeysOf = ({ instanceCount }: StudyHeld, values: IdentityValues["values"]) =>
  instanceCount === 0 ? goneSortKeys : sortKeysIn(values);

async function correctIn(
  { box, terms, facts, corrected }: AddingParts,
  rows: BlindChange,
  studyToken: string,
  correction: Correction,
) {
  const [study] = await rows.studiesByToken([studyToken]);
  if (study === undefined) return { result: undefined };
  let now: IdentityValues | undefined;
  const identity = await box
    .amend(sealedOf(study), (held) => {
      now = withCorrection(held, correction);
      return now;
    })
    .catch((error: unknown) => {
      // Shredded: there is nothing left to be found by.
      if (isProblem(error, "absent")) return undefined;
      throw error;
    });
  if (identity === undefined || now === undefined) return { result: undefined };
  const { values, corrections = [] } = now;
  const lies = { ...facts.open(study), order: facts.orderOf(values) };
  const series = await rows.seriesOfStudies([study.id]);
  await rows.put({
    studies: [{ ...study, identity, facts: facts.seal(studyToken, lies) }],
    series: series.map((row) => ({ ...row, blobInstanceCount: -1 })),
  });
  const texts = [...termTexts("study", values), ...placeTexts(lies)];
  const found = new Set([corrected, ...texts.flatMap(({ key, text }) => terms.all(key, text))]);
  const isNewest = corrections.at(-1)?.version === correction.version;
  return {
    result: isNewest ? ("newest" as const) : ("older" as const),
    entry: { id: study.id, terms: [...found], sortKeys: sortKeysOf(study, values) },
  };
}

async function changePatientIn({ box, terms, facts, corrected }: AddingParts, rows: BlindChange, studyToken: string) {
  const [study] = await rows.studiesByToken([studyToken]);
  const patient = (await box.patientOf(studyToken)) ?? "";
  if (study === undefined || facts.open(study).patient === patient) return { result: undefined };
  const lies = { ...facts.open(study), patient };
  await rows.put({ studies: [{ ...study, facts: facts.seal(studyToken, lies) }] });
  const found = new Set([corrected, ...placeTexts(lies).flatMap(({ key, text }) => terms.all(key, text))]);
  // Its keys are as before: that they come again tells questions under way that the study has moved.
  let sortKeys: readonly number[] | undefined;
  await box.examine([sealedOf(study)], ({ values }) => {
    sortKeys = sortKeysOf(study, values);
    return true;
  });
  return { result: undefined, entry: { id: study.id, terms: [...found], ...(sortKeys && { sortKeys }) } };
}

async function removeStudyIn(rows: BlindChange, studyToken: string) {
  const copies = await rows.conflicts();
  const [study] = await rows.studiesByToken([studyToken]);
  const below = study === undefined ? [] : await rows.instancesOfStudy(study.id);
  const served = new Set(below.map(({ id }) => id));
  // What came under its name and lies beside an instance of another study goes too; what lies beside its own goes with it.
  const elsewhere = copies.filter((copy) => copy.studyToken === studyToken && !served.has(copy.instanceId));
  await removeCopies(rows, elsewhere);
  const beside = copies.filter((copy) => served.has(copy.instanceId));
  const result: InstancePlaces[] = [...below, ...beside, ...elsewhere].map(({ places }) => places);
  if (study === undefined) return { result };
  await rows.removeStudy(study.id);
  return { result, entry: { id: study.id, terms: [], sortKeys: goneSortKeys } };
}

/** Takes copies in conflict out, and off the count of the studies that show them. */
async function removeCopies(rows: BlindChange, copies: readonly ConflictHeld[]): Promise<void> {
  if (copies.length === 0) return;
  const served = new Map(
    (await rows.instances(copies.map(({ instanceId }) => instanceId))).map((row) => [row.id, row]),
  );
  const fewer = new Map<number, number>();
  for (const { instanceId } of copies) {
    const studyId = served.get(instanceId)?.studyId;
    if (studyId !== undefined) fewer.set(studyId, (fewer.get(studyId) ?? 0) + 1);
  }
  const studies = await rows.studies([...fewer.keys()]);
  await rows.removeConflicts(copies.map(({ id }) => id));
  await rows.put({
    studies: studies.map((row) => ({ ...row, conflictCount: row.conflictCount - (fewer.get(row.id) ?? 0) })),
  });
}
