import { putBackMsMost, type Urgency, urgencies } from "#radiology/uplink";
import type { Row } from "./packed-rows.ts";
import { ints, migrate, type Schema, type Words } from "./schema.ts";
import { type SqliteRows, type SqliteRuns, type SqliteThread, startSqlite } from "./sqlite-thread.ts";

/** A parcel, and where its bytes lie: `position` is that of the first in a segment. */
export interface IndexedParcel {
  readonly id: string;
  readonly length: number;
  readonly sha256: Uint8Array;
  readonly urgency: Urgency;
  readonly inOrder: boolean;
  readonly subject: string | undefined;
  readonly putAt: number;
  /** Its number in the order of putting. */
  readonly seq: number;
  readonly segment: number;
  readonly position: number;
}

export interface ParcelPlace {
  readonly segment: number;
  readonly position: number;
}

/** One thing that happened. A parcel that is not there, or not in the state for it, changes nothing. */
export type SpoolChange =
  /** Of one with the same id that waits nothing changes; one that is aside is replaced by a later one. */
  | { readonly kind: "put"; readonly parcel: IndexedParcel }
  | { readonly kind: "settled"; readonly id: string; readonly receipt: Uint8Array; readonly at: number }
  | { readonly kind: "later"; readonly id: string; readonly notBefore: number }
  | { readonly kind: "aside"; readonly id: string; readonly why: string; readonly at: number }
  | { readonly kind: "again"; readonly id: string | undefined }
  | { readonly kind: "dropped"; readonly id: string }
  | { readonly kind: "moved"; readonly id: string; readonly from: ParcelPlace; readonly to: ParcelPlace }
  /** Everything that counts in the segment before this position is in the index. */
  | { readonly kind: "segment"; readonly serial: number; readonly indexedTo: number; readonly isEnded: boolean }
  /** The segment is gone; nothing lived in it. */
  | { readonly kind: "removed"; readonly serial: number }
  /** The segment is gone, and what lived in it. */
  | { readonly kind: "lost"; readonly serial: number };

export interface SpoolTotals {
  /** Those aside are not counted. */
  readonly parcels: number;
  readonly bytes: number;
  /** When the first of those that wait was put. */
  readonly oldestAt: number | undefined;
  readonly aside: number;
  /** The highest number that was given. */
  readonly lastSeq: number;
  /** Ended segments in which nothing lives. */
  readonly empty: readonly number[];
}

export interface IndexedSegment {
  readonly serial: number;
  readonly indexedTo: number;
  readonly isEnded: boolean;
  readonly living: number;
  readonly livingBytes: number;
}

/**
 * Where the parcels of a spool lie and what became of them: a SQLite file of its own. What is taken is known to this process only. Calls are
 * answered in their order.
 */
export interface SpoolIndex {
  /** Durable, all or nothing, when it resolves. `changed`: how many parcels each change met. */
  apply(
    changes: readonly SpoolChange[],
  ): Promise<{ readonly totals: SpoolTotals; readonly changed: readonly number[] }>;
  totals(): Promise<SpoolTotals>;
  take(urgency: Urgency, most: number, now: number): Promise<IndexedParcel[]>;
  giveBack(id: string): Promise<void>;
  find(id: string): Promise<{ readonly parcel: IndexedParcel; readonly isAside: boolean } | undefined>;
  asides(most: number): Promise<{ parcel: IndexedParcel; asideAt: number; why: string }[]>;
  /** The newest parcel of a subject that is there, and the newest receipt. */
  standing(subject: string): Promise<{
    readonly there: { readonly seq: number; readonly since: number; readonly isAside: boolean } | undefined;
    readonly receipt: { readonly seq: number; readonly receipt: Uint8Array; readonly at: number } | undefined;
  }>;
  /** Up to `most` receipts that are so much older than the newest are forgotten; how many were. */
  forget(olderMs: number, most: number): Promise<number>;
  /** When the next of those put back for later is due. */
  nextDue(): Promise<number | undefined>;
  segments(): Promise<IndexedSegment[]>;
  close(): Promise<void>;
}

const waits = 0;
const waitsForItsTime = 1;
const isAside = 2;
const living = `state < ${isAside}`;

