import { asProblem, Problem } from "#base/problem";
import { footerBytes } from "./format.ts";
import type { ObjectWriter, SealedObjects } from "./sealed-objects.ts";
import type { Sealer } from "./sealer.ts";
import type { Sealed, SealedPlace, Sealing } from "./vault.ts";

/**
 * Sealed bytes are handed on in batches of about this size, while more arrive. Most slices are smaller: such an object is
 * written and synced in one call, and three trips through the thread pool become one.
 */
const batchBytes = 1024 * 1024;
/** With so much on its way to the disk the sender is asked to wait, until half of it is written. */
const inFlightBytesMax = 3 * 1024 * 1024;

/**
 * One object on its way: seals what arrives, leases a lane once a batch is full (so that a small object holds it for a moment
 * only), and writes behind the arrival.
 */
export function createSealing(options: {
  readonly id: string;
  readonly objects: SealedObjects;
  /** The sealer, or what will bring it when the study's key is not at hand. */
  readonly sealer: (emit: (part: Buffer) => void) => Sealer | Promise<Sealer>;
  readonly ended: (sealing: Sealing) => void;
}): Sealing {
  const { id, objects } = options;
  let batch: Buffer[] = [];
  let batched = 0;
  let inFlight = 0;
  let failure: Problem | undefined;
  /** Set once `end` or `abort` was called. */
  let ending: Promise<unknown> | undefined;
  let committing: Promise<Sealed> | undefined;
  let lease: Promise<ObjectWriter> | undefined;
  let drained: PromiseWithResolvers<void> | undefined;

  const emit = (part: Buffer) => {
    batch.push(part);
    batched += part.length;
  };
  let sealer: Sealer | undefined;
  const made = options.sealer(emit);
  let waiting: Promise<void> | undefined;
  const early: Buffer[] = [];
  if (made instanceof Promise) {
    waiting = made.then(
      (arrived) => {
        sealer = arrived;
        waiting = undefined;
        for (const bytes of early.splice(0)) arrived.update(bytes);
      },
      (error) => {
        failure ??= asProblem(error, "opening the key of a study");
        waiting = undefined;
      },
    );
  } else {
    sealer = made;
  }

  const settleDrained = () => {
    if (drained === undefined || (failure === undefined && inFlight > inFlightBytesMax / 2)) return;
    drained.resolve();
    drained = undefined;
  };
  const leased = (): Promise<ObjectWriter> => {
    lease ??= objects.begin();
    return lease;
  };
  let isBegun = false;
  /** The parts, behind the header when they are the first: what the header says is known only with the lane. */
  const inPlace = (writer: ObjectWriter, parts: Buffer[]): Buffer[] => {
    if (isBegun) return parts;
    isBegun = true;
    return [(sealer as Sealer).header(writer.provenTo), ...parts];
  };
  const takeBatch = () => {
    const parts = batch;
    batch = [];
    batched = 0;
    return parts;
  };
  const send = () => {
    const bytes = batched;
    const parts = takeBatch();
    inFlight += bytes;
    leased()
      .then((writer) => writer.write(inPlace(writer, parts)))
      .then(() => giveBack(parts))
      .catch((error) => {
        failure ??= asProblem(error, "writing a sealed object");
      })
      .finally(() => {
        inFlight -= bytes;
        settleDrained();
      });
  };
  const giveUp = async () => {
    if (lease === undefined) return;
    const writer = await lease.catch(() => undefined);
    await writer?.abort();
  };

  /** Nothing of what was begun stays; said once, whoever fails first. */
  const fail = async (error: unknown): Promise<never> => {
    await giveUp();
    options.ended(sealing);
    throw asProblem(error, "writing a sealed object");
  };
  let last: { readonly writer: ObjectWriter; readonly parts: Buffer[]; readonly sealed: Sealed } | undefined;
  const end = async (record: Uint8Array): Promise<SealedPlace> => {
    try {
      if (waiting !== undefined) await waiting;
      if (failure !== undefined) throw failure;
      const ended = (sealer as Sealer).end(record);
      const writer = await leased();
      const parts = inPlace(writer, takeBatch());
      const offset = writer.start + ended.bodyBytes;
      const place = { pack: writer.pack, offset };
      last = { writer, parts, sealed: { place, endPosition: offset + footerBytes, sizeBytes: ended.sizeBytes } };
      return place;
    } catch (error) {
      return fail(error);
    }
  };
  const commit = async (): Promise<Sealed> => {
    try {
      if (last === undefined) throw new Problem("conflict", "this object has not ended yet");
      if (failure !== undefined) throw failure;
      await last.writer.commit(last.parts);
      giveBack(last.parts);
      options.ended(sealing);
      return last.sealed;
    } catch (error) {
      return fail(error);
    }
  };
  const drop = async () => {
    takeBatch();
    await waiting;
    await giveUp();
    options.ended(sealing);
  };
  const checkOpen = () => {
    if (ending !== undefined) throw new Problem("conflict", "this object was ended already");
  };

  const sealing: Sealing = {
    id,
    write(bytes) {
      checkOpen();
      if (failure !== undefined) throw failure;
      if (sealer === undefined) {
        early.push(Buffer.from(bytes));
        return waiting;
      }
      sealer.update(bytes);
      if (batched >= batchBytes) send();
      if (inFlight <= inFlightBytesMax) return;
      drained ??= Promise.withResolvers<void>();
      return drained.promise;
    },
    end(record) {
      checkOpen();
      ending = end(record);
      return ending as Promise<SealedPlace>;
    },
    commit() {
      committing ??= commit();
      return committing;
    },
    async finish(record) {
      await sealing.end(record);
      return sealing.commit();
    },
    async abort() {
      if (committing !== undefined) return void (await committing.catch(() => {}));
      const before = ending;
      // Whoever calls `commit` from now on finds it ended.
      committing = Promise.reject(new Problem("conflict", "this object was ended already"));
      committing.catch(() => {});
      ending ??= drop();
      if (before === undefined) return void (await ending.catch(() => {}));
      await before.then(drop, () => {});
    },
  };
  return sealing;
}

/** Smaller ones lie in a pool that they share. */
const ownBufferBytesMin = 4 * 1024;

/**
 * Frees the memory of sealed parts that are written. A cipher gives a new buffer for every call, and the collector, which sees
 * only their small heads, would mark the whole heap each 64 MiB to find out that they are gone: half the CPU time of receiving.
 */
function giveBack(parts: readonly Buffer[]): void {
  for (const { buffer, byteLength } of parts) {
    if (buffer instanceof ArrayBuffer && byteLength >= ownBufferBytesMin && buffer.byteLength === byteLength) {
      buffer.transfer(0);
    }
  }
}
