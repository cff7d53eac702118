import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pageOfAccess } from "./page.ts";

test("the page for auditors is made from the table that decides", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/access.md"), "utf8");
  assert.equal(page, pageOfAccess(), "run node tools/generators/access/main.ts");
});
