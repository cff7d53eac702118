import { sql, type Transaction } from "kysely";
import type { AddOutcome, InstanceRecord, PackMark } from "#radiology/archive";
import { keysOf } from "#radiology/archive";
import { instanceKeyColumns } from "./columns.ts";
import { type InsertRows, padded } from "./inserting.ts";
import { createStudyStates, type SeriesState, type StudyState, type StudyStates } from "./study-states.ts";
import type { ConflictTable, CopyColumns, InstanceTable, Tables } from "./tables.ts";

type Tx = Transaction<Tables>;

/** A served instance, in the database or earlier in the batch. */
interface Served {
  readonly id: number;
  readonly sha256: string;
  readonly studyId: number;
}

interface NextIds {
  studies: number;
  series: number;
  instances: number;
  conflicts: number;
}

/** Takes a batch inside the transaction; see `StudyIndex.add`. */
export async function addRecords(
  tx: Tx,
  insert: InsertRows,
  records: readonly InstanceRecord[],
  marks: readonly PackMark[],
): Promise<AddOutcome[]> {
  const outcomes: AddOutcome[] = [];
  if (records.length > 0) {
    const served = await servedOf(tx, records);
    const kept = await keptConflictsOf(tx, records, served);
    const next = await nextIds(tx);
    const states = await createStudyStates(
      tx,
      records,
      [...served.values()].map(({ studyId }) => studyId),
      next,
    );
    const instances: InstanceTable[] = [];
    const conflicts: ConflictTable[] = [];
    for (const record of records) {
      const taken = served.get(record.sopUid);
      if (taken === undefined) {
        const { study, series } = states.of(record);
        noteArrival(study, series, record);
        const id = next.instances++;
        instances.push({
          id,
          series_id: series.id,
          ...copyOf(record),
          ...instanceKeyColumns(keysOf("instance", record.instance)),
        });
        served.set(record.sopUid, { id, sha256: record.dataSetSha256, studyId: study.id });
        outcomes.push("added");
      } else if (taken.sha256 === record.dataSetSha256 || kept.has(copyName(record.sopUid, record.dataSetSha256))) {
        outcomes.push("duplicate");
      } else {
        noteConflict(states.byId(taken.studyId), record);
        conflicts.push(conflictOf(record, next.conflicts++, taken.id));
        kept.add(copyName(record.sopUid, record.dataSetSha256));
        outcomes.push("conflict");
      }
    }
    await write(tx, insert, states, instances, conflicts);
  }
  await putMarks(tx, marks);
  return outcomes;
}

async function servedOf(tx: Tx, records: readonly InstanceRecord[]): Promise<Map<string, Served>> {
  const rows = await tx
    .selectFrom("instances")
    .innerJoin("series", "series.id", "instances.series_id")
    .select(["instances.id", "instances.sop_uid", "instances.data_set_sha256", "series.study_id"])
    .where("instances.sop_uid", "in", padded([...new Set(records.map(({ sopUid }) => sopUid))]))
    .execute();
  return new Map(rows.map((row) => [row.sop_uid, { id: row.id, sha256: row.data_set_sha256, studyId: row.study_id }]));
}

const copyName = (sopUid: string, sha256: string) => `${sopUid} ${sha256}`;

async function keptConflictsOf(
  tx: Tx,
  records: readonly InstanceRecord[],
  served: ReadonlyMap<string, Served>,
): Promise<Set<string>> {
  const differing = records.filter(({ sopUid, dataSetSha256 }) => {
    const taken = served.get(sopUid);
    return taken !== undefined && taken.sha256 !== dataSetSha256;
  });
  if (differing.length === 0) return new Set();
  const rows = await tx
    .selectFrom("conflicts")
    .select(["sop_uid", "data_set_sha256"])
    .where("sop_uid", "in", padded([...new Set(differing.map(({ sopUid }) => sopUid))]))
    .execute();
  return new Set(rows.map((row) => copyName(row.sop_uid, row.data_set_sha256)));
}

/** Ids are given out here, not by the database, so that rows which refer to each other go in without asking back. */
async function nextIds(tx: Tx): Promise<NextIds> {
  const { rows } = await sql<NextIds>`select
    (select coalesce(max(id), 0) + 1 from studies) as studies, (select coalesce(max(id), 0) + 1 from series) as series,
    (select coalesce(max(id), 0) + 1 from instances) as instances,
    (select coalesce(max(id), 0) + 1 from conflicts) as conflicts`.execute(tx);
  const found = rows[0];
  if (found === undefined) throw new Error("no row from a select without a table");
  return { ...found };
}

function noteArrival(study: StudyState, series: SeriesState, record: InstanceRecord): void {
  study.instanceCount++;
  study.changedAt = Math.max(study.changedAt, record.receivedAt);
  study.sopClasses.add(record.sopClassUid);
  study.changed = true;
  series.instanceCount++;
  series.changedAt = Math.max(series.changedAt, record.receivedAt);
  series.changed = true;
}

function noteConflict(study: StudyState, record: InstanceRecord): void {
  study.conflictCount++;
  study.changedAt = Math.max(study.changedAt, record.receivedAt);
  study.changed = true;
}

function copyOf(record: InstanceRecord): CopyColumns {
  return {
    token: record.id,
    sop_uid: record.sopUid,
    sop_class_uid: record.sopClassUid,
    transfer_syntax_uid: record.transferSyntaxUid,
    pack: record.place.pack,
    pack_offset: record.place.offset,
    size_bytes: record.sizeBytes,
    data_set_offset: record.dataSetOffset,
    pixel_offset: record.pixelOffset ?? null,
    pixel_length: record.pixelLength ?? null,
    data_set_sha256: record.dataSetSha256,
    received_at: record.receivedAt,
    received_from: record.receivedFrom,
    attributes: JSON.stringify(record.instance),
  };
}

function conflictOf(record: InstanceRecord, id: number, instanceId: number): ConflictTable {
  const { studyToken, studyUid, seriesUid } = record;
  return {
    id,
    instance_id: instanceId,
    ...copyOf(record),
    study_token: studyToken,
    study_uid: studyUid,
    series_uid: seriesUid,
  };
}

async function write(
  tx: Tx,
  insert: InsertRows,
  states: StudyStates,
  instances: readonly InstanceTable[],
  conflicts: readonly ConflictTable[],
): Promise<void> {
  await states.write(insert);
  await insert(tx, "instances", instances);
  await insert(tx, "conflicts", conflicts);
}

/** A mark only moves forward. */
async function putMarks(tx: Tx, marks: readonly PackMark[]): Promise<void> {
  for (const { pack, position } of marks) {
    await tx
      .insertInto("pack_marks")
      .values({ pack, position })
      .onConflict((conflict) =>
        conflict.column("pack").doUpdateSet({ position }).where("pack_marks.position", "<", position),
      )
      .execute();
  }
}
