import type { OpenFile } from "#base/io";
import { asProblem, Problem } from "#base/problem";
import type { ObjectWriter } from "#trust/vault";
import type { Room } from "./room.ts";

/** A pack that is written to. One object at a time leases it, so that objects are contiguous. */
export interface Lane {
  readonly pack: string;
  /** Up to here everything was acknowledged. */
  acknowledgedTo(): number;
  position(): number;
  isLeased(): boolean;
  isSyncing(): boolean;
  /** A write or sync failed: the pack is never written or synced again. */
  hasFailed(): boolean;
  lease(): ObjectWriter;
  /** Aborts what is under way, or waits for it when it is being committed, and closes the file. */
  close(): Promise<void>;
}

interface Batch {
  readonly parts: Uint8Array[];
  readonly done: PromiseWithResolvers<void>;
}

/** A long object is pushed to the disk as it grows, so that little is left for the sync at its end. */
const pushBytes = 16 * 1024 * 1024;

export function createLane(options: {
  readonly pack: string;
  readonly file: OpenFile;
  /** End of the last finished object; all before it is on stable storage. */
  readonly position: number;
  readonly room: Room;
  /** The lane takes the next object. Called once for each lease. */
  readonly freed: (lane: Lane) => void;
  /** Ends the pack on disk at what was acknowledged; called once, before those who wait hear of the failure. */
  readonly failed: (lane: Lane) => Promise<void>;
}): Lane {
  const { pack, file } = options;
  let writtenTo = options.position;
  let finishedTo = options.position;
  let acknowledgedTo = options.position;
  let pushedTo = options.position;
  let queued: Batch | undefined;
  let pump: Promise<void> | undefined;
  let syncing: Promise<void> | undefined;
  let atOnce: Promise<void> | undefined;
  let nextSync: Promise<void> | undefined;
  let failure: Problem | undefined;
  let ended: Promise<void> | undefined;
  let writer: ObjectWriter | undefined;

  const fail = (error: unknown): Problem => {
    failure ??= asProblem(error, "writing a pack");
    // A sync under way may still succeed for those it covers; only then is it known where the pack ends.
    ended ??= (async () => {
      await pump;
      await syncing?.catch(() => {});
      await options.failed(lane);
    })();
    return failure;
  };
  const writeQueued = async () => {
    for (let batch = queued; batch !== undefined; batch = queued) {
      queued = undefined;
      if (failure === undefined) {
        try {
          const bytes = batch.parts.reduce((sum, part) => sum + part.length, 0);
          await file.write(batch.parts, writtenTo);
          writtenTo += bytes;
        } catch (error) {
          fail(error);
        }
      }
      if (failure === undefined) batch.done.resolve();
      else batch.done.reject(failure);
    }
    pump = undefined;
  };
  const write = (parts: readonly Uint8Array[]): Promise<void> => {
    if (failure !== undefined) return Promise.reject(failure);
    queued ??= { parts: [], done: Promise.withResolvers<void>() };
    const batch = queued;
    for (const part of parts) batch.parts.push(part);
    pump ??= writeQueued();
    return batch.done.promise;
  };

  const startSync = (): Promise<void> => {
    if (failure !== undefined) return Promise.reject(failure);
    const covers = finishedTo;
    pushedTo = writtenTo;
    const started = file.sync().then(
      () => {
        syncing = undefined;
        acknowledgedTo = Math.max(acknowledgedTo, covers);
      },
      (error) => {
        syncing = undefined;
        throw fail(error);
      },
    );
    syncing = started;
    return started;
  };
  /** Everything written before the call is on stable storage when it resolves. Never two syncs at once. */
  const sync = (): Promise<void> => {
    if (syncing === undefined) return startSync();
    nextSync ??= syncing.then(() => {
      nextSync = undefined;
      return sync();
    });
    return nextSync;
  };

  const createWriter = (): ObjectWriter => {
    const start = writtenTo;
    let refusal: unknown;
    let gate: Promise<void> | undefined;
    let isCommitting = false;
    const free = () => {
      if (writer !== made) return;
      writer = undefined;
      options.freed(lane);
    };
    const cut = async () => {
      await gate?.catch(() => {});
      await pump;
      if (failure === undefined && writtenTo > start) {
        await file.truncate(start).catch(fail);
        writtenTo = start;
        pushedTo = Math.min(pushedTo, start);
      }
      await ended;
      free();
    };
    /** Undefined when there is room without asking; parts keep their order when it has to be asked. */
    const waitForRoom = (bytes: number): Promise<void> | undefined => {
      const room = gate === undefined ? options.room.take(bytes) : gate.then(() => options.room.take(bytes));
      if (room === undefined) return undefined;
      const asked = room.finally(() => {
        if (gate === asked) gate = undefined;
      });
      gate = asked;
      return asked;
    };
    const put = async (parts: readonly Uint8Array[]) => {
      try {
        if (refusal !== undefined) throw refusal;
        if (failure !== undefined) throw failure;
        const room = waitForRoom(parts.reduce((sum, part) => sum + part.length, 0));
        if (room !== undefined) await room;
        await write(parts);
        if (writtenTo - pushedTo >= pushBytes && syncing === undefined) startSync().catch(() => {});
      } catch (error) {
        refusal ??= asProblem(error, "writing a pack");
        throw refusal;
      }
    };
    /**
     * All of an object at once, with nothing else on its way to this pack: written and synced in one call. What the next
     * object writes meanwhile waits behind it.
     */
    const commitAtOnce = (parts: readonly Uint8Array[], bytes: number): Promise<void> => {
      writtenTo += bytes;
      finishedTo = writtenTo;
      pushedTo = writtenTo;
      const made = file.writeSynced(parts, start).then(
        () => {
          acknowledgedTo = Math.max(acknowledgedTo, start + bytes);
        },
        (error) => {
          throw fail(error);
        },
      );
      atOnce = made
        .catch(() => {})
        .then(() => {
          atOnce = undefined;
        });
      pump = atOnce.then(writeQueued);
      free();
      return made.catch(async (error) => {
        await ended;
        throw error;
      });
    };
    const commit = async (parts: readonly Uint8Array[]) => {
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      const isAlone = writtenTo === start && acknowledgedTo === start && pump === undefined && syncing === undefined;
      try {
        if (isAlone && failure === undefined && refusal === undefined) {
          await waitForRoom(bytes);
          return commitAtOnce(parts, bytes);
        }
        await put(parts);
      } catch (error) {
        await cut();
        throw error;
      }
      finishedTo = writtenTo;
      // The next object may begin while this one waits for its sync: those who wait together share the next.
      free();
      try {
        await sync();
      } catch (error) {
        await ended;
        throw error;
      }
    };
    let over: Promise<void> | undefined;
    const made: ObjectWriter = {
      pack,
      start,
      provenTo: acknowledgedTo,
      write: put,
      commit(parts) {
        isCommitting = true;
        const committed = commit(parts);
        over = committed;
        return committed;
      },
      async abort() {
        refusal ??= new Problem("conflict", "this object was aborted");
        over ??= cut();
        await (isCommitting ? over.catch(() => {}) : over);
      },
    };
    return made;
  };

  const lane: Lane = {
    pack,
    acknowledgedTo: () => acknowledgedTo,
    position: () => writtenTo,
    isLeased: () => writer !== undefined,
    isSyncing: () => atOnce !== undefined || syncing !== undefined || nextSync !== undefined,
    hasFailed: () => failure !== undefined,
    lease() {
      writer = createWriter();
      return writer;
    },
    async close() {
      await writer?.abort();
      await pump;
      await nextSync?.catch(() => {});
      await syncing?.catch(() => {});
      await ended;
      // What a failure left behind does not exist any more; this only gives its room back.
      if (failure !== undefined) await file.truncate(acknowledgedTo).catch(() => {});
      await file.close();
    },
  };
  return lane;
}
