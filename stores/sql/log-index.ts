import type { EntryIndex, LogCriteria, StudiesInHour } from "#trust/audit";
import { isOfActs } from "#trust/audit";
import type { Row } from "./packed-rows.ts";
import { ints, migrate, type Schema, type Words } from "./schema.ts";
import { type SqliteRuns, startSqlite } from "./sqlite-thread.ts";

/**
 * Where entries of the log are found: a SQLite file of its own, so that it takes nothing from who signs in. Tokens of ours only, as in the
 * log. Names stand in it once, as numbers in the rows.
 */
const schema: Schema = {
  name: "log index",
  migrations: [
    (words: Words) => [
      `create table names (id ${words.int} primary key, kind ${words.text}, name ${words.text}) ${words.end}`,
      `create table entries (entry ${words.int} primary key, ${ints(words, "at", "actor", "act", "outcome", "study")}) ${words.end}`,
      "create index entries_by_actor on entries (actor, act, entry)",
      "create index entries_by_act on entries (act, entry)",
      // What was refused or failed is rare and asked for: found without reading past all that was done.
      "create index not_done on entries (outcome, entry) where outcome > 0",
      "create index not_done_by_actor on entries (outcome, actor, entry) where outcome > 0",
      "create index not_done_by_act on entries (outcome, act, entry) where outcome > 0",
      `create table studies (token ${words.bytes}, entry ${words.int} not null, primary key (token, entry)) ${words.clustered}`,
      `create table mark (size ${words.int} not null, last_hash ${words.text}) ${words.end}`,
    ],
  ],
};

const cacheBytesMost = 16 * 1024 * 1024;
const outcomes = ["done", "refused", "failed"] as const;
const hourMs = 3_600_000;
/** A clock that was set back by no more than this puts no entry out of its place. */
const clockStepMs = 24 * hourMs;

type Names = Awaited<ReturnType<typeof openNames>>;

export async function openLogIndex({ path }: { readonly path: string }): Promise<EntryIndex> {
  const thread = startSqlite({ path, queryOnly: false, cacheBytesMost });
  const ask = async (sql: string, row: Row = []) => (await thread.run([{ sql, rows: [row] }]))[0]?.rows ?? [];
  try {
    await migrate((sql) => ask(sql), "sqlite", schema);
  } catch (error) {
    await thread.close();
    throw error;
  }
  let names = await openNames(ask);

  return {
    async mark() {
      const [found] = await ask("select size, last_hash from mark");
      return found === undefined ? undefined : { size: Number(found[0]), lastHash: String(found[1]) };
    },
    async add(entries, { size, lastHash }) {
      const added = names.of(entries);
      const rows = entries.map(({ index, at, actor, act, outcome, studies }) => [
        ...[index, at, names.idOf("actor", actor) ?? 0, names.idOf("act", act) ?? 0],
        ...[outcomes.indexOf(outcome), shortened(studies[0])],
      ]);
      const studies = entries.flatMap(({ index, studies }) => studies.map((study) => [bytesOf(study), index]));
      const steps: SqliteRuns[] = [
        { sql: "insert into names (id, kind, name) values (?, ?, ?)", rows: added },
        { sql: "insert into entries (entry, at, actor, act, outcome, study) values (?, ?, ?, ?, ?, ?)", rows },
        { sql: "insert into studies (token, entry) values (?, ?)", rows: studies },
        { sql: "delete from mark", rows: [[]] },
        { sql: "insert into mark (size, last_hash) values (?, ?)", rows: [[size, lastHash]] },
      ];
      try {
        await thread.run(steps.filter((step) => step.rows.length > 0));
      } catch (error) {
        names = await openNames(ask);
        throw error;
      }
    },
    async find(criteria, { before, limit }) {
      const bounds = await boundsOf(ask, criteria, before);
      const runs = runsOf(criteria, names, bounds, limit);
      if (runs === undefined) return [];
      const found = (await thread.run([runs])).flatMap(({ rows }) => rows.map(([entry]) => Number(entry)));
      return found.sort((a, b) => b - a).slice(0, limit);
    },
    async hoursOf(actor, acts, since) {
      const who = names.idOf("actor", actor);
      const known = acts.map((act) => names.idOf("act", act)).filter((id) => id !== undefined);
      if (who === undefined || known.length === 0) return [];
      const rows = await ask(
        `select at / ${hourMs}, count(distinct study) from entries
          where actor = ? and act in (${known.join(", ")}) and at >= ? and study >= 0 group by 1`,
        [who, since],
      );
      return rows.map(([hour, studies]): StudiesInHour => ({ hour: Number(hour), studies: Number(studies) }));
    },
    async clear() {
      await thread.run(
        ["mark", "studies", "entries", "names"].map((table) => ({ sql: `delete from ${table}`, rows: [[]] })),
      );
      names = await openNames(ask);
    },
    close: () => thread.close(),
  };
}

