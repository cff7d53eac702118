import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { type Entry, tarOf } from "./tar.ts";

const file = (path: string, text = ""): Entry => ({ path, executable: false, read: () => Buffer.from(text) });
const archive = (...entries: Entry[]) => Buffer.concat([...tarOf(entries, 1_774_747_800)]);

test("names that fill both fields of a header are read by tar, in order, with their folders once", () => {
  const name = "n".repeat(100);
  const deep = `${"a".repeat(77)}/${"b".repeat(77)}`;
  const input = archive(file(`${deep}/${name}`, "x".repeat(513)), file("a größe"), { path: "link", target: "a größe" });
  const listed = spawnSync("tar", ["-tvf", "-", "--quoting-style=literal", "--utc", "--full-time", "--numeric-owner"], {
    input,
    encoding: "utf8",
  });
  assert.equal(listed.stderr, "");
  const at = "2026-03-29 01:30:00";
  assert.deepEqual(
    listed.stdout
      .trim()
      .split("\n")
      .map((line) => line.replace(/ +/g, " ")),
    [
      `-rw-r--r-- 0/0 0 ${at} a größe`,
      `drwxr-xr-x 0/0 0 ${at} ${"a".repeat(77)}/`,
      `drwxr-xr-x 0/0 0 ${at} ${deep}/`,
      `-rw-r--r-- 0/0 513 ${at} ${deep}/${name}`,
      `lrwxrwxrwx 0/0 0 ${at} link -> a größe`,
    ],
  );
});

test("what a header cannot hold is refused, and not cut short", () => {
  const refused = [
    file("n".repeat(101)),
    file(`${"a".repeat(156)}/${"n".repeat(100)}`),
    file("a\nb"),
    file("a\\b"),
    file(""),
    { path: "link", target: "t".repeat(101) },
    { path: "link", target: "ö".repeat(51) },
    { path: "link", target: "a\u001b[2J" },
  ];
  for (const entry of refused) assert.throws(() => archive(entry), { code: "invalid" }, JSON.stringify(entry));
});
