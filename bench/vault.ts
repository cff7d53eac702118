import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../tests/house/index.ts";
import { ctSlices, kept, mrSlices } from "./data.ts";
import { filledTargets } from "./filled.ts";
import { forgetGenerated, generatedHome } from "./generated.ts";
import { ingestTable, type Run, storeInTurns } from "./ingest.ts";
import { searches } from "./query.ts";
import { machine, print } from "./report.ts";
import { inTurns, type Pace, requestTable } from "./requests.ts";
import { leadglass, leadglassIn, type Target } from "./targets.ts";

/** The last state whose store kept each instance as one sealed object and its index in the clear. */
const firstIssue = "d03b6b9";

/** What sealing identity apart costs: C-STORE beside the store before it, QIDO at two sizes beside Orthanc at the smaller. */
export async function vault(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      part: { type: "string", default: "ingest,search" },
      slices: { type: "string", default: "1000" },
      runs: { type: "string", default: "3" },
      associations: { type: "string", default: "1,4" },
      studies: { type: "string", default: "50000,1000000" },
      seconds: { type: "string", default: "5" },
      rounds: { type: "string", default: "3" },
      clients: { type: "string", default: "1,16" },
      only: { type: "string", default: "leadglass,orthanc" },
      fresh: { type: "boolean", default: false },
    },
  });
  const parts = values.part.split(",");
  const numbers = (text: string) => text.split(",").map(Number);
  print(`The vault. ${machine()}.`);
  if (parts.includes("ingest")) {
    await ingesting(Number(values.slices), numbers(values.associations), Number(values.runs));
  }
  if (parts.includes("search")) {
    const pace = { seconds: Number(values.seconds), rounds: Number(values.rounds), clients: numbers(values.clients) };
    const sizes = numbers(values.studies);
    if (values.fresh) for (const size of sizes) forgetGenerated(size);
    await searching(sizes, pace, values.only.split(","), values.fresh);
  }
}

async function ingesting(slices: number, associations: readonly number[], rounds: number): Promise<void> {
  const before = leadglassIn("first issue", checkedOut(firstIssue));
  for (const [name, files] of [
    ["CT", ctSlices(slices)],
    ["MR", mrSlices(slices)],
  ] as const) {
    const runs: Run[] = [];
    for (const lanes of associations) runs.push(...(await storeInTurns([leadglass, before], files, lanes, rounds)));
    print(
      `\nC-STORE of ${files.length} ${name} slices, beside the store of the first issue:\n\n${ingestTable(runs)}\n`,
    );
  }
}

/** An older state of the repository in a folder of its own, on the modules of this one. */
function checkedOut(commit: string): string {
  const folder = join(kept("commits"), commit);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.part`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished);
  const archive = spawnSync("git", ["archive", commit], { cwd: root, maxBuffer: 2 ** 30 });
  const unpacked = spawnSync("tar", ["-x", "-C", unfinished], { input: archive.stdout });
  if (archive.status !== 0 || unpacked.status !== 0) throw new Error(`${commit} is not in this repository`);
  symlinkSync(join(root, "node_modules"), join(unfinished, "node_modules"));
  renameSync(unfinished, folder);
  return folder;
}

/** One size after the other: a server beside its peers alone, so that sizes do not share the machine. */
async function searching(sizes: readonly number[], pace: Pace, only: readonly string[], fresh: boolean): Promise<void> {
  const peerStudies = Math.min(...sizes);
  for (const studies of sizes) {
    const targets: Target[] = [];
    const stops: (() => Promise<void>)[] = [];
    try {
      if (only.includes("leadglass")) {
        const ours = await leadglass.start(await generatedHome(studies));
        targets.push(ours);
        stops.push(ours.stop);
      }
      if (only.includes("orthanc") && studies === peerStudies) {
        const filled = await filledTargets({ studies, slices: 1_000, fresh, only: "orthanc" });
        targets.push(...filled.targets);
        stops.push(filled.stop);
      }
      const rows: (string | number)[][] = [];
      for (const task of searches(studies)) rows.push(...(await inTurns(targets, task, pace)));
      print(`\nQIDO-RS over ${studies} studies:\n\n${requestTable(rows)}\n`);
    } finally {
      for (const stop of stops) await stop();
    }
  }
}