type Ask = (sql: string, row?: Row) => Promise<Row[]>;

/** Actors and acts by their numbers, all of them in memory. */
async function openNames(ask: Ask) {
  const ids = new Map<string, number>();
  const acts = new Set<string>();
  const put = (kind: string, name: string, id: number) => {
    ids.set(`${kind} ${name}`, id);
    if (kind === "act") acts.add(name);
  };
  for (const [id, kind, name] of await ask("select id, kind, name from names"))
    put(String(kind), String(name), Number(id));
  const idOf = (kind: "actor" | "act", name: string) => ids.get(`${kind} ${name}`);
  return {
    idOf,
    acts: () => [...acts],
    /** Numbers those that are new; gives their rows. */
    of(entries: readonly { readonly actor: string; readonly act: string }[]): Row[] {
      const added: Row[] = [];
      for (const entry of entries) {
        for (const kind of ["actor", "act"] as const) {
          if (idOf(kind, entry[kind]) !== undefined) continue;
          added.push([ids.size + 1, kind, entry[kind]]);
          put(kind, entry[kind], ids.size + 1);
        }
      }
      return added;
    },
  };
}

interface Bounds {
  /** The first entry, and the one behind the last. */
  readonly from: number;
  readonly to: number;
}

/** Times as entries: they stand nearly in the order of their times. */
async function boundsOf(ask: Ask, { from, to }: LogCriteria, before: number): Promise<Bounds> {
  const firstAt = async (time: number): Promise<number> => {
    let [low, high] = [0, before];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const [found] = await ask("select at from entries where entry = ?", [middle]);
      if (found !== undefined && Number(found[0]) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    from: from === undefined ? 0 : await firstAt(from - clockStepMs),
    to: to === undefined ? before : await firstAt(to + clockStepMs),
  };
}

interface Condition {
  readonly sql: string;
  /** For the question mark, where there is one. */
  readonly value?: number | Uint8Array;
}

/** Runs of one statement, each along one index and each with its own newest; together they hold the newest of all. */
function runsOf(criteria: LogCriteria, names: Names, bounds: Bounds, limit: number): SqliteRuns | undefined {
  const { actor, study, outcome } = criteria;
  const acts = names.acts().filter((act) => criteria.act === undefined || isOfActs(act, criteria.act));
  const actIds = acts.map((act) => names.idOf("act", act) ?? 0);
  const actorId = actor === undefined ? undefined : names.idOf("actor", actor);
  if ((actor !== undefined && actorId === undefined) || actIds.length === 0) return undefined;
  const conditions: Condition[] = [
    { sql: "entry >= ?", value: bounds.from },
    { sql: "entry < ?", value: bounds.to },
  ];
  if (criteria.from !== undefined) conditions.push({ sql: "at >= ?", value: criteria.from });
  if (criteria.to !== undefined) conditions.push({ sql: "at < ?", value: criteria.to });
  if (actorId !== undefined) conditions.push({ sql: "actor = ?", value: actorId });
  if (outcome !== undefined) conditions.push({ sql: `outcome = ${outcomes.indexOf(outcome)}` });
  const run = (from: string, own: readonly Condition[], each?: readonly number[]): SqliteRuns => {
    const all = [...conditions, ...own];
    const where = [...all.map(({ sql }) => sql), ...(each === undefined ? [] : ["act = ?"])].join(" and ");
    const values = all.flatMap(({ value }) => (value === undefined ? [] : [value]));
    const sql = `select entry from ${from} where ${where} order by entry desc limit ${limit}`;
    return { sql, rows: each === undefined ? [values] : each.map((id) => [...values, id]) };
  };
  const ofActs = criteria.act === undefined ? [] : [{ sql: `act in (${actIds.join(", ")})` }];
  if (study !== undefined) {
    return run("studies join entries using (entry)", [{ sql: "token = ?", value: bytesOf(study) }, ...ofActs]);
  }
  if (outcome === "refused" || outcome === "failed") {
    // Said in the words of the partial indexes, which are not used otherwise.
    if (actorId !== undefined || criteria.act === undefined) return run("entries", [{ sql: "outcome > 0" }, ...ofActs]);
    return run("entries", [{ sql: "outcome > 0" }], actIds);
  }
  return actorId === undefined && criteria.act === undefined ? run("entries", []) : run("entries", [], actIds);
}

const bytesOf = (token: string) => Buffer.from(token, /^[0-9a-f]{32}$/.test(token) ? "hex" : "utf8");

/** Enough of a token to tell studies apart where they are counted; -1: none. */
const shortened = (token: string | undefined) => (token === undefined ? -1 : bytesOf(token).readUIntBE(0, 6));
