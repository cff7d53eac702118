import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";

const ticksPerSecond = 100;
const pageBytes = 4_096;

/** What a process and its children have used so far. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

function treeOf(pid: number): number[] {
  const found = [pid];
  for (let at = 0; at < found.length; at++) {
    try {
      for (const thread of readdirSync(`/proc/${found[at]}/task`)) {
        const children = readFileSync(`/proc/${found[at]}/task/${thread}/children`, "utf8").trim();
        if (children !== "") found.push(...children.split(" ").map(Number));
      }
    } catch {
      // The process has ended meanwhile: what its parent waited for is counted there.
    }
  }
  return found;
}

/** CPU of the tree under `pid`, children that have ended included, and its resident memory. */
export function usageOf(pid: number): Usage {
  let ticks = 0;
  let pages = 0;
  for (const member of treeOf(pid)) {
    try {
      const stat = readFileSync(`/proc/${member}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      for (const at of [11, 12, 13, 14]) ticks += Number(fields[at]);
      pages += Number(fields[21]);
    } catch {
      // As above.
    }
  }
  return { cpuSeconds: ticks / ticksPerSecond, residentBytes: pages * pageBytes };
}

/** Watches memory until stopped; the most that was seen. */
export function watchMemory(pid: number): () => number {
  let most = 0;
  const look = () => {
    most = Math.max(most, usageOf(pid).residentBytes);
  };
  const timer = setInterval(look, 200);
  return () => {
    clearInterval(timer);
    look();
    return most;
  };
}

export function loadNow(): number {
  return Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
}

/** DCMTK and Debian's Orthanc leave Nagle on otherwise and wait 44 ms an instance. */
export const noDelay = { TCP_NODELAY: "1" };

export function runQuietly(
  program: string,
  words: readonly string[],
  environment: Record<string, string> = {},
): ChildProcess {
  return spawn(program, words, { env: { ...process.env, ...environment }, stdio: "ignore" });
}

export function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", resolve));
}

/** SIGTERM, and SIGKILL after `graceMs`. */
export async function end(child: ChildProcess, graceMs = 20_000): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await exitOf(child);
  clearTimeout(timer);
}

/** Resolves when something accepts connections there. */
export async function untilListening(port: number, limitMs = 30_000): Promise<void> {
  const until = performance.now() + limitMs;
  while (performance.now() < until) {
    const open = await new Promise<boolean>((resolve) => {
      const probe = connect(port, "127.0.0.1");
      probe.once("connect", () => {
        probe.destroy();
        resolve(true);
      });
      probe.once("error", () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens on port ${port}`);
}
