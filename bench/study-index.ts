import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "#base/clock";
import { silentLog } from "#base/log";
import { createBlindIndex, type InstanceRecord, type Match, type Query, type StudyIndex } from "#radiology/archive";
import { openIndexDatabase } from "#stores/sql";
import { createTestIndexBox } from "../radiology/archive/index-box.fixture.ts";
import { machine, percentile, print } from "./report.ts";

const digest = (text: string) => createHash("sha256").update(text).digest("hex");
const modalities = ["CT", "MR", "CR", "US", "DX", "MG", "XA", "NM", "PT", "SR"];
const givenNames = ["Anna", "Bela", "Carl", "Dora", "Emil", "Fritz", "Greta", "Hugo", "Ida", "Jörg"];

function familyName(i: number): string {
  const [consonants, vowels] = ["BCDFGHKLMNPRSTVZ", "AEIOU"];
  const at = (text: string, place: number) => text[place % text.length] ?? "";
  return `${at(consonants, i)}${at(vowels, i >> 4)}${at(consonants, i * 7)}${at(vowels, i * 3)}${at(consonants, i * 11)}${i % 97}`;
}

/** A plausible record, always the same for the same numbers. One study in 5,000 is of a rare modality. */
function recordOf(study: number, series: number, instance: number): InstanceRecord {
  const studyUid = `1.2.826.0.1.3680043.10.1561.${study}`;
  const sopUid = `${studyUid}.${series}.${instance}`;
  const seed = Number.parseInt(digest(studyUid).slice(0, 8), 16);
  const day = new Date(Date.UTC(2015, 0, 1) + (seed % 3650) * 86_400_000)
    .toISOString()
    .slice(0, 10)
    .replaceAll("-", "");
  return {
    id: digest(sopUid).slice(0, 32),
    studyToken: digest(studyUid).slice(0, 32),
    studyUid,
    seriesUid: `${studyUid}.${series}`,
    sopUid,
    sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    transferSyntaxUid: "1.2.840.10008.1.2.1",
    places: {
      image: { pack: digest("images").slice(0, 32), offset: study * 1000 + instance },
      identity: { pack: digest("identities").slice(0, 32), offset: study * 1000 + instance },
    },
    sizeBytes: 526_000,
    dataSetOffset: 340,
    pixelOffset: 2000,
    pixelLength: 524_288,
    dataSetSha256: digest(`bytes ${sopUid}`),
    receivedAt: 1_700_000_000_000 + study * 10,
    receivedFrom: `device:${digest("device").slice(0, 32)}`,
    study: {
      PatientName: `${familyName(seed % 2000)}^${givenNames[(seed >> 8) % 10]}`,
      PatientID: `PID${String(seed % 20_000).padStart(7, "0")}`,
      PatientBirthDate: "19700101",
      PatientSex: "F",
      StudyDate: day,
      StudyTime: String(seed % 86_400).padStart(6, "0"),
      AccessionNumber: `ACC${String(study).padStart(8, "0")}`,
      StudyDescription: `CT Thorax ${seed % 50}`,
      ReferringPhysicianName: `Dr${seed % 300}^House`,
    },
    series: {
      Modality: study % 5000 === 7 ? "OPT" : (modalities[seed % 10] ?? ""),
      SeriesNumber: String(series),
      SeriesDescription: "Axial 1.0",
      BodyPartExamined: "CHEST",
    },
    instance: { InstanceNumber: String(instance), ContentDate: day },
  };
}

async function fill(index: StudyIndex, studies: number): Promise<void> {
  const begun = performance.now();
  const each = 2;
  for (let study = 0; study < studies; study += 100) {
    const count = Math.min(100, studies - study) * each;
    await index.add(
      Array.from({ length: count }, (_, i) => recordOf(study + Math.floor(i / each), 1, i % each)),
      [],
    );
  }
  print(
    `filled ${studies} studies, ${studies * each} instances, in ${((performance.now() - begun) / 1000).toFixed(1)} s`,
  );
}

async function measure(name: string, ask: (i: number) => Promise<unknown>): Promise<void> {
  const latencies: number[] = [];
  let count: unknown;
  for (let i = 0; i < 80; i++) {
    const begun = performance.now();
    const answer = await ask(i);
    latencies.push(performance.now() - begun);
    count = Array.isArray(answer) ? answer.length : answer;
  }
  const at = (percent: number) => percentile(latencies, percent).toFixed(2).padStart(6);
  print(`${name.padEnd(32)} p50 ${at(50)}  p95 ${at(95)} ms  (${count})`);
}

