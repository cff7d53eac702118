import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { systemFiles } from "#base/io";
import { openBreachedPasswords } from "./breached-passwords.ts";
import { createPasswordRules } from "./password-rules.ts";

const rules = createPasswordRules();

test("several unrelated words will do, in any script, with no rule of composition", async () => {
  for (const good of [
    "four unrelated words here",
    "correct horse battery staple",
    "взлёт лампа огурец ты",
    "海辺の静かな朝に歩くのが好き",
  ]) {
    await rules.check(good, "ada@example.org");
  }
});

test("what is short, on a list, repeated or a series is refused with what to do", async () => {
  const bad = [
    ...["elevenchars", "password1234", "Password123!", "PASSWORDpassword", "qwertyuiop123", "iloveyou!!!!!"],
    ...["111111111111", "abcdefghijkl", "123456789012", "aaaaaaaaaaaaab", "x".repeat(257)],
    ...["leadglass rocks a lot", "ada.lovelace and more", "x ADMINISTRATOR x x"],
  ];
  for (const password of bad) {
    await assert.rejects(
      rules.check(password, "ada.lovelace@example.org"),
      { code: "invalid", remedy: /words/ },
      password,
    );
  }
});

const sha1 = (text: string) => createHash("sha1").update(text).digest("hex").toUpperCase();

async function withList(passwords: readonly string[], end: string, work: (path: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "lg-breached-"));
  const path = join(folder, "list.txt");
  const lines = passwords.map((each, count) => `${sha1(each)}:${count * 7 + 1}`).sort();
  writeFileSync(path, lines.map((line) => line + end).join(""));
  try {
    await work(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("every password of a customer's list is found where it lies, and no other", async () => {
  const listed = Array.from({ length: 700 }, (_, at) => `listed ${at}`);
  for (const end of ["\n", "\r\n"]) {
    await withList(listed, end, async (path) => {
      const breached = await openBreachedPasswords(systemFiles, path);
      for (const each of listed) assert.ok(await breached.has(each), each);
      await fc.assert(
        fc.asyncProperty(fc.string(), async (other) => (await breached.has(other)) === listed.includes(other)),
      );
    });
  }
  await withList(["river otter lamp seven"], "\n", async (path) => {
    const withBreached = createPasswordRules({ breached: await openBreachedPasswords(systemFiles, path) });
    await assert.rejects(withBreached.check("river otter lamp seven", "ada"), { code: "invalid" });
    await withBreached.check("river otter lamp eight", "ada");
  });
});

test("a file that is no such list is refused before anything relies on it", async () => {
  await withList([], "", async (path) => {
    for (const content of ["", "password\n", "<html>", `${"A".repeat(39)}:1\n`]) {
      writeFileSync(path, content);
      await assert.rejects(openBreachedPasswords(systemFiles, path), { code: "invalid" });
    }
    await assert.rejects(openBreachedPasswords(systemFiles, `${path}.none`), { code: "invalid" });
  });
});
