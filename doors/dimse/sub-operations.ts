import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { StoreInstance } from "./outbound.ts";
import { type Prefetched, prefetched } from "./prefetch.ts";
import type { RetrievedInstance } from "./service-ports.ts";
import { isWarning, status } from "./status.ts";

/** Where the sub-operations of a retrieve go: an association of our own, or the one that a C-GET came on. */
export interface StoreTarget {
  readonly contexts: readonly { readonly sopClassUid: string; readonly transferSyntaxUid: string }[];
  /** Resolves with the status of the response; rejects when there will be none. */
  store(instance: StoreInstance): Promise<number>;
  /** Nothing more can be sent. */
  isLost(): boolean;
}

/** How far a retrieve is (PS3.7 §9.1.4.1.7 and the next). */
export interface Progress {
  remaining: number;
  completed: number;
  failed: number;
  warning: number;
  readonly failedUids: string[];
}

export interface SubOperations {
  readonly progress: Progress;
  readonly log: Log;
  /** No further instance is begun. */
  isInterrupted(): boolean;
}

/** Instances opened before they are sent, and how much of each is read then. */
const instancesAhead = 3;
const bytesAheadMax = 2 ** 20;

/**
 * Sends instances one after the other, `lanes` at once, the next ones being fetched meanwhile. What fails fails alone. Resolves
 * with those that were not tried: the target is lost, or an interruption came.
 */
export async function sendInstances(
  instances: readonly RetrievedInstance[],
  target: StoreTarget,
  { progress, log, isInterrupted }: SubOperations,
  lanes = 1,
): Promise<readonly RetrievedInstance[]> {
  /** By place in the list; each is let go of when its turn comes: what is open of it would else stay until the last one is sent. */
  const ahead = new Map<number, Promise<Opened>>();
  let next = 0;
  let begun = 0;
  const openedAt = (at: number): Promise<Opened> => {
    for (const instance of instances.slice(begun, at + 1 + instancesAhead))
      ahead.set(begun++, openFor(instance, target));
    const opened = ahead.get(at) as Promise<Opened>;
    ahead.delete(at);
    return opened;
  };
  const lane = async () => {
    while (next < instances.length && !target.isLost() && !isInterrupted()) {
      const at = next++;
      const instance = instances[at] as RetrievedInstance;
      const opened = await openedAt(at);
      // It was waited for when the interruption came: it remains.
      if (opened.instance === undefined && isInterrupted()) return;
      try {
        count(progress, instance, await send(opened, target));
      } catch (error) {
        if (!isInterrupted()) log.warn("dimse: an instance was not sent", {}, error);
        count(progress, instance, status.processingFailure);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  for (const one of ahead.values()) one.then(({ data }) => data?.discard());
  return instances.slice(next);
}

/** An instance that is ready to be sent, or why it is not. */
interface Opened {
  readonly instance?: StoreInstance;
  readonly data?: Prefetched;
  readonly error?: unknown;
}

async function openFor(instance: RetrievedInstance, target: StoreTarget): Promise<Opened> {
  try {
    const accepted = new Set(
      target.contexts.flatMap(({ sopClassUid, transferSyntaxUid }) =>
        sopClassUid === instance.sopClassUid ? [transferSyntaxUid] : [],
      ),
    );
    const wanted = instance.offeredSyntaxUids.filter((uid) => accepted.has(uid));
    if (wanted.length === 0)
      throw new Problem("unsupported", "no presentation context takes what the instance can be sent as");
    const opened = await instance.open(wanted);
    const data = prefetched(opened.dataSet, bytesAheadMax);
    return { instance: { ...opened, dataSet: data.source }, data };
  } catch (error) {
    return { error };
  }
}

async function send({ instance, data, error }: Opened, target: StoreTarget): Promise<number> {
  if (!instance) throw error;
  try {
    return await target.store(instance);
  } catch (failure) {
    data?.discard();
    throw failure;
  }
}

function count(progress: Progress, { sopInstanceUid }: RetrievedInstance, outcome: number): void {
  progress.remaining--;
  if (outcome === status.success) progress.completed++;
  else if (isWarning(outcome)) progress.warning++;
  else fail(progress, sopInstanceUid);
}

/** Instances that will not be tried any more. */
export function giveUp(progress: Progress, instances: readonly RetrievedInstance[]): void {
  for (const { sopInstanceUid } of instances) {
    progress.remaining--;
    fail(progress, sopInstanceUid);
  }
}

function fail(progress: Progress, sopInstanceUid: string): void {
  progress.failed++;
  progress.failedUids.push(sopInstanceUid);
}
