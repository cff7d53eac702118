import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { cursorOf, readSearch } from "./search-query.ts";

const server = { log: "leadglass.log/00112233aabbccdd", host: "localhost" };
const read = (query: string, isLenient = false) => readSearch(query, isLenient, server);
const at = Date.parse;

test("a date means all the moments that it names, whatever its precision and prefix", () => {
  const ranges: Record<string, { from?: number; to?: number }> = {
    "2026": { from: at("2026-01-01T00:00:00Z"), to: at("2027-01-01T00:00:00Z") },
    "2026-12": { from: at("2026-12-01T00:00:00Z"), to: at("2027-01-01T00:00:00Z") },
    "ge2026-02-28": { from: at("2026-02-28T00:00:00Z") },
    "gt2026-02-28": { from: at("2026-03-01T00:00:00Z") },
    "sa2026-02-28": { from: at("2026-03-01T00:00:00Z") },
    "le2026-02-28": { to: at("2026-03-01T00:00:00Z") },
    "lt2026-02-28": { to: at("2026-02-28T00:00:00Z") },
    "eb2026-02-28": { to: at("2026-02-28T00:00:00Z") },
    "ge2026-02-28T10:20+02:00": { from: at("2026-02-28T08:20:00Z") },
    "eq2026-02-28T10:20:30Z": { from: at("2026-02-28T10:20:30Z"), to: at("2026-02-28T10:20:31Z") },
    "2026-02-28T10:20:30.125Z": { from: at("2026-02-28T10:20:30.125Z"), to: at("2026-02-28T10:20:30.126Z") },
  };
  for (const [date, range] of Object.entries(ranges)) {
    const { criteria } = read(`date=${encodeURIComponent(date)}`);
    assert.deepEqual(criteria, range, date);
  }
});

test("several dates narrow each other", () => {
  const { criteria } = read("date=ge2026-01-01&_lastUpdated=lt2026-03-01&date=ge2026-02-01");
  assert.deepEqual(criteria, { from: at("2026-02-01T00:00:00Z"), to: at("2026-03-01T00:00:00Z") });
});

test("actors, studies and acts are found by their tokens, with our name space or without", () => {
  const system = encodeURIComponent("https://leadglass.log/00112233aabbccdd/actor|");
  const expected = { actor: "user:u1", study: "s1", act: "study.read", outcome: "refused" };
  const rest = "entity=s1&subtype=urn:leadglass:act|study.read&outcome=4";
  assert.deepEqual(read(`agent:identifier=${system}user:u1&${rest}`).criteria, expected);
  assert.deepEqual(read(`agent=user:u1&${rest}`).criteria, expected);
});

test("what cannot be understood is refused, never passed over", () => {
  for (const query of [
    "date=yesterday",
    "date=2026-02-30",
    "date=2026-13",
    "date=ne2026",
    "date=2026-02-28T25:00Z",
    "_count=0",
    "_count=many",
    "_sort=date",
    "_cursor=MTIz",
    "outcome=12",
    "action=X",
    "agent=",
    "agent=a,b",
    "agent=a&agent=b",
    "agent=https://elsewhere|a",
    `agent=${"x".repeat(600)}`,
  ]) {
    assert.throws(
      () => read(query, true),
      (error: unknown) => isProblem(error, "invalid"),
      query,
    );
  }
});

test("an unknown parameter is refused, unless the caller is lenient", () => {
  assert.throws(() => read("patient=1"), /not known here/);
  assert.throws(() => read("__proto__=1"), /not known here/);
  const { criteria, used } = read("patient=1&outcome=0", true);
  assert.deepEqual(criteria, { outcome: "done" });
  assert.deepEqual(used, [["outcome", "0"]]);
});

test("a cursor leads back to where it was taken", () => {
  fc.assert(
    fc.property(fc.nat(), (before) => {
      assert.equal(read(`_cursor=${cursorOf(before)}`).before, before);
    }),
  );
});

test("no query string does anything but be read or be refused", () => {
  const part = fc.tuple(
    fc.constantFrom(
      "date",
      "_count",
      "agent",
      "entity:identifier",
      "action",
      "outcome",
      "subtype",
      "_cursor",
      "_sort",
      "x",
    ),
    fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.stringMatching(/^(ge|le)?\d{4}-\d\d(-\d\d(T\d\d:\d\d)?)?$/),
    ),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), fc.boolean(), (parts, isLenient) => {
      try {
        read(new URLSearchParams(parts.map(([name, value]) => [name, value])).toString(), isLenient);
      } catch (error) {
        assert.ok(isProblem(error, "invalid"), String(error));
      }
    }),
  );
});
