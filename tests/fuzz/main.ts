import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../house/index.ts";
import { openCorpus, realSeeds, targetOfFinding, writeFinding } from "./found.ts";
import { alone, fuzz } from "./fuzz.ts";
import { isTargetName, type TargetName, targetNames } from "./targets.ts";

const usage = [
  "npm run fuzz -- [TARGET…] [--minutes 60 | --runs N] [--seed S] [--to DIR]   mutants into parsers, by what code they run",
  "npm run fuzz -- --again FILE   one input that was found",
  `targets: ${targetNames.join(", ")}; all when none is named, two at a time`,
].join("\n");
const atOnce = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string" },
    runs: { type: "string" },
    seed: { type: "string" },
    to: { type: "string" },
    again: { type: "string" },
    help: { type: "boolean" },
  },
});
const write = (line: string) => process.stdout.write(`${line}\n`);
const folder = values.to ?? join(root, "node_modules", ".cache", "leadglass-fuzz");
const minutes = Number(values.minutes ?? 60);
const runs = Number(values.runs ?? Number.MAX_SAFE_INTEGER);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);

async function again(path: string): Promise<number> {
  const target = targetOfFinding(path);
  if (!isTargetName(target)) throw new Error(`${path} is of no target: its name begins with one`);
  const trouble = await alone(target, readFileSync(path));
  write(trouble === undefined ? "nothing is wrong with it" : `${trouble.kind}: ${trouble.told}`);
  return trouble === undefined ? 0 : 1;
}

/** How many findings there were. */
async function fuzzOne(target: TargetName, minutesEach: number): Promise<number> {
  const corpus = openCorpus(folder, target);
  const until = performance.now() + minutesEach * 60_000;
  const fuzzed = await fuzz({
    ...{ target, seed, runs, isGuided: true },
    goesOn: () => performance.now() < until,
    kept: corpus.keep,
    corpus: [...realSeeds(target), ...corpus.all()],
  });
  for (const finding of fuzzed.findings) {
    write(`${target} ${finding.kind}: ${finding.told.split("\n")[0]}\n  ${writeFinding(folder, finding)}`);
  }
  write(
    `${target}: ${fuzzed.runs} mutants, ${fuzzed.telling} of them told something new, ${fuzzed.findings.length} findings`,
  );
  return fuzzed.findings.length;
}

async function fuzzAll(targets: readonly TargetName[]): Promise<number> {
  write(`seed ${seed}; what is found is written to ${folder}`);
  const waiting = [...targets];
  const minutesEach =
    values.runs === undefined ? (minutes * Math.min(atOnce, targets.length)) / targets.length : 2 ** 20;
  let findings = 0;
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      findings += await fuzzOne(next, minutesEach);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return findings === 0 ? 0 : 1;
}

const isUsable = positionals.every(isTargetName) && [minutes, runs, seed].every((each) => each > 0);
if (values.help === true || !isUsable) {
  process.stderr.write(`${usage}\n`);
  process.exitCode = values.help === true ? 0 : 2;
} else if (values.again !== undefined) process.exitCode = await again(values.again);
else process.exitCode = await fuzzAll(positionals.length === 0 ? targetNames : positionals.filter(isTargetName));
