import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { PixelWork } from "#radiology/images";
import type { PixelAnswer, PixelTask } from "./pixel-tasks.ts";

export interface PixelWorkers extends PixelWork {
  /** Ends the workers; what waits is refused. */
  close(): Promise<void>;
}

interface PixelWorkerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** 2 if left out. */
  readonly workersMax?: number;
  /** Milliseconds that one frame may take; 5,000 if left out. */
  readonly taskMsMax?: number;
  /** Frames that may wait; 256 if left out. */
  readonly waitingMax?: number;
  /** MiB of JavaScript objects that a worker may hold; 512 if left out. Samples and compiled codecs lie outside of it. */
  readonly heapMibMax?: number;
  /** The worker's program; another one in tests. */
  readonly program?: URL;
}

const idleMsMax = 60_000;

interface Job {
  readonly task: PixelTask;
  readonly resolve: (answer: PixelAnswer) => void;
  readonly reject: (problem: Problem) => void;
}

interface Seat {
  readonly worker: Worker;
  job: Job | undefined;
  timer: Timer | undefined;
}

/** A few threads that decode and render, started when first needed, ended when a frame keeps one too long. */
export function createPixelWorkers(options: PixelWorkerOptions): PixelWorkers {
  const { clock, log, workersMax = 2, taskMsMax = 5_000, waitingMax = 256, heapMibMax = 512 } = options;
  const program = options.program ?? new URL("./pixel-worker.ts", import.meta.url);
  const seats = new Set<Seat>();
  const waiting: Job[] = [];
  let closed = false;

  const open = (): Seat => {
    const worker = new Worker(program, { resourceLimits: { maxOldGenerationSizeMb: heapMibMax } });
    const seat: Seat = { worker, job: undefined, timer: undefined };
    seats.add(seat);
    worker.on("message", (answer: PixelAnswer) => finish(seat, (job) => job.resolve(answer)));
    worker.on("error", (error) => {
      log.warn("a pixel worker fell over its frame and is replaced", {}, error);
      drop(seat, new Problem("invalid", "the frame cannot be decoded", { remedy: "retrieve it as stored" }));
    });
    worker.on("exit", () => drop(seat, new Problem("unavailable", "the frame's decoder was stopped")));
    worker.unref();
    return seat;
  };

  const finish = (seat: Seat, settle: (job: Job) => void): void => {
    const { job } = seat;
    seat.timer?.stop();
    seat.job = undefined;
    seat.worker.unref();
    if (job !== undefined) settle(job);
    next();
    if (seats.has(seat) && seat.job === undefined) seat.timer = clock.after(idleMsMax, () => dismiss(seat));
  };

  /** Compiled codecs take tens of megabytes: a worker that nobody needs gives them back. */
  const dismiss = (seat: Seat): void => {
    if (seat.job !== undefined || !seats.delete(seat)) return;
    void seat.worker.terminate();
  };

  const drop = (seat: Seat, problem: Problem): void => {
    if (!seats.delete(seat)) return;
    void seat.worker.terminate();
    finish(seat, (job) => job.reject(problem));
  };

  const next = (): void => {
    if (closed || waiting.length === 0) return;
    const free = [...seats].find((seat) => seat.job === undefined) ?? (seats.size < workersMax ? open() : undefined);
    const job = free && waiting.shift();
    if (free === undefined || job === undefined) return;
    free.timer?.stop();
    free.job = job;
    free.worker.ref();
    const frame = standalone(job.task.frame);
    free.worker.postMessage({ ...job.task, frame }, [frame.buffer]);
    free.timer = clock.after(taskMsMax, () => {
      log.warn("a frame took too long to decode; its worker is ended", { milliseconds: taskMsMax });
      const remedy = "retrieve it as stored and decode it elsewhere";
      drop(free, new Problem("invalid", `the frame took longer than ${taskMsMax} ms`, { remedy }));
    });
  };

  const ask = async (task: PixelTask): Promise<Exclude<PixelAnswer, { kind: "problem" }>> => {
    if (closed) throw new Problem("unavailable", "the server is stopping");
    if (waiting.length >= waitingMax) throw new Problem("busy", "too many frames wait to be decoded");
    const answer = await new Promise<PixelAnswer>((resolve, reject) => {
      waiting.push({ task, resolve, reject });
      next();
    });
    if (answer.kind !== "problem") return answer;
    const { code, message, remedy } = answer;
    throw new Problem(code, message, remedy === undefined ? {} : { remedy });
  };

  return {
    async decodeFrame(frame, image) {
      const answer = await ask({ kind: "decode", frame, image });
      if (answer.kind !== "decoded") throw new Problem("fault", "a worker gave another answer than asked for");
      return answer.decoded;
    },
    async renderPicture(request) {
      const answer = await ask({ kind: "render", ...request });
      if (answer.kind !== "rendered") throw new Problem("fault", "a worker gave another answer than asked for");
      return answer.bytes;
    },
    async close() {
      closed = true;
      const problem = new Problem("unavailable", "the server is stopping");
      for (const job of waiting.splice(0)) job.reject(problem);
      const workers = [...seats].map((seat) => seat.worker);
      for (const seat of seats) drop(seat, problem);
      const ending = workers.map((worker) => {
        worker.ref(); // else nothing keeps the process until it has ended
        return worker.terminate();
      });
      await Promise.all(ending);
    },
  };
}

/** A copy of its own: a view would take all the memory behind it along, and handing that over would empty its owner. */
function standalone(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
