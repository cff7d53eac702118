import { createHash } from "node:crypto";
import { seededRandom } from "#base/id";
import { crashState, type DiskImage, type Unsynced } from "#base/io";
import { checkCrashed } from "./crashed-house.ts";
import { type Recording, record } from "./recording.ts";
import { type WorkloadName, workloadNames } from "./workloads.ts";

/** Which state it is: enough to make it again. */
export interface StateName {
  readonly workload: WorkloadName;
  readonly seed: number;
  readonly steps: number;
  readonly unsynced: Unsynced;
  /** Tells apart what chance makes of the same steps. */
  readonly roll: number;
}

export interface StatesReport {
  readonly distinct: number;
  readonly byWorkload: Readonly<Record<string, number>>;
  readonly recordings: number;
}

const rollsAtStep = 4;

/**
 * Crashes recorded workloads behind each of their steps until so many distinct states were checked; throws at the first that is
 * not as it must be, and names it.
 */
export async function checkStates(options: {
  readonly states: number;
  readonly seed: number;
  readonly seen?: (distinct: number) => void;
}): Promise<StatesReport> {
  const known = new Set<string>();
  const byWorkload: Record<string, number> = {};
  let recordings = 0;
  for (let seed = options.seed; known.size < options.states; seed++) {
    for (const workload of workloadNames) {
      if (known.size >= options.states) break;
      const recording = await record(workload, seed);
      recordings++;
      for (const name of statesOf(recording, seed)) {
        if (known.size >= options.states) break;
        const state = await stateOf(recording, name);
        if (known.has(state.digest)) continue;
        known.add(state.digest);
        byWorkload[workload] = (byWorkload[workload] ?? 0) + 1;
        await checkNamed(name, () => checkCrashed({ recording, steps: name.steps, ...state }));
        options.seen?.(known.size);
      }
    }
  }
  return { distinct: known.size, byWorkload, recordings };
}

/** One state again, as a failure named it. */
export async function checkState(name: StateName): Promise<void> {
  const recording = await record(name.workload, name.seed);
  await checkCrashed({ recording, steps: name.steps, ...(await stateOf(recording, name)) });
}

/** As a failure names a state: WORKLOAD SEED STEPS UNSYNCED ROLL. */
export function stateNamed([workload, seed, steps, unsynced, roll]: readonly string[]): StateName {
  const name = workloadNames.find((each) => each === workload);
  const kind = (["kept", "dropped", "mixed"] as const).find((each) => each === unsynced);
  if (name === undefined || kind === undefined) throw new Error("name a state as a failure did");
  return { workload: name, seed: Number(seed), steps: Number(steps), unsynced: kind, roll: Number(roll) };
}

function* statesOf(recording: Recording, seed: number): Generator<StateName> {
  const { name: workload, begunAt, trace } = recording;
  for (let steps = begunAt; steps <= trace.length; steps++) {
    const of = { workload, seed, steps };
    for (const unsynced of ["kept", "dropped"] as const) for (const roll of [0, 1]) yield { ...of, unsynced, roll };
    for (let roll = 0; roll < rollsAtStep; roll++) yield { ...of, unsynced: "mixed", roll };
  }
}

async function stateOf(recording: Recording, { seed, steps, unsynced, roll }: StateName) {
  const chance = chanceOf(seed, steps, roll);
  const { disk } = crashState(recording.trace, steps, unsynced, chance);
  const { least, most } = recording.commits.standingAt(steps);
  // Now and then the index is lost altogether.
  const commits = chance() < 0.1 ? 0 : least + Math.floor(chance() * (most - least + 1));
  return { disk, digest: digestOf(disk, commits), blindStore: await recording.commits.asOf(commits) };
}

function chanceOf(seed: number, steps: number, roll: number): () => number {
  const random = seededRandom(seed * 1_000_003 + steps * 101 + roll + 1);
  random(new Uint8Array(16));
  return () => Buffer.from(random(Buffer.alloc(4))).readUInt32BE() / 2 ** 32;
}

async function checkNamed(name: StateName, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    const { workload, seed, steps, unsynced, roll } = name;
    const again = `npm run faults -- state ${workload} ${seed} ${steps} ${unsynced} ${roll}`;
    throw new Error(`a crash leaves what must not be; again: ${again}`, { cause: error });
  }
}

function digestOf(disk: DiskImage, commits: number): string {
  const hash = createHash("sha1").update(`${commits}`);
  for (const path of [...disk.keys()].sort()) {
    const bytes = disk.get(path) ?? new Uint8Array(0);
    hash.update(`${path} ${bytes.length} `).update(withoutEndingZeros(bytes));
  }
  return hash.digest("base64");
}

const zeros = Buffer.alloc(16 * 1024);

/** The log writes zeros ahead: they need not be hashed. */
function withoutEndingZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end >= zeros.length && zeros.equals(bytes.subarray(end - zeros.length, end))) end -= zeros.length;
  return bytes.subarray(0, end);
}