/** Counts are kept by triggers, so that they stand or fall with what they count. */
const schema: Schema = {
  name: "spool index",
  migrations: [
    (words: Words) => [
      `create table parcels (number ${words.int} primary key, id ${words.bytes} unique, sha256 ${words.bytes}, subject blob,
        ${ints(words, "seq", "state", "urgency", "in_order", "not_before", "segment", "position", "length", "put_at", "aside_at")},
        why ${words.text}) ${words.end}`,
      "create index parcels_given on parcels (state, urgency, in_order, seq)",
      `create index parcels_in_order on parcels (seq) where in_order = 1 and ${living}`,
      "create index parcels_by_subject on parcels (subject, seq) where subject is not null",
      `create index parcels_due on parcels (not_before) where state = ${waitsForItsTime}`,
      `create index parcels_aside on parcels (aside_at) where state = ${isAside}`,
      `create table receipts (subject blob primary key, receipt ${words.bytes}, ${ints(words, "seq", "at")}) ${words.clustered}`,
      "create index receipts_by_time on receipts (at)",
      `create table segments (serial ${words.int} primary key, ${ints(words, "indexed_to", "is_ended", "living", "living_bytes")}) ${words.end}`,
      "create index segments_empty on segments (serial) where living = 0 and is_ended = 1",
      `create table totals (${ints(words, "parcels", "bytes", "aside", "last_seq")}) ${words.end}`,
      "insert into totals (parcels, bytes, aside, last_seq) values (0, 0, 0, 0)",
      `create trigger parcel_put after insert on parcels begin
        update totals set parcels = parcels + 1, bytes = bytes + new.length, last_seq = max(last_seq, new.seq);
        update segments set living = living + 1, living_bytes = living_bytes + new.length where serial = new.segment;
      end`,
      `create trigger parcel_gone after delete on parcels begin
        update totals set parcels = parcels - (old.${living}), bytes = bytes - (old.${living}) * old.length,
          aside = aside - (old.state = ${isAside});
        update segments set living = living - 1, living_bytes = living_bytes - old.length where serial = old.segment;
      end`,
      `create trigger parcel_aside after update of state on parcels begin
        update totals set parcels = parcels + (new.${living}) - (old.${living}), last_seq = max(last_seq, new.seq),
          bytes = bytes + (new.${living}) * new.length - (old.${living}) * old.length,
          aside = aside + (new.state = ${isAside}) - (old.state = ${isAside});
      end`,
      `create trigger parcel_moved after update of segment on parcels begin
        update segments set living = living - 1, living_bytes = living_bytes - old.length where serial = old.segment;
        update segments set living = living + 1, living_bytes = living_bytes + new.length where serial = new.segment;
      end`,
    ],
  ],
};

const columns = "id, sha256, subject, seq, urgency, in_order, segment, position, length, put_at";
const numberOf = "(select number from parcels where id = ?)";

const statements = {
  put: `insert into parcels (${columns}, state, not_before, aside_at, why) values (${"?, ".repeat(10)}${waits}, 0, 0, '')
    on conflict (id) do update set sha256 = excluded.sha256, subject = excluded.subject, seq = excluded.seq,
      urgency = excluded.urgency, in_order = excluded.in_order, segment = excluded.segment, position = excluded.position,
      length = excluded.length, put_at = excluded.put_at, state = ${waits}, not_before = 0
      where state = ${isAside} and excluded.seq > seq`,
  receipt: `insert into receipts (subject, receipt, seq, at)
    select subject, ?, seq, ? from parcels where id = ? and subject is not null
    on conflict (subject) do update set receipt = excluded.receipt, seq = excluded.seq, at = excluded.at
      where excluded.seq >= seq`,
  notTaken: `delete from taken where parcel = ${numberOf}`,
  delete: "delete from parcels where id = ?",
  later: `update parcels set state = ${waitsForItsTime}, not_before = ? where id = ? and ${living}`,
  aside: `update parcels set state = ${isAside}, not_before = 0, aside_at = ?, why = ? where id = ?`,
  again: `update parcels set state = ${waits} where state = ${isAside} and id = ?`,
  allAgain: `update parcels set state = ${waits} where state = ${isAside}`,
  dropped: `delete from parcels where state = ${isAside} and id = ?`,
  moved: "update parcels set segment = ?, position = ? where id = ? and segment = ? and position = ?",
  segment: `insert into segments (serial, indexed_to, is_ended, living, living_bytes) values (?, ?, ?, 0, 0)
    on conflict (serial) do update set indexed_to = max(indexed_to, excluded.indexed_to),
      is_ended = max(is_ended, excluded.is_ended)`,
  lost: "delete from parcels where segment = ?",
  removed: "delete from segments where serial = ?",
  totals: "select parcels, bytes, aside, last_seq from totals",
  empty: "select serial from segments where living = 0 and is_ended = 1 limit 64",
  // The first of each of the runs that the index holds in order.
  oldest: `select put_at from (${[waits, waitsForItsTime]
    .flatMap((state) => urgencies.flatMap((_, urgency) => [0, 1].map((inOrder) => [state, urgency, inOrder])))
    .map(
      ([state, urgency, inOrder]) =>
        `select min(seq) as seq, put_at from parcels where state = ${state} and urgency = ${urgency} and in_order = ${inOrder}`,
    )
    .join(" union all ")}) where seq is not null order by seq limit 1`,
  due: `update parcels set state = ${waits}, not_before = 0 where state = ${waitsForItsTime} and (not_before <= ? or not_before > ?)`,
  // Of those in order the first alone, and only while none of them is taken: one that was aside and waits again may come before it.
  take: `insert into taken (parcel, in_order, turn) select number, in_order, ? from (
      select * from (select number, in_order, seq from parcels
        where state = ${waits} and urgency = ? and in_order = 0 and not exists (select 1 from taken where parcel = number)
        order by seq limit ?)
      union all
      select * from (select number, in_order, seq from parcels
        where state = ${waits} and urgency = ? and in_order = 1
          and seq = (select min(seq) from parcels where in_order = 1 and ${living})
          and not exists (select 1 from taken where in_order = 1)
        limit 1)
    ) order by seq limit ?`,
  taken: `select ${columns} from parcels where number in (select parcel from taken where turn = ?) order by seq`,
  find: `select ${columns}, state from parcels where id = ?`,
  asides: `select ${columns}, aside_at, why from parcels where state = ${isAside} order by aside_at limit ?`,
  there: "select seq, state, put_at, aside_at from parcels where subject = ? order by seq desc limit 1",
  arrived: "select seq, receipt, at from receipts where subject = ?",
  forget: `delete from receipts where subject in (
    select subject from receipts where at < (select max(at) from receipts) - ? order by at limit ?)`,
  nextDue: `select min(not_before) from parcels where state = ${waitsForItsTime}`,
  segments: "select serial, indexed_to, is_ended, living, living_bytes from segments order by serial",
};

