import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { withTables } from "./page.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/conformance.md"), "utf8");

test("the conformance statement tells what the code runs on", async () => {
  assert.equal(page, await withTables(page), "run node tools/generators/conformance/main.ts");
});

test("a table without a place, with two, and a place without a table are refused", async () => {
  await assert.rejects(withTables(page.replace("<!-- table services -->", "")), /services/);
  await assert.rejects(withTables(`${page}\n<!-- table services -->\n<!-- end -->\n`), /services/);
  await assert.rejects(withTables(`${page}\n<!-- table other -->\n<!-- end -->\n`), /other/);
});
