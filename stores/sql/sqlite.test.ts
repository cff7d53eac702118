import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { studyIndexContract } from "../../radiology/archive/study-index.contract.ts";
import { recordOf } from "../../radiology/archive/study-index.fixture.ts";
import { accessStoreContract } from "../../trust/access/access-store.contract.ts";
import { lockHome, openSqlite } from "./index.ts";
import { sameAnswers } from "./same-answers.fixture.ts";
import { temporaryFolder } from "./temporary.fixture.ts";

const newPath = () => join(temporaryFolder(), "leadglass.db");
const openAt = (path: string) => openSqlite({ path, log: silentLog });

studyIndexContract(async () => {
  const { studyIndex, accessStore } = await openAt(newPath());
  await accessStore.close();
  return studyIndex;
});

accessStoreContract(async () => {
  const { studyIndex, accessStore } = await openAt(newPath());
  await studyIndex.close();
  return accessStore;
});

test("memory and SQLite give the same answers to random queries over random studies", async (t) => {
  const { studyIndex, close } = await openAt(newPath());
  t.after(close);
  await sameAnswers(studyIndex, { runs: 40, seed: 20260101 });
});

test("what was added is there after opening again", async () => {
  const path = newPath();
  const first = await openAt(path);
  await first.studyIndex.add([recordOf()], [{ pack: "p", position: 1 }]);
  await first.close();
  const second = await openAt(path);
  assert.equal(await second.studyIndex.countStudies([]), 1);
  assert.deepEqual(await second.studyIndex.marks(), [{ pack: "p", position: 1 }]);
  assert.deepEqual(await second.studyIndex.add([recordOf()], []), ["duplicate"]);
  await second.close();
});

test("a schema newer than the program is refused and left as it is", async () => {
  const path = newPath();
  await (await openAt(path)).close();
  const database = new DatabaseSync(path);
  database.exec("update schema_version set version = 99");
  await assert.rejects(openAt(path), (error) => isProblem(error, "conflict"));
  assert.deepEqual({ ...database.prepare("select version from schema_version").get() }, { version: 99 });
  database.close();
});

test("a folder that is not there is a problem, not a crash", async () => {
  await assert.rejects(openAt("/nonexistent/leadglass.db"), (error) => isProblem(error, "unavailable"));
});

test("a write that fails leaves nothing behind, and the next one goes through", async (t) => {
  const { studyIndex, accessStore, close } = await openAt(newPath());
  t.after(close);
  const stranger = recordOf({ study: "2", sop: "2" });
  await studyIndex.add([recordOf()], []);
  const failing = studyIndex.add([{ ...stranger, studyToken: recordOf().studyToken }, recordOf({ sop: "3" })], []);
  await assert.rejects(failing, (error) => isProblem(error, "fault"));
  assert.equal((await studyIndex.study(recordOf().studyUid))?.instanceCount, 1);
  assert.deepEqual(await studyIndex.add([stranger], []), ["added"]);
  assert.deepEqual(await accessStore.accounts(), []);
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
