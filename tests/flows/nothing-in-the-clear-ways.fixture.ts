import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { dial, openAssociation } from "#doors/dimse";
import type { StudyPage } from "#formats/api";
import { elementsOf, TransferSyntaxUid, writeFile } from "#formats/dicom";
import type { RunningHouse } from "../house/index.ts";
import {
  associate,
  fileOf,
  retrieve,
  type Slice,
  search,
  store,
  storeAll,
  storescu,
  stow,
} from "./modality.fixture.ts";
import type { Canaries } from "./nothing-in-the-clear-canaries.fixture.ts";
import type { Patient } from "./nothing-in-the-clear-instances.fixture.ts";

/*
 * The ways in which identity passes through the program. Each says what it was answered where that shows that it was taken as meant.
 */

const isPlain = ({ transferSyntaxUid }: Slice) => transferSyntaxUid === TransferSyntaxUid.explicitLittleEndian;

/** By each of the ways in: our own sender, DCMTK's where it is there, STOW-RS, the command. */
export async function sendAll(
  house: RunningHouse,
  slices: readonly Slice[],
  files: string,
  dcmtk: boolean,
): Promise<void> {
  const plain = slices.filter(isPlain);
  const others = slices.filter((slice) => !isPlain(slice));
  const third = Math.ceil(plain.length / 3);
  await storeAll(house, plain.slice(0, third));
  const paths = asFiles(plain.slice(third, 2 * third), files);
  if (dcmtk) {
    const sent = await storescu(house, ["-xe", ...paths]);
    if (sent.code !== 0) throw new Error(`storescu: ${sent.output}`);
  } else await storeAll(house, plain.slice(third, 2 * third));
  const answer = await stow(house, [...others, ...plain.slice(2 * third)]);
  if (answer.status !== 200) throw new Error(`STOW was answered with ${answer.status}: ${await answer.text()}`);
  // Again, by the command: they are there once.
  house.command(["import", ...asFiles(slices, files)]);
}

function asFiles(slices: readonly Slice[], folder: string): string[] {
  return slices.map((slice, at) => {
    const path = join(folder, `${at}.dcm`);
    writeFileSync(path, fileOf(slice));
    return path;
  });
}

/** A disc with its directory, which names everybody on it. */
export function importDisc(house: RunningHouse, canaries: Canaries, slices: readonly Slice[], folder: string): string {
  mkdirSync(folder);
  asFiles(slices, folder);
  const record = {
    DirectoryRecordType: "PATIENT",
    PatientName: canaries.name(),
    PatientID: canaries.code("id in a DICOMDIR"),
  };
  const meta = {
    mediaStorageSopClassUid: "1.2.840.10008.1.3.10",
    mediaStorageSopInstanceUid: canaries.uid("UID of a DICOMDIR"),
    transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian,
    implementationClassUid: "1.2.826.0.1.3680043.10.1425.9",
    implementationVersionName: "DISC",
    sourceAe: canaries.code("AE title in a file", 16),
  };
  const directory = elementsOf({ FileSetID: "DISC", DirectoryRecordSequence: [record] });
  writeFileSync(join(folder, "DICOMDIR"), writeFile(meta, directory));
  return everythingOf(house.tryCommand(["import", folder]));
}

export const everythingOf = ({ stdout, stderr }: { stdout: string; stderr: string }): string => `${stdout}\n${stderr}`;

const json = (body: object): RequestInit => ({
  method: "POST",
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});

