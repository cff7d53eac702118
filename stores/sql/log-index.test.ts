import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isProblem } from "#base/problem";
import { entryIndexContract } from "../../trust/audit/entry-index.contract.ts";
import { openLogIndex } from "./index.ts";
import { temporaryFolder } from "./temporary.fixture.ts";

describe("contract of EntryIndex, on SQLite", () => {
  entryIndexContract(async () => openLogIndex({ path: `${temporaryFolder()}/log-index.db` }));
});

test("what was taken in is there after opening again, with its names; what was refused is not there in part", async () => {
  const path = `${temporaryFolder()}/log-index.db`;
  const first = await openLogIndex({ path });
  const one = {
    index: 0,
    at: 1,
    actor: "user:1",
    act: "study.view",
    outcome: "done",
    studies: ["a".repeat(32)],
  } as const;
  await first.add([one], { size: 1, lastHash: "ab" });
  const twice = [{ ...one, index: 1, actor: "user:2" }, one];
  await assert.rejects(first.add(twice, { size: 3, lastHash: "cd" }), (error) => isProblem(error, "fault"));
  assert.deepEqual(await first.mark(), { size: 1, lastHash: "ab" });
  await first.add([{ ...one, index: 1, actor: "user:3" }], { size: 2, lastHash: "ef" });
  await first.close();
  const again = await openLogIndex({ path });
  assert.deepEqual(await again.find({ actor: "user:3" }, { before: 9, limit: 9 }), [1]);
  assert.deepEqual(await again.find({ actor: "user:2" }, { before: 9, limit: 9 }), []);
  assert.deepEqual(await again.find({ study: "a".repeat(32) }, { before: 9, limit: 9 }), [1, 0]);
  await again.close();
});
