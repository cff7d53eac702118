// Rows 67 to 69 of the attack table: what a hostile caller may ask of a search.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "#base/id";
import { matchesPattern } from "../../radiology/archive/matching.fixture.ts";
import { search, slicesOf, stow } from "../flows/modality.fixture.ts";
import { type AttackedHouse, startAttackedHouse } from "./attacked-house.fixture.ts";

const names = ["Robert');DROP TABLE studies;--", "a".repeat(64), "' OR '1'='1", "Test^Tom", "100%_sure", "x\u2028y"];
let house: AttackedHouse;
before(async () => {
  house = await startAttackedHouse();
  const slices = names.flatMap((name, index) =>
    slicesOf({ kind: "mr-brain", slices: 1, size: 16, seed: 670 + index }, (attributes) => ({
      ...attributes,
      SpecificCharacterSet: "ISO_IR 192",
      PatientName: name,
      PatientID: `P${index}`,
    })),
  );
  assert.equal((await stow(house, slices)).status, 200);
  for (let tries = 0; tries < 600 && (await search(house, "/studies?limit=100")).length < names.length; tries++)
    await sleep(50);
});
after(() => house?.remove());

const injections = [
  "'",
  "''",
  '"',
  "`",
  "\\",
  "\\'",
  "%",
  "_",
  "%27",
  "1'--",
  "' OR 1=1--",
  '" OR ""="',
  "') OR ('1'='1",
  "';SELECT pg_sleep(5);--",
  "1 UNION SELECT password_hash FROM accounts",
  "' UNION SELECT null,null,null--",
  "'; DROP TABLE accounts; --",
  "$1",
  "?1",
  ":a",
  "@a",
  "x' AND randomblob(1000000000)--",
  "' || (SELECT 1) || '",
  "0x27",
  "CHAR(39)",
  "\u02bc OR 1=1",
  "＇ OR 1=1",
  "\u0000'",
  "$ne",
  '{"$gt":""}',
  "[$ne]=1",
  "; ls",
  "$(id)",
  "`id`",
  "{{7*7}}",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what a template would compute
  "${7*7}",
  "%s%n",
  "../../etc/passwd",
  "*)(uid=*",
  "\r\nX: 1",
];

