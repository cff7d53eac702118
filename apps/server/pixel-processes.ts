import { type ChildProcessByStdio, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { PixelWork } from "#radiology/images";
import { codedOf, decodedOf, pictureOf } from "./pixel-answers.ts";
import { createAnswerReader, type Made, type PixelTask, writeTask } from "./pixel-tasks.ts";

export interface PixelProcesses extends PixelWork {
  /** Ends the processes; what waits is refused. */
  close(): Promise<void>;
}

interface PixelProcessOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** 2 if left out. */
  readonly processesMax?: number;
  /** Milliseconds that one frame may take; 5,000 if left out. */
  readonly taskMsMax?: number;
  /** Frames that may wait; 256 if left out. */
  readonly waitingMax?: number;
  /** MiB that a process may take for frames, samples and compiled codecs; 256 if left out. */
  readonly memoryMibMax?: number;
  /** The process's program; another one in tests. */
  readonly program?: string;
}

const idleMsMax = 60_000;
const startMsMax = 30_000;
/** The code range that V8 reserves at its start, and Node itself: the kernel counts it as data, although hardly any of it is touched. */
const baseMib = 576;
/** Of JavaScript objects; samples and compiled codecs lie outside of them. */
const heapMib = 96;

const folder = dirname(fileURLToPath(import.meta.url));
const root = join(folder, "..", "..");
/** What the program is made of: all that a process may read. */
const readable = ["package.json", "apps/server", "base", "formats", "imaging", "node_modules"];

interface Job {
  readonly task: PixelTask;
  readonly frame: Uint8Array;
  readonly resolve: (made: Made) => void;
  readonly reject: (problem: Problem) => void;
}

interface Seat {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly exited: Promise<unknown>;
  /** `starting` until it first says that it is ready, `clearing` between an answer and the next time. */
  state: "starting" | "ready" | "working" | "clearing";
  job: Job | undefined;
  timer: Timer | undefined;
}

/**
 * A few processes that decode and render, started when first needed, killed when a frame keeps one too long or takes too much memory,
 * and when nobody needs them. What they run is JavaScript and WebAssembly alone, without add-ons; they have no environment, none of
 * our files open, may read nothing but their own program, write and start nothing. Each home has its own: pixels of two tenants never
 * meet in one memory.
 */
