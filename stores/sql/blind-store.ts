import type { BlindChange, BlindReads, BlindRows, BlindStore, Block, PackMark } from "#radiology/archive";
import { type IndexConnection, listed, once, type WithinChange } from "./index-connection.ts";
import { type IndexStatements, indexStatements, type Order, type Statement } from "./index-statements.ts";
import { blocks, conflicts, instances, rejections, series, studies, type Table } from "./index-tables.ts";
import type { Row } from "./packed-rows.ts";
import { storedText } from "./stored-text.ts";

/** The port's own account of it: `radiology/archive/blind-store.ts`. */
export function createSqlBlindStore(database: IndexConnection): BlindStore {
  const statements = indexStatements(database.engine);
  return {
    ...readsOf(database.read, statements),
    change: (work) => database.change((within) => work(changeOf(within, statements))),
    close: database.close,
  };
}

type Read = (order: Order) => Promise<Row[]>;

function readsOf(read: Read, statements: IndexStatements): BlindReads {
  const rows = async <T>(table: Table<T>, order: Order): Promise<T[]> => (await read(order)).map(table.heldOf);
  const find = async <T>(table: Table<T>, statement: Statement, keys: Parameters<typeof listed>[1]): Promise<T[]> =>
    keys.length === 0 ? [] : rows(table, listed(statement, keys));
  return {
    studies: (ids) => find(studies, statements.studies, ids),
    studiesByDigest: (digests) => find(studies, statements.studiesByDigest, digests),
    studiesByToken: (tokens) => find(studies, statements.studiesByToken, tokens.map(storedText)),
    studiesAfter: (id, limit) => rows(studies, once(statements.studiesAfter, id, limit)),
    async studiesByChange({ limit, offset, ascending }) {
      const statement = ascending ? statements.studiesByChangeAscending : statements.studiesByChangeDescending;
      return (await read(once(statement, limit, offset))).map(([id]) => id as number);
    },
    studyCount: async () => (await read(once(statements.studyCount)))[0]?.[0] as number,
    seriesOfStudies: (ids) => find(series, statements.seriesOfStudies, ids),
    seriesByDigest: (digests) => find(series, statements.seriesByDigest, digests),
    seriesWithoutBlob: (unchangedSince, limit) =>
      rows(series, once(statements.seriesWithoutBlob, unchangedSince, limit)),
    instancesOfStudy: (studyId, seriesId) =>
      rows(
        instances,
        seriesId === undefined
          ? once(statements.instancesOfStudy, studyId)
          : once(statements.instancesOfSeries, studyId, seriesId),
      ),
    instancesByDigest: (digests) => find(instances, statements.instancesByDigest, digests),
    instances: (ids) => find(instances, statements.instances, ids),
    async conflicts(of) {
      if (of === undefined) return rows(conflicts, once(statements.conflicts));
      if ("studyId" in of) return rows(conflicts, once(statements.conflictsOfStudy, of.studyId));
      const found = await find(conflicts, statements.conflictsByDigest, of.sopDigests);
      return found.sort((a, b) => a.instanceId - b.instanceId || a.id - b.id);
    },
    rejections: (digests) => find(rejections, statements.rejections, digests),
    blocks: (names) => find(blocks, statements.blocks, names),
    lastBlocks: (names) => find(blocks, statements.lastBlocks, names),
    marks: async () => (await read(once(statements.marks))).map(([pack, position]) => ({ pack, position }) as PackMark),
  };
}

function changeOf({ read, write, remove }: WithinChange, statements: IndexStatements): BlindChange {
  return {
    ...readsOf(read, statements),
    put: (rows) => write(putOrders(rows, statements)),
    async next() {
      const [numbers = []] = await read(once(statements.next));
      const [study, series, instance, conflict] = numbers as number[];
      return { study, series, instance, conflict } as Awaited<ReturnType<BlindChange["next"]>>;
    },
    removeStudy: (studyId) => remove(statements.removeStudy.map((statement) => once(statement, studyId))),
    removeConflicts: (ids) => remove(filled([listed(statements.removeConflicts, ids)])),
    removeBlocks: (name, below) => remove([once(statements.removeBlocks, name, below)]),
    async relocate(half, moves) {
      const rows = moves.map(({ from, to }) => [to.pack, to.offset, from.pack, from.offset]);
      const named = listed(
        statements.namePacks,
        moves.map(({ to }) => to.pack),
      );
      await write(filled([named, ...statements.relocate[half].map((statement) => ({ statement, rows }))]));
    },
    clear: () => remove(statements.clear.map((statement) => once(statement))),
  };
}

const filled = (orders: readonly Order[]): Order[] => orders.filter(({ rows }) => rows.length > 0);

function putOrders(rows: BlindRows, statements: IndexStatements): Order[] {
  const marks = lastOfEach(
    rows.marks?.toSorted((a, b) => a.position - b.position),
    ({ pack }) => pack,
  );
  const put = <T>(statement: Statement, table: Table<T>, held: readonly T[] = []): Order => ({
    statement,
    rows: held.map(table.rowOf),
  });
  return filled([
    listed(statements.namePacks, packsOf(rows)),
    listed(
      statements.countStudies,
      (rows.studies ?? []).map(({ id }) => id),
    ),
    put(statements.putStudies, studies, lastOfEach(rows.studies, idOf)),
    put(statements.putSeries, series, lastOfEach(rows.series, idOf)),
    put(statements.putInstances, instances, lastOfEach(rows.instances, idOf)),
    put(statements.putConflicts, conflicts, lastOfEach(rows.conflicts, idOf)),
    put(
      statements.putRejections,
      rejections,
      lastOfEach(rows.rejections, ({ sopDigest }) => Buffer.from(sopDigest).toString("latin1")),
    ),
    put(statements.putBlocks, blocks, lastOfEach(rows.blocks, nameOfBlock)),
    { statement: statements.mark, rows: marks.map(({ pack, position }) => [position, pack, position]) },
  ]);
}

/** One statement does not write a row twice. */
function lastOfEach<T>(rows: readonly T[] = [], keyOf: (row: T) => number | string): T[] {
  return [...new Map(rows.map((row) => [keyOf(row), row])).values()];
}

const idOf = ({ id }: { readonly id: number }): number => id;
const nameOfBlock = ({ name, serial }: Block): string => `${Buffer.from(name).toString("latin1")} ${serial}`;

function packsOf({ series = [], instances = [], conflicts = [], marks = [] }: BlindRows): string[] {
  const packs = new Set(marks.map(({ pack }) => pack));
  for (const { blobPlace } of series) if (blobPlace !== undefined) packs.add(blobPlace.pack);
  for (const { places } of [...instances, ...conflicts]) {
    packs.add(places.image.pack);
    packs.add(places.identity.pack);
  }
  return [...packs];
}
