import { isProblem } from "#base/problem";
import type { IndexBox, SealedIdentity } from "#trust/vault";
import { type FactsBox, type HeldFacts, placeTexts } from "./blind-facts.ts";
import type { LogEntry } from "./blind-log.ts";
import { sortKeysIn } from "./blind-sort-keys.ts";
import type { BlindChange, SeriesHeld, StudyHeld } from "./blind-store.ts";
import { modalitiesIn, type Term, type Terms, termTexts } from "./blind-terms.ts";
import { keyIn } from "./matching.ts";
import type { IndexedValues, InstanceRecord } from "./study-index.ts";

/** What is remembered of a study or series between batches, so that a stream of instances opens nothing. */
export interface Known {
  /** Keywords that have a value; undefined when it cannot be opened any more, and so not be filled. */
  readonly have: Set<string> | undefined;
  /** Of a study: what was logged of its series and instances lately. */
  readonly logged: Set<string>;
}

interface Draft<Row> {
  row: Row;
  readonly isNew: boolean;
  readonly known: Known;
  /** Values that are new. */
  readonly fill: Record<string, string>;
  changed: boolean;
}

export interface StudyDraft extends Draft<StudyHeld> {
  readonly uid: string;
  readonly terms: Set<Term>;
  /** From where and since when, where that is new. */
  lies: Pick<HeldFacts, "facility" | "since"> | undefined;
}

export interface SeriesDraft extends Draft<SeriesHeld> {
  readonly uid: string;
  readonly studyToken: string;
}

const noBytes = new Uint8Array(0);

export function newStudy(record: InstanceRecord, id: number, uidDigest: Uint8Array): StudyDraft {
  const row: StudyHeld = {
    id,
    studyToken: record.studyToken,
    uidDigest,
    identity: noBytes,
    facts: noBytes,
    modalities: [],
    sopClassUids: [],
    seriesCount: 0,
    instanceCount: 0,
    conflictCount: 0,
    rejectedCount: 0,
    changedAt: record.receivedAt,
  };
  const draft = draftOf(row, true, nothingKnown(), record.study);
  return { ...draft, uid: record.studyUid, terms: new Set(), lies: liesIn(record) };
}

export function newSeries(record: InstanceRecord, id: number, study: StudyHeld, uidDigest: Uint8Array): SeriesDraft {
  const row: SeriesHeld = {
    id,
    studyId: study.id,
    uidDigest,
    identity: noBytes,
    modality: "",
    seriesNumber: 0,
    instanceCount: 0,
    changedAt: record.receivedAt,
    blobInstanceCount: -1,
  };
  return { ...draftOf(row, true, nothingKnown(), record.series), uid: record.seriesUid, studyToken: study.studyToken };
}

const liesIn = ({ facility = "", receivedAt }: InstanceRecord) => ({ facility, since: receivedAt });

/** A study lies where its first instance came from, in whatever order its instances are taken in. */
export function noteFacility(facts: FactsBox, study: StudyDraft, record: InstanceRecord): void {
  const { since } = study.lies ?? facts.open(study.row);
  if (record.receivedAt < since) study.lies = liesIn(record);
}

export const nothingKnown = (): Known => ({ have: new Set(), logged: new Set() });

/** `known` is changed: hand a copy in. What is empty in `values` is kept too. */
export function draftOf<Row>(row: Row, isNew: boolean, known: Known, values: IndexedValues = {}): Draft<Row> {
  const empty = Object.entries(values).filter(([, value]) => value === "");
  return { row, isNew, known, fill: Object.fromEntries(empty), changed: isNew };
}

export const copyOf = ({ have, logged }: Known): Known => ({ have: have && new Set(have), logged: new Set(logged) });

/** The first instance says what a study is; a later one only adds what was missing. */
function fillIn({ known, fill }: Draft<unknown>, values: IndexedValues): Record<string, string> {
  const added: Record<string, string> = {};
  for (const keyword in values) {
    const value = values[keyword] ?? "";
    if (value === "" || known.have === undefined || known.have.has(keyword)) continue;
    known.have.add(keyword);
    added[keyword] = value;
    fill[keyword] = value;
  }
  return added;
}

