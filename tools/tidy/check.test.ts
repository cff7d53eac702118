import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { check, rules } from "./check.ts";

const fixtures = join(import.meta.dirname, "fixtures");

/** What breaks in each fixture, in full: the rule is the folder's name, and no other rule finds anything. */
const broken: Readonly<Record<string, readonly string[]>> = {
  floors: ["base/clock/index.ts:1", ...at("trust/vault/index.ts", 2, 3, 5, 6, 7)],
  "front-door": ["trust/audit/tree.ts:1", ...at("trust/vault/index.ts", 1, 2, 3, 5, 6), "trust/vault/seal.ts:1"],
  apart: [
    ...at("apps/web/src/main.ts", 2, 3),
    "doors/dimse/index.ts:1",
    "doors/hl7/index.ts:1",
    ...at("stores/sql/index.ts", 1, 2),
  ],
  sideways: [
    "apps/server/index.ts:1",
    "formats/fhir/index.ts:1",
    "radiology/orders/index.ts:2",
    "radiology/survey/index.ts:1",
    "trust/audit/index.ts:1",
  ],
  "test-code": ["trust/vault/index.ts:1", "trust/vault/seal.ts:1"],
  circles: ["base/log/three.ts:2"],
  ports: [
    "trust/vault/journal.contract.ts:1",
    "trust/vault/keys.ts:5",
    "trust/vault/objects.contract.ts:1",
    "trust/vault/objects.ts:1",
  ],
  environment: at("trust/vault/index.ts", 1, 3, 4),
  homes: [
    ...at("apps/web/src/main.ts", 1, 1),
    ...at("trust/vault/index.ts", 1, 2, 3, 5, 7, 9, 9, 9, 10, 11, 12, 13, 14, 15, 16),
  ],
  keepers: [...at("radiology/archive/archive.ts", 1, 4, 5), "trust/vault/secrets.ts:1"],
  statements: at("stores/sql/index.ts", 3, 4, 5),
  browser: at("formats/dicom/index.ts", 1, 4, 5),
  syntax: ["base/log/index.ts:1"],
  words: at("base/log/index.ts", 1, 2, 2),
  comments: at("base/log/index.ts", 1, 3, 5),
  "module-state": at("trust/vault/index.ts", 1, 2, 3),
  closures: ["trust/vault/index.ts:1"],
  "function-length": at("base/log/index.ts", 72, 144),
  "file-length": ["base/log/index.ts:501"],
  names: [...at("base/log/index.ts", 1, 2, 5), "base/log/string-utils.ts:1", "trust/common/index.ts:1"],
  tests: at("base/log/log.test.ts", 3, 4, 5, 6, 8, 9),
  decisions: [
    "docs/decisions/0003-three.md:1",
    "docs/decisions/0003-twice.md:1",
    "docs/decisions/0004-untitled.md:1",
    "docs/decisions/late.md:1",
  ],
  hosts: ["README.md:2", "package-lock.json:5"],
  places: ["docs/x.md:2"],
  dependencies: ["apps/web/package.json:3", ...at("docs/dependencies.md", 4, 5, 6), ...at("package.json", 4, 5)],
  declared: [...at("trust/vault/index.ts", 2, 4), "trust/vault/vault.test.ts:2"],
  locked: ["package-lock.json:6"],
};

function at(file: string, ...lines: number[]): string[] {
  return lines.map((line) => `${file}:${line}`);
}

function findingsOf(fixture: string): Record<string, string[]> {
  const found = check(join(fixtures, fixture), []).filter(({ findings }) => findings.length > 0);
  return Object.fromEntries(
    found.map(({ id, findings }) => [id, findings.map(({ file, line }) => `${file}:${line}`).sort(byName)]),
  );
}

function byName(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}

for (const { id, what } of rules) {
  test(`the rule "${what}" fires on its fixture, where it is broken, and no other does`, () => {
    assert.deepEqual(findingsOf(id), { [id]: [...(broken[id] ?? [])].sort(byName) });
  });
}

test("a tree that keeps every rule passes", () => {
  assert.deepEqual(findingsOf("clean"), {});
});

test("every fixture belongs to a rule", () => {
  const known = [...rules.map(({ id }) => id), "allowances", "clean"].sort();
  assert.deepEqual(readdirSync(fixtures).sort(), known);
});

test("an allowance excuses its file alone, and one that excuses nothing is a finding", () => {
  const excused = { rule: "homes", file: "trust/vault/index.ts", about: "Math.random", reason: "a test" };
  const stale = { rule: "homes", file: "trust/vault/gone.ts", reason: "a test" };
  const root = join(fixtures, "allowances");
  const findings = (allowed: Parameters<typeof check>[1]) => check(root, allowed).flatMap((result) => result.findings);
  assert.deepEqual(findings([excused]), []);
  assert.match(findings([])[0]?.message ?? "", /Math\.random/);
  assert.match(findings([excused, stale])[0]?.message ?? "", /gone\.ts excuses nothing/);
});