const like = (keyword: string, pattern: string): Match => ({ keyword, kind: "wildcard", pattern });
const equal = (keyword: string, value: string): Match => ({ keyword, kind: "equal", values: [value] });
const days = (from: string, to: string): Match => ({ keyword: "StudyDate", kind: "range", from, to });

async function measureQueries(index: StudyIndex, studies: number): Promise<void> {
  const some = (i: number) => (i * 7919) % studies;
  const name = (i: number) => familyName((i * 31) % 2000);
  const page = (...matches: Match[]) => index.findStudies({ matches, limit: 50, offset: 0 });
  const sorted = (keyword: string) => {
    const query: Query = { matches: [], limit: 50, offset: 0, sort: { keyword, ascending: true } };
    return index.findStudies(query);
  };
  const uid = (i: number) => recordOf(some(i), 1, 0).studyUid;
  await measure("accession number", (i) => page(equal("AccessionNumber", `ACC${String(some(i)).padStart(8, "0")}`)));
  await measure("patient id", (i) => page(equal("PatientID", recordOf(some(i), 1, 0).study.PatientID ?? "")));
  await measure("name prefix, 4 letters", (i) => page(like("PatientName", `${name(i).slice(0, 4)}*`)));
  await measure("name prefix, 2 letters", (i) => page(like("PatientName", `${name(i).slice(0, 2)}*`)));
  await measure("name prefix, 1 letter", (i) => page(like("PatientName", `${name(i).slice(0, 1)}*`)));
  await measure("name *x*", (i) => page(like("PatientName", `*${name(i).slice(2, 5)}*`)));
  await measure("name *x*, nothing there", () => page(like("PatientName", "*qqq*")));
  await measure("newest page", () => page());
  for (const keyword of ["ArrivedAt", "PatientName", "AccessionNumber"]) {
    await measure(`page sorted by ${keyword}`, () => sorted(keyword));
  }
  await measure("date range, a week", () => page(days("20200301", "20200308")));
  await measure("date range, five years", () => page(days("20160101", "20201231")));
  await measure("modality CT", () => page(equal("ModalitiesInStudy", "CT")));
  await measure("modality, rare", () => page(equal("ModalitiesInStudy", "OPT")));
  await measure("count of all", () => index.countStudies([]));
  await measure("count of a name prefix", (i) => index.countStudies([like("PatientName", `${name(i).slice(0, 2)}*`)]));
  await measure("instances of a study", (i) => index.instances(uid(i)));
}

async function measureAdding(index: StudyIndex, studies: number): Promise<void> {
  let next = studies;
  for (const batch of [1, 8, 32, 200]) {
    const count = batch === 1 ? 200 : 3200;
    const study = next++;
    const records = Array.from({ length: count }, (_, i) => recordOf(study, 1 + Math.floor(i / 200), i));
    const cpu = process.cpuUsage();
    const begun = performance.now();
    for (let at = 0; at < count; at += batch) {
      await index.add(records.slice(at, at + batch), [{ pack: "p", position: at }]);
    }
    const wall = (performance.now() - begun) / count;
    const { user, system } = process.cpuUsage(cpu);
    const each = (user + system) / 1000 / count;
    print(
      `add, batches of ${String(batch).padEnd(3)} ${wall.toFixed(3)} ms an instance, ${each.toFixed(3)} ms CPU in all threads`,
    );
  }
}

/** The study index alone, on SQLite or on the PostgreSQL database at `--url`, which must be empty. */
export async function studyIndex(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      folder: { type: "string", default: process.cwd() },
      studies: { type: "string", default: "50000" },
      url: { type: "string" },
    },
  });
  const root = await mkdtemp(join(values.folder, ".bench-index-"));
  const place = values.url === undefined ? { path: join(root, "index.db") } : { url: values.url };
  const { blindStore } = await openIndexDatabase({ ...place, log: silentLog });
  const index = createBlindIndex({ store: blindStore, box: createTestIndexBox(), clock: systemClock });
  try {
    print(machine());
    const studies = Number(values.studies);
    await fill(index, studies);
    await measureQueries(index, studies);
    await measureAdding(index, studies);
  } finally {
    await index.close();
    await rm(root, { recursive: true, force: true });
  }
}
