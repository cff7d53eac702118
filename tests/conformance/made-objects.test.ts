import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import {
  type DicomJson,
  directoryEntryOf,
  readFile,
  Tag,
  TransferSyntaxUid,
  toDicomJson,
  writeDicomdir,
} from "#formats/dicom";
import { ingestSlices, phantomFiles } from "#imaging/phantoms";
import { operator } from "#trust/access";
import { has, root } from "../house/index.ts";
import { type OpenDoor, openDoor } from "./dicomweb-door.fixture.ts";
import { dicomParts, multipartBody } from "./dicomweb-files.fixture.ts";

/* Whatever writes DICOM is in this list, and dciodvfy finds no error in what it makes that is not explained. */

const skip = has("dciodvfy") ? false : "needs dciodvfy: apt install dicom3tools";
const scratch = mkdtempSync(join(tmpdir(), "lg-made-"));
let door: OpenDoor;
before(async () => {
  door = await openDoor();
});
after(async () => {
  await door.close();
  rmSync(scratch, { recursive: true, force: true });
});

type Make = () => Promise<readonly Uint8Array[]>;

const ct = { kind: "ct-head" as const, slices: 2, size: 64 };

/** By the file that writes them: objects it makes, or why it makes none. */
const makers: Readonly<Record<string, Make | string>> = {
  "imaging/phantoms/files.ts": async () => [
    ...phantomFiles({ ...ct, seed: 1 }),
    ...phantomFiles({ kind: "mr-brain", slices: 1, size: 64, seed: 1 }),
    ...phantomFiles({ kind: "us-colour", frames: 2, seed: 1 }),
    ...phantomFiles({ kind: "xa-cine", frames: 2, size: 64, seed: 1 }),
    ...phantomFiles({ kind: "dx-chest", size: 64, seed: 1 }),
    ...ingestSlices({ count: 1, seed: 1 }),
  ],
  "apps/server/cloud-reading.ts": "identifiers of queries between an edge and its cloud: no objects",
  "apps/server/edge-messages.ts": "what a machine said of a performed step, told to the cloud: no object",
  "apps/server/edge-reading.ts": "identifiers of answers between a cloud and its edge: no objects",
  "radiology/schedule/mirroring.ts": "steps of a worklist that are read again at once: no objects",
  "radiology/archive/rejection-notes.ts":
    "nobody retrieves its notes: rejection-notes.test.ts beside it checks one of each title with dciodvfy",
  "radiology/archive/corrected-header.ts": async () => {
    const study = await stored(phantomFiles({ ...ct, seed: 3 }));
    const uid = study.split("/").at(-1) ?? "";
    const matches = [{ keyword: "StudyInstanceUID", kind: "equal" as const, values: [uid] }];
    const [found] = await door.archive.findStudies(operator, { matches, limit: 1, offset: 0 });
    const changes = { PatientName: "Roe^Richard", PatientID: "Q1", StudyDescription: "Kopf" };
    await door.archive.correctStudy(operator, found?.studyToken ?? "", changes, { code: "CORRECT", text: "" });
    const now = await retrieved(study);
    assert.ok(now.every((bytes) => readFile(bytes).dataSet.text(Tag.PatientID) === "Q1"));
    return now;
  },
  "radiology/images/transcoder.ts": () => recoded([TransferSyntaxUid.implicitLittleEndian]),
  "radiology/images/recoded.ts": () =>
    recoded([TransferSyntaxUid.rleLossless, TransferSyntaxUid.jpegLsLossless, TransferSyntaxUid.jpeg2000Lossless]),
  "radiology/archive/intake.ts": async () => {
    const [file = new Uint8Array()] = phantomFiles({ ...ct, seed: 5 });
    const { dataSet, dataSetOffset, transferSyntaxUid } = readFile(file);
    const receiving = door.archive.receiveDataSet(operator, {
      ...{ transferSyntaxUid, sourceAe: "CT1" },
      sopClassUid: dataSet.text(Tag.SOPClassUID) ?? "",
      sopInstanceUid: dataSet.text(Tag.SOPInstanceUID) ?? "",
    });
    await receiving.write(file.subarray(dataSetOffset));
    await receiving.finish();
    return retrieved(`/dicom-web/studies/${dataSet.text(Tag.StudyInstanceUID)}`);
  },
  "doors/dicomweb/store-apart.ts": async () => {
    const [file = new Uint8Array()] = phantomFiles({ ...ct, seed: 6 });
    const { dataSet } = readFile(file);
    const { "7FE00010": _pixels, ...json } = toDicomJson(dataSet);
    const metadata = [{ ...json, "7FE00010": { vr: "OW", BulkDataURI: "urn:pixels" } }];
    const part = (type: string, body: Uint8Array | string, more = "") =>
      Buffer.concat([Buffer.from(`\r\n--b\r\nContent-Type: ${type}\r\n${more}\r\n`), Buffer.from(body)]);
    const payload = Buffer.concat([
      part(
        `application/dicom+json; transfer-syntax=${TransferSyntaxUid.explicitLittleEndian}`,
        JSON.stringify(metadata),
      ),
      part("application/octet-stream", dataSet.bytes(Tag.PixelData) ?? "", "Content-Location: urn:pixels\r\n"),
      Buffer.from("\r\n--b--"),
    ]);
    const headers = { "content-type": 'multipart/related; type="application/dicom+json"; boundary=b' };
    const answer = await door.server.inject({ method: "POST", url: "/dicom-web/studies", headers, payload });
    assert.equal(answer.statusCode, 200, answer.body);
    return retrieved(`/dicom-web/studies/${dataSet.text(Tag.StudyInstanceUID)}`);
  },
  "formats/dicom/dicomdir.ts": async () => {
    const files = [...phantomFiles({ ...ct, seed: 7 })];
    const entries = files.map((file, at) => directoryEntryOf(["ST000001", `IM00000${at}`], readFile(file), at));
    return [
      writeDicomdir(entries, { uid: "2.25.7", implementationClassUid: "2.25.8", implementationVersionName: "X" }),
    ];
  },
  "apps/cli/file-set.ts": "writes files as they are retrieved, and the DICOMDIR of formats/dicom",
  "doors/dimse/data-sets.ts": "writes the data sets of messages, of which none is an instance",
  "doors/hl7/dicom-values.ts": "writes values of worklist items, of which none is an instance",
  "doors/dicomweb/work-item-body.ts": "reads what a client sends as work item into a data set",
  "formats/dicom/index.ts": "is what the others write with",
};

