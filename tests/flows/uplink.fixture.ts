import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { silentLog } from "#base/log";
import { asProblem } from "#base/problem";
import { createFrameCodecs } from "#imaging/codecs";
import { createPackingHere, createShrinker, createUnpacker } from "#radiology/images";
import {
  createDeliveries,
  createUplink,
  type EdgeDeliveries,
  type MessageHead,
  openPartialParcels,
  type Spool,
  type SpooledParcel,
} from "#radiology/uplink";
import { createMemoryRecordStore } from "#stores/memory";
import { openSpool } from "#stores/spool";
import { newParcelKey, newSigningKey } from "#trust/parcels";
import { createRecords } from "#trust/vault";
import { openArchive } from "../../radiology/archive/archive.fixture.ts";
import { pixelsHere } from "../../radiology/images/pixels-here.fixture.ts";

export interface UplinkOptions {
  readonly clock?: Clock;
  readonly perform?: (head: MessageHead, content: Buffer) => Promise<void>;
  /** Instead of one on a disk. */
  readonly spool?: Spool;
}

/** A box and its cloud in this process, with real spool, archive and keys; between them `carry` does what the link does. */
export async function openUplinkAndCloud({
  clock = systemClock,
  perform = async () => {},
  spool: given,
}: UplinkOptions = {}) {
  const folder = join(tmpdir(), `leadglass-uplink-${process.pid}-${process.hrtime.bigint()}`);
  const parcelKey = await newParcelKey();
  const [receiptKey, signing] = [newSigningKey(), newSigningKey()];
  const signers = new Map([["0e".repeat(16), signing.publicKey]]);
  const signingKeysOf = async (id: string) => [signers.get(id) ?? []].flat();
  const cloud = await openArchive({ clock, signingKeysOf });
  let edge = { id: "0e".repeat(16), facility: "" };
  const samenessKey = Buffer.alloc(32, 7).toString("base64url");
  const own = { edgeId: edge.id, signing, parcelKey, receiptKeys: [receiptKey.publicKey], samenessKey };
  const shared = { clock, log: silentLog, random: systemRandom };
  const openOwnSpool = async () =>
    given ?? openSpool({ ...shared, files: systemFiles, folder: join(folder, "spool"), reserveBytes: 0 });
  let spool = await openOwnSpool();
  const codecs = createFrameCodecs();
  const shrinker = createShrinker({ work: createPackingHere({ codecs, clock }), clock });
  const digestOf = (kind: string, text: string) =>
    createHash("sha256").update(`${kind}\n${text}`).digest("hex").slice(0, 32);
  const newUplink = () =>
    createUplink({ ...shared, spool, keys: () => keys.known, shrinker, gate: cloud.gate, digestOf });
  const keys: { known: typeof own | undefined } = { known: own };
  let uplink = newUplink();

  const records = createRecords({ store: createMemoryRecordStore(), vault: cloud.vault });
  const office = {
    keyOf: (id: string) => (id === parcelKey.id ? parcelKey : undefined),
    ...{ signingKeysOf, receiptKey, samenessKey },
  };
  /** What is not here any more. */
  const deleted = new Set<string>();
  const openDeliveries = async () =>
    createDeliveries({
      ...{ ...shared, records, archive: cloud.archive },
      office: async () => office,
      partials: await openPartialParcels({
        ...{ ...shared, files: systemFiles, folder: join(folder, "incoming"), reserveBytes: 0 },
      }),
      async isHeld({ sopUid, sha256 }) {
        if (deleted.has(sopUid)) return false;
        await cloud.archive.settled();
        return cloud.index.holds(sopUid, sha256);
      },
      unpacker: createUnpacker({ pixels: pixelsHere() }),
      perform: (_edge, head, content) => perform(head, content),
    });
  let deliveries = await openDeliveries();

  return {
    ...{ cloud, keys, own, folder, deleted, receiptKey },
    uplink: () => uplink,
    spool: () => spool,
    arrivals: (): EdgeDeliveries => deliveries.of(edge),
    /** Everything that can be given now is taken to the cloud, and what it says back. How many bytes went. */
    carry: (pieceBytes = 64 * 1024) => carry(uplink.queue, deliveries.of(edge), pieceBytes),
    /** The box has another id from now on, and a key that was made then. */
    enrolAnew(id: string) {
      const key = newSigningKey();
      signers.set(id, key.publicKey);
      edge = { ...edge, id };
      keys.known = { ...own, edgeId: id, signing: key };
    },
    async restartBox() {
      await spool.close();
      spool = await openOwnSpool();
      uplink = newUplink();
    },
    async restartCloud() {
      await deliveries.close();
      deliveries = await openDeliveries();
    },
    async close() {
      await spool.close();
      await deliveries.close();
      await cloud.archive.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Queue = ReturnType<typeof createUplink>["queue"];

async function carry(queue: Queue, arrivals: EdgeDeliveries, pieceBytes: number): Promise<number> {
  let sent = 0;
  for (let went = true; went; ) {
    went = false;
    for (const urgency of ["stat", "first", "routine"] as const)
      for (const parcel of await queue.take(urgency, 16)) {
        went = true;
        try {
          sent += await carryOne(queue, arrivals, parcel, pieceBytes);
        } catch (error) {
          await queue.refuse(parcel.id, asProblem(error, "carrying a parcel"));
        }
      }
  }
  return sent;
}

async function carryOne(
  queue: Queue,
  arrivals: EdgeDeliveries,
  parcel: SpooledParcel,
  pieceBytes: number,
): Promise<number> {
  const [standing] = await arrivals.standing([parcel]);
  if (standing === undefined) throw new Error("no standing");
  if ("receipt" in standing) {
    await queue.settle(parcel.id, standing.receipt);
    return 0;
  }
  const arrival = await arrivals.open(parcel, standing.from);
  let at = standing.from;
  try {
    while (at < parcel.length) {
      const bytes = await queue.read(parcel.id, at, Math.min(at + pieceBytes, parcel.length));
      await arrival.write(at, bytes);
      at += bytes.length;
    }
    await queue.settle(parcel.id, await arrival.finish());
  } finally {
    await arrival.abandon();
  }
  return at - standing.from;
}
