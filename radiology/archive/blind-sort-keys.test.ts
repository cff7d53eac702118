import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { intervalsOf, isWhole, type SortScheme, sortKeysIn, sortSchemes } from "./blind-sort-keys.ts";
import { keyIn, type Test } from "./matching.ts";
import { compareKeys, passes } from "./matching-judge.ts";
import type { IndexedValues } from "./study-index.ts";

const piece = fc.oneof(
  fc.constantFrom(
    "",
    "0",
    "1",
    "9",
    "20240131",
    "2024",
    "a",
    "az",
    "Z",
    "^",
    "-",
    " ",
    ":",
    "/",
    "é",
    "山",
    "𠮷",
    "\u{ffff}",
  ),
  fc.string({ maxLength: 2 }),
);
const text = fc.array(piece, { maxLength: 6 }).map((parts) => parts.join(""));
const values = fc.record(
  Object.fromEntries(
    [
      "StudyDate",
      "StudyTime",
      "PatientBirthDate",
      "PatientName",
      "PatientID",
      "AccessionNumber",
      "StudyDescription",
    ].map((keyword) => [keyword, text] as const),
  ),
);
const textsOf = (scheme: SortScheme, given: IndexedValues) => scheme.keys.map((key) => String(keyIn(given, key)));

test("sort keys keep the order of texts, and equal ones that are whole stand for equal texts", () => {
  fc.assert(
    fc.property(values, values, (one, other) => {
      const [keys, others] = [sortKeysIn(one), sortKeysIn(other)];
      for (const [at, scheme] of sortSchemes.entries()) {
        const [a, b] = [keys[at] ?? -1, others[at] ?? -1];
        assert.ok(Number.isSafeInteger(a) && a >= 0);
        const texts = textsOf(scheme, other);
        const order =
          textsOf(scheme, one)
            .map((each, part) => compareKeys(each, texts[part] ?? ""))
            .find((each) => each !== 0) ?? 0;
        assert.ok(order <= 0 || a >= b);
        assert.ok(order >= 0 || a <= b);
        if (a === b && isWhole(scheme, a)) assert.equal(order, 0);
      }
    }),
    { numRuns: 3000, seed: 5 },
  );
});

const someTest: fc.Arbitrary<Test> = fc.oneof(
  text.map((key): Test => ({ is: "equal", keys: [key] })),
  text.filter((prefix) => prefix !== "").map((prefix): Test => ({ is: "prefix", prefix })),
  fc.tuple(fc.option(text, { nil: undefined }), text).map(([from, to]): Test => ({ is: "range", from, to })),
  text.map((from): Test => ({ is: "range", from, to: undefined })),
);

test("an interval holds every text that passes the test, and no other where it says so", () => {
  fc.assert(
    fc.property(values, someTest, (given, asked) => {
      const keys = sortKeysIn(given);
      for (const [at, scheme] of sortSchemes.entries()) {
        const [first = ""] = textsOf(scheme, given);
        const key = keys[at] ?? -1;
        for (const { least, most, isExact } of intervalsOf(scheme, asked) ?? []) {
          const isIn = key >= least && key <= most;
          if (passes(asked, first)) assert.ok(isIn);
          else if (isExact) assert.ok(!isIn || first === "");
        }
      }
    }),
    { numRuns: 3000, seed: 5 },
  );
});

test("what is usual in its field has a whole key: dates with times, identifiers of ten characters", () => {
  const keys = sortKeysIn({
    StudyDate: "20240131",
    StudyTime: "235959",
    PatientID: "PID0012345",
    PatientName: "Miller^Al",
  });
  const whole = sortSchemes.map((scheme, at) => isWhole(scheme, keys[at] ?? -1));
  assert.deepEqual(whole, [true, true, true, true, true, true]);
});
