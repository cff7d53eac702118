import { createHash } from "node:crypto";
import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { asProblem, isPassing, Problem } from "#base/problem";
import { createPermits, type Permits } from "#base/turns";
import { signReceipt } from "#trust/parcels";
import type { Records } from "#trust/vault";
import { createKnownParcels, type TakenInstance } from "./known-parcels.ts";
import { type OpeningParts, openDelivery } from "./opened-delivery.ts";
import type { ParcelOffice, SendingEdge } from "./parcel-office.ts";
import type { PartialParcel, PartialParcels } from "./partial-parcels.ts";
import type { SpooledParcel } from "./spool.ts";

export interface DeliveriesParts extends Omit<OpeningParts, "office"> {
  readonly office: () => Promise<ParcelOffice>;
  readonly partials: PartialParcels;
  /** Whether an instance that was taken is here still: these bytes, not others under its UID. */
  readonly isHeld: (instance: TakenInstance) => Promise<boolean>;
  readonly records: Records;
  readonly clock: Clock;
  readonly log: Log;
}

/** One parcel on its way in: structurally the link's port, where the calls are described. */
export interface DeliveryArrival {
  write(from: number, bytes: Uint8Array): Promise<void>;
  finish(): Promise<Uint8Array>;
  abandon(): Promise<void>;
}

/** Where the parcels of one edge arrive: structurally the link's port. */
export interface EdgeDeliveries {
  standing(parcels: readonly SpooledParcel[]): Promise<readonly ({ receipt: Uint8Array } | { from: number })[]>;
  open(parcel: SpooledParcel, from: number): Promise<DeliveryArrival>;
}

export interface Deliveries {
  of(edge: SendingEdge): EdgeDeliveries;
  close(): Promise<void>;
}

/** Opened at the same time, over all edges: each is decrypted, unpacked and stored. */
const openedAtOnce = 8;
/** Of one edge: what it sends keeps nobody else's waiting. */
const openedOfOneEdge = 3;

/** The cloud's end: opens parcels, proves what the edge signed, has it stored or done, and signs for it. */
export function createDeliveries(parts: DeliveriesParts): Deliveries {
  const { partials, clock, log } = parts;
  const known = createKnownParcels(parts);
  const permits = createPermits(openedAtOnce);
  const permitsOf = createPermitsByEdge();

  const receiptFor = async (edge: SendingEdge, parcel: string, outcome: "stored" | "held"): Promise<Uint8Array> => {
    const { receiptKey } = await parts.office();
    return signReceipt(receiptKey, { parcel, edge: edge.id, at: clock.now(), outcome });
  };
  const isTaken = async (edge: SendingEdge, id: string): Promise<boolean> => {
    const taken = await known.get(edge.id, id);
    return taken !== undefined && (taken.instance === undefined || (await parts.isHeld(taken.instance)));
  };
  const takeIn = async (edge: SendingEdge, parcel: SpooledParcel, partial: PartialParcel): Promise<Uint8Array> => {
    const own = permitsOf(edge);
    await own.take();
    await permits.take();
    try {
      const office = await parts.office();
      // One that was done and could not be written down is not done again.
      const perform: DeliveriesParts["perform"] = async (...message) => {
        if ((await known.get(edge.id, parcel.id)) === undefined) await parts.perform(...message);
      };
      const taken = await openDelivery({ ...parts, office, perform }, edge, parcel.id, wholeOf(parcel, partial));
      await known.note(edge.id, parcel.id, taken);
    } catch (error) {
      const problem = asProblem(error, "taking in what came from an edge");
      // Bytes that do not prove are asked for anew; what could not be stored now is here when it is offered again.
      await (isPassing(problem) ? partial.rest() : partial.drop());
      throw problem;
    } finally {
      permits.give();
      own.give();
    }
    await partial.drop();
    return receiptFor(edge, parcel.id, "stored");
  };

  return {
    of: (edge) => ({
      standing: (parcels) =>
        Promise.all(
          parcels.map(async (parcel) => {
            const { id } = parcel;
            // What cannot be looked up is taken anew, and keeps nothing else waiting.
            const isKnown = await isTaken(edge, id).catch((error) => {
              log.warn("whether a parcel was taken is not known", {}, error);
              return false;
            });
            if (isKnown) return { receipt: await receiptFor(edge, id, "held") };
            return { from: partials.lengthOf(edge.id, parcel) };
          }),
        ),
      async open(parcel, from) {
        const partial = await partials.open(edge.id, parcel);
        if (partial.length !== from) {
          await partial.rest();
          throw otherByte();
        }
        return {
          async write(at, bytes) {
            if (at !== partial.length) throw otherByte();
            await partial.write(bytes);
          },
          finish: () => takeIn(edge, parcel, partial),
          abandon: () => partial.rest(),
        };
      },
    }),
    async close() {
      await known.close();
      await partials.close();
    },
  };
}

function createPermitsByEdge(): (edge: SendingEdge) => Permits {
  const byEdge = new Map<string, Permits>();
  return ({ id }) => {
    const permits = byEdge.get(id) ?? createPermits(openedOfOneEdge);
    byEdge.set(id, permits);
    return permits;
  };
}

/** What came, as it is read; at its end Problem `damaged` when it is not what was offered. */
async function* wholeOf({ length, sha256 }: SpooledParcel, partial: PartialParcel): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const piece of partial.read()) {
    hash.update(piece);
    yield piece;
  }
  if (partial.length === length && hash.digest().equals(sha256)) return;
  throw new Problem("damaged", "a parcel is not what was offered");
}

/** The edge asks anew where it stands. */
function otherByte(): Problem {
  return new Problem("busy", "a parcel goes on at another byte than it stands at");
}
