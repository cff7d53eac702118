import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { studyIndexContract } from "../../radiology/archive/study-index.contract.ts";
import { accessStoreContract } from "../../trust/access/access-store.contract.ts";
import { openPostgres } from "./index.ts";
import { findPostgres, needsPostgres, type PostgresServer, startPostgres } from "./postgres-server.fixture.ts";
import { sameAnswers } from "./same-answers.fixture.ts";

const programs = await findPostgres();

if (programs === undefined) test("the contracts hold on PostgreSQL", (t) => t.skip(needsPostgres));
else onServer(programs);

function onServer(found: string): void {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres(found);
  });
  after(() => server.stop());
  const open = () => openPostgres({ url: server.url, log: silentLog });

  studyIndexContract(async () => {
    const { studyIndex, accessStore } = await open();
    await accessStore.close();
    return studyIndex;
  });
  accessStoreContract(async () => {
    const { studyIndex, accessStore } = await open();
    await studyIndex.close();
    return accessStore;
  });

  test("memory and PostgreSQL give the same answers to random queries over random studies", async (t) => {
    const { studyIndex, close } = await open();
    t.after(close);
    await sameAnswers(studyIndex, { runs: 15, seed: 20260101 });
  });

  test("two programs that start at once make one schema", async () => {
    const stores = await Promise.all([open(), open()]);
    await Promise.all(stores.map(({ close }) => close()));
  });

  test("a server that is not there is unavailable", async () => {
    const url = "postgres://nobody@/none?host=%2Fnonexistent";
    await assert.rejects(openPostgres({ url, log: silentLog }), (error) => isProblem(error, "unavailable"));
  });
}
