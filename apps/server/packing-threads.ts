import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "#base/clock";
import { Problem } from "#base/problem";
import type { PackingDone, PackingTask, PackingWork } from "#radiology/images";
import type { PackingReply } from "./packing-worker.ts";

export interface PackingThreads extends PackingWork {
  /** Ends the threads; what waits is refused. */
  close(): Promise<void>;
}

interface PackingThreadsOptions {
  readonly clock: Clock;
  /** At least 1. */
  readonly threadsMax: number;
  /** The program of a thread; another one in tests. */
  readonly program?: URL;
}

interface Job {
  readonly task: PackingTask;
  readonly done: PromiseWithResolvers<PackingDone>;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  timer: Timer | undefined;
}

const idleMsMax = 60_000;
/** Whoever is slower than a megabyte a second with the largest data set hangs. */
const taskMsMax = 30_000;
/** Of JavaScript objects; samples and compiled codecs lie outside of them. */
const heapMib = 64;

/**
 * Threads that pack data sets for the link. What they are given has been in this process before, and the codestreams that they restore are
 * their own, so they need not be processes; a data set that a codec falls over costs its thread and is refused. Started when first
 * needed, ended when idle for a minute.
 */
export function createPackingThreads(options: PackingThreadsOptions): PackingThreads {
  const { clock, threadsMax, program = new URL("./packing-worker.ts", import.meta.url) } = options;
  const threads = new Set<Thread>();
  const waiting: Job[] = [];
  let isClosed = false;

  const start = (): Thread => {
    const resourceLimits = { maxOldGenerationSizeMb: heapMib };
    const worker = new Worker(program, { env: {}, stdin: false, resourceLimits });
    worker.unref();
    const thread: Thread = { worker, job: undefined, timer: undefined };
    threads.add(thread);
    worker.on("message", ({ parts, milliseconds }: PackingReply) => {
      const { job } = thread;
      thread.job = undefined;
      worker.unref();
      rest(thread, idleMsMax);
      job?.done.resolve({ parts: parts?.map((part) => new Uint8Array(part)), milliseconds });
      next();
    });
    // An error ends the thread; it is told with the exit that follows.
    worker.on("error", () => {});
    worker.on("exit", () => {
      threads.delete(thread);
      thread.timer?.stop();
      thread.job?.done.reject(
        new Problem("fault", "the thread that packed a data set ended", { remedy: "send it plain" }),
      );
      next();
    });
    return thread;
  };
  /** Ends the thread when it is so long without a word. */
  const rest = (thread: Thread, milliseconds: number) => {
    thread.timer?.stop();
    thread.timer = clock.after(milliseconds, () => {
      threads.delete(thread);
      void thread.worker.terminate();
    });
  };
  const next = () => {
    while (waiting.length > 0) {
      const free =
        [...threads].find(({ job }) => job === undefined) ?? (threads.size < threadsMax ? start() : undefined);
      const job = free && waiting.shift();
      if (free === undefined || job === undefined) return;
      free.job = job;
      free.worker.ref();
      rest(free, taskMsMax);
      // The asker keeps its bytes: they go plain where this fails.
      const bytes = Uint8Array.from(job.task.bytes);
      free.worker.postMessage({ ...job.task, bytes } satisfies PackingTask, [bytes.buffer]);
    }
  };

  return {
    lanes: threadsMax,
    pack(task) {
      if (isClosed) return Promise.reject(new Problem("unavailable", "the server is stopping"));
      const done = Promise.withResolvers<PackingDone>();
      waiting.push({ task, done });
      next();
      return done.promise;
    },
    async close() {
      isClosed = true;
      for (const { done } of waiting.splice(0)) done.reject(new Problem("unavailable", "the server is stopping"));
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}