const cacheBytesMost = 16 * 1024 * 1024;

export async function openSpoolIndex({ path }: { readonly path: string }): Promise<SpoolIndex> {
  return createSpoolIndex(startSqlite({ path, queryOnly: false, cacheBytesMost }));
}

export async function createSpoolIndex(thread: SqliteThread): Promise<SpoolIndex> {
  const ask = async (sql: string, row: Row = []) => (await thread.run([{ sql, rows: [row] }]))[0]?.rows ?? [];
  try {
    await migrate((sql) => ask(sql), "sqlite", schema);
    await ask("create temp table taken (parcel integer primary key, in_order integer, turn integer) strict");
    await ask("create index temp.taken_in_order on taken (turn) where in_order = 1");
    await ask("create index temp.taken_by_turn on taken (turn)");
  } catch (error) {
    await thread.close();
    throw error;
  }
  let turn = 0;
  return {
    async apply(changes) {
      const { steps, counted } = stepsOf(changes);
      const results = await thread.run([...steps, ...totalSteps]);
      const changed = counted.map((each) => results[each]?.changes ?? 0);
      return { totals: totalsOf(results.slice(steps.length)), changed };
    },
    totals: async () => totalsOf(await thread.run(totalSteps)),
    async take(urgency, most, now) {
      const which = urgencies.indexOf(urgency);
      turn++;
      const results = await thread.run([
        { sql: statements.due, rows: [[now, now + putBackMsMost]] },
        { sql: statements.take, rows: [[turn, which, most, which, most]] },
        { sql: statements.taken, rows: [[turn]] },
      ]);
      return (results[2]?.rows ?? []).map(parcelOf);
    },
    giveBack: async (id) => void (await ask(statements.notTaken, [bytesOf(id)])),
    async find(id) {
      const [row] = await ask(statements.find, [bytesOf(id)]);
      return row === undefined ? undefined : { parcel: parcelOf(row), isAside: row[10] === isAside };
    },
    async asides(most) {
      const rows = await ask(statements.asides, [most]);
      return rows.map((row) => ({ parcel: parcelOf(row), asideAt: Number(row[10]), why: String(row[11]) }));
    },
    async standing(subject) {
      const [there, arrived] = await thread.run([
        { sql: statements.there, rows: [[bytesOf(subject)]] },
        { sql: statements.arrived, rows: [[bytesOf(subject)]] },
      ]);
      return { there: thereOf(there?.rows[0]), receipt: receiptOf(arrived?.rows[0]) };
    },
    async forget(olderMs, most) {
      const [result] = await thread.run([{ sql: statements.forget, rows: [[olderMs, most]] }]);
      return result?.changes ?? 0;
    },
    async nextDue() {
      const [row] = await ask(statements.nextDue);
      return row?.[0] === null || row === undefined ? undefined : Number(row[0]);
    },
    async segments() {
      const rows = (await ask(statements.segments)).map((row) => row.map(Number));
      return rows.map(([serial = 0, indexedTo = 0, ended, living = 0, livingBytes = 0]) => ({
        ...{ serial, indexedTo, isEnded: ended === 1, living, livingBytes },
      }));
    },
    close: () => thread.close(),
  };
}

