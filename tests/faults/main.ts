import { parseArgs } from "node:util";
import { weather } from "../../doors/link/storm.fixture.ts";
import { failCalls } from "./call-sites.ts";
import { damageAgainAndAgain } from "./damage.ts";
import { flipEveryBit } from "./flips.ts";
import { killAgainAndAgain } from "./kill.ts";
import { killServerAgainAndAgain } from "./kill-server.ts";
import { outage } from "./outage.ts";
import { checkState, checkStates, stateNamed } from "./states.ts";
import { tamper } from "./tampering.ts";

const usage = [
  "npm run faults -- kill [--times 1000]         kill -9 the server while images arrive, again and again, and look for what it lost",
  "npm run faults -- kill-vault [--times 1000]   the same with a process that only writes the vault",
  "npm run faults -- flips                       flip every bit of a sealed object of 64 KiB, one at a time, and read and check it",
  "npm run faults -- states [--times 100000] [--seed 1]   crash a house at work: store, STOW, correct, rotate, shred, compact, back up (also: --states 100000)",
  "npm run faults -- state WORKLOAD SEED STEPS UNSYNCED ROLL   one of these crashes again, as a failure named it",
  "npm run faults -- calls                       fail every call of these workloads to the disk, one at a time, in each way",
  "npm run faults -- tampering [--logs 100]      tamper with exported logs in every kind, and have both verifiers look",
  "npm run faults -- damage [--times 1000000]    damage sealed objects at random, and read and check them each time",
  "npm run faults -- link [--times 1000] [--seed 1]   streams that die at any byte, both ends begun anew, refusals, lost receipts, each time under another seed",
  "npm run faults -- outage [--times 1] [--seed 1]   seven days without a link that lasts: 20,000 parcels, 1,000 flaps, the edge killed anywhere",
].join("\n");

/** Tells on a terminal how far it is. */
type Tell = (progress: string) => void;

async function killServer(times: number, tell: Tell): Promise<string> {
  const seen = tellKills(times, tell);
  const { kills, killsAtStart, acknowledged, readyMs, logEntries } = await killServerAgainAndAgain({ times, seen });
  const sorted = [...readyMs].sort((a, b) => a - b);
  const [middle, most] = [sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0];
  return (
    `${kills} kills, ${killsAtStart} of them at start: ${acknowledged} instances acknowledged, none lost, none twice, all as sent; ` +
    `vault clean, ${logEntries} log entries; ready again after ${Math.round(middle)} ms (median), ${Math.round(most)} ms at most`
  );
}

async function killVault(times: number, tell: Tell): Promise<string> {
  const seen = tellKills(times, tell);
  const { kills, acknowledged, found, slowestReadyMs } = await killAgainAndAgain({ times, seen });
  return (
    `${kills} kills: ${acknowledged} objects acknowledged, none lost, none twice ` +
    `(${found} found); ready after ${Math.round(slowestReadyMs)} ms at most`
  );
}

function tellKills(times: number, tell: Tell) {
  return (kill: number, acknowledged: number) => tell(`${kill} of ${times} kills, ${acknowledged} acknowledged`);
}

async function flipBits(_times: number, tell: Tell): Promise<string> {
  const seen = (done: number, of: number) => tell(`bit ${done} of ${of}`);
  const { flips, objectBytes, refused, stillRead, seconds } = await flipEveryBit({ seen });
  return (
    `${flips} bits of ${objectBytes} bytes flipped one at a time: all detected, none served; ${refused} refused to be read, ` +
    `${stillRead} in the record, which reading does not need, told of by check; ${Math.round(seconds)} s`
  );
}

async function damage(times: number, tell: Tell): Promise<string> {
  const seen = (done: number, of: number) => tell(`${done} of ${of} damages`);
  const { damages, refused, stillRead, replaced, seconds } = await damageAgainAndAgain({ times, seen });
  const counts = Object.entries(damages).map(([kind, count]) => `${kind} ${count}`);
  return (
    `${times} damages (${counts.join(", ")}): all detected, none served; ${refused} objects refused to be read, ` +
    `${stillRead} were read as they were, what was changed not being needed for that; ` +
    `${replaced} places held another whole object, which its id told; ${Math.round(seconds)} s`
  );
}

async function tamperWithLogs(times: number, tell: Tell): Promise<string> {
  const begun = performance.now();
  const { kinds, logs, refused } = await tamper({ logs: times, seen: (done) => tell(`${done} of ${times} logs`) });
  const seconds = Math.round((performance.now() - begun) / 1000);
  return `${kinds} kinds of tampering with ${logs} logs: ${refused} refused by both verifiers, for the same reason; ${seconds} s`;
}

