import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RoutingTrialView, RoutingView, TransferView } from "#formats/api";
import { type DataSet, type KeywordDataSet, parseDataSet, Tag, tagOf } from "#formats/dicom";
import { run, storescp, type Taker } from "../conformance/dimse-query.fixture.ts";
import { has, type RunningHouse, startHouse } from "../house/index.ts";
import { fileOf, type Slice, slicesOf } from "./modality.fixture.ts";

/*
 * What a scanner (storescu) sends goes on by the rules to the archive that the house had before and to a research archive (storescp both),
 * changed on the way, whatever happens to the server in between.
 */
const skip = has("storescp") && has("storescu") ? false : "needs dcmtk: apt install dcmtk";
let house: RunningHouse;
let archive: Taker;
let research: Taker;
const folder = mkdtempSync(join(tmpdir(), "lg-routing-"));
before(async () => {
  if (skip) return;
  house = await startHouse();
  archive = await storescp("OLDPACS");
  research = await storescp("RESEARCH");
  house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
  for (const [ae, { port }] of [
    ["OLDPACS", archive],
    ["RESEARCH", research],
  ] as const) {
    house.command(["device", "add", ae, "--address", "127.0.0.1", "--port", String(port)]);
  }
});
after(async () => {
  await Promise.all([house?.remove(), archive?.stop(), research?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function scanned(seed: number, more: KeywordDataSet): Promise<Slice[]> {
  const slices = slicesOf({ kind: "mr-brain", slices: 3, size: 64, seed }, (values) => ({ ...values, ...more }));
  const files = slices.map((slice, at) => {
    const path = join(folder, `${seed}-${at}.dcm`);
    writeFileSync(path, fileOf(slice));
    return path;
  });
  const sent = await run("storescu", ["-aet", "CT1", "-aec", "LEADGLASS", "127.0.0.1", String(house.dicom), ...files]);
  assert.equal(sent.code, 0, sent.output);
  return slices;
}

const asked = async <View>(path: string): Promise<View> => (await house.fetch(path)).json() as Promise<View>;
const routing = (): RoutingView => JSON.parse(house.command(["route", "list", "--json"]));

async function routed(count: number): Promise<TransferView[]> {
  for (;;) {
    const transfers = await asked<TransferView[]>("/api/transfers");
    const over = transfers.filter(({ kind, state }) => kind === "route" && state === "done");
    if (over.length >= count) return over;
    await sleep(100);
  }
}

const dataSets = (taker: Taker): DataSet[] =>
  taker.taken().map(({ bytes, transferSyntaxUid }) => parseDataSet(bytes, { transferSyntaxUid }).dataSet);
const pixels = (of: readonly DataSet[]) =>
  of.map((one) => Buffer.from(one.bytes(Tag.PixelData) ?? []).toString("base64"));
const pixelsSent = (slices: readonly Slice[]) =>
  pixels(slices.map(({ dataSet, transferSyntaxUid }) => parseDataSet(dataSet, { transferSyntaxUid }).dataSet));

test("The first rule that fits sends a series on, changed as it says; what is kept here stays as it came", {
  skip,
}, async () => {
  house.command([
    "route",
    "add",
    "Trial 7",
    "--description",
    "*trial*",
    "--to",
    "keep,RESEARCH",
    "--deidentify",
    "retain-modified-dates",
    "--project",
    "7",
  ]);
  house.command([
    "route",
    "add",
    "Old archive",
    "--calling-ae",
    "CT1",
    "--modality",
    "MR",
    "--to",
    "keep,OLDPACS",
    "--prefix",
    "AccessionNumber=N-",
  ]);
  const [tried] = JSON.parse(
    house.command(["route", "try", "--calling-ae", "ct1", "--modality", "MR", "--json"]),
  ) as RoutingTrialView[];
  assert.deepEqual(
    [tried?.rule?.name, tried?.keep, tried?.cloud, tried?.isChanged],
    ["Old archive", true, false, true],
  );

  const forArchive = await scanned(1, { AccessionNumber: "4711" });
  const forTrial = await scanned(2, {
    StudyDescription: "Head, trial 7",
    PatientName: "Trial^Person",
    BurnedInAnnotation: "NO",
  });
  await routed(2);

  const kept = dataSets(archive);
  assert.deepEqual(
    kept.map((one) => one.text(Tag.AccessionNumber)),
    ["N-4711", "N-4711", "N-4711"],
  );
  assert.deepEqual(pixels(kept).sort(), pixelsSent(forArchive).sort());
  const [original] = kept[0]?.items(tagOf("OriginalAttributesSequence")) ?? [];
  assert.equal(original?.items(tagOf("ModifiedAttributesSequence"))?.[0]?.text(Tag.AccessionNumber), "4711");

  const given = dataSets(research);
  assert.deepEqual(pixels(given).sort(), pixelsSent(forTrial).sort());
  assert.deepEqual([...new Set(given.map((one) => one.text(tagOf("PatientIdentityRemoved"))))], ["YES"]);
  assert.equal(new Set(given.map((one) => one.text(Tag.StudyInstanceUID))).size, 1);
  assert.notEqual(given[0]?.text(Tag.StudyInstanceUID), forTrial[0]?.studyUid);
  for (const { bytes } of research.taken()) assert.ok(!bytes.includes("Trial^Person"));

  const counts = routing().rules.map(({ name, counts: { matched, sent, held } }) => [name, matched, sent, held]);
  assert.deepEqual(counts, [
    ["Trial 7", 3, 3, 0],
    ["Old archive", 3, 3, 0],
  ]);
});

test("A server that is killed before a series has come to rest sends it on at its next start; what comes again is not sent again", {
  skip,
}, async () => {
  const before = archive.taken().length;
  await scanned(3, { AccessionNumber: "4712" });
  await house.stop("SIGKILL");
  house = await startHouse({ home: house.home });
  await routed(3);
  assert.equal(archive.taken().length, before + 3);
  await scanned(3, { AccessionNumber: "4712" });
  await routed(4);
  assert.equal(archive.taken().length, before + 3);
});

test("Pictures that may show whose they are do not leave under a rule that de-identifies; they are shown as held", {
  skip,
}, async () => {
  const before = research.taken().length;
  await scanned(4, { StudyDescription: "Neck, trial 7", BurnedInAnnotation: "YES" });
  await routed(5);
  assert.equal(research.taken().length, before);
  const [held] = routing().held;
  assert.deepEqual([held?.reason, held?.count], ["pixels", 3]);
});
