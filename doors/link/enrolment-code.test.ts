import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { decodeEnrolmentCode, encodeEnrolmentCode, isPinned } from "./enrolment-code.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const mistyped = (error: unknown) => isProblem(error, "invalid");

test("a code is ten groups of four, and is read as it was made, however it is typed", () => {
  fc.assert(
    fc.property(bytes(10), bytes(40), (secret, certificate) => {
      const digest = createHash("sha256").update(certificate).digest();
      const code = encodeEnrolmentCode(secret, digest);
      assert.match(code, /^([0-9A-Z]{4}-){9}[0-9A-Z]{4}$/);
      for (const typed of [code, code.toLowerCase().replaceAll("-", " "), ` ${code.replaceAll("-", "")} `]) {
        const read = decodeEnrolmentCode(typed);
        assert.deepEqual(read.secret, Buffer.from(secret));
        assert.ok(isPinned(read, certificate));
        assert.ok(!isPinned(read, Buffer.concat([certificate, Buffer.of(0)])));
      }
    }),
    { seed: 6, numRuns: 50 },
  );
});

test("what is no code says that it was mistyped, and nothing is thrown but that", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: fc.constantFrom(..."0AZ- "), maxLength: 60 })),
      (text) => {
        assert.throws(() => decodeEnrolmentCode(text), mistyped);
      },
    ),
    { seed: 6 },
  );
});

test("of 256 letters that are wrong, 255 are noticed", () => {
  const code = encodeEnrolmentCode(Buffer.alloc(10, 7), createHash("sha256").digest());
  const wrong = [...code].flatMap((letter, at) =>
    letter === "-"
      ? []
      : [..."0123456789ABCDEFGHJKMNPQRSTVWXYZ"]
          .filter((other) => other !== letter)
          .map((other) => code.slice(0, at) + other + code.slice(at + 1)),
  );
  const unnoticed = wrong.filter((typed) => {
    try {
      return decodeEnrolmentCode(typed).secret.length > 0;
    } catch {
      return false;
    }
  });
  assert.ok(unnoticed.length < wrong.length / 64, `${unnoticed.length} of ${wrong.length}`);
});
