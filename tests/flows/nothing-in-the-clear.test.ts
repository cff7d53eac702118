import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { elementsOf, writeDataSet } from "#formats/dicom";
import { newHome, type RunningHouse, startHouse } from "../house/index.ts";
import { associate, retrieve, type Slice, search, slicesOf, store, storeAll, stow } from "./modality.fixture.ts";

/*
 * A patient nobody else is named after, taken through everything that handles him; then every byte that the home and the
 * process left is searched for him. The index is in the clear for now (docs/decisions/0005) and serves as the proof that the search finds.
 */
const patient = { name: "Kanarienvögel^Zébulon", id: "CANARY-7731", birthDate: "19431224", sex: "O" } as const;
const accessionNumber = "ACC-CANARY-9";

const slicesWith = (characterSet: string, seed: number) =>
  slicesOf({ kind: "mr-brain", slices: 2, size: 64, seed, patient, accessionNumber }, (attributes) => ({
    ...attributes,
    SpecificCharacterSet: characterSet,
    InstitutionName: "Canary Clinic",
  }));

function canaries(slices: readonly Slice[]): Map<string, Buffer> {
  const texts = ["Kanarienvögel", "Zébulon", "KANARIENV", "CANARY-7731", "ACC-CANARY-9", "Canary Clinic"];
  texts.push(
    ...new Set(slices.flatMap(({ studyUid, seriesUid, sopInstanceUid }) => [studyUid, seriesUid, sopInstanceUid])),
  );
  const found = new Map<string, Buffer>();
  for (const text of texts) {
    for (const encoding of ["utf8", "latin1", "utf16le"] as const)
      found.set(`${text} ${encoding}`, Buffer.from(text, encoding));
    found.set(`${text} utf16be`, Buffer.from(text, "utf16le").swap16());
    found.set(`${text} base64`, Buffer.from(Buffer.from(text).toString("base64").slice(0, -4)));
  }
  return found;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

const foundIn = (bytes: Buffer, wanted: ReadonlyMap<string, Buffer>) =>
  [...wanted].filter(([, canary]) => bytes.includes(canary)).map(([name]) => name);

/** Stores, finds, reads, and everything that fails on the way. */
async function handle(house: RunningHouse, slices: readonly Slice[]): Promise<void> {
  const [slice] = slices as [Slice];
  await storeAll(house, slices);
  await stow(house, slices);
  const association = await associate(house, slices);
  await store(association, { ...slice, dataSet: slice.dataSet.subarray(0, 1_500) });
  await store(association, { ...slice, sopInstanceUid: `${slice.sopInstanceUid}.1` });
  await association.release();
  const query = new URLSearchParams({ PatientName: patient.name, PatientID: patient.id });
  await search(house, `/studies?${query}`);
  await house.fetch(`/dicom-web/studies?${query}&limit=${encodeURIComponent(patient.name)}`);
  await house.fetch(`/${encodeURIComponent(patient.name)}?PatientID=${patient.id}`);
  await house.fetch(`/dicom-web/studies/${slice.studyUid}/series/${slice.seriesUid}/metadata`);
  await house.fetch(`/dicom-web/studies/${slice.studyUid}/series/1.2.3/instances/${slice.sopInstanceUid}`);
  await house.fetch(`/dicom-web/studies/${slice.studyUid}/series/${slice.seriesUid}/rendered`);
  const body = JSON.stringify({ search: "Kanarienvögel", limit: patient.id });
  const headers = { "content-type": "application/json" };
  await house.fetch("/api/studies/search", { method: "POST", body, headers });
  await retrieve(house, slice);
}

test("no file but the index and no line that is printed holds a name, a number or a UID of a patient", async () => {
  const home = newHome();
  let house = await startHouse({ home });
  const printed: string[] = [];
  try {
    house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
    const slices = [...slicesWith("ISO_IR 192", 61), ...slicesWith("ISO_IR 100", 62)];
    await handle(house, slices.slice(0, 2));
    await handle(house, slices.slice(2));
    printed.push(house.output());
    await house.stop("SIGKILL");
    house = await startHouse({ home });
    await handle(house, slices);
    const answers = [["status"], ["vault", "check"], ["vault", "rebuild"], ["device", "list"]].map((words) =>
      Object.values(house.tryCommand(words)).join("\n"),
    );
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await house.stop();
    printed.push(house.output(), ...answers);

    const wanted = canaries(slices);
    for (const path of filesUnder(home).filter((each) => !each.includes("index.db"))) {
      assert.deepEqual(foundIn(readFileSync(path), wanted), [], `in ${path.slice(home.length)}`);
    }
    assert.deepEqual(foundIn(Buffer.from(printed.join("\n")), wanted), []);
    assert.ok(foundIn(readFileSync(join(home, "index.db")), wanted).length > 0, "the search finds nothing anywhere");
    const sent = writeDataSet(
      elementsOf({ SpecificCharacterSet: "ISO_IR 192", PatientName: patient.name }),
      slices[0] as Slice,
    );
    assert.ok(foundIn(Buffer.from(sent), wanted).length > 0);
  } finally {
    await house.remove();
  }
});
