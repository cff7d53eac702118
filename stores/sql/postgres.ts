import pg from "pg";
import { asProblem, Problem } from "#base/problem";
import type { Row } from "./packed-rows.ts";
import type { Ask } from "./schema.ts";

/** By SQLSTATE class: 53 is room and memory, 08 and 57 are the connection and a server that stops. */
export function postgresProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  if (code === "53100") {
    return new Problem("no-room", "no room left in the database", { remedy: "free or add disk space", cause: error });
  }
  if (
    /^(08|57P|53|E[A-Z]+$)/.test(code) ||
    /^Connection|not queryable|was closed|timeout/i.test(String((error as Error).message))
  ) {
    return new Problem("unavailable", "the database does not answer", {
      remedy: "see that PostgreSQL runs and takes connections",
      cause: error,
    });
  }
  return asProblem(error, "asking the database");
}

/** int8 (and what `count` and `sum` give) as a number: all of ours fit. */
export const numbersOfText = {
  getTypeParser: ((oid: number, format?: "text" | "binary"): unknown => {
    const int8 = pg.types.builtins.INT8;
    if (oid === int8 && format !== "binary") return (value: string) => Number(value);
    return pg.types.getTypeParser(oid, format ?? "text");
  }) as typeof pg.types.getTypeParser,
};

/** For statements that are run once. */
export const askingOn =
  (client: pg.ClientBase): Ask =>
  async (text) =>
    (await client.query<Row[]>({ text, rowMode: "array" })).rows as unknown as Row[];
