import assert from "node:assert/strict";
import { test } from "node:test";
import { grantsFilter, peopleFilter } from "./access-views.ts";
import { programKind } from "./program-words.ts";
import { waysInWords } from "./ways-in-words.ts";

const token = "0123456789abcdef0123456789abcdef";

test("an address that anyone may have typed keeps tokens and words of ours, and no name", () => {
  const kept = { role: "referrer", place: token, who: `user:${token}`, ended: true } as const;
  assert.deepEqual(grantsFilter({ ...kept, name: "ada", search: "Abel" }), kept);
  assert.deepEqual(grantsFilter({ role: "king", place: "Abel^Anna", who: "user:ada", ended: "yes" }), {});
  assert.deepEqual(grantsFilter({ place: "patient" }), { place: "patient" });
  assert.deepEqual(peopleFilter({ role: "auditor", name: "ada" }), { role: "auditor" });
  assert.deepEqual(peopleFilter({ role: ["auditor"] }), {});
});

test("ways in and programs are told in words", () => {
  assert.equal(waysInWords({ hasPassword: true, passkeys: 0 }), "Password and authenticator");
  assert.equal(waysInWords({ hasPassword: true, passkeys: 2 }), "2 passkeys, password and authenticator");
  assert.equal(waysInWords({ hasPassword: false, passkeys: 1 }), "Passkey");
  assert.equal(waysInWords({ hasPassword: false, passkeys: 0 }), "Nothing yet");
  assert.equal(programKind(undefined), "Script, by a token");
  const client = { id: token, name: "viewer", createdAt: 0, redirectUris: [], isFirstParty: false };
  assert.equal(
    programKind({ ...client, proof: "keys", isFapi: true, byCode: false }),
    "Server, proves itself by its keys, FAPI 2.0",
  );
  assert.equal(programKind({ ...client, proof: "none", isFapi: false, byCode: true }), "Device, let in by a code");
});
