import pg from "pg";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { type ChangingConnection, createChanges, type IndexConnection } from "./index-connection.ts";
import { indexSchema } from "./index-schema.ts";
import type { Order } from "./index-statements.ts";
import type { Row } from "./packed-rows.ts";
import { askingOn, numbersOfText, postgresProblem } from "./postgres.ts";
import { migrate } from "./schema.ts";

const readingConnectionsMost = 4;
/** Of the session that changes the index: held as long as its connection. */
const changingLock = 5326802;

/**
 * One connection changes the index, and holds a lock while it lasts: a second process is refused. When it breaks the next
 * change connects anew and takes the lock again, or rejects.
 */
export async function openIndexOnPostgres(at: {
  readonly url: string;
  readonly home?: string;
  readonly log: Log;
}): Promise<IndexConnection> {
  const { url, home, log } = at;
  const statements = createStatementNames();
  const settings = { connectionString: url, keepAlive: true, types: numbersOfText };
  const changing = createChangingConnection(settings, statements, { home, log });
  const pool = new pg.Pool({ ...settings, max: readingConnectionsMost });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on("error", (error) => log.warn("database connection lost", { engine: "postgres" }, error));
  await changing.connect();
  const { change, settled } = createChanges({ connect: changing.connect, afterRemoval: async () => {} });
  return {
    engine: "postgres",
    read: (order) => pool.query(queryOf(order, statements)).then(rowsOf, refuse),
    change,
    async close() {
      await settled();
      await changing.end();
      if (!pool.ending) await pool.end();
    },
  };
}

type NameOf = (text: string) => string;

function createChangingConnection(
  settings: pg.ClientConfig,
  nameOf: NameOf,
  { home, log }: { readonly home: string | undefined; readonly log: Log },
) {
  let held: pg.Client | undefined;
  let isClosed = false;

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ ...settings, pipeline: true });
    client.on("error", (error) => log.warn("database connection lost", { engine: "postgres" }, error));
    client.on("end", () => {
      if (held === client) held = undefined;
    });
    try {
      await client.connect();
      const ask = askingOn(client);
      // Never weaker than the promise of the port, whatever the server was told.
      await ask(
        "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
      );
      const [locked] = await ask(`select pg_try_advisory_lock(${changingLock})::int`);
      if (locked?.[0] !== 1) throw alreadyHeld();
      await migrate(ask, "postgres", indexSchema, home);
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      throw postgresProblem(error);
    }
  };

  return {
    async connect(): Promise<ChangingConnection> {
      if (isClosed) throw new Problem("unavailable", "the database is closed");
      held ??= await connect();
      const client = held;
      const ask = (text: string) => client.query(text).then(() => {}, refuse);
      return {
        begin: () => ask("begin"),
        // Sent together: the server takes them one after the other, and after a failure none.
        run: (orders) => Promise.all(orders.map((order) => client.query(queryOf(order, nameOf)).then(rowsOf, refuse))),
        commit: () => ask("commit"),
        rollback: () =>
          ask("rollback").catch(async () => {
            if (held === client) held = undefined;
            await client.end().catch(() => {});
          }),
      };
    },
    async end() {
      isClosed = true;
      await held?.end();
    },
  };
}

const alreadyHeld = () =>
  new Problem("conflict", "another process has the index database open for changes", {
    remedy: "stop it, or give this home an index database of its own",
  });

const refuse = (error: unknown): never => {
  throw postgresProblem(error);
};

const rowsOf = ({ rows }: { rows: unknown[] }): Row[] => rows as Row[];

/** Prepared once on each connection. A list's rows become one array for each column. */
function queryOf({ statement, rows }: Order, nameOf: NameOf) {
  const values = statement.forList ? (rows[0] ?? []).map((_, at) => rows.map((row) => row[at])) : [...(rows[0] ?? [])];
  return { name: nameOf(statement.text), text: statement.text, values, rowMode: "array" as const };
}

function createStatementNames(): NameOf {
  const names = new Map<string, string>();
  return (text) => {
    const name = names.get(text) ?? `index_${names.size}`;
    names.set(text, name);
    return name;
  };
}
