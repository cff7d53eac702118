import { CompiledQuery, type Transaction } from "kysely";
import type { Engine } from "./migrations.ts";
import type { Tables } from "./tables.ts";

const rowsMost = 64;

/** Inserts rows, many a statement. All rows of one call have the same columns in the same order. */
export type InsertRows = <T extends keyof Tables>(
  tx: Transaction<Tables>,
  table: T,
  rows: readonly Tables[T][],
) => Promise<void>;

/**
 * Building the text of an insert of 32 rows costs more than running it, so the texts are kept: for 1, 2, 4, … 64 rows,
 * which any number is made of.
 */
export function createInserter(engine: Engine): InsertRows {
  const texts = new Map<string, string>();

  const textOf = (table: string, columns: readonly string[], count: number): string => {
    const name = `${table} ${count}`;
    const kept = texts.get(name);
    if (kept !== undefined) return kept;
    let serial = 0;
    const mark = engine === "sqlite" ? () => "?" : () => `$${++serial}`;
    const rows = Array.from({ length: count }, () => `(${columns.map(mark).join(", ")})`);
    const text = `insert into ${table} (${columns.join(", ")}) values ${rows.join(", ")}`;
    texts.set(name, text);
    return text;
  };

  return async (tx, table, rows) => {
    const first = rows[0];
    if (first === undefined) return;
    const columns = Object.keys(first) as (keyof typeof first & string)[];
    for (let at = 0; at < rows.length; ) {
      const count = Math.min(rowsMost, 2 ** Math.floor(Math.log2(rows.length - at)));
      const parameters: unknown[] = [];
      for (const row of rows.slice(at, at + count)) for (const column of columns) parameters.push(row[column]);
      await tx.executeQuery(CompiledQuery.raw(textOf(table, columns, count), parameters));
      at += count;
    }
  };
}

/** The same list filled up to a power of two with its last member, so that few texts of statements differ. */
export function padded<T>(list: readonly T[]): T[] {
  const last = list.at(-1);
  if (last === undefined) return [];
  const length = 2 ** Math.ceil(Math.log2(list.length));
  return [...list, ...new Array<T>(length - list.length).fill(last)];
}
