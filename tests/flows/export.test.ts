import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ConfirmationView } from "#formats/api";
import { readFile, Tag } from "#formats/dicom";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { listStudies, makeAdministrator } from "../web/browser.fixture.ts";
import { retrieve, type Slice, sha256, slicesOf, stow, wholeLog } from "./modality.fixture.ts";
import { confirm, invite, type Person, postJson } from "./second-person.fixture.ts";

/*
 * Studies on their way out of a real server: a few as the operator alone, many as two decide. The tests follow on each other.
 */
let house: RunningHouse;
const around = mkdtempSync(join(tmpdir(), "lg-export-"));
const people: Person[] = [];
const studies = Array.from({ length: 13 }, (_, at) =>
  slicesOf({
    kind: at === 12 ? "ct-head" : "mr-brain",
    slices: 2,
    size: 32,
    seed: 500 + at,
    patient: { name: `Quillon^Jane${at}`, id: `QZ-${at}`, birthDate: "19700102", sex: "F" },
    accessionNumber: `A-${at}`,
  }),
);
const first = studies[0] as Slice[];
const tokens = new Map<string, string>();

before(async () => {
  house = await startHouse();
  await makeAdministrator(house);
  for (const name of ["bob", "carol", "dave"]) people.push(await invite(house, name));
  for (const slices of studies) assert.equal((await stow(house, slices)).status, 200);
  for (const { studyUid, token } of await listStudies(house)) tokens.set(studyUid, token);
});
after(async () => {
  await house?.remove();
  rmSync(around, { recursive: true, force: true });
});

const tokenOf = (slices: readonly Slice[]) => tokens.get(slices[0]?.studyUid ?? "") ?? "";
const filesUnder = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
const imagesUnder = (folder: string) => filesUnder(folder).filter((path) => /IM\d{6}$/.test(path));
const dataSetHash = (bytes: Uint8Array) => sha256(bytes.subarray(readFile(bytes).dataSetOffset));

test("studies are written as they came, and another home that imports them has the same", async (t) => {
  const to = join(around, "named");
  const [one, two] = [first, studies[1] as Slice[]];
  const printed = JSON.parse(house.command(["export", tokenOf(one), tokenOf(two), "--to", to, "--original", "--json"]));
  assert.deepEqual([printed.studies.length, printed.failures.length], [2, 0]);
  assert.deepEqual(readdirSync(to).sort(), ["DICOMDIR", "ST000001", "ST000002"]);
  const expected = [...one, ...two].map(({ sha256: hash }) => hash).sort();
  assert.deepEqual(
    imagesUnder(to)
      .map((path) => dataSetHash(readFileSync(path)))
      .sort(),
    expected,
  );
  for (const path of filesUnder(to)) assert.doesNotMatch(path, /Quillon|QZ-|A-\d/);

  const second = await startHouse();
  try {
    second.command(["import", join(to, "ST000001"), join(to, "ST000002")]);
    for (const slice of [...one, ...two]) assert.equal(sha256(await retrieve(second, slice)), slice.sha256);
  } finally {
    await second.remove();
  }
  if (spawnSync("dcmdump", ["--version"]).error) return t.skip("needs dcmtk: apt install dcmtk");
  const directory = execFileSync("dcmdump", ["+P", "0004,1430", "+P", "0004,1500", join(to, "DICOMDIR")]).toString();
  assert.equal(directory.match(/\[IMAGE/g)?.length, 4);
  assert.equal(directory.match(/\[PATIENT/g)?.length, 2);
  assert.match(directory, /\[ST000002\\IM000002\]/);
});

test("a corrected study is written as it reads now, and with --original as it came", async () => {
  const study = studies[2] as Slice[];
  const reason = { code: "CORRECT", text: "typed in wrongly" };
  house.command(
    ["study", "correct", tokenOf(study)],
    JSON.stringify({ changes: { PatientName: "Corrected^Name" }, reason }),
  );
  const nameIn = (folder: string) => readFile(readFileSync(imagesUnder(folder)[0] ?? "")).dataSet.text(Tag.PatientName);
  house.command(["export", tokenOf(study), "--to", join(around, "now")]);
  house.command(["export", tokenOf(study), "--to", join(around, "before"), "--original"]);
  assert.equal(nameIn(join(around, "now")), "Corrected^Name");
  assert.equal(nameIn(join(around, "before")), "Quillon^Jane2");
  const directory = readFile(readFileSync(join(around, "now", "DICOMDIR")));
  assert.equal(directory.dataSet.items(0x00041220)?.[0]?.text(Tag.PatientName), "Corrected^Name");

  const log = (await wholeLog(house)).filter(({ act, on }) => act === "study.read" && on?.id === tokenOf(study));
  assert.deepEqual(
    log.map(({ actor, outcome }) => `${actor} ${outcome}`),
    ["operator done", "operator done"],
  );
});

test("a folder that is not empty is refused before anything is read; what is not there leaves no folder of a study", () => {
  const to = join(around, "taken");
  mkdirSync(to);
  symlinkSync(around, join(to, "ST000001"));
  const refused = house.tryCommand(["export", tokenOf(first), "--to", to]);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /something else in that folder\n {2}name one that is empty/);

  const absent = house.tryCommand(["export", "0".repeat(32), "--to", join(around, "absent")]);
  assert.equal(absent.status, 1);
  assert.deepEqual(readdirSync(join(around, "absent")), []);
  for (const words of [[], ["1.2.3"], ["--all", tokenOf(first)], [tokenOf(first), "--modality", "CT"]]) {
    assert.equal(house.tryCommand(["export", ...words, "--to", join(around, "no")]).status, 2, words.join(" "));
  }
  assert.equal(existsSync(join(around, "no")), false);
});

test("a full disk is told, and leaves no half study", (t) => {
  const disk = join(around, "small");
  mkdirSync(disk);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=4k,mode=0700", "tmpfs", disk]).status !== 0) {
    return t.skip("needs root, to mount a small disk");
  }
  try {
    const { status, stderr } = house.tryCommand(["export", tokenOf(studies[12] ?? []), "--to", disk]);
    assert.equal(status, 1);
    assert.match(stderr, /no room is left/);
    assert.deepEqual(readdirSync(disk), []);
  } finally {
    spawnSync("umount", [disk]);
  }
});

