import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { actsOfScopes, needsPatient, parseResourceScope, scopeContexts, scopesOffered, scopesShown } from "./scopes.ts";

const letters = fc.subarray([..."cruds"], { minLength: 1 }).map((all) => all.join(""));
const context = fc.constantFrom(...scopeContexts);
const resource = fc.constantFrom("*", "ImagingStudy", "Patient", "AuditEvent");

test("every context, resource and ordered set of letters is a scope, and is read as it was written", () => {
  fc.assert(
    fc.property(context, resource, letters, (of, on, ending) => {
      const parsed = parseResourceScope(`${of}/${on}.${ending}`);
      assert.deepEqual(parsed, { context: of, resource: on, interactions: [...ending] });
      assert.ok(scopesOffered.includes(`${of}/${on}.${ending}`));
    }),
  );
});

test("the endings of version 1 mean what version 2 says they do", () => {
  for (const [old, now] of [
    ["read", "rs"],
    ["write", "cud"],
    ["*", "cruds"],
  ]) {
    const both = [old, now].map((ending) => parseResourceScope(`user/ImagingStudy.${ending}`)?.interactions);
    assert.deepEqual(both[0], both[1]);
  }
});

test("letters out of order, doubled or unknown, other resources, queries and anything else are no scope", () => {
  const wrong = [
    ..."user/ImagingStudy.sr user/ImagingStudy.rr user/ImagingStudy.x user/ImagingStudy. user/ImagingStudy".split(" "),
    ..."User/ImagingStudy.r user/imagingstudy.r user/Observation.r user//ImagingStudy.r /ImagingStudy.r".split(" "),
    ..."user/ImagingStudy.rs?status=final user/ImagingStudy.constructor user/__proto__.r patient/*.toString".split(" "),
    "",
    " user/ImagingStudy.r",
    `user/ImagingStudy.${"r".repeat(1e6)}`,
  ];
  for (const text of wrong) assert.equal(parseResourceScope(text), undefined, text.slice(0, 60));
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (text) => {
      const parsed = parseResourceScope(text);
      assert.ok(parsed === undefined || scopesOffered.includes(text), text);
    }),
  );
});

test("more scopes never let less be done, and each lets be done only what it names", () => {
  fc.assert(
    fc.property(
      fc.subarray([...scopesOffered]),
      fc.subarray([...scopesOffered]),
      fc.boolean(),
      (some, more, chosen) => {
        const few = actsOfScopes(some, "person", chosen);
        const many = new Set(actsOfScopes([...some, ...more], "person", chosen));
        assert.ok(few.every((act) => many.has(act)));
      },
    ),
  );
  assert.deepEqual(actsOfScopes(["user/ImagingStudy.r"], "person", false), ["study.view", "study.read"]);
  assert.deepEqual(actsOfScopes(["user/Patient.d", "openid", "offline_access", "launch"], "person", true), []);
});

test("scopes of programs are nothing to people, nor the other way round; those of a patient nothing without one", () => {
  assert.deepEqual(actsOfScopes(["system/*.cruds"], "person", true), []);
  assert.deepEqual(actsOfScopes(["user/*.cruds", "patient/*.cruds"], "program", true), []);
  assert.deepEqual(actsOfScopes(["patient/*.cruds"], "person", false), []);
  assert.deepEqual(actsOfScopes(["patient/ImagingStudy.s"], "person", true), ["study.search", "study.watch"]);
  assert.equal(needsPatient(["openid", "launch"]), false);
  assert.ok(needsPatient(["launch/patient"]) && needsPatient(["patient/ImagingStudy.rs"]));
});

test("what lets a program store lets it begin an upload; what lets it write studies or delete them, reject", () => {
  const storing = ["instance.store", "upload.begin"];
  assert.deepEqual(actsOfScopes(["user/ImagingStudy.c"], "person", true).sort(), storing);
  assert.deepEqual(actsOfScopes(["user/ImagingStudy.d"], "person", true), ["study.reject"]);
  const writing = ["instance.store", "study.reject", "upload.begin", "work-item.perform", "work-item.write"];
  assert.deepEqual(actsOfScopes(["dicomweb.write"], "person", true).sort(), writing);
});

test("no scope lets anybody administer", () => {
  const all = [...actsOfScopes(scopesOffered, "person", true), ...actsOfScopes(scopesOffered, "program", true)];
  assert.deepEqual(
    all.filter(
      (act) =>
        !/^(study\.(search|watch|view|read|correct|reject)|upload\.begin|instance\.store|audit\.read|work-item\.\w+)$/.test(
          act,
        ),
    ),
    [],
  );
  assert.ok(scopesShown.every((scope) => scopesOffered.includes(scope)));
});
