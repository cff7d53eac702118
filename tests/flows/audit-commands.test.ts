import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type RunningHouse, startHouse } from "../house/index.ts";

let house: RunningHouse;
let exported: string;

before(async () => {
  house = await startHouse();
  for (let i = 0; i < 5; i++) assert.equal((await house.fetch("/dicom-web/studies")).status, 200);
  assert.equal((await house.fetch("/dicom-web/studies", { anonymous: true })).status, 401);
  exported = join(house.home, "export");
  house.command(["audit", "export", exported]);
});
after(() => house.remove());

const entriesOf = (folder: string) => readFileSync(join(folder, "entries.jsonl"), "utf8").trimEnd().split("\n");

/** A copy of the export with its entries changed. */
function tampered(name: string, change: (lines: string[]) => string[]): string {
  const folder = join(house.home, name);
  cpSync(exported, folder, { recursive: true });
  writeFileSync(join(folder, "entries.jsonl"), `${change(entriesOf(folder)).join("\n")}\n`);
  return folder;
}

test("an exported log is proven without a home", () => {
  const { status, stdout } = house.tryCommand(["audit", "verify", exported, "--json"]);
  assert.equal(status, 0);
  const verdict = JSON.parse(stdout) as { ok: boolean; size: number; vouchedUntil: number };
  assert.deepEqual([verdict.ok, verdict.vouchedUntil], [true, entriesOf(exported).length]);
});

test("the log of a running server is proven in place", () => {
  assert.match(house.command(["audit", "verify"]), /^\d+ entries, \d+ of them proven/);
});

test("searches and the refusal stand in the log, with no name in any entry", () => {
  const entries = entriesOf(exported).map(
    (line) => JSON.parse(line) as { act: string; outcome: string; actor: string },
  );
  assert.equal(entries.filter(({ act, actor }) => act === "study.search" && actor.startsWith("client:")).length, 5);
  for (const entry of entries) {
    const known = ["at", "actor", "act", "on", "purpose", "outcome", "counts", "detail"];
    assert.ok(Object.keys(entry).every((key) => known.includes(key)));
    assert.match(entry.actor, /^(system|operator|anonymous|(user|client|device):[0-9a-f]{32})$/);
  }
});

const kinds: Record<string, (lines: string[]) => string[]> = {
  changed: (lines) =>
    lines.map((line, at) => (at === 2 ? line.replace('"outcome":"done"', '"outcome":"failed"') : line)),
  removed: (lines) => lines.filter((_line, at) => at !== 2),
  reordered: (lines) => [lines[0] ?? "", lines[2] ?? "", lines[1] ?? "", ...lines.slice(3)],
  inserted: (lines) => [...lines.slice(0, 2), lines[0] ?? "", ...lines.slice(2)],
  "cut off": (lines) => lines.slice(0, -1),
};

for (const [kind, change] of Object.entries(kinds)) {
  test(`an entry that was ${kind} is found`, () => {
    const { status, stdout, stderr } = house.tryCommand(["audit", "verify", tampered(kind, change)]);
    assert.equal(status, 1);
    assert.match(stdout, /NOT PROVEN/);
    assert.match(stderr, /not what was signed/);
  });
}

test("an export that was signed again with another key is found by the key that the auditor holds", async () => {
  const other = await startHouse();
  try {
    const folder = join(other.home, "export");
    other.command(["audit", "export", folder]);
    const { status } = house.tryCommand(["audit", "verify", folder, "--key", join(exported, "verifier.key")]);
    assert.equal(status, 1);
  } finally {
    await other.remove();
  }
});
