import { type DatabaseConnection, type Dialect, PostgresDialect } from "kysely";
import type pg from "pg";
import { asProblem, Problem } from "#base/problem";

/** Kysely's dialect over a pool, with what the server or the network reports as a Problem. */
export function postgresDialect(pool: pg.Pool): Dialect {
  const dialect = new PostgresDialect({ pool });
  const seen = new WeakSet<DatabaseConnection>();
  const reporting = (connection: DatabaseConnection): DatabaseConnection => {
    if (seen.has(connection)) return connection;
    seen.add(connection);
    const execute = connection.executeQuery.bind(connection);
    connection.executeQuery = <R>(...call: Parameters<typeof execute>) =>
      execute<R>(...call).catch((error: unknown) => {
        throw problemOf(error);
      });
    return connection;
  };
  return {
    createDriver() {
      const driver = dialect.createDriver();
      const acquire = driver.acquireConnection.bind(driver);
      driver.acquireConnection = (options) =>
        acquire(options).then(reporting, (error: unknown) => {
          throw problemOf(error);
        });
      return driver;
    },
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (database) => dialect.createIntrospector(database),
  };
}

/** By SQLSTATE class: 53 is room and memory, 08 and 57 are the connection and a server that stops. */
function problemOf(error: unknown): Problem {
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  if (code === "53100") {
    return new Problem("no-room", "no room left in the database", { remedy: "free or add disk space", cause: error });
  }
  if (/^(08|57P|53|E[A-Z]+$)/.test(code) || /^Connection|timeout/i.test(String((error as Error).message))) {
    return new Problem("unavailable", "the database does not answer", {
      remedy: "see that PostgreSQL runs and takes connections",
      cause: error,
    });
  }
  return asProblem(error, "asking the database");
}
