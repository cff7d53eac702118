import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { promisify } from "node:util";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import type { BlindChange } from "#radiology/archive";
import { blindStoreContract } from "../../radiology/archive/blind-store.contract.ts";
import { accessStoreContract } from "../../trust/access/access-store.contract.ts";
import { detailStoreContract } from "../../trust/audit/detail-store.contract.ts";
import { recordStoreContract } from "../../trust/vault/record-store.contract.ts";
import { lockHome, openAccessDatabase, openIndexDatabase } from "./index.ts";
import { killedInChanges } from "./killed.fixture.ts";
import { blockOf, putNth, studyOf, wholeChanges } from "./stored-rows.fixture.ts";
import { temporaryFolder } from "./temporary.fixture.ts";

const databases = temporaryFolder();
let serial = 0;
const newPath = () => join(databases, `${serial++}.db`);
const openIndex = async (path = newPath()) => (await openIndexDatabase({ path, log: silentLog })).blindStore;

blindStoreContract(() => openIndex());
accessStoreContract(async () => (await openAccessDatabase({ path: newPath(), log: silentLog })).accessStore);
detailStoreContract(() => openAccessDatabase({ path: newPath(), log: silentLog }));
recordStoreContract(() => openAccessDatabase({ path: newPath(), log: silentLog }));

test("what was put is there after opening again", async () => {
  const path = newPath();
  const first = await openIndex(path);
  await putNth(first, 1);
  await first.close();
  const second = await openIndex(path);
  assert.equal(await wholeChanges(second), 1);
  await second.close();
});

test("a schema newer than the program is refused and left as it is", async () => {
  for (const open of [openAccessDatabase, openIndexDatabase]) {
    const path = newPath();
    const { close } = await open({ path, log: silentLog });
    await close();
    await close();
    const database = new DatabaseSync(path);
    database.exec("update schema_version set version = 99");
    await assert.rejects(open({ path, log: silentLog }), (error) => isProblem(error, "conflict"));
    assert.deepEqual({ ...database.prepare("select version from schema_version").get() }, { version: 99 });
    database.close();
  }
});

test("a database is one home's: another is refused, and it stays the first one's", async () => {
  for (const open of [openAccessDatabase, openIndexDatabase]) {
    const at = { path: newPath(), log: silentLog };
    await (await open({ ...at, home: "a1" })).close();
    await assert.rejects(open({ ...at, home: "b2" }), (error) => isProblem(error, "conflict"));
    await (await open(at)).close();
    await (await open({ ...at, home: "a1" })).close();
  }
});

test("a folder that is not there, and a file that is no database, are problems and no crash", async () => {
  const path = newPath();
  writeFileSync(path, "this is no database, and long enough to be looked at ".repeat(100));
  for (const open of [openAccessDatabase, openIndexDatabase]) {
    const missing = open({ path: "/nonexistent/some.db", log: silentLog });
    await assert.rejects(missing, (error) => isProblem(error, "unavailable"));
    await assert.rejects(open({ path, log: silentLog }), (error) => isProblem(error, "damaged"));
  }
});

test("a refused row takes its change with it, even where the work goes on, and the next change goes through", async (t) => {
  const store = await openIndex();
  t.after(store.close);
  await putNth(store, 1);
  const taken = { ...studyOf(2), uidDigest: studyOf(1).uidDigest };
  const goingOn = store.change(async (rows) => {
    await rows.put({ blocks: [blockOf(2, 0)] });
    await rows.put({ studies: [taken] }).catch(() => {});
    await rows.put({ blocks: [blockOf(3, 0)] }).catch(() => {});
  });
  await assert.rejects(goingOn, (error) => isProblem(error, "fault"));
  const notWaiting = store.change(async (rows) => {
    void rows.put({ studies: [taken] }).catch(() => {});
  });
  await assert.rejects(notWaiting, (error) => isProblem(error, "fault"));
  assert.equal(await wholeChanges(store), 1);
  assert.deepEqual(await store.blocks([blockOf(2, 0).name, blockOf(3, 0).name]), []);
  await putNth(store, 2);
  assert.equal(await wholeChanges(store), 2);
});

