import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../house/index.ts";

const floors = ["base", "formats", "imaging", "trust", "radiology", "stores", "doors", "apps", "tests"];

/** The rows that tests are named for, with the files that those stand in. */
function shown(): Map<number, Set<string>> {
  const files = floors.flatMap((floor) =>
    readdirSync(join(root, floor), { recursive: true, encoding: "utf8" })
      .map((path) => `${floor}/${path}`)
      .filter((path) => path.endsWith(".test.ts") && !path.includes("node_modules")),
  );
  const rows = new Map<number, Set<string>>();
  for (const file of files) {
    for (const [, row] of readFileSync(join(root, file), "utf8").matchAll(/\btest\(\s*["'`](?:attack )?(\d{2,3}): /g))
      rows.set(Number(row), (rows.get(Number(row)) ?? new Set()).add(file));
  }
  return rows;
}

/** The rows of docs/attacks.md: the files that are named, or none where a row says that it has no test yet. */
function told(): { row: number; files: string[]; isComing: boolean }[] {
  return [...readFileSync(join(root, "docs/attacks.md"), "utf8").matchAll(/^\| (\d+) \| .* \| ([^|]+) \|$/gm)].map(
    ([, row, by = ""]) => ({
      row: Number(row),
      files: [...by.matchAll(/`([^`]+)`/g)].map(([, file = ""]) => file),
      isComing: by.startsWith("not yet: comes with "),
    }),
  );
}

test("docs/attacks.md names each of the 100 attacks once, with the files whose tests are named for it", () => {
  const rows = told();
  assert.deepEqual(
    rows.map(({ row }) => row),
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
  const tests = shown();
  for (const { row, files, isComing } of rows) {
    assert.deepEqual(files.sort(), [...(tests.get(row) ?? [])].sort(), `row ${row}`);
    assert.equal(isComing, files.length === 0, `row ${row}`);
  }
});

test("every attack on HTTP, on identity and on operations has a test", () => {
  for (const { row, files } of told())
    if ((row >= 58 && row <= 73) || row >= 84) assert.notDeepEqual(files, [], `row ${row}`);
});
