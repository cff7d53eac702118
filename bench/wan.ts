import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kept } from "./data.ts";
import { end } from "./processes.ts";

/** What a link is like. Delay and loss are of each direction alike; the delay is that there and back. */
export interface Line {
  readonly name: string;
  readonly mbitPerSecond: number;
  readonly roundTripMs: number;
  readonly lossPercent: number;
}

export type Congestion = "cubic" | "bbr";
export type End = "edge" | "cloud";

/** Two network namespaces, joined by nothing but the line. */
export interface Wan {
  readonly addresses: Readonly<Record<End, string>>;
  /** Runs a program at one end. It ends with this process at the latest. */
  spawn(at: End, program: string, words: readonly string[], options?: SpawnOptions): ChildProcess;
  untilListening(at: End, port: number): Promise<void>;
  /** Bytes that have arrived at that end, Ethernet framing included. */
  arrivedBytes(at: End): number;
  close(): Promise<void>;
}

/** How much a router holds before it drops: a common depth, and what the figures of the peers were taken with. */
const queueMs = 50;
const secondsMax = 1_800;
const framingBytes = 38;
const addresses = { edge: "198.18.90.1", cloud: "198.18.90.2" } as const;
/** Whatever becomes of this process, even by SIGKILL, what it started ends: nothing of the network has a name that could stay behind. */
const endsWithUs = ["--pdeathsig", "KILL"];

/** Why there can be no link on this machine. */
export function whyNoWan(): string | undefined {
  if (process.getuid?.() !== 0) return "it needs root, for network namespaces";
  if (!existsSync("/dev/net/tun")) return "there is no /dev/net/tun";
  const missing = ["cc", "unshare", "nsenter", "setpriv", "ip"].find(
    (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0,
  );
  return missing === undefined ? undefined : `there is no ${missing}`;
}

export function knownCongestion(): readonly string[] {
  return readFileSync("/proc/sys/net/ipv4/tcp_available_congestion_control", "utf8").trim().split(" ");
}

export async function openWan(line: Line, congestion: Congestion): Promise<Wan> {
  const restore = allow(congestion);
  const holders = { edge: hold(), cloud: hold() };
  const within = (at: End, words: readonly string[]) => ["-t", String(holders[at].pid), "-n", "--", ...words];
  await Promise.all([settled(holders.edge), settled(holders.cloud)]);
  const spaces = [holders.edge, holders.cloud].map(({ pid }) => `/proc/${pid}/ns/net`);
  const figures = [line.mbitPerSecond, line.roundTripMs / 2, line.lossPercent, queueMs, secondsMax].map(String);
  const link = spawn(program(), [...spaces, ...figures], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    link.stdout.once("data", () => resolve());
    link.once("exit", () => reject(new Error("the link did not come up")));
  });
  const run = (at: End, ...words: string[]): string => {
    const { status, stdout, stderr } = spawnSync("nsenter", within(at, words), { encoding: "utf8" });
    if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  for (const [at, other] of [["edge", "cloud"] as const, ["cloud", "edge"] as const]) {
    run(at, "ip", "link", "set", "lo", "up");
    run(at, "ip", "address", "add", addresses[at], "peer", addresses[other], "dev", "wan");
    run(at, "ip", "link", "set", "wan", "txqueuelen", "5000", "up");
    run(at, "sysctl", "-qw", `net.ipv4.tcp_congestion_control=${congestion}`, "net.ipv4.tcp_no_metrics_save=1");
  }
  return {
    addresses,
    spawn: (at, name, words, options = {}) =>
      spawn("setpriv", [...endsWithUs, "nsenter", ...within(at, [name, ...words])], options),
    async untilListening(at, port) {
      const until = performance.now() + 20_000;
      while (!run(at, "ss", "-Hltn", `sport = :${port}`).includes("LISTEN")) {
        if (performance.now() > until) throw new Error(`nothing listens on port ${port}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    arrivedBytes(at) {
      const counters = /wan:\s*(\d+)\s+(\d+)/.exec(run(at, "cat", "/proc/net/dev"));
      return Number(counters?.[1]) + framingBytes * Number(counters?.[2]);
    },
    async close() {
      await Promise.all([link, holders.edge, holders.cloud].map((child) => end(child, 1_000)));
      restore();
    },
  };
}

/** A network namespace lives as long as a process in it. */
function hold(): ChildProcess {
  return spawn("setpriv", [...endsWithUs, "unshare", "-n", "sleep", String(secondsMax)], { stdio: "ignore" });
}

/** Resolves when the process has left our own namespace. */
async function settled({ pid }: ChildProcess): Promise<void> {
  const ours = statSync("/proc/self/ns/net").ino;
  for (let tries = 0; tries < 500; tries++) {
    if (statSync(`/proc/${pid}/ns/net`).ino !== ours) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("no namespace was made");
}

/** A namespace may only use what the whole machine allows; what was allowed is put back. */
function allow(congestion: Congestion): () => void {
  const path = "/proc/sys/net/ipv4/tcp_allowed_congestion_control";
  const before = readFileSync(path, "utf8").trim();
  if (before.split(" ").includes(congestion)) return () => {};
  writeFileSync(path, `${before} ${congestion}`);
  const restore = () => writeFileSync(path, before);
  process.once("exit", restore);
  return () => {
    process.removeListener("exit", restore);
    restore();
  };
}

/** The compiled link, made again when its source is newer. */
function program(): string {
  const source = join(import.meta.dirname, "wan-link.c");
  const built = join(kept("wan"), "wan-link");
  if (existsSync(built) && statSync(built).mtimeMs > statSync(source).mtimeMs) return built;
  const { status, stderr } = spawnSync("cc", ["-O2", "-Wall", "-pthread", "-o", built, source], { encoding: "utf8" });
  if (status !== 0) throw new Error(`cc: ${stderr}`);
  return built;
}
