import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { RecordChange, Records } from "#trust/vault";

/** An instance that was stored. */
export interface TakenInstance {
  readonly sopUid: string;
  /** Of its data set as it was received, in hexadecimal digits. */
  readonly sha256: string;
}

/** A parcel that was taken. */
export interface KnownParcel {
  readonly at: number;
  /** What was in it; absent for what was done and not stored. */
  readonly instance?: TakenInstance;
}

/**
 * Which parcels were taken: the same thing offered again is answered, not sent. An instance's id follows from what is in it and is known
 * whoever sent it. A message's is what its edge chose, and known for that edge alone: else one edge could have another forget what never came.
 */
export interface KnownParcels {
  get(edge: string, id: string): Promise<KnownParcel | undefined>;
  /**
   * Of what was done (no `instance`) it is durable when this resolves, and a passing Problem says that it is not: `get` tries again. Of what
   * is stored the archive knows it anyway, and it follows soon.
   */
  note(edge: string, id: string, instance: TakenInstance | undefined): Promise<void>;
  close(): Promise<void>;
}

/** So long a parcel is known that was taken. What is offered again later is sent again, and the archive finds out that it has it. */
const knownMs = 90 * 24 * 3_600_000;
/** Written in one transaction. */
const writtenAtOnce = 200;
/** What nobody waits for waits so long for company: a transaction costs a sync. */
const patienceMs = 250;
const forgottenAtOnce = 500;
const forgetEveryMs = 60_000;
/** Over this many that wait to be written who notes waits too. */
const waitingMost = 5_000;

export function createKnownParcels(parts: {
  readonly records: Records;
  readonly clock: Clock;
  readonly log: Log;
}): KnownParcels {
  const { records, clock, log } = parts;
  const shelf = records.shelf<KnownParcel>("taken parcel");
  const waiting = new Map<string, KnownParcel>();
  const turns = createTurns();
  let isWriting = false;
  let forgetAt = 0;

  const messageName = (edge: string, id: string) => records.idOf("taken message", `${edge} ${id}`);
  const changeFor = async ([name, taken]: readonly [string, KnownParcel]): Promise<RecordChange> =>
    shelf.put(name, taken, { known: await shelf.get(name), dueAt: taken.at + knownMs });
  const notWritten = (error?: unknown): void =>
    log.warn("which parcels were taken was not written down", { count: waiting.size }, error);
  const forgetOld = async (): Promise<void> => {
    if (clock.monotonicMs() < forgetAt) return;
    forgetAt = clock.monotonicMs() + forgetEveryMs;
    const old = await shelf.due(clock.now(), forgottenAtOnce);
    if (old.length > 0) await records.change(...old.map(shelf.remove));
  };
  const write = (chosen: () => readonly (readonly [string, KnownParcel])[]): Promise<void> =>
    turns.take(async () => {
      const batch = chosen();
      if (batch.length === 0) return;
      if (!(await records.change(...(await Promise.all(batch.map(changeFor)))))) {
        throw new Problem("busy", "what was noted of a parcel was changed meanwhile");
      }
      for (const [name, taken] of batch) if (waiting.get(name) === taken) waiting.delete(name);
      await forgetOld().catch((error) => log.warn("parcels that were taken long ago are still noted", {}, error));
    });
  const writeOldest = () => write(() => [...waiting].slice(0, writtenAtOnce));
  const writeSoon = async (): Promise<void> => {
    if (isWriting) return;
    isWriting = true;
    try {
      await clock.sleep(patienceMs);
      while (waiting.size > 0) await writeOldest();
    } catch (error) {
      notWritten(error);
    } finally {
      isWriting = false;
    }
  };
  const writeOne = (name: string) =>
    write(() => [...waiting].filter(([each]) => each === name)).catch((cause) => {
      throw new Problem("unavailable", "that a message was done could not be written down", { cause });
    });

  return {
    async get(edge, id) {
      const known = waiting.get(id) ?? (await shelf.get(id))?.value;
      if (known?.instance !== undefined) return known;
      const name = messageName(edge, id);
      if (waiting.has(name)) await writeOne(name);
      return (await shelf.get(name))?.value;
    },
    async note(edge, id, instance) {
      const name = instance === undefined ? messageName(edge, id) : id;
      waiting.set(name, { at: clock.now(), ...(instance !== undefined && { instance }) });
      if (instance === undefined) return writeOne(name);
      if (waiting.size > waitingMost) return writeOldest();
      void writeSoon();
    },
    async close() {
      while (waiting.size > 0) {
        const before = waiting.size;
        await writeOldest().catch(notWritten);
        if (waiting.size >= before) return;
      }
      await turns.idle();
    },
  };
}
