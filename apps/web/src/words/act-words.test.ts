import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { wordedActs } from "./act-words.ts";

test("every act that there is has words for who reads the roles, and no words are left of one that is gone", () => {
  const page = readFileSync(new URL("../../../../docs/access.md", import.meta.url), "utf8");
  const table = page.slice(page.indexOf("## Acts"), page.indexOf("## Roles and kinds"));
  const acts = [...table.matchAll(/^\| `([a-z.-]+)` \|/gm)].map(([, act]) => act);
  assert.ok(acts.length > 50, `${acts.length} acts`);
  assert.deepEqual([...wordedActs].sort(), acts.sort());
});
