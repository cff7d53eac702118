import { type DatabaseConnection, type Dialect, PostgresDialect } from "kysely";
import type pg from "pg";
import { postgresProblem } from "./postgres.ts";

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
        throw postgresProblem(error);
      });
    return connection;
  };
  return {
    createDriver() {
      const driver = dialect.createDriver();
      const acquire = driver.acquireConnection.bind(driver);
      driver.acquireConnection = (options) =>
        acquire(options).then(reporting, (error: unknown) => {
          throw postgresProblem(error);
        });
      return driver;
    },
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (database) => dialect.createIntrospector(database),
  };
}
