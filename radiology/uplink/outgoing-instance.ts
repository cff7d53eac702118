import { createHash } from "node:crypto";
import { asProblem, Problem } from "#base/problem";
import { createPermits } from "#base/turns";
import { type DataSetHeader, endingOnce, inspect, type Receiving, type StoredInstance } from "#radiology/archive";
import type { Packing, Shrinker } from "#radiology/images";
import type { OpenParcel } from "./outgoing-parcel.ts";
import type { InstanceHead } from "./parcel-content.ts";

/** What was received, when all of it has come. */
export interface ReceivedInstance extends StoredInstance {
  /** Of the data set, in hexadecimal digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly transferSyntaxUid: string;
}

export interface OutgoingInstanceParts {
  readonly shrinker: Shrinker;
  readonly begin: (head: InstanceHead) => Promise<OpenParcel>;
  /** Ends the parcel: durable when it resolves. */
  readonly commit: (parcel: OpenParcel, received: ReceivedInstance) => Promise<void>;
}

/** Bytes of instances that are held while they come, all together: what would be over it is packed as it comes. */
const heldBytesMax = 64 * 1024 * 1024;
/** One that is shorter is held in any case: those who send slowly never keep it waiting. */
const heldAlwaysBytes = 1024 * 1024;
/** What is packed as it comes has a lane of the spool until its last byte: half of the lanes are left to what has come, and to messages. */
const streamsMost = 8;

/** Makes parcels of what machines send: short instances are held until they have come and packed as a whole, long ones as they come. */
export function createOutgoingInstances({ shrinker }: Pick<OutgoingInstanceParts, "shrinker">) {
  let heldBytes = 0;
  const streams = createPermits(streamsMost);

  return (header: DataSetHeader, parts: Pick<OutgoingInstanceParts, "begin" | "commit">): Receiving => {
    const inspection = inspect(header);
    const hash = createHash("sha256");
    const { sopClassUid, sopInstanceUid, transferSyntaxUid, sourceAe = "" } = header;
    let held: Buffer[] = [];
    let mine = 0;
    let sizeBytes = 0;
    let opening: Promise<OpenParcel> | undefined;
    /** Set once it is packed as it comes. */
    let stream: { readonly write: (bytes: Uint8Array) => Promise<void>; readonly end: () => Promise<void> } | undefined;

    let isStreaming = false;
    let isOver = false;

    const open = (packing: Packing, size: number): Promise<OpenParcel> => {
      const known = { sopClassUid, sopInstanceUid, transferSyntaxUid, sourceAe };
      opening = parts.begin({ kind: "instance", packing, ...known, sizeBytes: size });
      return opening;
    };
    const release = (): Buffer[] => {
      heldBytes -= mine;
      mine = 0;
      const pieces = held;
      held = [];
      return pieces;
    };
    /** Whoever sends is slowed down until there is a place. */
    const takePlace = async (): Promise<void> => {
      await streams.take();
      isStreaming = true;
      if (!isOver) return;
      leave();
      throw new Problem("conflict", "the instance has ended already");
    };
    const leave = (): void => {
      isOver = true;
      if (isStreaming) streams.give();
      isStreaming = false;
    };
    const begin = async (): Promise<void> => {
      await takePlace();
      const packer = shrinker.packing(transferSyntaxUid);
      const parcel = await open(packer.packing, 0);
      const begun = {
        write: async (bytes: Uint8Array) => parcel.write(await packer.write(bytes)),
        end: async () => parcel.write(await packer.end()),
      };
      stream = begun;
      for (const bytes of release()) await begun.write(bytes);
    };
    const packWhole = async (): Promise<void> => {
      const [first = Buffer.alloc(0), ...more] = held;
      const dataSet = more.length === 0 ? first : Buffer.concat([first, ...more]);
      const packed = await shrinker.pack(dataSet, transferSyntaxUid);
      await (await open(packed.packing, sizeBytes)).write(packed.parts);
    };
    const finish = async (): Promise<StoredInstance> => {
      const uids = inspection.end();
      const sha256 = hash.digest("hex");
      await (stream === undefined ? packWhole() : stream.end());
      await parts.commit(await (opening as Promise<OpenParcel>), { ...uids, sha256, sizeBytes, transferSyntaxUid });
      release();
      leave();
      return uids;
    };

    return endingOnce({
      write(bytes) {
        inspection.take(bytes);
        hash.update(bytes);
        sizeBytes += bytes.length;
        // The bytes are lent, and a packer keeps them.
        if (stream !== undefined) return stream.write(Buffer.from(bytes));
        held.push(Buffer.from(bytes));
        mine += bytes.length;
        heldBytes += bytes.length;
        const isFull = heldBytes > heldBytesMax && mine > heldAlwaysBytes;
        return isFull || mine > shrinker.wholeBytesMax ? begin() : undefined;
      },
      finish: () =>
        finish().catch((error: unknown) => {
          throw asProblem(error, "taking an instance into the spool");
        }),
      async abort() {
        isOver = true;
        release();
        const parcel = await opening?.catch(() => undefined);
        await parcel?.abort();
        leave();
      },
    });
  };
}
