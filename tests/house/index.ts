import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchTrusting } from "./trusting-fetch.ts";

/** The repository's root. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
/** How Node runs `leadglass`: as `bin/leadglass` does it, without looking whether the set-up is fresh: the runner has. */
export const command = [
  ...readFileSync(join(root, "bin", "node-flags"), "utf8")
    .trim()
    .split("\n"),
  join(root, "apps", "cli", "main.ts"),
];
/** What `bin/leadglass` sets for it. */
export const commandEnvironment = {
  NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "leadglass"),
  MALLOC_TRIM_THRESHOLD_: "131072",
};

export interface ReadyLine {
  readonly pid: number;
  readonly https: number;
  readonly dicom: number;
  readonly dicomTls: number | null;
  readonly hl7: number | null;
  readonly hl7Tls: number | null;
  readonly ca: string;
}

/** A real server in a home of its own, as a person would start it. */
export interface RunningHouse extends ReadyLine {
  readonly home: string;
  /** What it has printed so far. */
  output(): string;
  /** Milliseconds from spawn to the ready file. */
  readonly readyAfterMs: number;
  /** Runs a `leadglass` command on this home; throws with its stderr when it fails. */
  command(words: readonly string[], input?: string): string;
  /** The same, whatever it exits with. */
  tryCommand(words: readonly string[], input?: string): { status: number | null; stdout: string; stderr: string };
  /** The same for one that waits for something meanwhile: resolves when it has ended. */
  begin(words: readonly string[]): Promise<{ status: number | null; stdout: string; stderr: string }>;
  /** An access token, made by `leadglass token`. */
  token(): string;
  /** `fetch` from `https://localhost`, trusting this server's authority, with the token unless headers say otherwise. */
  fetch(path: string, init?: RequestInit & { anonymous?: boolean }): Promise<Response>;
  /** SIGTERM, or another signal; resolves with the exit code (null when it was killed). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Stops it and removes the home. */
  remove(): Promise<void>;
}

export function newHome(): string {
  return mkdtempSync(join(tmpdir(), "lg-"));
}

export async function startHouse(
  options: { home?: string; cwd?: string; environment?: Record<string, string> } = {},
): Promise<RunningHouse> {
  const home = options.home ?? newHome();
  const readyFile = join(home, `ready-${process.pid}-${process.hrtime.bigint()}.json`);
  const environment = {
    ...process.env,
    ...commandEnvironment,
    LEADGLASS_HOME: home,
    LEADGLASS_HTTPS_PORT: "0",
    LEADGLASS_DICOM_PORT: "0",
    LEADGLASS_DICOM_TLS_PORT: "off",
    LEADGLASS_HL7_PORT: "off",
    ...options.environment,
  };
  const began = performance.now();
  const child = spawn(process.execPath, [...command, "start", "--home", home, "--ready-file", readyFile], {
    env: environment,
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (bytes: Buffer) => (printed += bytes.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const ready = await untilReady(readyFile, child, () => printed);
  const readyAfterMs = performance.now() - began;
  let secret: string | undefined;

  const tryCommand = (words: readonly string[], input?: string) => {
    const done = spawnSync(process.execPath, [...command, ...words, "--home", home], {
      env: environment,
      cwd: options.cwd,
      input: input ?? "",
    });
    return { status: done.status, stdout: done.stdout.toString(), stderr: done.stderr.toString() };
  };
  const run = (words: readonly string[], input?: string): string => {
    const { status, stdout, stderr } = tryCommand(words, input);
    if (status !== 0) throw new Error(`leadglass ${words.join(" ")} exited with ${status}: ${stderr}`);
    return stdout.trim();
  };
  const token = () => (secret ??= run(["token", "--client", "test", "--minutes", "60"]));
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return exited;
  };

  return {
    ...ready,
    home,
    output: () => printed,
    readyAfterMs,
    command: run,
    tryCommand,
    begin(words) {
      const begun = spawn(process.execPath, [...command, ...words, "--home", home], { env: environment });
      let [stdout, stderr] = ["", ""];
      begun.stdout.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
      begun.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
      return new Promise((resolve) => begun.once("close", (status) => resolve({ status, stdout, stderr })));
    },
    token,
    fetch(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!init.anonymous && !headers.has("authorization")) headers.set("authorization", `Bearer ${token()}`);
      return fetchTrusting(`https://localhost:${ready.https}${path}`, { ...init, headers }, ready.ca);
    },
    stop,
    async remove() {
      await stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function untilReady(file: string, child: ChildProcess, printed: () => string): Promise<ReadyLine> {
  for (let tries = 0; tries < 2_400; tries++) {
    try {
      return JSON.parse(readFileSync(file, "utf8")) as ReadyLine;
    } catch {
      if (child.exitCode !== null) throw new Error(`the server exited with ${child.exitCode}:\n${printed()}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  child.kill("SIGKILL");
  throw new Error(`the server was not ready within a minute:\n${printed()}`);
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Whether a program is there, for tests that need a peer. */
export function has(program: string): boolean {
  return spawnSync("which", [program]).status === 0;
}

/** Where the public sample data lies, when it is there. */
export const dataFolder = process.env.LEADGLASS_DATA ?? join(root, "..", "shared", "data");
