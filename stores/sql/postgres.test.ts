import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { blindStoreContract } from "../../radiology/archive/blind-store.contract.ts";
import { accessStoreContract } from "../../trust/access/access-store.contract.ts";
import { detailStoreContract } from "../../trust/audit/detail-store.contract.ts";
import { recordStoreContract } from "../../trust/vault/record-store.contract.ts";
import { openAccessDatabase, openIndexDatabase } from "./index.ts";
import { killedInChanges } from "./killed.fixture.ts";
import { findPostgres, needsPostgres, type PostgresServer, startPostgres } from "./postgres-server.fixture.ts";
import { blockOf, putNth, studyOf, wholeChanges } from "./stored-rows.fixture.ts";

const programs = await findPostgres();

if (programs === undefined) test("the contracts hold on PostgreSQL", (t) => t.skip(needsPostgres));
else onServer(programs);

function onServer(found: string): void {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres(found);
  });
  after(() => server.stop());
  const openIndex = async () => (await openIndexDatabase({ url: server.url, log: silentLog })).blindStore;
  const openAccess = () => openAccessDatabase({ url: server.url, log: silentLog });
  const openEmpty = async () => {
    const store = await openIndex();
    await store.change((rows) => rows.clear());
    return store;
  };
  const asking = async (text: string) => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };

  blindStoreContract(openIndex);
  accessStoreContract(async () => (await openAccess()).accessStore);
  detailStoreContract(async () => {
    const opened = await openAccess();
    await asking("delete from log_details");
    return opened;
  });
  recordStoreContract(async () => {
    const opened = await openAccess();
    await asking("delete from records");
    return opened;
  });

  test("closing twice is no mistake, also of what was never asked", async () => {
    for (const open of [openAccessDatabase, openIndexDatabase]) {
      const { close } = await open({ url: server.url, log: silentLog });
      await close();
      await close();
    }
  });

  test("two programs that start at once make one schema", async () => {
    const two = await Promise.all([openAccess(), openAccess()]);
    await Promise.all(two.map(({ close }) => close()));
  });

  test("one process changes the index: a second is refused and told what to do, until the first has ended", async () => {
    const first = await openEmpty();
    await assert.rejects(openIndex(), (error) => isProblem(error, "conflict") && error.remedy !== undefined);
    await putNth(first, 1);
    await first.close();
    const second = await openIndex();
    assert.equal(await wholeChanges(second), 1);
    await second.close();
  });

  test("index and accounts share a database without meeting", async (t) => {
    const [index, access] = [await openEmpty(), await openAccess()];
    t.after(async () => {
      await index.close();
      await access.close();
    });
    const tables = await asking("select schemaname, tablename from pg_tables where tablename = 'schema_version'");
    assert.deepEqual(tables.map(({ schemaname }) => schemaname).sort(), ["leadglass_index", "public"]);
    assert.deepEqual(await asking("select 1 from pg_tables where schemaname = 'public' and tablename = 'studies'"), []);
  });

  test("a schema newer than the program is refused and left as it is", async () => {
    for (const [open, schema] of [
      [openAccess, "public"],
      [openIndex, "leadglass_index"],
    ] as const) {
      await (await open()).close();
      const [kept] = await asking(`select version from ${schema}.schema_version`);
      await asking(`update ${schema}.schema_version set version = 99`);
      await assert.rejects(open(), (error) => isProblem(error, "conflict"));
      await asking(`update ${schema}.schema_version set version = ${kept?.version}`);
      await (await open()).close();
    }
  });

  test("a database is one home's: of two that come at once one gets it, and keeps it", async () => {
    for (const open of [openAccessDatabase, openIndexDatabase]) {
      const at = { url: server.url, log: silentLog };
      const came = await Promise.allSettled([open({ ...at, home: "a1" }), open({ ...at, home: "b2" })]);
      const letIn = came.filter((each) => each.status === "fulfilled");
      assert.equal(letIn.length, 1);
      for (const { value } of letIn) await value.close();
      const [first, second] = came[0]?.status === "fulfilled" ? ["a1", "b2"] : ["b2", "a1"];
      await assert.rejects(open({ ...at, home: second }), (error) => isProblem(error, "conflict"));
      await (await open({ ...at, home: first })).close();
    }
  });

  test("a server that is not there is unavailable", async () => {
    const url = "postgres://nobody@/none?host=%2Fnonexistent";
    for (const open of [openAccessDatabase, openIndexDatabase]) {
      await assert.rejects(open({ url, log: silentLog }), (error) => isProblem(error, "unavailable"));
    }
  });

  test("what PostgreSQL would refuse by itself goes in: NUL, half a character, one row or mark twice in a put", async (t) => {
    const store = await openEmpty();
    t.after(store.close);
    const study = studyOf(1, { modalities: ["C\0T", "\ud800", 'a "b" {c}, NULL', "NULL"] });
    const marks = [9, 7].map((position) => ({ pack: "identity-1", position }));
    await store.change((rows) => rows.put({ studies: [studyOf(1), study], marks }));
    const modalities = ["C\ufffdT", "\ufffd", 'a "b" {c}, NULL', "NULL"];
    assert.deepEqual((await store.studies([1]))[0]?.modalities, modalities);
    assert.equal(await store.studyCount(), 1);
    assert.deepEqual(await store.marks(), [marks[0]]);
    assert.deepEqual(await store.studiesByToken(["\0", "token1"]).then((found) => found.length), 1);
  });

  test("a connection that breaks in a change takes all of it along, and the next change connects anew", async (t) => {
    const store = await openEmpty();
    t.after(store.close);
    await putNth(store, 1);
    const broken = store.change(async (rows) => {
      await rows.put({ studies: [studyOf(2)], blocks: [blockOf(2, 0)] });
      await asking("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()");
      await rows.put({ marks: [{ pack: "identity-1", position: 2 }] });
    });
    await assert.rejects(broken, (error) => isProblem(error, "unavailable"));
    await putNth(store, 2);
    assert.equal(await wholeChanges(store), 2);
    await assert.rejects(openIndex(), (error) => isProblem(error, "conflict"));
  });

  test("of a process that is killed in a change nothing of that stands, and all that it was told of before", async () => {
    await (await openEmpty()).close();
    for (let kill = 0; kill < 2; kill++) {
      assert.equal(await killedInChanges({ url: server.url }), 3 * kill + 3);
      const store = await openWhenFree(openIndex);
      assert.equal(await wholeChanges(store), 3 * kill + 3);
      await store.close();
    }
  });
}

/** The server notices the end of a process a moment after it. */
async function openWhenFree<T>(open: () => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (!isProblem(error, "conflict")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return open();
}
