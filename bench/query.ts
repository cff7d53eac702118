import { finds } from "./dimse-requests.ts";
import { type Filled, filledTargets } from "./filled.ts";
import { filledOptions } from "./options.ts";
import { loadNow } from "./processes.ts";
import { machine, median, print, spread, table } from "./report.ts";
import { type Answer, askedInTurns, createClient, inTurns, requestTable, type Task } from "./requests.ts";
import { accessionOf, dayOf, days, patientIdOf, patientOf } from "./studies.ts";

/** QIDO-RS and C-FIND beside Orthanc over the same studies, and the metadata of a long series, cold and warm. */
export async function query(words: readonly string[]): Promise<void> {
  const { fill, pace } = filledOptions(words);
  const { studies, slices } = fill;
  print(`QIDO-RS and C-FIND over ${studies} studies. ${machine()}.`);
  const filled = await filledTargets(fill);
  try {
    const rows: (string | number)[][] = [];
    for (const task of searches(studies)) rows.push(...(await inTurns(filled.targets, task, pace)));
    for (const questions of finds(studies)) rows.push(...(await askedInTurns(filled.targets, questions, pace)));
    print(`\n${requestTable(rows)}\n`);
    print(`Metadata of a series of ${slices} instances among them.`);
    await seriesMetadata(filled, slices, pace.rounds);
  } finally {
    await filled.stop();
  }
}

function rowsOf({ status, body }: Answer): unknown[] {
  return status === 204 ? [] : (JSON.parse(body.toString()) as unknown[]);
}

function expecting(test: (rows: number) => boolean): (answer: Answer) => void {
  return (answer) => {
    const found = rowsOf(answer).length;
    if (!test(found)) throw new Error(`a search found ${found} studies`);
  };
}

/** Three letters within names: of one in twenty, and of few. */
const pieces = ["MIT", "ERA", "ECK", "STE", "OVA", "QIM"];

/** What people ask an archive for, the same of every server. */
export function searches(studies: number): Task[] {
  const study = (at: number) => (at * 7_919) % studies;
  const week = (at: number) => {
    const first = (at * 131) % (days - 7);
    return `${dayOf(first)}-${dayOf(first + 6)}`;
  };
  const page = Math.min(5_000, Math.floor(studies / 2));
  const full = expecting((rows) => rows === 50);
  return [
    {
      name: "AccessionNumber exact",
      path: (_, at) => `/studies?AccessionNumber=${accessionOf(study(at))}`,
      check: expecting((rows) => rows === 1),
    },
    {
      name: "PatientID exact",
      path: (_, at) => `/studies?PatientID=${patientIdOf(patientOf(study(at)))}`,
      check: expecting((rows) => rows >= 1 && rows <= 2),
    },
    {
      name: "PatientName=SMI*, 50",
      path: () => "/studies?PatientName=SMI*&limit=50",
      check: expecting((rows) => rows > 0 && rows <= 50),
    },
    {
      name: "PatientName=*x*, 50",
      path: (_, at) => `/studies?PatientName=*${pieces[at % pieces.length]}*&limit=50`,
      check: expecting((rows) => rows <= 50),
    },
    {
      name: "StudyDate of 7 days, 50",
      path: (_, at) => `/studies?StudyDate=${week(at)}&limit=50`,
      check: expecting((rows) => rows <= 50),
    },
    { name: "newest page of 50", path: () => "/studies?limit=50&offset=0", check: full },
    { name: `page of 50 at ${page}`, path: () => `/studies?limit=50&offset=${page}`, check: full },
  ];
}

/** Cold: the first request to a server that was just started. Warm: those after it. */
async function seriesMetadata(filled: Filled, slices: number, rounds: number): Promise<void> {
  const path = `/studies/${filled.ct.studyUid}/series/${filled.ct.seriesUid}/metadata`;
  const cold = new Map<string, number[]>();
  const warm = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { name } of filled.targets) {
      const running = filled.targets.find((target) => target.name === name);
      if (running === undefined) continue;
      const target = await filled.restart(running);
      const client = createClient(target, 1);
      try {
        // The connection is there before: what is measured is the answer.
        await client.send("/studies?limit=1");
        const first = await client.send(path, { keep: true });
        const found = rowsOf(first).length;
        if (found !== slices) throw new Error(`${name} answered with the metadata of ${found} of ${slices} instances`);
        cold.set(name, [...(cold.get(name) ?? []), first.ms]);
        for (let at = 0; at < 5; at++) warm.set(name, [...(warm.get(name) ?? []), (await client.send(path)).ms]);
        print(`  ${name}: ${first.ms.toFixed(0)} ms cold, load ${loadNow()}`);
      } finally {
        client.close();
      }
    }
  }
  const times = (of: Map<string, number[]>, name: string) => of.get(name) ?? [Number.NaN];
  const ratio = (of: Map<string, number[]>, name: string) =>
    name === "leadglass" ? "" : (median(times(of, name)) / median(times(of, "leadglass"))).toFixed(1);
  const rows = filled.targets.map(({ name }) => [
    name,
    spread(times(cold, name), 1),
    spread(times(warm, name), 1),
    ratio(cold, name),
    ratio(warm, name),
  ]);
  print(`\n${table(["server", "cold ms", "warm ms", "leadglass to it, cold", "warm"], rows)}`);
}
