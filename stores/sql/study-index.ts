import { type Kysely, type RawBuilder, sql, type Transaction } from "kysely";
import type { InstanceRow, Level, Match, Query, StudyIndex, StudyRow } from "#radiology/archive";
import { conditionOf, exactKey, sortKeysOf } from "#radiology/archive";
import { addRecords } from "./adding.ts";
import { clauseOf, orderOf } from "./conditions.ts";
import { createInserter } from "./inserting.ts";
import type { Engine } from "./migrations.ts";
import {
  copyRowColumns,
  seriesRowColumns,
  studyRowColumns,
  toInstanceRow,
  toListedInstance,
  toSeriesRow,
  toStudyRow,
} from "./rows.ts";
import type { Tables } from "./tables.ts";

/** The study index on one database. `reads` and `writes` may be the same; on SQLite they are two connections. */
export interface SqlParts {
  readonly engine: Engine;
  readonly reads: Kysely<Tables>;
  readonly writes: Kysely<Tables>;
  /** Ends when the last part that was made of it is closed. */
  readonly release: () => Promise<void>;
}

/** Writers of the index take turns on PostgreSQL, as they do by themselves on SQLite: ids and conflicts depend on it. */
const indexLock = 5326802;

export function createSqlStudyIndex(parts: SqlParts): StudyIndex {
  return { ...writing(parts), ...finding(parts), ...reading(parts), ...blobs(parts), close: parts.release };
}

function writing({ engine, reads, writes }: SqlParts): Pick<StudyIndex, "add" | "marks" | "clear"> {
  const insert = createInserter(engine);
  const inTurn = <T>(work: (tx: Transaction<Tables>) => Promise<T>) =>
    writes.transaction().execute(async (tx) => {
      if (engine === "postgres") await sql`select pg_advisory_xact_lock(${indexLock})`.execute(tx);
      return work(tx);
    });
  return {
    add: (records, marks) => inTurn((tx) => addRecords(tx, insert, records, marks)),
    marks: () => reads.selectFrom("pack_marks").select(["pack", "position"]).orderBy("pack").execute(),
    clear: () =>
      inTurn(async (tx) => {
        for (const table of ["conflicts", "instances", "series", "studies", "pack_marks"] as const) {
          await tx.deleteFrom(table).execute();
        }
        await tx.updateTable("totals").set({ total: 0 }).execute();
      }),
  };
}

type Finding = Pick<StudyIndex, "findStudies" | "countStudies" | "findSeries" | "findInstances">;

function finding({ engine, reads }: SqlParts): Finding {
  const where = (matches: readonly Match[], level: Level): RawBuilder<boolean> =>
    clauseOf({ all: matches.map((match) => conditionOf(match, level)) }, engine) as RawBuilder<boolean>;
  /** The asked order, then arrival of the study in the same direction, then the order inside a study. */
  const order = ({ sort }: Query, level: Level, ...inside: string[]): RawBuilder<unknown>[] => {
    const ascending = sort?.ascending ?? false;
    const direction = sql.raw(ascending ? "asc" : "desc");
    return [
      ...orderOf(sortKeysOf(sort?.keyword ?? "StudyDate", level), ascending),
      sql`studies.id ${direction}`,
      ...inside.map((column) => sql.ref(column)),
    ];
  };
  return {
    async findStudies(query) {
      const terms = sql`${sql.join(order(query, "study"))}`;
      // Ids first, so that a sort moves no whole rows.
      const page = reads
        .selectFrom("studies")
        .select("studies.id")
        .where(where(query.matches, "study"))
        .orderBy(terms)
        .limit(query.limit)
        .offset(query.offset);
      const rows = await reads
        .selectFrom("studies")
        .select(studyRowColumns)
        .where("studies.id", "in", page)
        .orderBy(terms)
        .execute();
      return rows.map(toStudyRow);
    },
    async countStudies(matches) {
      if (matches.length === 0) {
        const row = await reads.selectFrom("totals").select("total").where("name", "=", "studies").executeTakeFirst();
        return row?.total ?? 0;
      }
      const row = await reads
        .selectFrom("studies")
        .select(sql<number>`count(*)`.as("count"))
        .where(where(matches, "study"))
        .executeTakeFirst();
      return row?.count ?? 0;
    },
    async findSeries(query) {
      const rows = await reads
        .selectFrom("series")
        .innerJoin("studies", "studies.id", "series.study_id")
        .select([...studyRowColumns, ...seriesRowColumns])
        .where(where(query.matches, "series"))
        .orderBy(sql`${sql.join(order(query, "series", "series.id"))}`)
        .limit(query.limit)
        .offset(query.offset)
        .execute();
      return rows.map((row) => toSeriesRow(row));
    },
    async findInstances(query) {
      const rows = await reads
        .selectFrom("instances")
        .innerJoin("series", "series.id", "instances.series_id")
        .innerJoin("studies", "studies.id", "series.study_id")
        .select([...studyRowColumns, ...seriesRowColumns, ...copyRowColumns("instances")])
        .where(where(query.matches, "instance"))
        .orderBy(sql`${sql.join(order(query, "instance", "series.id", "instances.instance_number", "instances.id"))}`)
        .limit(query.limit)
        .offset(query.offset)
        .execute();
      return rows.map(toListedInstance);
    },
  };
}