const totalSteps: readonly SqliteRuns[] = [statements.totals, statements.oldest, statements.empty].map((sql) => ({
  sql,
  rows: [[]],
}));

function totalsOf([totals, oldest, empty]: readonly SqliteRows[]): SpoolTotals {
  const [parcels = 0, bytes = 0, aside = 0, lastSeq = 0] = (totals?.rows[0] ?? []).map(Number);
  const [first] = oldest?.rows ?? [];
  const oldestAt = first === undefined ? undefined : Number(first[0]);
  return { parcels, bytes, oldestAt, aside, lastSeq, empty: (empty?.rows ?? []).map(([serial]) => Number(serial)) };
}

/** Changes in their order, neighbours of one kind together; `counted` is each change's step of which changes are counted. */
function stepsOf(changes: readonly SpoolChange[]): { readonly steps: SqliteRuns[]; readonly counted: number[] } {
  const steps: { readonly sql: string; readonly rows: Row[] }[] = [];
  const counted: number[] = [];
  let kind: string | undefined;
  let first = 0;
  for (const change of changes) {
    const own = statementsOf(change);
    // "again" is counted on its own.
    if (change.kind !== kind || change.kind === "again") {
      first = steps.length;
      for (const [sql] of own) steps.push({ sql, rows: [] });
    }
    kind = change.kind;
    for (const [at, [, row]] of own.entries()) steps[first + at]?.rows.push(row);
    counted.push(first + own.length - 1);
  }
  return { steps, counted };
}

function statementsOf(change: SpoolChange): (readonly [sql: string, row: Row])[] {
  switch (change.kind) {
    case "put":
      return [[statements.put, rowOf(change.parcel)]];
    case "settled": {
      const id = bytesOf(change.id);
      return [
        [statements.receipt, [change.receipt, change.at, id]],
        [statements.notTaken, [id]],
        [statements.delete, [id]],
      ];
    }
    case "later":
      return [
        [statements.notTaken, [bytesOf(change.id)]],
        [statements.later, [change.notBefore, bytesOf(change.id)]],
      ];
    case "aside":
      return [
        [statements.notTaken, [bytesOf(change.id)]],
        [statements.aside, [change.at, change.why, bytesOf(change.id)]],
      ];
    case "again":
      return [change.id === undefined ? [statements.allAgain, []] : [statements.again, [bytesOf(change.id)]]];
    case "dropped":
      return [[statements.dropped, [bytesOf(change.id)]]];
    case "moved": {
      const { id, from, to } = change;
      return [[statements.moved, [to.segment, to.position, bytesOf(id), from.segment, from.position]]];
    }
    case "segment":
      return [[statements.segment, [change.serial, change.indexedTo, change.isEnded ? 1 : 0]]];
    case "removed":
      return [[statements.removed, [change.serial]]];
    case "lost":
      return [
        [statements.lost, [change.serial]],
        [statements.removed, [change.serial]],
      ];
  }
}

const bytesOf = (hexadecimal: string) => Buffer.from(hexadecimal, "hex");
const bytesIn = (value: Row[number] | undefined) => (value instanceof Uint8Array ? value : new Uint8Array(0));
const textOf = (value: Row[number] | undefined) => Buffer.from(bytesIn(value)).toString("hex");

/** In the order of `columns`. */
function rowOf({ id, sha256, subject, seq, urgency, inOrder, segment, position, length, putAt }: IndexedParcel): Row {
  const identity = [bytesOf(id), sha256, subject === undefined ? null : bytesOf(subject)];
  return [...identity, seq, urgencies.indexOf(urgency), inOrder ? 1 : 0, segment, position, length, putAt];
}

function parcelOf(row: Row): IndexedParcel {
  const [seq = 0, urgency = 0, inOrder, segment = 0, position = 0, length = 0, putAt = 0] = row
    .slice(3, 10)
    .map(Number);
  const subject = row[2] === null ? undefined : textOf(row[2]);
  return {
    ...{ id: textOf(row[0]), sha256: bytesIn(row[1]), subject, seq, segment, position, length, putAt },
    urgency: urgencies[urgency] ?? "routine",
    inOrder: inOrder === 1,
  };
}

function thereOf(row: Row | undefined) {
  if (row === undefined) return undefined;
  const [seq = 0, state, putAt = 0, asideAt = 0] = row.map(Number);
  return { seq, isAside: state === isAside, since: state === isAside ? asideAt : putAt };
}

function receiptOf(row: Row | undefined) {
  return row === undefined ? undefined : { seq: Number(row[0]), receipt: bytesIn(row[1]), at: Number(row[2]) };
}
