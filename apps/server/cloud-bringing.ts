import type { Log } from "#base/log";
import { asProblem, isPassing, isProblem, Problem } from "#base/problem";
import { createPermits } from "#base/turns";
import type { EdgeInstancesRequest } from "#formats/api";
import type { Archive, StoredInstance } from "#radiology/archive";
import { system } from "#trust/access";
import type { CloudLink } from "./cloud-link.ts";
import { unframed } from "./framed-instances.ts";

/** An instance that the cloud lists. */
export interface CloudInstance {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopUid: string;
  readonly sopClassUid: string;
  /** As it is stored there, and comes. */
  readonly transferSyntaxUid: string;
}

/** Instances on their way from the cloud into the archive of this box. */
export interface Coming {
  /** Resolves when that one is here; rejects with why it does not come, which is no reason for the others not to. */
  arrival(sopUid: string): Promise<void>;
  /** How many came, when no more will. Rejects with what kept all the rest from coming: no cloud, no room, the signal. */
  readonly ended: Promise<number>;
}

export interface BringingParts {
  readonly cloudLink: Pick<CloudLink, "stream">;
  /** Of this box. */
  readonly archive: Pick<Archive, "receiveFile">;
  readonly disk: { readonly freeBytes: () => Promise<number>; readonly reservedBytes: number };
  readonly log: Log;
}

const instanceBytesMax = 2 ** 32;
const askedAtOnce = 500;
/** Series that come at a time: as many as the cloud gives one edge. */
const seriesAtOnce = 2;
/** What machines send has the disk before what can be had again: beside twice the reserve. */
const leftFreeBytes = 2 ** 30;

/** Begins to bring instances, series by series in the order given; all that are brought by it share what comes at a time. */
export type Bring = (wanted: readonly CloudInstance[], signal: AbortSignal) => Coming;

export function createBringing(parts: BringingParts): Bring {
  const permits = createPermits(seriesAtOnce);
  const ask = async (request: EdgeInstancesRequest, came: (sopUid: string) => void, signal: AbortSignal) => {
    await permits.take();
    try {
      signal.throwIfAborted();
      await requireRoom(parts.disk);
      await takeIn(parts, cloudFiles(parts, request, signal), came);
    } finally {
      permits.give();
    }
  };

  return (wanted, signal) => {
    const arrivals = new Map(wanted.map(({ sopUid }) => [sopUid, Promise.withResolvers<void>()]));
    for (const { promise } of arrivals.values()) promise.catch(() => {}); // nobody need wait for it
    const left = new Set(arrivals.keys());
    let count = 0;
    const came = (sopUid: string) => {
      if (!left.delete(sopUid)) return;
      count++;
      arrivals.get(sopUid)?.resolve();
    };
    const giveUp = (sopUids: readonly string[], why: unknown) => {
      for (const uid of sopUids) if (left.delete(uid)) arrivals.get(uid)?.reject(why);
    };
    /** What broke off is asked for again as long as some of it came: a link that flaps brings all in the end. */
    const bringRun = async (run: EdgeInstancesRequest): Promise<void> => {
      for (;;) {
        const sopUids = run.sopUids.filter((uid) => left.has(uid));
        if (sopUids.length === 0) return;
        const leftBefore = left.size;
        try {
          return await ask({ ...run, sopUids }, came, signal);
        } catch (error) {
          if (!isProblem(error, "unavailable") || left.size === leftBefore || signal.aborted) throw error;
        }
      }
    };
    const bringAll = async (): Promise<number> => {
      for (const run of runsOf(wanted)) {
        const why = await bringRun(run).then(notGiven, (error: unknown) => {
          if (signal.aborted || isPassing(asProblem(error, "bringing from the cloud"))) throw error;
          return error;
        });
        giveUp(run.sopUids, why);
      }
      return count;
    };
    const stop = () => giveUp([...left], brokenOff());
    signal.addEventListener("abort", stop);
    const ended = bringAll()
      .catch((error: unknown) => {
        giveUp([...left], error);
        throw error;
      })
      .finally(() => signal.removeEventListener("abort", stop));
    ended.catch(() => {}); // who waits for single ones is told by those
    return {
      ended,
      arrival: (sopUid) => arrivals.get(sopUid)?.promise ?? Promise.reject(notGiven()),
    };
  };
}