/** Counts an instance in, and notes what its study can newly be found by. */
export function noteArrival(terms: Terms, study: StudyDraft, series: SeriesDraft, record: InstanceRecord): void {
  const note = (texts: readonly { readonly key: string; readonly text: string }[]) => {
    for (const { key, text } of texts) {
      const name = `${key} ${text}`;
      if (study.known.logged.has(name)) continue;
      study.known.logged.add(name);
      for (const term of terms.all(key, text)) study.terms.add(term);
    }
  };
  const inStudy = fillIn(study, record.study);
  for (const { key, text } of termTexts("study", inStudy)) {
    for (const term of terms.all(key, text)) study.terms.add(term);
  }
  const modalities = modalitiesIn(record.series);
  note(termTexts("series", fillIn(series, record.series)));
  note(modalities.map((text) => ({ key: "Modality", text })));
  note(termTexts("instance", record.instance));
  note([{ key: "SOPClassUID", text: record.sopClassUid }]);
  const { row } = study;
  study.row = {
    ...row,
    modalities: withAll(row.modalities, modalities),
    sopClassUids: withAll(row.sopClassUids, [record.sopClassUid]),
    seriesCount: row.seriesCount + (series.isNew && series.row.instanceCount === 0 ? 1 : 0),
    instanceCount: row.instanceCount + 1,
    changedAt: Math.max(row.changedAt, record.receivedAt),
  };
  study.changed = true;
  series.row = {
    ...series.row,
    instanceCount: series.row.instanceCount + 1,
    changedAt: Math.max(series.row.changedAt, record.receivedAt),
  };
  series.changed = true;
}

function withAll(held: readonly string[], added: readonly string[]): readonly string[] {
  return added.every((one) => held.includes(one)) ? held : [...new Set([...held, ...added])].sort();
}

interface DraftParts {
  readonly box: IndexBox;
  readonly terms: Terms;
  readonly facts: FactsBox;
  readonly corrected: Term;
}

/** Seals what is new and puts the rows; gives what is to be logged. */
export async function putDrafts(
  parts: DraftParts,
  rows: BlindChange,
  studies: readonly StudyDraft[],
  series: readonly SeriesDraft[],
): Promise<LogEntry[]> {
  const entries = await Promise.all(studies.map((study) => sealStudy(parts, study)));
  await Promise.all(series.map((one) => sealSeries(parts.box, one)));
  await rows.put({
    studies: studies.filter(({ changed }) => changed).map(({ row }) => row),
    series: series.filter(({ changed }) => changed).map(({ row }) => row),
  });
  return entries.filter(({ terms, sortKeys }) => terms.length > 0 || sortKeys !== undefined);
}

async function sealStudy(parts: DraftParts, study: StudyDraft): Promise<LogEntry> {
  const { box } = parts;
  const { row, uid, fill } = study;
  let values: IndexedValues | undefined;
  if (study.isNew) {
    values = fill;
    study.row = { ...row, identity: await box.sealIdentity(row.studyToken, { uid, values }) };
  } else if (Object.keys(fill).length > 0) {
    const identity = await filled(box, { studyToken: row.studyToken, sealed: row.identity }, fill, (whole) => {
      values = whole;
    });
    study.row = { ...row, identity: identity ?? row.identity };
  }
  await placeStudy(parts, study, values);
  return { id: row.id, terms: [...study.terms], ...(values !== undefined && { sortKeys: sortKeysIn(values) }) };
}

/** Says anew where a study lies, where that has changed; `values` where those have. */
async function placeStudy(parts: DraftParts, study: StudyDraft, values: IndexedValues | undefined): Promise<void> {
  const { facts, terms } = parts;
  const { row, lies, isNew } = study;
  if (lies === undefined && values === undefined) return;
  const held = isNew ? { patient: (await parts.box.patientOf(row.studyToken)) ?? "", order: "" } : facts.open(row);
  const order = values === undefined ? held.order : facts.orderOf(values);
  if (lies === undefined && order === held.order) return;
  const now = { facility: "", since: 0, ...held, ...lies, order };
  study.row = { ...study.row, facts: facts.seal(row.studyToken, now) };
  if (!isNew) study.terms.add(parts.corrected);
  for (const { key, text } of placeTexts(now)) for (const term of terms.all(key, text)) study.terms.add(term);
}

async function sealSeries(box: IndexBox, series: SeriesDraft): Promise<void> {
  const { row, uid, fill, studyToken } = series;
  if (Object.keys(fill).length === 0 && !series.isNew) return;
  const identity = series.isNew
    ? await box.sealIdentity(studyToken, { uid, values: fill })
    : await filled(box, { studyToken, sealed: row.identity }, fill);
  series.row = {
    ...row,
    identity: identity ?? row.identity,
    modality: series.isNew || "Modality" in fill ? String(keyIn(fill, "Modality")) : row.modality,
    seriesNumber: series.isNew || "SeriesNumber" in fill ? Number(keyIn(fill, "SeriesNumber")) : row.seriesNumber,
  };
}

/** A study that was shredded meanwhile keeps what it has. */
function filled(
  box: IndexBox,
  identity: SealedIdentity,
  fill: IndexedValues,
  look: (values: IndexedValues) => void = () => {},
): Promise<Uint8Array | undefined> {
  const change = box.amend(identity, (held) => {
    const values = { ...held.values, ...fill };
    look(values);
    return { ...held, values };
  });
  return change.catch((error: unknown) => {
    if (isProblem(error, "absent")) return undefined;
    throw error;
  });
}
