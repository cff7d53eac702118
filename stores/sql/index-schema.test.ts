import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { silentLog } from "#base/log";
import { openIndexDatabase } from "./index.ts";
import { indexSchema } from "./index-schema.ts";
import { migrate } from "./schema.ts";
import { temporaryFolder } from "./temporary.fixture.ts";

test("an index from before rows said where studies lie is emptied, marks too, so that the start takes the packs in again", async () => {
  const path = join(temporaryFolder(), "index.db");
  const before = new DatabaseSync(path);
  const ask = async (text: string) =>
    before
      .prepare(text)
      .all()
      .map((row) => Object.values(row) as never);
  await migrate(ask, "sqlite", { ...indexSchema, migrations: indexSchema.migrations.slice(0, 1) });
  before.exec("insert into packs (name, position) values ('p1', 4096)");
  before.exec("insert into studies values (1, 't', x'01', x'02', '', '', 1, 1, 0, 5)");
  before.exec("update totals set study_count = 1, last_study = 1");
  before.close();
  const { blindStore } = await openIndexDatabase({ path, log: silentLog });
  assert.deepEqual(await blindStore.marks(), []);
  assert.equal(await blindStore.studyCount(), 0);
  assert.deepEqual(await blindStore.studiesAfter(0, 9), []);
  assert.equal((await blindStore.change((rows) => rows.next())).study, 1);
  await blindStore.close();
});
