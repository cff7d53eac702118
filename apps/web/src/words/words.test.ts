import assert from "node:assert/strict";
import { test } from "node:test";
import { ageInYears, dicomDate, dicomTime, ideographicName, personName } from "./dicom-words.ts";
import { relativeTime } from "./moments.ts";

test("a person name reads family first, and falls back to the group that has one", () => {
  assert.equal(personName("Doe^Jane^Q^Dr^MD"), "Doe, Dr Jane Q MD");
  assert.equal(personName("Yamada^Tarou=山田^太郎=やまだ^たろう"), "Yamada, Tarou");
  assert.equal(ideographicName("Yamada^Tarou=山田^太郎=やまだ^たろう"), "山田, 太郎");
  assert.equal(personName("=山田^太郎"), "山田, 太郎");
  assert.equal(ideographicName("=山田^太郎"), "");
  assert.equal(personName("^^^^"), "");
});

test("dates and times of the standard, old and new, read as usual; anything else stays", () => {
  assert.equal(dicomDate("20260131"), "2026-01-31");
  assert.equal(dicomDate("1993.08.22"), "1993-08-22");
  assert.equal(dicomDate("unknown"), "unknown");
  assert.equal(dicomTime("140509.123"), "14:05");
  assert.equal(dicomTime(""), "");
});

test("an age counts whole years on the day of the study", () => {
  assert.equal(ageInYears("19700615", "20260614"), 55);
  assert.equal(ageInYears("19700615", "20260615"), 56);
  assert.equal(ageInYears("", "20260615"), undefined);
  assert.equal(ageInYears("20260616", "20260615"), undefined);
});

test("moments are told in the largest whole unit", () => {
  const now = 1_800_000_000_000;
  assert.equal(relativeTime(now - 20_000, now), "just now");
  assert.match(relativeTime(now - 3_700_000, now), /^1 hr/);
});
