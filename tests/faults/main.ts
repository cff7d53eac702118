import { parseArgs } from "node:util";
import { killAgainAndAgain } from "./kill.ts";

const usage =
  "npm run faults -- kill [--times 1000]   kill -9 a writing vault again and again, and look for what it lost";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: "string", default: "1000" }, help: { type: "boolean" } },
});
const times = Number(values.times);

if (values.help === true || positionals[0] !== "kill" || !(Number.isSafeInteger(times) && times > 0)) {
  process.stderr.write(`${usage}\n`);
  process.exitCode = values.help === true ? 0 : 2;
} else {
  const report = await killAgainAndAgain({
    times,
    seen(kill, acknowledged) {
      if (process.stdout.isTTY)
        process.stdout.write(`\r${kill} of ${times} kills, ${acknowledged} objects acknowledged`);
    },
  });
  if (process.stdout.isTTY) process.stdout.write("\n");
  process.stdout.write(
    `${report.kills} kills: ${report.acknowledged} objects acknowledged, none lost, none twice ` +
      `(${report.found} found); ready after ${Math.round(report.slowestReadyMs)} ms at most\n`,
  );
}
