import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { MigrationReportView, MigrationStudyView, MigrationView } from "#formats/api";
import { readFile, Tag } from "#formats/dicom";
import { noOrthanc, type Orthanc, startOrthanc } from "../conformance/orthanc.fixture.ts";
import { dataFolder, freePort, type RunningHouse, startHouse } from "../house/index.ts";
import { asOperator } from "./modality.fixture.ts";

/*
 * Debian's Orthanc as an archive that a facility leaves, with real objects of many kinds in it. Ours is paused, killed and started again
 * meanwhile: what Orthanc holds is here in the end, each once, and the report says so.
 */
const objects = join(dataFolder, "dicom", "objects");
const hasData = statSync(objects, { throwIfNoEntry: false }) !== undefined;
const skip = noOrthanc || (hasData ? false : "needs the sample data: set LEADGLASS_DATA");

let house: RunningHouse;
/** Orthanc's C-MOVE calls it by number. */
let dicomPort: number;
const start = async (home?: string) => {
  const environment = { LEADGLASS_DICOM_PORT: String(dicomPort) };
  house = await startHouse({ ...(home !== undefined && { home }), environment });
};
before(async () => {
  if (skip) return;
  dicomPort = await freePort();
  await start();
});
after(async () => {
  await house?.remove();
});

async function until(id: string, fits: (migration: MigrationView) => boolean): Promise<MigrationView> {
  for (;;) {
    const all = await asOperator<MigrationView[]>(house, "/api/migrations");
    const migration = all.find((one) => one.id === id);
    if (migration !== undefined && fits(migration)) return migration;
    await sleep(50);
  }
}
const steer = (id: string, way: string) => asOperator<MigrationView>(house, `/api/migrations/${id}/${way}`, "POST");

interface Given {
  readonly sopUid: string;
  readonly studyUid: string;
  /** Of its study; "" where it has none. */
  readonly date: string;
  readonly file: string;
}

/** Small objects of every kind, as far as Orthanc takes them. */
async function fill(orthanc: Orthanc): Promise<Given[]> {
  const given = new Map<string, Given>();
  const dates = new Map<string, string>();
  const files = readdirSync(objects, { recursive: true, encoding: "utf8" }).map((name) => join(objects, name));
  for (const file of files.filter((one) => statSync(one).isFile() && statSync(one).size < 150_000).sort()) {
    const bytes = readFileSync(file);
    const taken = await orthanc.rest<{ Status: string }>("POST", "/instances", bytes).catch(() => undefined);
    if (taken?.Status !== "Success") continue;
    const { dataSet } = readFile(bytes);
    const text = (tag: number) => dataSet.text(tag) ?? "";
    const studyUid = text(Tag.StudyInstanceUID);
    if (!dates.has(studyUid)) dates.set(studyUid, text(Tag.StudyDate));
    const sopUid = text(Tag.SOPInstanceUID);
    given.set(sopUid, { sopUid, studyUid, date: dates.get(studyUid) ?? "", file });
  }
  return [...given.values()];
}

async function heldHere(): Promise<string[]> {
  const held: string[] = [];
  for (let offset = 0; ; offset += 500) {
    const answer = await house.fetch(`/dicom-web/instances?limit=500&offset=${offset}`, {
      headers: { accept: "application/dicom+json" },
    });
    if (answer.status === 204) return held;
    const page = (await answer.json()) as Record<string, { Value?: string[] }>[];
    held.push(...page.map((one) => one["00080018"]?.Value?.[0] ?? ""));
    if (page.length < 500) return held;
  }
}

async function openOrthanc(t: TestContext, settings: object): Promise<Given[]> {
  const orthanc = await startOrthanc(house, { settings });
  t.after(() => orthanc.stop());
  return fill(orthanc);
}

const reportOf = (id: string) => asOperator<MigrationReportView>(house, `/api/migrations/${id}/report`);

test("an archive comes over by C-GET, through a pause and a kill, each instance once, and the report is right", {
  skip,
}, async (t) => {
  const given = await openOrthanc(t, {});
  const words = ["migrate", "start", "--from", "ORTHANC", "--dates", "2003-04-15..2003-05-10", "--associations", "2"];
  const { id } = JSON.parse(house.command([...words, "--no-wait", "--json"])) as MigrationView;
  await until(id, ({ totals }) => totals.fetched >= 1);
  const { state, totals } = await steer(id, "pause");
  assert.equal(state, "paused");
  assert.deepEqual((await until(id, () => true)).totals, totals);
  await steer(id, "resume");
  await until(id, (now) => now.totals.fetched > totals.fetched);
  await house.stop("SIGKILL");
  await start(house.home);
  const done = JSON.parse(house.command(["migrate", "follow", id, "--json"])) as MigrationView;
  assert.equal(done.state, "done");

  const meant = given.filter(({ date }) => date === "" || (date >= "20030415" && date <= "20030510"));
  assert.deepEqual((await heldHere()).sort(), meant.map(({ sopUid }) => sopUid).sort());
  const report = await reportOf(id);
  const { found, fetched, heldBefore, short, differs, failed, instancesFetched, conflicts } = report.migration.totals;
  const studies = new Set(meant.map(({ studyUid }) => studyUid));
  assert.deepEqual(
    { found, whole: fetched + heldBefore, short, differs, failed, instancesFetched, conflicts },
    {
      ...{ found: studies.size, whole: studies.size, short: 0, differs: 0, failed: 0 },
      ...{ instancesFetched: meant.length, conflicts: 0 },
    },
  );
  const ofApril = meant.filter(({ date }) => date.startsWith("200304")).length;
  assert.equal(report.months.find(({ of }) => of === "200304")?.counts.instancesListed, ofApril);

  const check = [...words, "--check-only", "--json"];
  const checked = JSON.parse(house.command(check)) as MigrationView;
  assert.deepEqual([checked.totals.heldBefore, checked.totals.fetched], [studies.size, 0]);
  assert.equal((await heldHere()).length, meant.length);
});

test("an archive without C-GET that cuts its answers comes over by C-MOVE; of what is here in part only the rest", {
  skip,
}, async (t) => {
  const LG = { AET: "LEADGLASS", Host: "127.0.0.1", Port: dicomPort, AllowGet: false };
  const bounds = { DicomAlwaysAllowGet: false, LimitFindResults: 3 };
  const given = await openOrthanc(t, { ...bounds, DicomModalities: { LG } });
  const meant = given.filter(({ date }) => date >= "20040110" && date <= "20040310");
  const parted = meant.find(({ studyUid }, at) => meant.findIndex((one) => one.studyUid === studyUid) < at);
  house.command(["import", parted?.file ?? ""]);
  const words = [
    "migrate",
    "start",
    "--from",
    "ORTHANC",
    "--dates",
    "2004-01-10..2004-03-10",
    "--no-undated",
    "--json",
  ];
  const done = JSON.parse(house.command(words)) as MigrationView;
  const here = new Set(await heldHere());
  assert.deepEqual(
    meant.filter(({ sopUid }) => !here.has(sopUid)),
    [],
  );
  const { instancesListed, instancesBefore, instancesFetched } = done.totals;
  assert.deepEqual([instancesListed, instancesBefore, instancesFetched], [meant.length, 1, meant.length - 1]);
  const table = house.command(["migrate", "report", done.id, "--csv"]);
  assert.match(table, /^day,found,heldBefore,fetched/);
  assert.deepEqual(await asOperator<MigrationStudyView[]>(house, `/api/migrations/${done.id}/studies`), []);
});
