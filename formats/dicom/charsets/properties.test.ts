import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { characterSetsFor, decodeText, encodeText, splitValues } from "./index.ts";
import { codesOf, gbkCodes } from "./tables.ts";
import type { GraphicSetId } from "./terms.ts";

const runs = { seed: 20260101, numRuns: 150 };
const textVrs = ["SH", "LO", "ST", "LT", "UC", "UT", "PN"];
const ascii = Array.from({ length: 0x5f }, (_, i) => String.fromCharCode(0x20 + i));
const plainAscii = ascii.filter((character) => character !== "\\" && character !== "~");

function repertoireOf(set: GraphicSetId): string[] {
  const characters: string[] = [];
  codesOf(set).forEach((code, unit) => {
    if (code !== 0) characters.push(String.fromCharCode(unit));
  });
  return characters;
}

const singleByte: GraphicSetId[] = [100, 101, 109, 110, 144, 127, 126, 138, 148, 203, 13, 166];
const multiByte: GraphicSetId[] = [87, 159, 149, 58];

/** Text of a set, ASCII and line ends between, often enough in turns. */
function textOf(...alphabets: (readonly string[])[]): fc.Arbitrary<string> {
  const characters = alphabets
    .filter((alphabet) => alphabet.length > 0)
    .map((alphabet) => fc.constantFrom(...alphabet));
  return fc
    .array(fc.oneof(...characters, fc.constantFrom("^", "=", "\r\n", "\t", " ")), { maxLength: 40 })
    .map((all) => all.join(""));
}

function assertRoundTrip(text: string, set: readonly string[], vr: string): void {
  assert.equal(decodeText(encodeText(text, set, vr), set, vr), text, `${set.join("\\")} ${vr}`);
}

test("text of each single-byte repertoire comes back as it went", () => {
  for (const set of singleByte) {
    const repertoire = repertoireOf(set);
    assert.ok(repertoire.length >= 45, `${set} has ${repertoire.length}`);
    fc.assert(
      fc.property(textOf(repertoire, plainAscii), fc.constantFrom(...textVrs), (text, vr) => {
        assertRoundTrip(text, [`ISO_IR ${set}`], vr);
        assertRoundTrip(text, [`ISO 2022 IR ${set}`, "ISO 2022 IR 87"], vr);
      }),
      { ...runs, numRuns: 40 },
    );
  }
});

test("every character of the multi-byte sets comes back as it went", () => {
  const sizes = { 87: 6879, 159: 6067, 149: 8228, 58: 7445 } as Record<number, number>;
  for (const set of multiByte) {
    const repertoire = repertoireOf(set);
    assert.ok(Math.abs(repertoire.length - (sizes[set] ?? 0)) <= 8, `${set} has ${repertoire.length}`);
    assertRoundTrip(repertoire.join(""), ["", `ISO 2022 IR ${set}`], "UT");
    assertRoundTrip(repertoire.join("\\"), ["", `ISO 2022 IR ${set}`], "LO");
  }
  let gbk = "";
  gbkCodes().forEach((code, unit) => {
    if (code !== 0) gbk += String.fromCharCode(unit);
  });
  assert.ok(gbk.length > 21_700, `GBK has ${gbk.length}`);
  assertRoundTrip(gbk, ["GBK"], "UT");
});

test("text that changes between declared sets comes back as it went, in any order of the sets", () => {
  const all = [...singleByte, ...multiByte];
  fc.assert(
    fc.property(
      fc.shuffledSubarray(all, { minLength: 2, maxLength: 5 }).chain((sets) =>
        fc.record({
          sets: fc.constant(sets),
          text: textOf(plainAscii, ...sets.map(repertoireOf)),
          vr: fc.constantFrom(...textVrs),
        }),
      ),
      ({ sets, text, vr }) => {
        const terms = sets.map((set) => `ISO 2022 IR ${set}`);
        assertRoundTrip(text, terms, vr);
        assertRoundTrip(text, ["", ...terms], vr);
      },
    ),
    runs,
  );
});

test("a value written with code extensions ends as value 1 began, so that values may be joined", () => {
  const sets = ["ISO 2022 IR 13", "ISO 2022 IR 87", "ISO 2022 IR 126"];
  const text = textOf(repertoireOf(87), repertoireOf(126), repertoireOf(13)).map((value) => value.replaceAll("\\", ""));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), fc.constantFrom("LO", "PN"), (values, vr) => {
      const parts = values.map((value) => latin1(encodeText(value, sets, vr)));
      const joined = encodeText(values.join("\\"), sets, vr);
      assert.equal(latin1(joined), parts.join("\\"));
      assert.deepEqual(splitValues(joined, sets, vr).map(latin1), parts);
    }),
    runs,
  );
});

test("any well-formed text comes back from UTF-8 and GB18030 under the declaration it asks for", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...textVrs), (text, vr) => {
      assertRoundTrip(text, characterSetsFor(text), vr);
      // GB 18030-2022 moved a few private-use characters to standard ones, which leaves them without a code.
      if (!/[\ue000-\uf8ff]/.test(text)) assertRoundTrip(text, ["GB18030"], vr);
    }),
    runs,
  );
});

const declarations = [
  [],
  ["ISO_IR 100"],
  ["ISO_IR 13"],
  ["ISO_IR 192"],
  ["GB18030"],
  ["GBK"],
  ["", "ISO 2022 IR 87"],
  ["ISO 2022 IR 13", "ISO 2022 IR 87", "ISO 2022 IR 159"],
  ["", "ISO 2022 IR 149"],
  ["ISO 2022 IR 100", "ISO 2022 IR 58", "ISO 2022 IR 126"],
  ["no such set"],
];
/** Bytes that steer the readers come often. */
const steering = fc.constantFrom(
  0x1b,
  0x24,
  0x28,
  0x29,
  0x2d,
  0x41,
  0x42,
  0x43,
  0x44,
  0x49,
  0x5c,
  0x5e,
  0x3d,
  0x0d,
  0x30,
  0x81,
  0xb0,
  0xff,
);
const hostile = fc
  .array(fc.oneof(steering, fc.integer({ min: 0, max: 255 })), { maxLength: 120 })
  .map((bytes) => Uint8Array.from(bytes));

test("any bytes are read under any declaration without an error, and parted without loss", () => {
  fc.assert(
    fc.property(hostile, fc.constantFrom(...declarations), fc.constantFrom(...textVrs, "CS"), (bytes, set, vr) => {
      const text = decodeText(bytes, set, vr);
      assert.ok(text.isWellFormed());
      assert.ok(text.length <= bytes.length);
      const values = splitValues(bytes, set, vr);
      assert.equal(values.map(latin1).join("\\"), latin1(bytes));
      // Reading value by value and reading all at once see the same delimiters.
      if (vr === "LO" || vr === "PN") {
        assert.equal(values.map((value) => decodeText(value, set, vr)).join("\\"), text);
        assert.equal(text.split("\\").length, values.length);
      }
    }),
    { ...runs, numRuns: 3000 },
  );
});

test("any declaration is read without an error", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), hostile, (set, bytes) => {
      assert.ok(decodeText(bytes, set, "PN").length <= bytes.length);
    }),
    runs,
  );
});

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
