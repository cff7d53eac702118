import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { type ZipEntry, zipOf } from "./zip.ts";

const python = `
import sys, zipfile, hashlib, json
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(json.dumps({n: hashlib.sha256(z.read(n)).hexdigest() for n in z.namelist()}))
`;

const fileOf = (name: string, ...pieces: readonly Uint8Array[]): ZipEntry => ({
  name,
  async *bytes() {
    yield* pieces;
  },
});

test("another program reads every file of an archive that was made while it was sent", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lg-zip-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const large = Buffer.alloc(3_000_000, "leadglass ");
  const files = [fileOf("empty"), fileOf("study/ä.txt", Buffer.from("one"), Buffer.from("two")), fileOf("b", large)];
  writeFileSync(join(folder, "a.zip"), await buffer(zipOf(files)));
  const read = spawnSync("python3", ["-c", python, join(folder, "a.zip")], { encoding: "utf8" });
  if (read.error !== undefined) return t.skip("needs python3: apt install python3");
  assert.equal(read.stderr, "");
  const { createHash } = await import("node:crypto");
  const hash = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");
  assert.deepEqual(JSON.parse(read.stdout), { empty: hash(""), "study/ä.txt": hash("onetwo"), b: hash(large) });
});

test("a file that cannot be read to its end breaks the archive off", async () => {
  const torn: ZipEntry = {
    name: "torn",
    async *bytes() {
      yield Buffer.from("begun");
      throw new Error("the disk is gone");
    },
  };
  await assert.rejects(buffer(zipOf([torn])), /the disk is gone/);
});
