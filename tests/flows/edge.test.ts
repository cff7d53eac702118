import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { EdgeCodeView } from "#formats/api";
import { freePort, has, type RunningHouse, startHouse } from "../house/index.ts";
import { associate, fileOf, type Slice, search, slicesOf, store, storeAll } from "./modality.fixture.ts";

/*
 * A cloud without a port for machines and a box in a facility, each a server of its own, and a scanner that knows the box alone: the tests
 * follow on each other.
 */
let cloud: RunningHouse;
let box: RunningHouse;
let cloudPort: number;
const atCloud = () => ({
  LEADGLASS_ROLE: "cloud",
  LEADGLASS_DICOM_PORT: "off",
  LEADGLASS_HTTPS_PORT: String(cloudPort),
});
const atBox = { LEADGLASS_ROLE: "edge" };
before(async () => {
  cloudPort = await freePort();
  [cloud, box] = await Promise.all([startHouse({ environment: atCloud() }), startHouse({ environment: atBox })]);
  box.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
});
after(() => Promise.all([cloud?.remove(), box?.remove()]));

const patient = "Quillfeather^Ottoline";
const study = (at: number, slices = 6) =>
  slicesOf({ kind: "ct-head", seed: 7_000 + at, slices }, (attributes) => ({ ...attributes, PatientName: patient }));