export function createPixelProcesses(options: PixelProcessOptions): PixelProcesses {
  const { clock, log, processesMax = 2, taskMsMax = 5_000, waitingMax = 256, memoryMibMax = 256 } = options;
  const program = options.program ?? join(folder, "pixel-process.ts");
  const seats = new Set<Seat>();
  const waiting: Job[] = [];
  let closed = false;

  const open = (): void => {
    const child = start(program, memoryMibMax);
    const exited = new Promise((resolve) => child.once("exit", resolve));
    const seat: Seat = { child, exited, state: "starting", job: undefined, timer: undefined };
    seats.add(seat);
    const read = createAnswerReader();
    child.stdout.on("data", (bytes: Buffer) => {
      try {
        for (const made of read(bytes)) take(seat, made);
      } catch (error) {
        log.error("a pixel process spoke out of turn and is killed", {}, error);
        drop(seat, new Problem("invalid", "the frame cannot be decoded"));
      }
    });
    child.stdin.on("error", () => {}); // it has gone: its exit says so
    child.once("error", (error) =>
      drop(seat, new Problem("unavailable", "no decoder can be started", { cause: error })),
    );
    child.once("exit", (code, signal) => {
      if (seat.job !== undefined) log.warn("a pixel process fell over its frame", { end: signal ?? String(code) });
      drop(seat, new Problem("invalid", "the frame cannot be decoded", { remedy: "retrieve it as stored" }));
    });
    limit(seat, startMsMax, () => new Problem("unavailable", "a decoder did not start"));
  };

  const limit = (seat: Seat, milliseconds: number, problem: () => Problem): void => {
    seat.timer?.stop();
    seat.timer = clock.after(milliseconds, () => drop(seat, problem()));
  };

  const take = (seat: Seat, made: Made): void => {
    if (!seats.has(seat)) return; // said before it was killed
    if (seat.state === "working") {
      const { job } = seat;
      seat.job = undefined;
      seat.state = "clearing";
      limit(seat, startMsMax, () => new Problem("unavailable", "a decoder did not come back"));
      job?.resolve(made);
      return;
    }
    if (seat.state === "ready") throw new Problem("fault", "an answer that nobody has asked for");
    seat.state = "ready";
    // Compiled codecs take tens of megabytes: a process that nobody needs gives them back.
    limit(seat, idleMsMax, () => new Problem("unavailable", "nobody needs it"));
    hold(seat, false);
    next();
  };

  const drop = (seat: Seat, problem: Problem): void => {
    if (!seats.delete(seat)) return;
    seat.timer?.stop();
    seat.child.kill("SIGKILL");
    seat.job?.reject(problem);
    // Where none starts, whoever waits is told: else it would be tried again for ever.
    if (seat.state === "starting") waiting.shift()?.reject(problem);
    next();
  };

  const next = (): void => {
    for (const seat of seats) {
      const job = seat.state === "ready" ? waiting.shift() : undefined;
      if (job !== undefined) give(seat, job);
    }
    const coming = [...seats].filter(({ state }) => state === "starting" || state === "clearing").length;
    if (!closed && seats.size < processesMax && waiting.length > coming) open();
  };

  const give = (seat: Seat, job: Job): void => {
    seat.job = job;
    seat.state = "working";
    hold(seat, true);
    limit(seat, taskMsMax, () => {
      log.warn("a frame took too long to decode; its process is killed", { milliseconds: taskMsMax });
      const remedy = "retrieve it as stored and decode it elsewhere";
      return new Problem("invalid", `the frame took longer than ${taskMsMax} ms`, { remedy });
    });
    seat.child.stdin.write(writeTask(job.task, job.frame.length));
    seat.child.stdin.write(job.frame);
  };

  const ask = async (task: PixelTask, frame: Uint8Array): Promise<Made> => {
    if (closed) throw new Problem("unavailable", "the server is stopping");
    if (waiting.length >= waitingMax) throw new Problem("busy", "too many frames wait to be decoded");
    return new Promise<Made>((resolve, reject) => {
      waiting.push({ task, frame, resolve, reject });
      next();
    });
  };

  return {
    decodeFrame: async (frame, image) => decodedOf(await ask({ kind: "decode", image }, frame), image),
    recodeFrame: async (frame, image, to) => codedOf(await ask({ kind: "recode", image, to }, frame)),
    renderFrame: async ({ frame, ...request }) => pictureOf(await ask({ kind: "render", ...request }, frame)),
    async close() {
      closed = true;
      const problem = new Problem("unavailable", "the server is stopping");
      for (const job of waiting.splice(0)) job.reject(problem);
      const ending = [...seats];
      for (const seat of ending) hold(seat, true); // else nothing keeps us until it has ended
      for (const seat of ending) drop(seat, problem);
      await Promise.all(ending.map(({ exited }) => exited));
    },
  };
}

/**
 * The shell lays the bounds on itself that the kernel keeps for Node after it: data, no core dump, no byte to any file. Where a system
 * has no such bound (macOS keeps none on data) V8's own remain.
 */
function start(program: string, memoryMibMax: number): Seat["child"] {
  const limits = ["-c 0", "-f 0", "-n 64", `-d ${(baseMib + memoryMibMax) * 1024}`];
  const bounds = `${limits.map((limit) => `ulimit ${limit} || :; `).join("")}exec "$0" "$@"`;
  const flags = [
    "--permission",
    ...readable.map((path) => `--allow-fs-read=${join(root, path)}`),
    `--allow-fs-read=${program}`,
    `--max-old-space-size=${heapMib}`,
    "--no-warnings",
    "--v8-pool-size=1",
    "--expose-gc",
  ];
  return spawn("/bin/sh", ["-c", bounds, process.execPath, ...flags, program], {
    cwd: "/",
    env: {},
    stdio: ["pipe", "pipe", "ignore"],
  });
}

/** Whether our own process stays for it. */
function hold({ child }: Seat, on: boolean): void {
  for (const each of [child, child.stdin, child.stdout] as { ref?: () => void; unref?: () => void }[]) {
    if (on) each.ref?.();
    else each.unref?.();
  }
}