/** As a person looks for a patient, and a workstation. */
export async function searchFor(house: RunningHouse, patient: Patient): Promise<StudyPage> {
  const [family = ""] = patient.name.split(/[=^]/);
  const queries: Record<string, string>[] = [
    { PatientName: `${family.slice(0, 6)}*` },
    { PatientName: `*${family.slice(2, 7)}*`, PatientBirthDate: patient.birthDate },
    { PatientID: patient.id, includefield: "all" },
    { AccessionNumber: patient.accessionNumber },
    { StudyDate: `${patient.studyDate}-${patient.studyDate}` },
    { StudyDescription: `${patient.description.slice(0, 5)}*` },
  ];
  for (const query of queries) {
    for (const level of ["studies", "series", "instances"]) {
      await search(house, `/${level}?${new URLSearchParams(query)}`);
    }
  }
  await house.fetch("/api/studies/search", json({ search: patient.id }));
  const answer = await house.fetch("/api/studies/search", json({ search: family }));
  return (await answer.json()) as StudyPage;
}

/** As a viewer opens an instance. Gives back how each request was answered. */
export async function view(house: RunningHouse, slice: Slice, token: string): Promise<number[]> {
  const study = `/dicom-web/studies/${slice.studyUid}`;
  const series = `${study}/series/${slice.seriesUid}`;
  const instance = `${series}/instances/${slice.sopInstanceUid}`;
  const paths = [
    ...[study, series, instance].flatMap((path) => [`${path}/metadata`, `${path}/rendered`, `${path}/thumbnail`]),
    ...[`${instance}/frames/1`, `${instance}/frames/1/rendered`, `${instance}/bulkdata/7FE00010`, study],
    ...[
      `${instance}/bulkdata/00091002`,
      `/api/studies/${token}`,
      `/api/studies/${token}/corrections`,
      "/api/studies?limit=200",
    ],
  ];
  const statuses: number[] = [];
  const masked = house.command(["token", "--client", "masked", "--minutes", "60", "--masked"]);
  for (const path of paths) {
    for (const authorization of [`Bearer ${house.token()}`, `Bearer ${masked}`]) {
      const answer = await house.fetch(path, { headers: { authorization } });
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
  }
  await retrieve(house, slice);
  return statuses;
}

/** What is asked of the server amiss: everything in these requests is a canary of its own. */
export async function askAmiss(house: RunningHouse, canaries: Canaries): Promise<void> {
  const uid = () => canaries.uid("UID in a bad request");
  const phrase = () => encodeURIComponent(canaries.phrase("text in a bad request"));
  const paths = [
    `/dicom-web/studies?PatientName=${phrase()}&limit=${phrase()}`,
    `/dicom-web/studies?PatientID=${phrase()}&${canaries.code("parameter")}=${phrase()}`,
    `/dicom-web/studies?StudyDate=${canaries.date("date in a bad request")}-${phrase()}`,
    `/dicom-web/studies?StudyInstanceUID=${uid()}`,
    `/dicom-web/studies/${uid()}`,
    `/dicom-web/studies/${uid()}/series/${uid()}/instances/${uid()}/frames/1`,
    `/dicom-web/studies/${phrase()}/metadata`,
    `/dicom-web/studies/${uid()}/series/${uid()}/rendered?window=${phrase()}`,
    `/${phrase()}?PatientID=${phrase()}`,
    `/api/studies?search=${phrase()}`,
    `/api/studies/${canaries.code("token in a bad request", 16)}`,
    `/study/${phrase()}`,
  ];
  for (const path of paths) {
    for (const anonymous of [false, true]) await (await house.fetch(path, { anonymous })).arrayBuffer();
  }
  const text = () => canaries.phrase("text in a bad body");
  await house.fetch("/api/studies/search", json({ search: text(), limit: text(), [canaries.code("member")]: 1 }));
  await house.fetch("/api/studies/search", { ...json({}), body: `{"search":"${canaries.code("broken JSON")}` });
  const session = json({ name: text(), password: text(), code: "123456" });
  await house.fetch("/api/session", { ...session, anonymous: true });
  const bearer = {
    authorization: `Bearer ${canaries.code("bearer token", 30)}`,
    cookie: `x=${canaries.code("cookie")}`,
  };
  await house.fetch("/api/studies", { headers: bearer });
  await house.fetch("/dicom-web/studies", {
    method: "POST",
    body: text(),
    headers: { "content-type": `multipart/related; boundary="${canaries.code("boundary")}"` },
  });
}

/** Associations and instances that are refused, cut short or left. */
export async function storeAmiss(house: RunningHouse, canaries: Canaries, slice: Slice): Promise<number[]> {
  const statuses: number[] = [];
  const whole = await associate(house, [slice]);
  const cut = { ...slice, sopInstanceUid: canaries.uid("SOP UID of a cut instance") };
  const beginning = slice.dataSet.subarray(0, slice.dataSet.length - 1_500);
  for (const bad of [{ ...slice, dataSet: beginning }, cut]) statuses.push(await store(whole, bad));
  await whole.release();
  await storeAndLeave(house, slice);
  const proposal = { callingAe: "CT1", calledAe: canaries.code("called AE title", 16), contexts: [] };
  await openAssociation(dial({ host: "127.0.0.1", port: house.dicom }), proposal, { clock: systemClock }).catch(
    () => {},
  );
  await stow(house, [{ ...slice, dataSet: beginning }]);
  await house.fetch(`/dicom-web/studies/${canaries.uid("study UID of a wrong STOW")}`, {
    method: "POST",
    body: Uint8Array.from(fileOf(slice)),
    headers: { "content-type": "application/dicom" },
  });
  await speakNonsense(house, canaries);
  return statuses;
}

/** Goes away in the middle of an instance. */
async function storeAndLeave(house: RunningHouse, slice: Slice): Promise<void> {
  const association = await associate(house, [slice]);
  const half = slice.dataSet.length >> 1;
  async function* halfOf() {
    yield slice.dataSet.subarray(0, half);
    association.abort();
    yield slice.dataSet.subarray(half);
  }
  await association.store({ ...slice, dataSet: halfOf() }).catch(() => {});
}

async function speakNonsense(house: RunningHouse, canaries: Canaries): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port: house.dicom });
  socket.on("error", () => {}).resume();
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.end(
    Buffer.from(`GET /${canaries.code("plain words", 16)} HTTP/1.1\r\nX: ${canaries.phrase("plain words")}\r\n\r\n`),
  );
  await closed;
}

