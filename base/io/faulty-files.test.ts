import assert from "node:assert/strict";
import { test } from "node:test";
import { createFaultyFiles, createTracedFiles } from "./index.ts";

test("the chosen call fails with its code and without effect, the others pass", async () => {
  const { files } = createTracedFiles();
  const faulty = createFaultyFiles(files, ({ kind }) => (kind === "write" ? { code: "EIO" } : undefined));
  const file = await faulty.open("a", "create");
  await assert.rejects(file.write([Buffer.from("lost")], 0), { code: "EIO" });
  assert.equal(await file.size(), 0);
  assert.deepEqual(
    faulty.calls.map(({ kind, isFailed }) => [kind, isFailed]),
    [["open", false], ["write", true], ["size", false]], // biome-ignore format: a table
  );
});

test("a write can fail after part of it", async () => {
  const { files } = createTracedFiles();
  const faulty = createFaultyFiles(files, ({ kind }) =>
    kind === "write" ? { code: "ENOSPC", writtenBytes: 2 } : undefined,
  );
  const file = await faulty.open("a", "create");
  await assert.rejects(file.write([Buffer.from("le"), Buffer.from("ad")], 0), { code: "ENOSPC" });
  assert.equal(await file.size(), 2);
});
