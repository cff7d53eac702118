import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { createTurns } from "#base/turns";
import type { RecordChange, Records } from "#trust/vault";

/** A parcel that was taken. */
export interface KnownParcel {
  readonly at: number;
  /** Of the instance that was in it; absent for what was done and not stored. */
  readonly sopUid?: string;
}

/** Which parcels were taken: the same thing offered again is answered, not sent. */
export interface KnownParcels {
  get(id: string): Promise<KnownParcel | undefined>;
  /** Of what was done it is durable when this resolves; of what is stored the archive knows it anyway, and it follows soon. */
  note(id: string, taken: Omit<KnownParcel, "at">): Promise<void>;
  close(): Promise<void>;
}

/** So long a parcel is known that was taken. What is offered again later is sent again, and the archive finds out that it has it. */
const knownMs = 90 * 24 * 3_600_000;
/** Written in one transaction. */
const writtenAtOnce = 200;
const forgottenAtOnce = 500;
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

  const changeFor = async ([id, taken]: readonly [string, KnownParcel]): Promise<RecordChange> =>
    shelf.put(id, taken, { known: await shelf.get(id), dueAt: taken.at + knownMs });
  const forgetOld = async (): Promise<void> => {
    const old = await shelf.due(clock.now(), forgottenAtOnce);
    if (old.length > 0) await records.change(...old.map(shelf.remove));
  };
  const write = () =>
    turns.take(async () => {
      const batch = [...waiting].slice(0, writtenAtOnce);
      if (batch.length === 0) return;
      // Somebody else has none of them in hand: this process alone takes parcels.
      await records.change(...(await Promise.all(batch.map(changeFor))));
      for (const [id, taken] of batch) if (waiting.get(id) === taken) waiting.delete(id);
      await forgetOld();
    });
  const writeSoon = (): void => {
    write().catch((error) => log.warn("which parcels were taken was not written down", { count: waiting.size }, error));
  };

  return {
    async get(id) {
      return waiting.get(id) ?? (await shelf.get(id))?.value;
    },
    async note(id, taken) {
      waiting.set(id, { ...taken, at: clock.now() });
      if (taken.sopUid === undefined || waiting.size > waitingMost) return write();
      writeSoon();
    },
    async close() {
      while (waiting.size > 0) {
        const before = waiting.size;
        await write().catch((error) => log.warn("which parcels were taken was not written down", {}, error));
        if (waiting.size >= before) return;
      }
      await turns.idle();
    },
  };
}