/** The values that a patient gets; what is asked of nobody is a canary too. */
export function correctAll(
  house: RunningHouse,
  canaries: Canaries,
  patients: readonly [Patient, Patient, Patient],
): string[] {
  const [one, two, three] = patients;
  const reason = () => ({ code: "CORRECT", text: canaries.phrase("reason of a correction") });
  const run = (words: string, input: object) => {
    const done = house.tryCommand([...words.split(" "), "--json"], JSON.stringify(input));
    if (done.status !== 0) throw new Error(`${words}: ${done.stderr}`);
    return everythingOf(done);
  };
  const study = {
    StudyDescription: canaries.phrase("corrected description"),
    StudyDate: canaries.date("corrected date"),
  };
  const changes = { PatientName: canaries.name(), PatientAddress: canaries.phrase("corrected address") };
  const to = {
    PatientID: canaries.code("id of a move"),
    PatientName: canaries.name(),
    PatientBirthDate: canaries.date("moved birth date"),
  };
  const absent = { PatientID: canaries.code("id of nobody"), IssuerOfPatientID: canaries.phrase("issuer of nobody") };
  return [
    run("study correct", { accessionNumber: one.accessionNumber, changes: study, reason: reason() }),
    run("patient correct", { patient: { PatientID: one.id }, changes, reason: reason() }),
    run("patient merge", { from: { PatientID: two.id }, into: { PatientID: one.id }, reason: reason() }),
    run("study move", { accessionNumber: three.accessionNumber, to, reason: reason() }),
    everythingOf(
      house.tryCommand(
        ["patient", "merge"],
        JSON.stringify({ from: absent, into: { PatientID: one.id }, reason: reason() }),
      ),
    ),
  ];
}