/** What is asked for in one go: instances of one series. */
function* runsOf(wanted: readonly CloudInstance[]): Generator<EdgeInstancesRequest> {
  for (const instances of Map.groupBy(wanted, ({ studyUid, seriesUid }) => `${studyUid} ${seriesUid}`).values()) {
    for (let from = 0; from < instances.length; from += askedAtOnce) {
      const some = instances.slice(from, from + askedAtOnce);
      const [{ studyUid, seriesUid }] = some as [CloudInstance, ...CloudInstance[]];
      yield { studyUid, seriesUid, sopUids: some.map(({ sopUid }) => sopUid) };
    }
  }
}

function cloudFiles({ cloudLink }: BringingParts, request: EdgeInstancesRequest, signal: AbortSignal) {
  return unframed(cloudLink.stream("/api/edges/self/instances", request, signal));
}

/** Takes instances into the archive as they come. Those that the cloud gave up, or the archive refuses, are left out. */
async function takeIn(
  parts: BringingParts,
  files: ReturnType<typeof unframed>,
  came: (sopUid: string) => void,
): Promise<void> {
  let taking: Taking | undefined;
  try {
    for await (const part of files) {
      if (taking === undefined) {
        await requireRoom(parts.disk);
        taking = takingOne(parts);
      }
      if (part.kind === "piece") {
        await taking.write(part.bytes);
        continue;
      }
      const stored = part.isWhole ? await taking.finish() : await taking.abort();
      taking = undefined;
      if (stored) came(stored.sopUid);
    }
  } finally {
    await taking?.abort();
  }
}

interface Taking {
  write(bytes: Buffer): Promise<void>;
  /** Undefined for what was refused. */
  finish(): Promise<StoredInstance | undefined>;
  abort(): Promise<void>;
}

/** One instance on its way into the archive: what the archive refuses of it is passed over to its end. */
function takingOne({ archive, log }: BringingParts): Taking {
  const receiving = archive.receiveFile(system);
  let bytesSoFar = 0;
  let isRefused = false;
  const unlessRefused = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
    if (isRefused) return undefined;
    try {
      return await work();
    } catch (error) {
      if (isPassing(asProblem(error, "taking an instance of the cloud"))) throw error;
      log.warn("an instance that came from the cloud was refused here", {}, error);
      isRefused = true;
      await receiving.abort();
      return undefined;
    }
  };
  return {
    async write(bytes) {
      bytesSoFar += bytes.length;
      if (bytesSoFar > instanceBytesMax) throw tooLarge();
      await unlessRefused(() => receiving.write(bytes));
    },
    finish: () => unlessRefused(receiving.finish),
    async abort() {
      if (!isRefused) await receiving.abort();
    },
  };
}

async function requireRoom({ freeBytes, reservedBytes }: BringingParts["disk"]): Promise<void> {
  if ((await freeBytes()) >= 2 * reservedBytes + leftFreeBytes) return;
  throw new Problem("no-room", "the disk has no room for what lies in the cloud", {
    remedy: "make room on the disk of this box, or keep copies for fewer days",
  });
}

function notGiven(): Problem {
  return new Problem("damaged", "an instance that the cloud lists did not come", {
    remedy: "look at the cloud's status: what is damaged there is repaired there",
  });
}

function brokenOff(): Problem {
  return new Problem("unavailable", "what came from the cloud is not wanted any more");
}

function tooLarge(): Problem {
  return new Problem("too-large", "an instance in the cloud is larger than this box takes");
}
