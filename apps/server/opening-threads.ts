import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "#base/clock";
import { Problem } from "#base/problem";
import type { WholeDone, WholeOpener } from "#trust/vault";
import type { OpeningReply, OpeningRequest } from "./opening-worker.ts";

const idleMsMax = 60_000;
/** Objects in one thread: one that is opened, and the next ones, so that it never waits for the thread that asks. */
const waitingMax = 8;

interface OpeningThreadsOptions {
  readonly clock: Clock;
  /** At least 1. */
  readonly threadsMax: number;
}

interface Thread {
  readonly worker: Worker;
  readonly exited: Promise<unknown>;
  readonly waiting: Map<number, PromiseWithResolvers<WholeDone>>;
  isReady: boolean;
}

/**
 * Threads that decrypt and hash whole objects: half of what sending an image costs. Started when first asked for, which they then
 * do not take yet; ended when nobody has asked for a minute, as each takes some 15 MiB.
 */
export function createOpeningThreads({ clock, threadsMax }: OpeningThreadsOptions): WholeOpener {
  const threads = new Set<Thread>();
  let serial = 0;
  let idle: Timer | undefined;
  let isClosed = false;

  const start = () => {
    const worker = new Worker(new URL("./opening-worker.ts", import.meta.url), { env: {}, stdin: false });
    worker.unref();
    const exited = new Promise((resolve) => worker.once("exit", resolve));
    const thread: Thread = { worker, exited, waiting: new Map(), isReady: false };
    threads.add(thread);
    worker.on("message", (reply: OpeningReply | "ready") => {
      if (reply === "ready") {
        thread.isReady = true;
        return;
      }
      thread.waiting.get(reply.serial)?.resolve(doneBy(reply));
      thread.waiting.delete(reply.serial);
    });
    // An error ends the thread; it is told with the exit that follows.
    worker.on("error", () => {});
    worker.on("exit", () => {
      threads.delete(thread);
      for (const { reject } of thread.waiting.values()) {
        reject(new Problem("fault", "the thread that opened an object ended", { remedy: "ask again" }));
      }
      thread.waiting.clear();
    });
  };
  const end = (thread: Thread) => {
    threads.delete(thread);
    return thread.worker.terminate();
  };
  const restWhenIdle = () => {
    idle?.stop();
    idle = clock.after(idleMsMax, () => {
      for (const thread of threads) if (thread.waiting.size === 0) void end(thread);
    });
  };
  /** The one that has least to do; another is started where all have something. */
  const free = (): Thread | undefined => {
    const ready = [...threads].filter(({ isReady }) => isReady).sort((a, b) => a.waiting.size - b.waiting.size);
    const [first] = ready;
    if (threads.size < threadsMax && ready.length === threads.size && (first?.waiting.size ?? 1) > 0) start();
    return first !== undefined && first.waiting.size < waitingMax ? first : undefined;
  };

  return {
    open(task) {
      if (isClosed) return undefined;
      restWhenIdle();
      const thread = free();
      if (thread === undefined) return undefined;
      const request: OpeningRequest = { serial: serial++, task };
      const done = Promise.withResolvers<WholeDone>();
      thread.waiting.set(request.serial, done);
      thread.worker.postMessage(request, [task.segments[0]?.buffer as ArrayBuffer]);
      return done.promise;
    },
    async close() {
      isClosed = true;
      idle?.stop();
      const asked = [...threads];
      await Promise.allSettled(asked.flatMap(({ waiting }) => [...waiting.values()].map(({ promise }) => promise)));
      await Promise.all(asked.map(end));
    },
  };
}

function doneBy({ answer, sealed }: OpeningReply): WholeDone {
  if ("damagedSegment" in answer) return { answer, sealed };
  return { answer: { sha256: answer.sha256, pieces: answer.pieces.map((piece) => Buffer.from(piece)) }, sealed };
}
