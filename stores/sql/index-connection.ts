import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { Order, Statement } from "./index-statements.ts";
import type { Row } from "./packed-rows.ts";
import type { Engine } from "./schema.ts";

/** The database of the index, on either engine. */
export interface IndexConnection {
  readonly engine: Engine;
  /** Rows of one statement, for a list those of all its members. */
  read(order: Order): Promise<Row[]>;
  /** One transaction after the other; when `work` or anything in it rejects nothing of it stands. */
  change<T>(work: (within: WithinChange) => Promise<T>): Promise<T>;
  /** After what was asked before. */
  close(): Promise<void>;
}

export interface WithinChange {
  read(order: Order): Promise<Row[]>;
  /** One after the other. */
  write(orders: readonly Order[]): Promise<void>;
  /** Writes that take out what shall not be found in the file afterwards. */
  remove(orders: readonly Order[]): Promise<void>;
}

/** The connection that changes are made on. */
export interface ChangingConnection {
  begin(): Promise<void>;
  run(orders: readonly Order[]): Promise<Row[][]>;
  commit(): Promise<void>;
  /** Never rejects. */
  rollback(): Promise<void>;
}

/** Gives each change its turn on the connection that `connect` gives. */
export function createChanges(options: {
  readonly connect: () => Promise<ChangingConnection>;
  /** When a change that removed something has ended well. */
  readonly afterRemoval: () => Promise<void>;
}) {
  const turns = createTurns();
  return {
    change: <T>(work: (within: WithinChange) => Promise<T>): Promise<T> =>
      turns.take(async () => {
        const { result, removed } = await transact(await options.connect(), work);
        if (removed) await options.afterRemoval();
        return result;
      }),
    /** When the last change has ended. */
    settled: () => turns.idle(),
  };
}

async function transact<T>(
  connection: ChangingConnection,
  work: (within: WithinChange) => Promise<T>,
): Promise<{ readonly result: T; readonly removed: boolean }> {
  let isOpen = true;
  let removed = false;
  let failed: { readonly error: unknown } | undefined;
  const underWay = new Set<Promise<unknown>>();
  const run = async (orders: readonly Order[]): Promise<Row[][]> => {
    if (!isOpen) throw new Problem("fault", "a change of the index was used after its end");
    // What failed may have rolled back already: a later statement would stand by itself.
    if (failed !== undefined) throw failed.error;
    const running = connection.run(orders);
    underWay.add(running);
    try {
      return await running;
    } catch (error) {
      failed ??= { error };
      throw error;
    } finally {
      underWay.delete(running);
    }
  };
  const within: WithinChange = {
    read: async (order) => (await run([order]))[0] ?? [],
    write: async (orders) => void (await run(orders)),
    async remove(orders) {
      removed = true;
      await run(orders);
    },
  };
  try {
    await connection.begin();
    const result = await work(within);
    isOpen = false;
    await Promise.allSettled(underWay);
    if (failed !== undefined) throw (failed as { error: unknown }).error;
    await connection.commit();
    return { result, removed };
  } catch (error) {
    isOpen = false;
    await Promise.allSettled(underWay);
    await connection.rollback();
    throw error;
  }
}

export const once = (statement: Statement, ...values: Row): Order => ({ statement, rows: [values] });

/** Each of the keys once, in the order of the database. */
export function listed(statement: Statement, keys: readonly (number | string | Uint8Array)[]): Order {
  return { statement, rows: distinct(keys).map((key) => [key]) };
}

function distinct(keys: readonly (number | string | Uint8Array)[]): (number | string | Uint8Array)[] {
  const named = new Map(keys.map((key) => [key instanceof Uint8Array ? nameOfBytes(key) : key, key]));
  return [...named].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, key]) => key);
}

/** Sorts as the bytes do. */
const nameOfBytes = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
