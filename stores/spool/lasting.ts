import type { Timer } from "#base/clock";
import { silentLog } from "#base/log";
import { asProblem, Problem } from "#base/problem";
import type { Spool } from "#radiology/uplink";
import { openSpool, type SpoolOptions } from "./spool.ts";

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/**
 * A spool that is closed and opened anew when its index fails, as often as that takes: everything that was acknowledged is in the segments. Until
 * then nothing is kept or given (Problem `unavailable`). What was taken is given again, by `onArrival`.
 */
export async function openLastingSpool(options: Omit<SpoolOptions, "broke">): Promise<Spool> {
  const { clock, log = silentLog } = options;
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  let latest: Spool | undefined;
  let isOpen = false;
  let failure: Problem | undefined;
  let opening: Promise<void> | undefined;
  let timer: Timer | undefined;
  let isClosed = false;

  const open = async (): Promise<void> => {
    const ended = Promise.withResolvers<Problem>();
    const opened = await openSpool({ ...options, broke: ended.resolve });
    opened.onArrival(tell);
    latest = opened;
    isOpen = true;
    void ended.promise.then((problem) => mend(opened, problem));
  };
  const mend = async (broken: Spool, problem: Problem): Promise<void> => {
    if (isClosed) return;
    failure = problem;
    isOpen = false;
    log.error("the spool takes nothing until it is opened again", { code: problem.code }, problem);
    opening = (async () => {
      await broken.close().catch((error) => log.warn("the spool that failed was not closed in order", {}, error));
      await openAgain(firstPauseMs);
    })();
    await opening;
  };
  const openAgain = async (pauseMs: number): Promise<void> => {
    if (isClosed) return;
    try {
      await open();
      log.info("the spool is open again");
      tell();
    } catch (error) {
      failure = asProblem(error, "opening the spool");
      log.error("the spool cannot be opened again yet", { code: failure.code }, error);
      timer = clock.after(pauseMs, () => {
        opening = openAgain(Math.min(2 * pauseMs, longestPauseMs));
      });
    }
  };
  const last = () => latest as Spool;
  const current = (): Spool => {
    if (isOpen) return last();
    const remedy = failure?.remedy ?? "see that the disk of the spool is in order and has room";
    throw new Problem("unavailable", "the spool failed and is being opened again", { remedy, cause: failure });
  };

  await open();
  return {
    begin: async () => current().begin(),
    take: async (urgency, most) => current().take(urgency, most),
    read: async (id, from, to) => current().read(id, from, to),
    settle: async (id, receipt, at) => current().settle(id, receipt, at),
    putBack: async (id, notBefore) => current().putBack(id, notBefore),
    setAside: async (id, why, at) => current().setAside(id, why, at),
    asides: async (most) => current().asides(most),
    again: async (id) => current().again(id),
    drop: async (id) => current().drop(id),
    standing: async (subject) => current().standing(subject),
    forget: async (olderMs) => current().forget(olderMs),
    // As it was when it failed, until it is open again.
    state: () => last().state(),
    onArrival(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      isClosed = true;
      timer?.stop();
      await opening;
      await last().close();
    },
  };
}
