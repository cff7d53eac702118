import { parseArgs } from "node:util";
import { killAgainAndAgain } from "./kill.ts";
import { killServerAgainAndAgain } from "./kill-server.ts";

const usage = [
  "npm run faults -- kill [--times 1000]         kill -9 the server while images arrive, again and again, and look for what it lost",
  "npm run faults -- kill-vault [--times 1000]   the same with a process that only writes the vault",
].join("\n");

type Seen = (kill: number, acknowledged: number) => void;

async function killServer(times: number, seen: Seen): Promise<string> {
  const { kills, killsAtStart, acknowledged, readyMs, logEntries } = await killServerAgainAndAgain({ times, seen });
  const sorted = [...readyMs].sort((a, b) => a - b);
  const [middle, most] = [sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0];
  return (
    `${kills} kills, ${killsAtStart} of them at start: ${acknowledged} instances acknowledged, none lost, none twice, all as sent; ` +
    `vault clean, ${logEntries} log entries; ready again after ${Math.round(middle)} ms (median), ${Math.round(most)} ms at most`
  );
}

async function killVault(times: number, seen: Seen): Promise<string> {
  const { kills, acknowledged, found, slowestReadyMs } = await killAgainAndAgain({ times, seen });
  return (
    `${kills} kills: ${acknowledged} objects acknowledged, none lost, none twice ` +
    `(${found} found); ready after ${Math.round(slowestReadyMs)} ms at most`
  );
}

const faults: Readonly<Record<string, (times: number, seen: Seen) => Promise<string>>> = {
  kill: killServer,
  "kill-vault": killVault,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: "string", default: "1000" }, help: { type: "boolean" } },
});
const times = Number(values.times);
const fault = faults[positionals[0] ?? ""];

if (values.help === true || fault === undefined || !(Number.isSafeInteger(times) && times > 0)) {
  process.stderr.write(`${usage}\n`);
  process.exitCode = values.help === true ? 0 : 2;
} else {
  const told = await fault(times, (kill, acknowledged) => {
    if (process.stdout.isTTY) process.stdout.write(`\r${kill} of ${times} kills, ${acknowledged} acknowledged`);
  });
  process.stdout.write(`${process.stdout.isTTY ? "\n" : ""}${told}\n`);
}
