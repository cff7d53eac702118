import { sql, type Transaction } from "kysely";
import type { IndexedValues, InstanceRecord } from "#radiology/archive";
import { keysOf } from "#radiology/archive";
import { seriesKeyColumns, studyKeyColumns } from "./columns.ts";
import { type InsertRows, padded } from "./inserting.ts";
import { membersOf, setOf, valuesOf } from "./rows.ts";
import type { SeriesTable, StudyTable, Tables } from "./tables.ts";

interface Held {
  readonly id: number;
  readonly isNew: boolean;
  values: Record<string, string>;
  instanceCount: number;
  changedAt: number;
  /** Counts differ from the database. */
  changed: boolean;
  /** Values do. */
  filled: boolean;
}

export interface StudyState extends Held {
  readonly studyUid: string;
  readonly studyToken: string;
  readonly modalities: Set<string>;
  readonly sopClasses: Set<string>;
  seriesCount: number;
  conflictCount: number;
}

export interface SeriesState extends Held {
  readonly studyId: number;
  readonly seriesUid: string;
}

/** The studies and series that a batch touches, read once, changed in memory, written once. */
export interface StudyStates {
  /** Those of a record that is to be added, made when they are new; empty values are filled in from the record. */
  of(record: InstanceRecord): { readonly study: StudyState; readonly series: SeriesState };
  byId(studyId: number): StudyState;
  write(insert: InsertRows): Promise<void>;
}

type Tx = Transaction<Tables>;

export async function createStudyStates(
  tx: Tx,
  records: readonly InstanceRecord[],
  otherStudyIds: readonly number[],
  next: { studies: number; series: number },
): Promise<StudyStates> {
  const studies = new Map<string, StudyState>();
  const series = new Map<string, SeriesState>();
  const seriesName = (studyId: number, seriesUid: string) => `${studyId} ${seriesUid}`;
  for (const row of await studyRows(tx, records, otherStudyIds)) studies.set(row.study_uid, studyOf(row));
  for (const row of await seriesRows(tx, records)) series.set(seriesName(row.study_id, row.series_uid), seriesOf(row));

  return {
    of(record) {
      const heldStudy = studies.get(record.studyUid);
      const study = heldStudy ?? newStudy(record, next.studies++);
      if (heldStudy === undefined) studies.set(record.studyUid, study);
      else fill(study, record.study);
      const name = seriesName(study.id, record.seriesUid);
      const heldSeries = series.get(name);
      const one = heldSeries ?? newSeries(record, study.id, next.series++);
      if (heldSeries === undefined) {
        series.set(name, one);
        study.seriesCount++;
      } else fill(one, record.series);
      for (const modality of (record.series.Modality ?? "").split("\\")) study.modalities.add(modality);
      return { study, series: one };
    },
    byId(studyId) {
      for (const study of studies.values()) if (study.id === studyId) return study;
      throw new Error("the study of a served instance was not read");
    },
    async write(insert) {
      await writeStudies(tx, insert, [...studies.values()]);
      await writeSeries(tx, insert, [...series.values()]);
    },
  };
}

async function studyRows(tx: Tx, records: readonly InstanceRecord[], ids: readonly number[]): Promise<StudyTable[]> {
  const uids = padded([...new Set(records.map(({ studyUid }) => studyUid))]);
  const query = tx.selectFrom("studies").selectAll();
  const rows = await query.where("study_uid", "in", uids).execute();
  const missing = [...new Set(ids)].filter((id) => !rows.some((row) => row.id === id));
  return missing.length === 0 ? rows : [...rows, ...(await query.where("id", "in", padded(missing)).execute())];
}

function seriesRows(tx: Tx, records: readonly InstanceRecord[]): Promise<SeriesTable[]> {
  const uids = padded([...new Set(records.map(({ seriesUid }) => seriesUid))]);
  return tx.selectFrom("series").selectAll().where("series_uid", "in", uids).execute();
}