type Reading = Pick<StudyIndex, "study" | "studyOfToken" | "instances" | "instance" | "conflicts">;

function reading({ reads }: SqlParts): Reading {
  const studyWhere = async (column: "study_uid" | "study_token", value: string): Promise<StudyRow | undefined> => {
    const row = await reads
      .selectFrom("studies")
      .select(studyRowColumns)
      .where(`studies.${column}`, "=", exactKey(value))
      .executeTakeFirst();
    return row === undefined ? undefined : toStudyRow(row);
  };
  const copies = reads
    .selectFrom("instances")
    .innerJoin("series", "series.id", "instances.series_id")
    .innerJoin("studies", "studies.id", "series.study_id")
    .select([...copyRowColumns("instances"), "series.series_uid", "studies.study_uid", "studies.study_token"]);
  return {
    study: (studyUid) => studyWhere("study_uid", studyUid),
    studyOfToken: (studyToken) => studyWhere("study_token", studyToken),
    async instances(studyUid, seriesUid) {
      const ofStudy = copies.where("studies.study_uid", "=", exactKey(studyUid));
      const chosen = seriesUid === undefined ? ofStudy : ofStudy.where("series.series_uid", "=", exactKey(seriesUid));
      const rows = await chosen
        .orderBy("series.id")
        .orderBy("instances.instance_number")
        .orderBy("instances.id")
        .execute();
      return rows.map(toInstanceRow);
    },
    async instance(studyUid, seriesUid, sopUid) {
      const row = await copies
        .where("instances.sop_uid", "=", exactKey(sopUid))
        .where("series.series_uid", "=", exactKey(seriesUid))
        .where("studies.study_uid", "=", exactKey(studyUid))
        .executeTakeFirst();
      return row === undefined ? undefined : toInstanceRow(row);
    },
    conflicts: () => conflictsOf(reads),
  };
}

/** Two reads; a conflict that comes between them shows without its served copy until the next look. */
async function conflictsOf(reads: Kysely<Tables>): Promise<InstanceRow[]> {
  const served = await reads
    .selectFrom("instances")
    .innerJoin("series", "series.id", "instances.series_id")
    .innerJoin("studies", "studies.id", "series.study_id")
    .select([...copyRowColumns("instances"), "series.series_uid", "studies.study_uid", "studies.study_token"])
    .select("instances.id as instance_id")
    .where("instances.id", "in", (from) => from.selectFrom("conflicts").select("instance_id"))
    .execute();
  const kept = await reads.selectFrom("conflicts").selectAll().orderBy("instance_id").orderBy("id").execute();
  const servedById = new Map(served.map((row) => [row.instance_id, row]));
  const rows: InstanceRow[] = [];
  let before: number | undefined;
  for (const copy of kept) {
    const first = servedById.get(copy.instance_id);
    if (copy.instance_id !== before && first !== undefined) rows.push(toInstanceRow(first));
    before = copy.instance_id;
    rows.push(toInstanceRow(copy));
  }
  return rows;
}

type Blobs = Pick<StudyIndex, "seriesBlob" | "putSeriesBlob" | "seriesWithoutBlob">;

function blobs({ reads, writes }: SqlParts): Blobs {
  return {
    async seriesBlob(studyUid, seriesUid) {
      const row = await reads
        .selectFrom("series")
        .innerJoin("studies", "studies.id", "series.study_id")
        .select(["blob_pack", "blob_offset", "blob_instance_count", "series.instance_count"])
        .where("studies.study_uid", "=", exactKey(studyUid))
        .where("series.series_uid", "=", exactKey(seriesUid))
        .executeTakeFirst();
      if (row === undefined || row.blob_pack === null || row.blob_offset === null) return undefined;
      return {
        place: { pack: row.blob_pack, offset: row.blob_offset },
        instanceCount: row.blob_instance_count,
        seriesInstanceCount: row.instance_count,
      };
    },
    async putSeriesBlob(studyUid, seriesUid, { place, instanceCount }) {
      await writes
        .updateTable("series")
        .set({ blob_pack: place.pack, blob_offset: place.offset, blob_instance_count: instanceCount })
        .where("series_uid", "=", exactKey(seriesUid))
        .where("study_id", "in", (from) =>
          from.selectFrom("studies").select("id").where("study_uid", "=", exactKey(studyUid)),
        )
        .execute();
    },
    seriesWithoutBlob: async (unchangedSince, limit) => {
      const rows = await reads
        .selectFrom("series")
        .innerJoin("studies", "studies.id", "series.study_id")
        .select(["studies.study_uid", "series.series_uid"])
        .whereRef("series.blob_instance_count", "<>", "series.instance_count")
        .where("series.changed_at", "<=", unchangedSince)
        .orderBy("series.changed_at", "desc")
        .orderBy("series.id", "desc")
        .limit(limit)
        .execute();
      return rows.map((row) => ({ studyUid: row.study_uid, seriesUid: row.series_uid }));
    },
  };
}
