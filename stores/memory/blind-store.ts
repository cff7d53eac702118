import { createTurns } from "#base/turns";
import type {
  BlindChange,
  BlindReads,
  BlindRows,
  BlindStore,
  Block,
  ConflictHeld,
  InstanceHeld,
  Move,
  PackMark,
  RejectionHeld,
  SeriesHeld,
  StudyHeld,
} from "#radiology/archive";
import { type Failing, withFailures } from "./failing.ts";
import { createTable, type Table } from "./table.ts";

interface Tables {
  readonly studies: Table<StudyHeld>;
  readonly series: Table<SeriesHeld>;
  readonly instances: Table<InstanceHeld>;
  readonly conflicts: Table<ConflictHeld>;
  readonly rejections: Table<RejectionHeld>;
  readonly blocks: Table<Block>;
  readonly marks: Table<PackMark>;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");

/** The blind store without a disk. */
export function createMemoryBlindStore(): BlindStore & Failing {
  const tables = emptyTables();
  const turns = createTurns();
  const store: BlindStore = {
    ...readsOf(tables),
    change: (work) =>
      turns.take(async () => {
        const forks = forked(tables);
        const result = await work({ ...readsOf(forks), ...writesOf(forks) });
        settle(forks);
        return result;
      }),
    close: async () => {},
  };
  return withFailures(store);
}

function emptyTables(): Tables {
  const key = (row: { readonly id: number }) => String(row.id);
  return {
    studies: createTable<StudyHeld>({
      key,
      indexes: { digest: (row) => hex(row.uidDigest), token: (row) => row.studyToken },
      unique: ["digest", "token"],
    }),
    series: createTable<SeriesHeld>({
      key,
      indexes: {
        digest: (row) => hex(row.uidDigest),
        study: (row) => String(row.studyId),
        uid: (row) => `${row.studyId} ${hex(row.uidDigest)}`,
      },
      unique: ["uid"],
    }),
    instances: createTable<InstanceHeld>({
      key,
      indexes: { digest: (row) => hex(row.sopDigest), study: (row) => String(row.studyId) },
      unique: ["digest"],
    }),
    conflicts: createTable<ConflictHeld>({
      key,
      indexes: {
        digest: (row) => hex(row.sopDigest),
        served: (row) => String(row.instanceId),
        copy: (row) => `${hex(row.sopDigest)} ${hex(row.contentDigest)}`,
      },
      unique: ["copy"],
    }),
    rejections: createTable<RejectionHeld>({
      key: ({ sopDigest }) => hex(sopDigest),
      indexes: {},
      unique: [],
    }),
    blocks: createTable<Block>({
      key: ({ name, serial }) => `${hex(name)} ${serial}`,
      indexes: { name: ({ name }) => hex(name) },
      unique: [],
    }),
    marks: createTable<PackMark>({ key: ({ pack }) => pack, indexes: {}, unique: [] }),
  };
}

const forked = (tables: Tables) => ({
  studies: tables.studies.fork(),
  series: tables.series.fork(),
  instances: tables.instances.fork(),
  conflicts: tables.conflicts.fork(),
  rejections: tables.rejections.fork(),
  blocks: tables.blocks.fork(),
  marks: tables.marks.fork(),
});

/** All or none: what could be refused is refused while the tables are as they were. */
function settle(forks: ReturnType<typeof forked>): void {
  const all = Object.values(forks);
  for (const table of all) table.refuse();
  for (const table of all) table.settle();
}

type Compare<Row> = (a: Row, b: Row) => number;
const byId: Compare<{ readonly id: number }> = (a, b) => a.id - b.id;
const byChange: Compare<StudyHeld | SeriesHeld> = (a, b) => b.changedAt - a.changedAt || b.id - a.id;
const bySeriesNumber: Compare<SeriesHeld> = (a, b) =>
  a.studyId - b.studyId || a.seriesNumber - b.seriesNumber || a.id - b.id;
const byInstanceNumber: Compare<InstanceHeld> = (a, b) =>
  a.seriesId - b.seriesId || a.instanceNumber - b.instanceNumber || a.id - b.id;
const byServed: Compare<ConflictHeld> = (a, b) => a.instanceId - b.instanceId || a.id - b.id;
const byNameAndSerial: Compare<Block> = (a, b) => Buffer.compare(a.name, b.name) || a.serial - b.serial;

function readsOf({ studies, series, instances, conflicts, rejections, blocks, marks }: Tables): BlindReads {
  const each = <Row>(table: Table<Row>, index: string, names: readonly string[]) =>
    [...new Set(names)].flatMap((name) => table.by(index, name));
  const named = <Row>(table: Table<Row>, ids: readonly number[]) =>
    [...new Set(ids)].flatMap((id) => table.get(String(id)) ?? []);
  return {
    studies: async (ids) => named(studies, ids),
    studiesByDigest: async (digests) => each(studies, "digest", digests.map(hex)),
    studiesByToken: async (tokens) => each(studies, "token", tokens),
    studiesAfter: async (id, limit) =>
      studies
        .all()
        .filter((row) => row.id > id)
        .sort(byId)
        .slice(0, limit),
    async studiesByChange({ limit, offset, ascending }) {
      const rows = studies.all().sort(byChange);
      if (ascending) rows.reverse();
      return rows.slice(offset, offset + limit).map(({ id }) => id);
    },
    studyCount: async () => studies.all().filter(({ instanceCount }) => instanceCount > 0).length,
    seriesOfStudies: async (ids) => each(series, "study", ids.map(String)).sort(bySeriesNumber),
    seriesByDigest: async (digests) => each(series, "digest", digests.map(hex)),
    seriesWithoutBlob: async (unchangedSince, limit) =>
      series
        .all()
        .filter((row) => row.blobInstanceCount !== row.instanceCount && row.changedAt <= unchangedSince)
        .sort(byChange)
        .slice(0, limit),
    instancesOfStudy: async (studyId, seriesId) =>
      instances
        .by("study", String(studyId))
        .filter((row) => seriesId === undefined || row.seriesId === seriesId)
        .sort(byInstanceNumber),
    instancesByDigest: async (digests) => each(instances, "digest", digests.map(hex)),
    instances: async (ids) => named(instances, ids),
    async conflicts(of) {
      if (of === undefined) return conflicts.all().sort(byServed);
      const found =
        "sopDigests" in of
          ? each(conflicts, "digest", of.sopDigests.map(hex))
          : instances.by("study", String(of.studyId)).flatMap(({ id }) => conflicts.by("served", String(id)));
      return found.sort(byServed);
    },
    rejections: async (digests) => [...new Set(digests.map(hex))].flatMap((digest) => rejections.get(digest) ?? []),
    blocks: async (names) => each(blocks, "name", names.map(hex)).sort(byNameAndSerial),
    lastBlocks: async (names) =>
      [...new Set(names.map(hex))].flatMap((name) => blocks.by("name", name).sort(byNameAndSerial).at(-1) ?? []),
    marks: async () => marks.all().sort((a, b) => (a.pack < b.pack ? -1 : 1)),
  };
}

type Writes = Omit<BlindChange, keyof BlindReads>;

function writesOf(tables: Tables): Writes {
  const { studies, series, instances, conflicts, rejections, blocks, marks } = tables;
  const last = (table: Table<{ readonly id: number }>) => table.all().reduce((most, { id }) => Math.max(most, id), 0);
  return {
    async put(rows: BlindRows) {
      for (const row of rows.studies ?? []) studies.put({ ...row });
      for (const row of rows.series ?? []) series.put({ ...row });
      for (const row of rows.instances ?? []) instances.put({ ...row });
      for (const row of rows.conflicts ?? []) conflicts.put({ ...row });
      for (const row of rows.rejections ?? []) rejections.put({ ...row });
      for (const block of rows.blocks ?? []) blocks.put({ ...block });
      for (const { pack, position } of rows.marks ?? []) {
        marks.put({ pack, position: Math.max(position, marks.get(pack)?.position ?? 0) });
      }
    },
    next: async () => ({
      study: last(studies) + 1,
      series: last(series) + 1,
      instance: last(instances) + 1,
      conflict: last(conflicts) + 1,
    }),
    async removeStudy(studyId) {
      for (const instance of instances.by("study", String(studyId))) {
        for (const copy of conflicts.by("served", String(instance.id))) conflicts.remove(copy);
        instances.remove(instance);
      }
      for (const one of series.by("study", String(studyId))) series.remove(one);
      const study = studies.get(String(studyId));
      if (study !== undefined) studies.remove(study);
    },
    async removeConflicts(ids) {
      for (const id of ids) {
        const copy = conflicts.get(String(id));
        if (copy !== undefined) conflicts.remove(copy);
      }
    },
    async removeBlocks(name, below) {
      for (const block of blocks.by("name", hex(name))) if (block.serial < below) blocks.remove(block);
    },
    relocate: async (half, moves) => relocate(tables, half, moves),
    async clear() {
      for (const table of [studies, series, instances, conflicts, rejections, blocks, marks]) table.clear();
    },
  };
}

function relocate({ series, instances, conflicts }: Tables, half: "image" | "identity", moves: readonly Move[]): void {
  const placeName = ({ pack, offset }: Move["from"]) => `${offset} ${pack}`;
  const moved = new Map(moves.map(({ from, to }) => [placeName(from), to]));
  for (const row of instances.all()) {
    const to = moved.get(placeName(row.places[half]));
    if (to !== undefined) instances.put({ ...row, places: { ...row.places, [half]: to } });
  }
  for (const row of conflicts.all()) {
    const to = moved.get(placeName(row.places[half]));
    if (to !== undefined) conflicts.put({ ...row, places: { ...row.places, [half]: to } });
  }
  if (half === "image") return;
  for (const row of series.all()) {
    const to = row.blobPlace === undefined ? undefined : moved.get(placeName(row.blobPlace));
    if (to !== undefined) series.put({ ...row, blobPlace: to });
  }
}
