import type { Kysely } from "kysely";
import { Problem } from "#base/problem";
import type { FacilityStore } from "#trust/access";
import { storedText as text } from "./stored-text.ts";
import type { Tables } from "./tables.ts";

export function facilities(database: Kysely<Tables>): FacilityStore {
  return {
    async addFacility({ id, name, createdAt }) {
      const { numInsertedOrUpdatedRows } = await database
        .insertInto("facilities")
        .values({ id, name: text(name), created_at: createdAt })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows !== 1n) throw taken();
    },
    facilities: async () =>
      (await database.selectFrom("facilities").selectAll().orderBy("created_at").orderBy("id").execute()).map(
        ({ id, name, created_at }) => ({ id, name, createdAt: created_at }),
      ),
    renameFacility: (id, name) =>
      database.transaction().execute(async (tx) => {
        const other = await tx
          .selectFrom("facilities")
          .select("id")
          .where("name", "=", text(name))
          .where("id", "<>", text(id))
          .executeTakeFirst();
        if (other !== undefined) throw taken();
        const renamed = tx
          .updateTable("facilities")
          .set({ name: text(name) })
          .where("id", "=", text(id));
        return (await renamed.executeTakeFirst()).numUpdatedRows === 1n;
      }),
  };
}

function taken(): Problem {
  return new Problem("conflict", "a facility of this name is there already", { remedy: "choose another name" });
}
