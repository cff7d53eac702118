import assert from "node:assert/strict";
import { test } from "node:test";
import { crashState, createTracedFiles } from "./index.ts";

const never = () => {
  throw new Error("nothing was left to chance");
};

test("what was synced survives every crash, what was not may be gone or half there", async () => {
  const { files, trace, note } = createTracedFiles();
  const file = await files.open("home/a", "create");
  await files.syncFolder("home");
  await file.write([Buffer.alloc(8192, 1)], 0);
  await file.sync();
  note("acknowledged");
  await file.write([Buffer.alloc(8192, 2)], 8192);

  const lost = crashState(trace, trace.length, "dropped", never);
  assert.deepEqual(lost.disk.get("home/a"), Buffer.alloc(8192, 1));
  assert.deepEqual(lost.notes, ["acknowledged"]);
  assert.equal(crashState(trace, trace.length, "kept", never).disk.get("home/a")?.length, 16384);

  const chances = [0.5, 0.9, 0.1];
  const torn = crashState(trace, trace.length, "mixed", () => chances.shift() ?? 0);
  assert.equal(torn.disk.get("home/a")?.[8192], 0, "the first page was dropped");
  assert.equal(torn.disk.get("home/a")?.[12288], 2, "the second was kept");
});

test("a name that its folder was not synced for may be gone, with all that was synced into the file", async () => {
  const { files, trace } = createTracedFiles();
  const file = await files.open("home/a", "create");
  await file.write([Buffer.from("x")], 0);
  await file.sync();
  assert.equal(crashState(trace, trace.length, "dropped", never).disk.size, 0);
  await files.syncFolder("home");
  await files.rename("home/a", "home/b");
  assert.deepEqual([...crashState(trace, trace.length, "dropped", never).disk.keys()], ["home/a"]);
  assert.deepEqual([...crashState(trace, trace.length, "kept", never).disk.keys()], ["home/b"]);
});

test("a crash before the sync was over is a crash without it", async () => {
  const { files, trace } = createTracedFiles(new Map([["home/a", Buffer.from("old")]]));
  const file = await files.open("home/a", "update");
  await file.write([Buffer.from("new")], 0);
  const before = trace.length;
  await file.sync();
  assert.equal(String(crashState(trace, before, "dropped", never).disk.get("home/a")), "old");
  assert.equal(String(crashState(trace, before + 1, "dropped", never).disk.get("home/a")), "new");
});
