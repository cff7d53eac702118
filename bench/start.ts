import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startHouse } from "../tests/house/index.ts";
import { kept, scratch } from "./data.ts";
import { usageOf } from "./processes.ts";
import { machine, print, spread, table } from "./report.ts";

interface Start {
  readonly readyMs: number;
  readonly residentMiB: number;
  readonly stopMs: number;
}

const idleMs = 3_000;

/** From the start of the process to all listeners open, on a home that is there; memory when idle; time to stop. */
export async function start(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: { runs: { type: "string", default: "5" }, studies: { type: "string", default: "50000" } },
  });
  print(`Start of a ready home. ${machine()}.`);
  const small = scratch("leadglass-start");
  await startOnce(small);
  const homes: [string, string][] = [["no studies", small]];
  const filled = join(kept("filled-by-people"), `leadglass-${values.studies}-1000`);
  if (existsSync(join(filled, "filled.json"))) homes.push([`${values.studies} studies`, filled]);
  else print(`  left out: a home of ${values.studies} studies, which the bench \`query\` fills`);
  const rows: (string | number)[][] = [];
  for (const [name, home] of homes) {
    const runs: Start[] = [];
    for (let run = 0; run < Number(values.runs); run++) runs.push(await startOnce(home));
    const of = (value: (run: Start) => number) => spread(runs.map(value));
    rows.push([name, of(({ readyMs }) => readyMs), of(({ residentMiB }) => residentMiB), of(({ stopMs }) => stopMs)]);
  }
  print(`\n${table(["home", "ready ms", "resident MiB, idle", "stop ms"], rows)}`);
}

async function startOnce(home: string): Promise<Start> {
  const house = await startHouse({ home });
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const residentMiB = usageOf(house.pid).residentBytes / 2 ** 20;
  const began = performance.now();
  const code = await house.stop();
  if (code !== 0) throw new Error(`the server exited with ${code}`);
  return { readyMs: house.readyAfterMs, residentMiB, stopMs: performance.now() - began };
}