test("all studies go out when a second administrator has confirmed, each once, and then no more", async () => {
  const to = join(around, "all");
  const running = house.begin(["export", "--all", "--to", to, "--original", "--json"]);
  const asked = await confirm(house, people[0] as Person);
  assert.deepEqual([asked.act, asked.detail.Studies, asked.detail.Images], ["archive.export", "13", "26"]);
  const { status, stdout, stderr } = await running;
  assert.equal(status, 0, stderr);
  assert.equal(JSON.parse(stdout).studies.length, 13);
  const expected = studies
    .flat()
    .map(({ sha256: hash }) => hash)
    .sort();
  assert.deepEqual(
    imagesUnder(to)
      .map((path) => dataSetHash(readFileSync(path)))
      .sort(),
    expected,
  );
  assert.ok(existsSync(join(to, "ST000013", "DICOMDIR")));

  const again = house.tryCommand(["export", "--go-on", asked.id, "--to", join(around, "again")]);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /this export is over/);
  const given = (await wholeLog(house)).filter(({ act, on }) => act === "archive.export" && on?.kind === "study");
  assert.deepEqual([...new Set(given.map(({ actor }) => actor))], [`pair:${asked.id}`]);
  assert.deepEqual(new Set(given.map(({ on }) => on?.id)).size, 13);
});

test("without a confirmation, or by somebody else than who asked, nothing is given out", async () => {
  const { id } = JSON.parse(
    house.command(["export", "--all", "--modality", "CT", "--to", join(around, "ct"), "--no-wait", "--json"]),
  ) as ConfirmationView;
  const early = house.tryCommand(["export", "--go-on", id, "--to", join(around, "ct")]);
  assert.equal(early.status, 1);
  assert.deepEqual(readdirSync(join(around, "ct")), []);
  const asked = await confirm(house, people[1] as Person);
  assert.deepEqual([asked.id, asked.detail.Studies, asked.detail.Chosen], [id, "1", "CT"]);
  for (const person of people) {
    const study = tokenOf(studies[12] ?? []);
    assert.equal((await postJson(house, `/api/exports/${id}/study`, { study }, person.headers)).status, 404);
    assert.equal((await house.fetch(`/api/exports/${id}`, { anonymous: true, headers: person.headers })).status, 404);
  }
  assert.equal((await house.fetch(`/api/exports/${id}`)).status, 404, "a program with a token neither");
  // Not a study that was not confirmed, by who asked either.
  const { request } = await import("node:http");
  const other = await new Promise<number>((resolve, reject) => {
    const body = JSON.stringify({ study: tokenOf(first) });
    const headers = { host: "localhost", "content-type": "application/json", "content-length": body.length };
    const socketPath = join(house.home, "control.sock");
    const sent = request({ socketPath, path: `/api/exports/${id}/study`, method: "POST", headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on("error", reject);
    sent.end(body);
  });
  assert.equal(other, 404);

  await house.stop();
  house = await startHouse({ home: house.home });
  house.command(["export", "--go-on", id, "--to", join(around, "ct")]);
  assert.equal(imagesUnder(join(around, "ct")).length, 2, "what was confirmed outlives a restart");
});

test("who copies studies one by one is stopped; what two decided on is not", async () => {
  await house.stop();
  house = await startHouse({ home: house.home, environment: { LEADGLASS_REVEALS_PER_MINUTE: "4" } });
  const to = join(around, "decided");
  const running = house.begin(["export", ...tokens.values(), "--to", to]);
  const asked = await confirm(house, people[2] as Person);
  assert.deepEqual([asked.detail.Studies, asked.detail.Chosen], ["13", "named one by one"]);
  const { status, stderr } = await running;
  assert.equal(status, 0, stderr);
  assert.equal(imagesUnder(to).length, 26);

  const alone = house.tryCommand(["export", ...[...tokens.values()].slice(0, 8), "--to", join(around, "alone")]);
  assert.equal(alone.status, 1);
  assert.match(alone.stderr, /too many patients were looked at in a minute/);
});
