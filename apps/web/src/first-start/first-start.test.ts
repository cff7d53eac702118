import assert from "node:assert/strict";
import { test } from "node:test";
import { passwordStrength } from "./password-strength.ts";
import { recoveryKitText } from "./recovery-kit-text.ts";
import { secretIn, takeSecret } from "./setup-secret.ts";

test("the secret is taken out of the address and the history", () => {
  const written: string[] = [];
  const past = { replaceState: (_data: unknown, _unused: string, url: string) => written.push(url) };
  assert.equal(takeSecret("setup", { hash: "#setup=ab_C-1", pathname: "/", search: "" }, past), "ab_C-1");
  assert.deepEqual(written, ["/"]);
  assert.equal(takeSecret("setup", { hash: "#other", pathname: "/", search: "" }, past), undefined);
  assert.equal(written.length, 1, "an address without it is left alone");
  assert.equal(secretIn("https://localhost:8443/#setup=xyz and more"), "xyz");
  assert.equal(takeSecret("share", { hash: "#setup=xyz", pathname: "/", search: "" }, past), undefined);
  assert.equal(takeSecret("share", { hash: "#share=x-Y_9%E0%A4%A", pathname: "/", search: "" }, past), "x-Y_9");
});

test("the hint counts what is missing, and sees through repetition, sequences and the own name", () => {
  assert.deepEqual(passwordStrength("short", "ada"), { level: 0, hint: "7 more characters" });
  assert.deepEqual(passwordStrength("elevenchars", "ada"), { level: 0, hint: "1 more character" });
  assert.equal(passwordStrength("aaaaaaaaaaaaaaaa", "ada").level, 1);
  assert.equal(passwordStrength("abcdefghijklmnop", "ada").level, 1);
  assert.equal(passwordStrength("adalovelace-and-more-words", "adalovelace").level, 1);
  assert.equal(passwordStrength("correct horse battery staple", "ada").level, 4);
});

test("the recovery kit as text holds every code and the passphrase", () => {
  const text = recoveryKitText(
    { recoveryCodes: ["aaaa-1", "bbbb-2"], rootPassphrase: "tarnish-ocelot", madeAt: 0 },
    "ada",
    "https://localhost",
  );
  for (const part of ["aaaa-1", "bbbb-2", "tarnish-ocelot", "ada"]) assert.ok(text.includes(part), part);
});
