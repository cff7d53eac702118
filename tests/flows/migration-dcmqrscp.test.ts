import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { MigrationView } from "#formats/api";
import { freePort, has, type RunningHouse, startHouse } from "../house/index.ts";
import { asOperator, fileOf, type Slice, search, slicesOf, storeAll } from "./modality.fixture.ts";

/* DCMTK's archive as one that a facility leaves: it names no SOP classes, has one transfer syntax for each, and makes none of another. */
const skip = has("dcmqrscp") ? false : "needs dcmtk: apt install dcmtk";

let house: RunningHouse;
/** The archive's C-MOVE calls it by number. */
let dicomPort: number;
before(async () => {
  if (skip) return;
  dicomPort = await freePort();
  house = await startHouse({ environment: { LEADGLASS_DICOM_PORT: String(dicomPort) } });
});
after(() => house?.remove());

const day = "20190604";
const studyOf = (seed: number, slices: number) =>
  slicesOf({ kind: "mr-brain", slices, size: 32, seed }, (same) => ({ ...same, StudyDate: day }));

/** An archive under that title, with these options, known here as a machine. */
async function openArchive(t: TestContext, title: string, options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "lg-dcmqrscp-"));
  const [port, area, file] = [await freePort(), join(folder, "area"), join(folder, "dcmqrscp.cfg")];
  mkdirSync(area);
  const hosts = `HostTable BEGIN\nhere = (LEADGLASS, localhost, ${dicomPort})\nHostTable END\nVendorTable BEGIN\nVendorTable END\n`;
  const own = `AETable BEGIN\n${title} ${area} RW (10, 100mb) ANY\nAETable END\n`;
  writeFileSync(file, `NetworkTCPPort = ${port}\nMaxPDUSize = 16384\nMaxAssociations = 8\n${hosts}${own}`);
  const child = spawn("dcmqrscp", ["-c", file, ...options], { stdio: "ignore", env: environment });
  const over = once(child, "exit");
  t.after(async () => {
    child.kill();
    await over;
    rmSync(folder, { recursive: true });
  });
  while (spawnSync("echoscu", ["-aec", title, "127.0.0.1", String(port)]).status !== 0) await sleep(20);
  await asOperator(house, "/api/devices", "POST", { ae: title, address: "127.0.0.1", port });
  return { dicom: port, aeTitle: title, folder };
}

/** DCMTK's programs wait for delayed acknowledgements unless told not to. */
const environment = { ...process.env, TCP_NODELAY: "1" };

type OldArchive = Awaited<ReturnType<typeof openArchive>>;

/** The same slices in JPEG Lossless, as that archive then holds them. */
function storeCompressed({ dicom, aeTitle, folder }: OldArchive, slices: readonly Slice[]): void {
  const files = slices.map((slice, at) => {
    const [plain, made] = [join(folder, `${at}.plain`), join(folder, `${at}.jpeg`)];
    writeFileSync(plain, fileOf(slice));
    assert.equal(spawnSync("dcmcjpeg", ["+e1", plain, made]).status, 0);
    return made;
  });
  const titles = ["-aet", "CT1", "-aec", aeTitle, "--propose-lossless"];
  const sent = spawnSync("storescu", [...titles, "127.0.0.1", String(dicom), ...files], { env: environment });
  assert.equal(sent.status, 0);
}

async function takenOver(title: string, slices: readonly Slice[]): Promise<void> {
  const words = ["migrate", "start", "--from", title, "--dates", "2019-06-04..2019-06-04", "--no-undated", "--json"];
  const { state, totals } = JSON.parse(house.command(words)) as MigrationView;
  const studies = new Set(slices.map(({ studyUid }) => studyUid));
  const { found, fetched, instancesFetched, instancesMissing, conflicts } = totals;
  assert.deepEqual(
    { state, found, fetched, instancesFetched, instancesMissing, conflicts },
    {
      ...{ state: "done", found: studies.size, fetched: studies.size },
      ...{ instancesFetched: slices.length, instancesMissing: 0, conflicts: 0 },
    },
  );
  const held: unknown[] = [];
  for (const study of studies) {
    const rows = await search(house, `/studies/${study}/instances`);
    held.push(...rows.map((row) => row["00080018"]?.Value?.[0]));
  }
  assert.deepEqual(held.sort(), slices.map(({ sopInstanceUid }) => sopInstanceUid).sort());
}

test("what dcmqrscp holds compressed and plain, in a study of its own each and in one together, comes by C-GET", {
  skip,
}, async (t) => {
  const archive = await openArchive(t, "QR", ["--prefer-lossless", "--propose-lossless"]);
  const [plain, compressed, mixed] = [studyOf(1, 2), studyOf(2, 2), studyOf(3, 4)];
  await storeAll(archive, [...plain, ...mixed.slice(2)]);
  storeCompressed(archive, [...compressed, ...mixed.slice(0, 2)]);
  await takenOver("QR", [...plain, ...compressed, ...mixed]);
});

test("without C-GET, from an archive that takes a C-MOVE from who may ask it alone, it comes by C-MOVE", {
  skip,
}, async (t) => {
  const archive = await openArchive(t, "QRMOVE", ["--disable-get", "--require-find", "--move-aetitle", "--check-move"]);
  const slices = [...studyOf(4, 3), ...studyOf(5, 1)];
  await storeAll(archive, slices);
  await takenOver("QRMOVE", slices);
});