test("a change is of no use after its end, nor a store after its close", async () => {
  const store = await openIndex();
  let kept: BlindChange | undefined;
  await store.change(async (rows) => {
    kept = rows;
  });
  await assert.rejects(kept?.put({ studies: [studyOf(1)] }) ?? Promise.resolve(), (error) => isProblem(error, "fault"));
  assert.equal(await store.studyCount(), 0);
  const last = putNth(store, 1);
  await store.close();
  await last;
  await store.close();
  await assert.rejects(store.studies([1]), (error) => isProblem(error, "unavailable"));
  await assert.rejects(putNth(store, 2), (error) => isProblem(error, "unavailable"));
});

test("the number of a removed study is not given out again", async (t) => {
  const store = await openIndex();
  t.after(store.close);
  await store.change((rows) => rows.put({ studies: [studyOf(1), studyOf(2)] }));
  await store.change((rows) => rows.removeStudy(2));
  assert.equal((await store.change((rows) => rows.next())).study, 3);
});

test("what was removed or replaced is in no file of the database any more", async (t) => {
  const path = newPath();
  const store = await openIndex(path);
  t.after(store.close);
  const isThere = (bytes: Uint8Array) =>
    [path, `${path}-wal`].some((file) => readFileSync(file).includes(Buffer.from(bytes)));
  const long = { ...blockOf(9, 0), sealed: new Uint8Array(20_000).fill(0xa7) };
  await store.change((rows) => rows.put({ studies: [studyOf(1), studyOf(2)], blocks: [blockOf(1, 0), long] }));
  assert.ok(isThere(studyOf(1).identity) && isThere(blockOf(1, 0).sealed) && isThere(long.sealed.subarray(0, 3000)));
  await store.change(async (rows) => {
    await rows.put({ studies: [{ ...studyOf(2), identity: studyOf(3).identity }] });
    await rows.removeStudy(1);
    await rows.removeBlocks(blockOf(1, 0).name, 1);
    await rows.removeBlocks(long.name, 1);
  });
  for (const gone of [studyOf(1).identity, studyOf(1).uidDigest, studyOf(2).identity, blockOf(1, 0).sealed]) {
    assert.equal(isThere(gone), false);
  }
  assert.equal(isThere(long.sealed.subarray(0, 300)), false);
  assert.ok(isThere(studyOf(3).identity));
});

test("of a process that is killed in a change nothing of that stands, and all that it was told of before", async () => {
  const path = newPath();
  for (let kill = 0; kill < 3; kill++) {
    assert.equal(await killedInChanges({ path }), 3 * kill + 3);
    const store = await openIndex(path);
    assert.equal(await wholeChanges(store), 3 * kill + 3);
    await store.close();
  }
});

test("on a full disk a change is refused with nothing of it left, and the store goes on when there is room", async (t) => {
  const folder = temporaryFolder();
  const mounted = await promisify(execFile)("mount", ["-t", "tmpfs", "-o", "size=1500k", "none", folder]).catch(
    () => {},
  );
  if (mounted === undefined) return t.skip("needs to mount a small file system: run as root");
  const ballast = join(folder, "ballast");
  writeFileSync(ballast, new Uint8Array(600_000));
  const store = await openIndex(join(folder, "some.db"));
  t.after(async () => {
    await store.close();
    execFileSync("umount", [folder]);
  });
  let standing = 0;
  const fill = async () => {
    for (; standing < 1000; standing++) await putNth(store, standing + 1);
  };
  await assert.rejects(fill(), (error) => isProblem(error, "no-room") && error.remedy !== undefined);
  assert.equal(await wholeChanges(store), standing);
  writeFileSync(ballast, "");
  await putNth(store, standing + 1);
  assert.equal(await wholeChanges(store), standing + 1);
});

test("one process has the home; its lock goes when it is killed", () => {
  const path = join(temporaryFolder(), "lock");
  const home = new URL("./home-lock.ts", import.meta.url).href;
  const inChild = (then: string) =>
    `import { lockHome } from ${JSON.stringify(home)}; const lock = lockHome(${JSON.stringify(path)});
     process.stdout.write(lock === undefined ? "taken" : "held"); ${then}`;
  const run = (code: string) => {
    try {
      return execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  };
  assert.equal(run(inChild("process.kill(process.pid, 'SIGKILL')")), "held");
  const lock = lockHome(path);
  assert.ok(lock !== undefined);
  assert.equal(lockHome(path), undefined);
  assert.equal(run(inChild("")), "taken");
  lock.release();
  assert.equal(run(inChild("lock.release()")), "held");
});
