import assert from "node:assert/strict";
import { test } from "node:test";
import { readNativeModel } from "./native-model.ts";
import { withoutEmptyComponents, withoutPadding } from "./padding.ts";

test("padding goes from the end, and from the front where it means nothing; what is inside stays", () => {
  assert.equal(withoutPadding("  a b \0 \0"), "  a b");
  assert.equal(withoutPadding("  a b \0 \0", true), "a b");
  assert.deepEqual([withoutPadding(""), withoutPadding(" \0"), withoutPadding("  ", true)], ["", "", ""]);
  assert.deepEqual(
    [withoutEmptyComponents("A^^B^^"), withoutEmptyComponents("^^"), withoutEmptyComponents("")],
    ["A^^B", "", ""],
  );
});

// Each took from seconds to hours when it was a pattern that begins anew at every character.
test("long runs of what could be padding, with a letter behind them, are passed over once", () => {
  const long = 4_000_000;
  assert.equal(withoutPadding(`${" ".repeat(long)}x`).length, long + 1);
  const name = `<PersonName number="1"><Alphabetic><FamilyName>${"^".repeat(long)}x</FamilyName></Alphabetic></PersonName>`;
  const xml = `<NativeDicomModel><DicomAttribute tag="00100010" vr="PN">${name}</DicomAttribute></NativeDicomModel>`;
  assert.ok(readNativeModel(xml)["00100010"]);
});