const get = (url: string, accept = "*/*") => door.server.inject({ url, headers: { accept } });

/** The path of the study that the files are of. */
async function stored(files: Iterable<Uint8Array>): Promise<string> {
  const payload = multipartBody([...files].map((file) => Buffer.from(file)));
  const headers = { "content-type": dicomParts };
  const answer = await door.server.inject({ method: "POST", url: "/dicom-web/studies", headers, payload });
  assert.equal(answer.statusCode, 200, answer.body);
  const [item] = ((answer.json() as DicomJson)["00081199"]?.Value ?? []) as DicomJson[];
  return new URL(String(item?.["00081190"]?.Value?.[0])).pathname.split("/series/")[0] ?? "";
}

async function instancesOf(study: string) {
  const found = (await get(`${study}/instances`)).json() as DicomJson[];
  return found.map((json) => ({ series: json["0020000E"]?.Value?.[0], sop: json["00080018"]?.Value?.[0] }));
}

async function retrieved(study: string, syntax = "*"): Promise<Uint8Array[]> {
  const instances = await instancesOf(study);
  assert.ok(instances.length > 0);
  const accept = `application/dicom; transfer-syntax=${syntax}`;
  return Promise.all(
    instances.map(async ({ series, sop }) => {
      const answer = await get(`${study}/series/${series}/instances/${sop}`, accept);
      assert.equal(answer.statusCode, 200, answer.body.slice(0, 200));
      return answer.rawPayload;
    }),
  );
}

async function recoded(syntaxes: readonly string[]): Promise<Uint8Array[]> {
  const study = await stored(phantomFiles({ ...ct, slices: 1, seed: 4 }));
  return (await Promise.all(syntaxes.map((syntax) => retrieved(study, syntax)))).flat();
}

function errorsOf(bytes: Uint8Array): string[] {
  const path = join(scratch, "checked.dcm");
  writeFileSync(path, bytes);
  const { stderr, stdout } = spawnSync("dciodvfy", [path], { encoding: "utf8" });
  assert.notEqual(`${stderr}${stdout}`, "", "it names what it takes the file for");
  return `${stderr}${stdout}`.split("\n").filter((line) => line.startsWith("Error"));
}

/** Product files under a folder that call a function of formats/dicom which writes. */
function writersIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith(".ts") && !/\.(test|fixture|contract)\.ts$/.test(path))
    .filter((path) => {
      const text = readFileSync(join(root, path), "utf8");
      const imports =
        text.match(/import [^;]*? from "(?:#formats\/dicom|\.\/writer\.ts)"|export [^;]*? from "\.\/writer\.ts"/gs) ??
        [];
      return imports.some((line) => /\bwrite(File|Meta|DataSet|Dicomdir)\b/.test(line));
    })
    .map((path) => relative(root, join(root, path)));
}

test("every file of the product that writes DICOM is in the list", () => {
  const floors = ["apps/cli", "apps/server", "doors", "stores", "radiology", "trust", "imaging", "formats"];
  assert.deepEqual(floors.flatMap(writersIn).sort(), Object.keys(makers).sort());
});

for (const [path, make] of Object.entries(makers)) {
  if (typeof make === "string") continue;
  test(`dciodvfy finds no error in what ${path} makes`, { skip }, async () => {
    for (const bytes of await make()) assert.deepEqual(errorsOf(bytes), []);
  });
}
