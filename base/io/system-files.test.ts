import assert from "node:assert/strict";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemFiles } from "./index.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "leadglass-io-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("what was written in parts is read back whole", () =>
  inFolder(async (folder) => {
    const file = await systemFiles.open(join(folder, "a"), "create");
    await file.write([Buffer.from("lead"), Buffer.alloc(0), Buffer.from("glass")], 3);
    await file.sync();
    assert.equal(await file.size(), 12);
    const into = Buffer.alloc(20);
    assert.equal(await file.read(into, 3), 9);
    assert.equal(into.toString("latin1", 0, 9), "leadglass");
    await file.close();
  }));

test("create refuses a file that is there, and a link that points elsewhere", () =>
  inFolder(async (folder) => {
    await (await systemFiles.open(join(folder, "a"), "create")).close();
    await assert.rejects(systemFiles.open(join(folder, "a"), "create"), { code: "EEXIST" });
    await symlink(join(folder, "elsewhere"), join(folder, "link"));
    await assert.rejects(systemFiles.open(join(folder, "link"), "create"));
  }));

test("an absent folder lists as empty and an absent file is removed without an error", () =>
  inFolder(async (folder) => {
    assert.deepEqual(await systemFiles.list(join(folder, "none")), []);
    await systemFiles.remove(join(folder, "none"));
    assert.equal(await systemFiles.exists(join(folder, "none")), false);
  }));