const studyOf = (row: StudyTable): StudyState => ({
  id: row.id,
  isNew: false,
  studyUid: row.study_uid,
  studyToken: row.study_token,
  values: { ...valuesOf(row.attributes) },
  modalities: new Set(membersOf(row.modalities)),
  sopClasses: new Set(membersOf(row.sop_classes)),
  seriesCount: row.series_count,
  instanceCount: row.instance_count,
  conflictCount: row.conflict_count,
  changedAt: row.changed_at,
  changed: false,
  filled: false,
});

const newStudy = (record: InstanceRecord, id: number): StudyState => ({
  id,
  isNew: true,
  studyUid: record.studyUid,
  studyToken: record.studyToken,
  values: { ...record.study },
  modalities: new Set(),
  sopClasses: new Set(),
  seriesCount: 0,
  instanceCount: 0,
  conflictCount: 0,
  changedAt: record.receivedAt,
  changed: false,
  filled: false,
});

const seriesOf = (row: SeriesTable): SeriesState => ({
  id: row.id,
  isNew: false,
  studyId: row.study_id,
  seriesUid: row.series_uid,
  values: { ...valuesOf(row.attributes) },
  instanceCount: row.instance_count,
  changedAt: row.changed_at,
  changed: false,
  filled: false,
});

const newSeries = (record: InstanceRecord, studyId: number, id: number): SeriesState => ({
  id,
  isNew: true,
  studyId,
  seriesUid: record.seriesUid,
  values: { ...record.series },
  instanceCount: 0,
  changedAt: record.receivedAt,
  changed: false,
  filled: false,
});

/** The first instance says what a study is; a later one only adds what was missing. */
function fill(held: Held, values: IndexedValues): void {
  for (const keyword in values) {
    const value = values[keyword] ?? "";
    if (value === "" || (held.values[keyword] ?? "") !== "") continue;
    held.values[keyword] = value;
    held.filled = true;
  }
}

async function writeStudies(tx: Tx, insert: InsertRows, studies: readonly StudyState[]): Promise<void> {
  const added = studies.filter(({ isNew }) => isNew);
  const rows = added.map((study) => ({
    id: study.id,
    study_token: study.studyToken,
    study_uid: study.studyUid,
    ...studyCounts(study),
    ...studyValues(study),
  }));
  await insert(tx, "studies", rows);
  if (added.length > 0) {
    await tx
      .updateTable("totals")
      .set({ total: sql`total + ${added.length}` })
      .where("name", "=", "studies")
      .execute();
  }
  for (const study of studies) {
    if (study.isNew || !(study.changed || study.filled)) continue;
    const set = { ...studyCounts(study), ...(study.filled ? studyValues(study) : {}) };
    await tx.updateTable("studies").set(set).where("id", "=", study.id).execute();
  }
}

const studyCounts = (study: StudyState) => ({
  series_count: study.seriesCount,
  instance_count: study.instanceCount,
  conflict_count: study.conflictCount,
  changed_at: study.changedAt,
  modalities: setOf(study.modalities),
  sop_classes: setOf(study.sopClasses),
});

const studyValues = ({ values }: StudyState) => ({
  ...studyKeyColumns(keysOf("study", values)),
  attributes: JSON.stringify(values),
});

async function writeSeries(tx: Tx, insert: InsertRows, series: readonly SeriesState[]): Promise<void> {
  const rows = series
    .filter(({ isNew }) => isNew)
    .map((one) => ({
      id: one.id,
      study_id: one.studyId,
      series_uid: one.seriesUid,
      instance_count: one.instanceCount,
      changed_at: one.changedAt,
      blob_pack: null,
      blob_offset: null,
      blob_instance_count: -1,
      ...seriesValues(one),
    }));
  await insert(tx, "series", rows);
  for (const one of series) {
    if (one.isNew || !(one.changed || one.filled)) continue;
    const counts = { instance_count: one.instanceCount, changed_at: one.changedAt };
    const set = { ...counts, ...(one.filled ? seriesValues(one) : {}) };
    await tx.updateTable("series").set(set).where("id", "=", one.id).execute();
  }
}

const seriesValues = ({ values }: SeriesState) => ({
  ...seriesKeyColumns(keysOf("series", values)),
  attributes: JSON.stringify(values),
});