async function crash(times: number, tell: Tell): Promise<string> {
  const begun = performance.now();
  const { distinct, byWorkload, recordings } = await checkStates({
    states: times,
    seed,
    seen: (done) => tell(`${done} of ${times} states`),
  });
  const counts = Object.entries(byWorkload).map(([name, count]) => `${name} ${count}`);
  return (
    `${distinct} distinct states after a crash (${counts.join(", ")}) of ${recordings} recorded workloads from seed ${seed} on: nothing ` +
    `acknowledged lost, nothing twice, index, packs and log agree; ${Math.round((performance.now() - begun) / 1000)} s`
  );
}

async function crashAgain(): Promise<string> {
  await checkState(stateNamed(positionals.slice(1)));
  return "this state is as it must be";
}

async function failEach(_times: number, tell: Tell): Promise<string> {
  const { wrong, sites, runs, failed, refused, done } = await failCalls({
    by: "calls",
    seen: (count, where) => tell(`${count} calls, ${where}`),
  });
  const [first] = wrong;
  if (first !== undefined)
    throw new Error(`${wrong.length} of ${runs}; the first: ${first.where}`, { cause: first.error });
  return (
    `${runs} calls failed one at a time (${JSON.stringify(failed)}) at ${sites} places: ${refused} acts refused with a clear error, ` +
    `${done} done; nothing acknowledged lost, no sync tried again`
  );
}

async function stormOnLink(times: number, tell: Tell): Promise<string> {
  const faultsEach = 400;
  const sum = { objects: 0, restarts: 0, refusals: 0, hours: 0 };
  for (let done = 0; done < times; done++) {
    tell(`storm ${done} of ${times}`);
    const seen = await weather({ seed: seed + done, faults: faultsEach }).catch((cause: unknown) => {
      throw new Error(`seed ${seed + done}`, { cause });
    });
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += seen[key];
  }
  return (
    `${times} storms of ${faultsEach} faults from seed ${seed} on, ${Math.round(sum.hours)} hours of the clock: ${sum.objects} objects, each there once and ` +
    `as it was; ${sum.restarts} restarts, ${sum.refusals} refusals; windows kept, no rule broken, both ends at rest`
  );
}

async function outages(times: number, tell: Tell): Promise<string> {
  const told: string[] = [];
  for (let done = 0; done < times; done++) {
    const seen = (hours: number, put: number, arrived: number) => tell(`hour ${hours}: ${put} put, ${arrived} arrived`);
    const week = { seed: seed + done, days: 7, parcels: 20_000, flaps: 1000, kills: 500, seen };
    const { arrived, flaps, kills, waitedMost, offeredTwice } = await outage(week);
    told.push(
      `${arrived} parcels in seven days, ${flaps} flaps, ${kills} kills: nothing lost, nothing twice, messages in their order; ` +
        `${waitedMost} waited at most, ${offeredTwice} were offered that the cloud had`,
    );
  }
  return told.join("\n");
}

interface Fault {
  readonly timesUsual: number;
  run(times: number, tell: Tell): Promise<string>;
}

const faults: Readonly<Record<string, Fault>> = {
  kill: { timesUsual: 1000, run: killServer },
  "kill-vault": { timesUsual: 1000, run: killVault },
  flips: { timesUsual: 1, run: flipBits },
  states: { timesUsual: 10_000, run: crash },
  state: { timesUsual: 1, run: crashAgain },
  calls: { timesUsual: 1, run: failEach },
  damage: { timesUsual: 1_000_000, run: damage },
  link: { timesUsual: 1000, run: stormOnLink },
  outage: { timesUsual: 1, run: outages },
  tampering: { timesUsual: 100, run: tamperWithLogs },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: "string" },
    states: { type: "string" },
    logs: { type: "string" },
    seed: { type: "string" },
    help: { type: "boolean" },
  },
});
const fault = faults[positionals[0] ?? (values.states === undefined ? "" : "states")];
const seed = Number(values.seed ?? 1);
const times = Number(values.states ?? values.logs ?? values.times ?? fault?.timesUsual);

if (
  values.help === true ||
  fault === undefined ||
  ![times, seed].every((each) => Number.isSafeInteger(each) && each > 0)
) {
  process.stderr.write(`${usage}\n`);
  process.exitCode = values.help === true ? 0 : 2;
} else {
  const told = await fault.run(times, (progress) => {
    if (process.stdout.isTTY) process.stdout.write(`\r${progress}`);
  });
  process.stdout.write(`${process.stdout.isTTY ? "\n" : ""}${told}\n`);
}
