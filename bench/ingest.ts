import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { ctSlices } from "./data.ts";
import { exitOf, loadNow, usageOf, watchMemory } from "./processes.ts";
import { machine, median, print, spread, table } from "./report.ts";
import { leadglass, orthanc, storescp, type TargetKind } from "./targets.ts";

export interface Run {
  readonly target: string;
  readonly associations: number;
  readonly perSecond: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
  readonly load: number;
}

/** The same CT by DCMTK's storescu into each server in turn. */
export async function ingest(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      slices: { type: "string", default: "1000" },
      runs: { type: "string", default: "3" },
      associations: { type: "string", default: "1,4" },
      only: { type: "string" },
    },
  });
  const files = ctSlices(Number(values.slices));
  const runs: Run[] = [];
  print(`C-STORE of ${files.length} CT slices by storescu. ${machine()}.`);
  for (const associations of values.associations.split(",").map(Number)) {
    const kinds = [leadglass, storescp(associations > 1), orthanc].filter((kind) => wanted(kind, values.only));
    runs.push(...(await storeInTurns(kinds, files, associations, Number(values.runs))));
  }
  print(`\n${ingestTable(runs)}`);
}

/** A fresh process and store each time, order turned each round. */
export async function storeInTurns(
  kinds: readonly TargetKind[],
  files: readonly string[],
  associations: number,
  rounds: number,
): Promise<Run[]> {
  const runs: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const kind of round % 2 === 0 ? kinds : [...kinds].reverse()) {
      const run = await once(kind, files, associations);
      runs.push(run);
      print(
        `  ${run.target}, ${associations}: ${run.perSecond.toFixed(0)}/s, ${run.cpuMs.toFixed(2)} ms CPU, load ${run.load}`,
      );
    }
  }
  return runs;
}

function wanted(kind: TargetKind, only: string | undefined): boolean {
  if (!kind.available) print(`  left out: ${kind.name} is not installed`);
  return kind.available && (only === undefined || only.split(",").includes(kind.name));
}

async function once(kind: TargetKind, files: readonly string[], associations: number): Promise<Run> {
  const target = await kind.start();
  try {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = usageOf(target.pid);
    const peak = watchMemory(target.pid);
    const load = loadNow();
    const began = performance.now();
    await Promise.all(
      Array.from({ length: associations }, (_, lane) =>
        send(
          files.filter((_file, at) => at % associations === lane),
          target,
        ),
      ),
    );
    const seconds = (performance.now() - began) / 1000;
    const peakMiB = peak() / 2 ** 20;
    const cpuMs = ((usageOf(target.pid).cpuSeconds - before.cpuSeconds) * 1000) / files.length;
    const held = await target.held();
    if (held !== undefined && held !== files.length) throw new Error(`${kind.name} holds ${held} of ${files.length}`);
    return { target: kind.name, associations, perSecond: files.length / seconds, cpuMs, peakMiB, load };
  } finally {
    await target.stop();
  }
}

async function send(files: readonly string[], to: { dicomPort: number; aeTitle: string }): Promise<void> {
  const words = ["-R", "-aet", "BENCH", "-aec", to.aeTitle, "127.0.0.1", String(to.dicomPort), ...files];
  const child = spawn("storescu", words, {
    env: { ...process.env, TCP_NODELAY: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const code = await exitOf(child);
  if (code !== 0) throw new Error(`storescu exited with ${code}: ${said.slice(-500)}`);
}

export function ingestTable(runs: readonly Run[]): string {
  const groups = [...new Set(runs.map(({ target, associations }) => `${associations} ${target}`))].map((key) => {
    const members = runs.filter(({ target, associations }) => `${associations} ${target}` === key);
    return { target: members[0]?.target ?? "", associations: members[0]?.associations ?? 0, members };
  });
  const rate = (target: string, associations: number) =>
    median(
      groups
        .find((group) => group.target === target && group.associations === associations)
        ?.members.map((run) => run.perSecond) ?? [],
    );
  const ratio = (associations: number, peer: string) => {
    const theirs = rate(peer, associations);
    return theirs > 0 ? (rate("leadglass", associations) / theirs).toFixed(2) : "-";
  };
  return table(
    ["associations", "server", "instances/s", "ms CPU each", "peak MiB", "leadglass to it"],
    groups.map(({ target, associations, members }) => [
      associations,
      target,
      spread(members.map((run) => run.perSecond)),
      median(members.map((run) => run.cpuMs)).toFixed(2),
      Math.max(...members.map((run) => run.peakMiB)).toFixed(0),
      target === "leadglass" ? "" : ratio(associations, target),
    ]),
  );
}
