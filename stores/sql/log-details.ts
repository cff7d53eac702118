import type { Kysely, Transaction } from "kysely";
import type { DetailStore } from "#trust/audit";
import type { Tables } from "./tables.ts";

/** Values in one statement: both databases have a limit, and each number of them is prepared anew. */
const atOnce = 250;

/** The personal details of log entries, in the access database: a table of their own, which may be emptied. */
export function createSqlDetailStore(database: Kysely<Tables>): DetailStore {
  const inChunks = async <T, R>(all: readonly T[], work: (chunk: readonly T[]) => Promise<R[]>): Promise<R[]> => {
    const results: R[] = [];
    for (let at = 0; at < all.length; at += atOnce) results.push(...(await work(all.slice(at, at + atOnce))));
    return results;
  };
  return {
    put: (details) =>
      database.transaction().execute(async (tx: Transaction<Tables>) => {
        await inChunks(details, async (chunk) => {
          const rows = chunk.map(({ commitment, sealed }) => ({ commitment, sealed: Buffer.from(sealed) }));
          await tx.insertInto("log_details").values(rows).execute();
          return [];
        });
      }),
    get: (commitments) =>
      inChunks(commitments, async (chunk) => {
        const rows = await database.selectFrom("log_details").selectAll().where("commitment", "in", chunk).execute();
        return rows.map(({ commitment, sealed }) => ({ commitment, sealed: Uint8Array.from(sealed) }));
      }),
    async erase(commitments) {
      const counts = await inChunks(commitments, async (chunk) => {
        const done = await database.deleteFrom("log_details").where("commitment", "in", chunk).executeTakeFirst();
        return [Number(done.numDeletedRows)];
      });
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}
