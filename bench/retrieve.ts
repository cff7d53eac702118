import { retrievesByDimse } from "./dimse-requests.ts";
import { type Filled, filledTargets } from "./filled.ts";
import { filledOptions } from "./options.ts";
import { loadNow, usageOf } from "./processes.ts";
import { machine, median, print, spread, table } from "./report.ts";
import { type Answer, createClient, inTurns, requestTable, type Task } from "./requests.ts";
import type { Target } from "./targets.ts";

/** WADO-RS, C-MOVE and C-GET beside Orthanc: a whole study, and single instances, frames and pictures out of it. */
export async function retrieve(words: readonly string[]): Promise<void> {
  const { fill, pace } = filledOptions(words);
  const { studies, slices } = fill;
  print(`WADO-RS, C-MOVE and C-GET of a CT of ${slices} slices among ${studies} studies. ${machine()}.`);
  const filled = await filledTargets(fill);
  try {
    await wholeStudy(filled, slices, pace.rounds);
    await retrievesByDimse(filled, slices, pace.rounds);
    const rows: (string | number)[][] = [];
    for (const task of singles(filled)) rows.push(...(await inTurns(filled.targets, task, pace)));
    print(`\n${requestTable(rows)}`);
  } finally {
    await filled.stop();
  }
}

function singles({ ct }: Filled): Task[] {
  const sliceBytes = 512 * 512 * 2;
  const instance = (at: number) => {
    const sopUid = ct.sopUids[(at * 37) % ct.sopUids.length];
    return `/studies/${ct.studyUid}/series/${ct.seriesUid}/instances/${sopUid}`;
  };
  const holdingASlice = ({ bytes }: Answer) => {
    if (bytes < sliceBytes) throw new Error(`a slice came back with ${bytes} bytes`);
  };
  return [
    {
      name: "instance",
      path: (_, at) => instance(at),
      accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
      check: holdingASlice,
    },
    {
      name: "frame 1",
      path: (_, at) => `${instance(at)}/frames/1`,
      accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=*',
      check: holdingASlice,
    },
    {
      name: "rendered JPEG",
      path: (_, at) => `${instance(at)}/rendered`,
      accept: "image/jpeg",
      check({ body }) {
        if (body[0] !== 0xff || body[1] !== 0xd8) throw new Error("a picture is not a JPEG");
      },
    },
  ];
}

interface Whole {
  readonly seconds: number;
  readonly megabytes: number;
  readonly cpuSeconds: number;
}

async function wholeStudy(filled: Filled, slices: number, rounds: number): Promise<void> {
  const runs = new Map<Target, Whole[]>(filled.targets.map((target) => [target, []]));
  // Once beforehand, so that the files of both are in the page cache.
  for (const target of filled.targets) await readStudy(target, filled, slices);
  for (let round = 0; round < rounds; round++) {
    for (const target of round % 2 === 0 ? filled.targets : [...filled.targets].reverse()) {
      const run = await readStudy(target, filled, slices);
      runs.get(target)?.push(run);
      print(`  study: ${target.name} ${(run.megabytes / run.seconds).toFixed(0)} MB/s, load ${loadNow()}`);
    }
  }
  const speed = (name: string) => {
    const found = [...runs].find(([target]) => target.name === name)?.[1] ?? [];
    return median(found.map(({ megabytes, seconds }) => megabytes / seconds));
  };
  const rows = [...runs].map(([{ name }, all]) => [
    name,
    spread(
      all.map(({ seconds }) => seconds),
      2,
    ),
    spread(all.map(({ megabytes, seconds }) => megabytes / seconds)),
    median(all.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
    name === "leadglass" ? "" : (speed("leadglass") / speed(name)).toFixed(2),
  ]);
  print(`\n${table(["server", "s", "MB/s", "CPU s", "leadglass to it"], rows)}\n`);
}

async function readStudy(target: Target, { ct }: Filled, slices: number): Promise<Whole> {
  const client = createClient(target, 1);
  try {
    const accept = 'multipart/related; type="application/dicom"; transfer-syntax=*';
    const cpu = usageOf(target.pid).cpuSeconds;
    const { status, ms, bytes } = await client.send(`/studies/${ct.studyUid}`, { accept });
    if (status !== 200 || bytes < slices * 512 * 512 * 2) {
      throw new Error(`${target.name} answered the study with ${status} and ${bytes} bytes`);
    }
    return { seconds: ms / 1_000, megabytes: bytes / 1e6, cpuSeconds: usageOf(target.pid).cpuSeconds - cpu };
  } finally {
    client.close();
  }
}