test("attack 67: what is searched for is a value and nothing else, in every key and every search", async () => {
  await house.under({}, async () => {
    for (const injection of injections) {
      const value = encodeURIComponent(injection);
      const paths = [
        ...["PatientName", "PatientID", "StudyDescription", "AccessionNumber", "ModalitiesInStudy", "00100010"].map(
          (key) => `/dicom-web/studies?${key}=${value}`,
        ),
        ...[`StudyDate=${value}`, `StudyInstanceUID=${value}`, `limit=${value}`, `offset=${value}`, `${value}=1`].map(
          (query) => `/dicom-web/studies?${query}`,
        ),
        ...[`/dicom-web/series?SeriesNumber=${value}`, `/dicom-web/studies/${value}/series`],
        ...[`/api/studies?search=${value}`, `/api/studies?sort=${value}`, `/api/audit?actor=${value}`],
      ];
      for (const path of paths) {
        const answer = await house.fetch(path);
        const text = await answer.text();
        assert.ok([200, 204, 400, 404].includes(answer.status), `${path}: ${answer.status} ${text}`);
        assert.doesNotMatch(text, /syntax error|SQLITE|near "|unterminated|password_hash/i, path);
        if (answer.status === 200 && path.includes("PatientName=")) {
          const found = JSON.parse(text) as Record<string, { Value: { Alphabetic: string }[] }>[];
          // A quote alone is no wildcard: it finds what holds nothing else.
          assert.deepEqual(
            found.filter((one) => one["00100010"]?.Value[0]?.Alphabetic === "Test^Tom"),
            [],
            path,
          );
        }
      }
    }
    for (const [index, name] of names.entries()) {
      const found = await search(house, `/studies?PatientName=${encodeURIComponent(name)}&includefield=PatientID`);
      assert.deepEqual(
        found.map((one) => one["00100020"]?.Value),
        [[`P${index}`]],
        name,
      );
    }
  });
});

/** Patterns on which a matcher that tries every way takes for ever. */
const evilPatterns = [
  `${"*a".repeat(31)}*b`,
  `${"*a*".repeat(20)}b`,
  `${"a*".repeat(31)}b`,
  `*${"?".repeat(62)}*b`,
  `${"*?".repeat(31)}b`,
  `${"*".repeat(63)}b`,
  `${"?*".repeat(31)}b`,
  `*${"a".repeat(61)}*b`,
  `${"*aa".repeat(20)}*b`,
  `${"(a+)+".repeat(12)}*$`,
  `[a-z]*${"*[".repeat(20)}`,
];

test("attack 68: patterns that make matchers try every way are matched at once", async () => {
  await house.under({}, async () => {
    for (let round = 0; round < 5; round++)
      for (const pattern of evilPatterns) {
        for (const key of ["PatientName", "StudyDescription", "PatientID", "AccessionNumber"])
          assert.equal(
            (await house.fetch(`/dicom-web/studies?${key}=${encodeURIComponent(pattern)}`)).status < 500,
            true,
          );
      }
  });
});

test("attack 68: 100,000 patterns against 100,000 names end in good time", { timeout: 120_000 }, () => {
  const random = seededRandom(68);
  const pick = (alphabet: string, length: number) =>
    Array.from(random(new Uint8Array(length)), (byte) => alphabet[byte % alphabet.length]).join("");
  let matched = 0;
  for (let index = 0; index < 100_000; index++) {
    const isEvil = index % 4 === 0;
    const pattern = isEvil ? (evilPatterns[(index / 4) % evilPatterns.length] ?? "") : pick("aaab**?^= ", 64);
    const value = isEvil ? "a".repeat(64) : pick("aaab^= ", 64);
    if (matchesPattern("PatientName", pattern, value)) matched++;
  }
  assert.ok(matched > 0);
  // At the longest that a key can be, against the pattern that goes back the most.
  for (let index = 0; index < 1_000; index++)
    matchesPattern("StudyDescription", `*${"a".repeat(127)}b`, "a".repeat(256));
});

test("attack 69: everything that a search may ask for has a bound", async () => {
  const uids = Array.from({ length: 20_000 }, (_, index) => `1.2.3.${index}`);
  const refused = [
    "/dicom-web/studies?offset=1000000000",
    "/dicom-web/studies?offset=99999999999999999999",
    "/dicom-web/studies?offset=-1",
    "/dicom-web/studies?limit=-1",
    "/dicom-web/studies?limit=1e9",
    "/dicom-web/studies?limit=NaN",
    `/dicom-web/studies?StudyInstanceUID=${uids.slice(0, 1_500).join(",")}`,
    `/dicom-web/studies?${Array.from({ length: 100 }, (_, index) => `0010${(4096 + index).toString(16)}=a`).join("&")}`,
    `/dicom-web/studies?includefield=${Array.from({ length: 600 }, () => "00100010").join(",")}`,
    `/dicom-web/studies?StudyInstanceUID=${uids.join(",")}`,
    `/dicom-web/studies/${"1.".repeat(3_000)}1/metadata`,
  ];
  const capped = [
    "/dicom-web/studies?includefield=all",
    "/dicom-web/studies?includefield=all&limit=1000000000",
    "/dicom-web/instances?includefield=all&limit=1000000000",
    "/dicom-web/studies?fuzzymatching=true&PatientName=*",
    `/dicom-web/studies?ModalitiesInStudy=${Array.from({ length: 900 }, () => "MR").join(",")}`,
  ];
  await house.under({ tells: /refused( again)?: a request/ }, async () => {
    for (const path of refused) {
      const answer = await house.fetch(path);
      assert.ok([400, 413, 414, 431].includes(answer.status), `${path.slice(0, 80)}: ${answer.status}`);
      await answer.text();
    }
    for (const path of capped) {
      const answer = await house.fetch(path);
      assert.ok(answer.status === 200 || answer.status === 204, `${path.slice(0, 80)}: ${answer.status}`);
      await answer.text();
    }
  });
});
