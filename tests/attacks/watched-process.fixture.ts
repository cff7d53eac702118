// Loaded into a server under test (`--import`): tells what the attack table's pass rule asks about a process.
// The time that its main thread computes without a pause is measured by CPU time, so that a busy machine does not count.
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const file = process.env.LEADGLASS_TEST_WATCH;

if (isMainThread && file !== undefined) {
  const cpuMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let longestMs = 0;
  let at = cpuMs();
  setInterval(() => {
    const now = cpuMs();
    longestMs = Math.max(longestMs, now - at);
    at = now;
  }, 5).unref();
  process.on("SIGUSR2", () => {
    writeFileSync(file, JSON.stringify({ longestMs: Math.max(longestMs, cpuMs() - at) }));
    longestMs = 0;
    at = cpuMs();
  });
}