/** Waits until the cloud lists so many instances of a study. */
async function arrived(slices: readonly Slice[]): Promise<void> {
  const path = `/studies/${slices[0]?.studyUid}/instances`;
  for (let tries = 0; tries < 1_800; tries++) {
    if ((await search(cloud, path)).length >= slices.length) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(
    `not all of ${slices.length} instances arrived: ${box.output().slice(-2_000)} ${cloud.output().slice(-2_000)}`,
  );
}

/** What the cloud holds of an instance is what the scanner sent, bit for bit. */
async function isWhole({ studyUid, seriesUid, sopInstanceUid, dataSet }: Slice): Promise<void> {
  const path = `/dicom-web/studies/${studyUid}/series/${seriesUid}/instances/${sopInstanceUid}`;
  const accept = 'multipart/related; type="application/dicom"; transfer-syntax=*';
  const answer = await cloud.fetch(path, { headers: { accept } });
  assert.equal(answer.status, 200);
  assert.ok(Buffer.from(await answer.arrayBuffer()).includes(Buffer.from(dataSet)), "the data set as it was sent");
}

test("the cloud opens no port for machines, and an edge does", () => {
  assert.deepEqual([cloud.dicom, cloud.dicomTls, cloud.hl7, cloud.hl7Tls], [null, null, null, null]);
  assert.ok(box.dicom > 0);
});

test("a box that belongs to no cloud yet takes nothing", async () => {
  const [slice] = study(0);
  const association = await associate(box, [slice as Slice]);
  assert.notEqual(await store(association, slice as Slice), 0);
  await association.release();
});

test("what a scanner sends to the box is in the cloud, bit for bit, and not on the box", async () => {
  const { url, code } = JSON.parse(cloud.command(["edge", "add", "North", "--json"])) as EdgeCodeView;
  const enrolled = await box.begin(["edge", "enroll", url, code]);
  assert.equal(enrolled.status, 0, enrolled.stderr);
  const slices = study(1);
  await storeAll(box, slices);
  await arrived(slices);
  for (const slice of slices) await isWhole(slice);
  assert.deepEqual(await search(box, "/studies"), []);
});

test("while the cloud is away the box takes what comes, is killed, and has it all when the cloud is back: once", async () => {
  await cloud.stop("SIGKILL");
  const slices = study(2, 12);
  await storeAll(box, slices);
  await box.stop("SIGKILL");
  const { home } = box;
  assert.ok(!allBytes(home).includes(Buffer.from("Quillfeather")), "no name lies on the box");
  assert.ok(
    slices.every(({ dataSet }) => !allBytes(home).includes(Buffer.from(dataSet.subarray(-4_096)))),
    "nor do pixels",
  );
  box = await startHouse({ home, environment: atBox });
  cloud = await startHouse({ home: cloud.home, environment: atCloud() });
  await arrived(slices);
  for (const slice of slices) await isWhole(slice);
  assert.equal((await search(cloud, "/studies")).length, 2);
});

test("what came already is not sent again when a scanner sends it again", async () => {
  const slices = study(2, 12);
  const before = cloud.output().length;
  await storeAll(box, slices);
  await untilQueueIsEmpty();
  assert.equal((await search(cloud, `/studies/${slices[0]?.studyUid}/instances`)).length, slices.length);
  assert.ok(cloud.output().length >= before);
});

test("what somebody uploads at the box goes to the cloud too, bit for bit", async () => {
  const slices = study(40, 2);
  for (const slice of slices) {
    const body = new Uint8Array(fileOf(slice));
    const headers = { "content-type": "application/dicom", accept: "application/dicom+json" };
    assert.equal((await box.fetch("/dicom-web/studies", { method: "POST", headers, body })).status, 200);
  }
  await arrived(slices);
  for (const slice of slices) await isWhole(slice);
});

test("a workstation finds and gets through the box what lies in the cloud alone; what was brought is found while the cloud is away", async (t) => {
  if (!has("getscu")) return t.skip("needs dcmtk: apt install dcmtk");
  const [slice] = study(1);
  const { studyUid = "" } = slice ?? {};
  const found = await dcmtk("findscu", ["-S", ...level, "-k", `StudyInstanceUID=${studyUid}`, "-k", "PatientName"]);
  assert.match(found, /Quillfeather\^Ottoline/);
  const folder = mkdtempSync(join(tmpdir(), "lg-edge-"));
  try {
    await dcmtk("getscu", ["-S", ...level, "-k", `StudyInstanceUID=${studyUid}`, "-od", folder]);
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
    for (const { dataSet } of study(1))
      assert.ok(files.some((file) => file.includes(Buffer.from(dataSet.subarray(-4_096)))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  await cloud.stop("SIGKILL");
  const here = await dcmtk("findscu", ["-S", ...level, "-k", "StudyInstanceUID", "-k", "PatientName"]);
  assert.match(here, new RegExp(studyUid.replaceAll(".", "\\.")));
  cloud = await startHouse({ home: cloud.home, environment: atCloud() });
});

const level = ["-k", "QueryRetrieveLevel=STUDY"];
function dcmtk(program: string, words: readonly string[]): Promise<string> {
  const at = ["-v", "-aet", "CT1", "-aec", "LEADGLASS", "127.0.0.1", String(box.dicom)];
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...at, ...words], { env: { ...process.env, TCP_NODELAY: "1" } });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (bytes: Buffer) => (output += bytes.toString("latin1")));
    child.on("close", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${program}: ${output.slice(-2_000)}`)),
    );
  });
}

test("an edge that is revoked sends nothing more, and keeps what it has until it is let in again", async () => {
  cloud.command(["edge", "revoke", "North"]);
  const slices = study(3);
  await storeAll(box, slices);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.deepEqual(await search(cloud, `/studies/${slices[0]?.studyUid}/instances`), []);
  const { url, code } = JSON.parse(cloud.command(["edge", "add", "North", "--json"])) as EdgeCodeView;
  const enrolled = await box.begin(["edge", "enroll", url, code]);
  assert.equal(enrolled.status, 0, enrolled.stderr);
  await arrived(slices);
  for (const slice of slices) await isWhole(slice);
});

test("rules of the box say what goes to the cloud, what is changed on the way, and what stays", async () => {
  box.command([
    "route",
    "add",
    "Ward",
    "--to",
    "cloud",
    "--calling-ae",
    "CT1",
    "--set",
    "InstitutionName=North Clinic",
  ]);
  const [coerced] = study(5, 1) as [Slice];
  await storeAll(box, [coerced]);
  await arrived([coerced]);
  const found = await search(cloud, `/studies?StudyInstanceUID=${coerced.studyUid}&includefield=InstitutionName`);
  assert.deepEqual(found[0]?.["00080080"]?.Value, ["North Clinic"]);
  const alone = ["route", "add", "Here", "--to", "keep", "--place", "1"];
  assert.match(box.tryCommand(alone).stderr, /deletes what it keeps after some days/);
  writeFileSync(join(box.home, "leadglass.json"), JSON.stringify({ retention: { rules: [] } }));
  await box.stop();
  box = await startHouse({ home: box.home, environment: atBox });
  box.command(alone);
  const [kept] = study(6, 1) as [Slice];
  await storeAll(box, [kept]);
  assert.equal((await search(box, `/studies?StudyInstanceUID=${kept.studyUid}`)).length, 1);
  await untilQueueIsEmpty();
  assert.deepEqual(await search(cloud, `/studies?StudyInstanceUID=${kept.studyUid}`), []);
});

test("a box whose disk is full says so to the scanner (A700), and loses nothing of what it has", async () => {
  const { home } = box;
  await box.stop();
  box = await startHouse({ home, environment: { ...atBox, LEADGLASS_RESERVE_MIB: "1000000" } });
  box.command(["route", "remove", "Here"]);
  const [slice] = study(7, 1) as [Slice];
  const association = await associate(box, [slice]);
  assert.equal(await store(association, slice), 0xa700);
  await association.release();
  await box.stop();
  box = await startHouse({ home, environment: atBox });
  await storeAll(box, [slice]);
  await arrived([slice]);
});

function allBytes(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => join(folder, path));
  return Buffer.concat(files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file)));
}

async function untilQueueIsEmpty(): Promise<void> {
  for (let tries = 0; tries < 1_800; tries++) {
    const { queue } = JSON.parse(box.command(["edge", "status", "--json"])) as { queue?: { parcels: number } };
    if (queue?.parcels === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("the queue of the box did not become empty");
}
