import { createHash } from "node:crypto";
import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { Log } from "#base/log";
import { isPassing, Problem } from "#base/problem";
import type { DataSetHeader, Receiving, StoredInstance } from "#radiology/archive";
import type { Shrinker } from "#radiology/images";
import type { Actor, Gate } from "#trust/access";
import { parcelIdOf, readReceipt, type SigningKey, signProvenance } from "#trust/parcels";
import { createFirstOfSeries } from "./first-of-series.ts";
import { createOutgoingInstances, type ReceivedInstance } from "./outgoing-instance.ts";
import { beginParcel, type OpenParcel } from "./outgoing-parcel.ts";
import type { MessageHead, ParcelTail } from "./parcel-content.ts";
import { type ParcelNote, putBackMsMost, type Spool, type SpoolState, type SubjectStanding } from "./spool.ts";

/** What a box has from its cloud, and its own key. */
export interface UplinkKeys {
  readonly edgeId: string;
  readonly signing: SigningKey;
  readonly parcelKey: { readonly id: string; readonly publicKey: string };
  readonly receiptKeys: readonly string[];
  /** Base64url. */
  readonly samenessKey: string;
}

export interface UplinkParts {
  readonly spool: Spool;
  /** Undefined until the box is enrolled. */
  readonly keys: () => UplinkKeys | undefined;
  readonly shrinker: Shrinker;
  readonly gate: Pick<Gate, "pass">;
  /** A digest under a key of this home: 32 hexadecimal digits. */
  readonly digestOf: (kind: string, text: string) => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What the link takes parcels from: structurally its port. */
export interface UplinkQueue extends Pick<Spool, "take" | "read" | "onArrival"> {
  /** Only a receipt that is true lets the spool forget the parcel. */
  settle(id: string, receipt: Uint8Array): Promise<void>;
  refuse(id: string, problem: Problem): Promise<void>;
}

/** The edge's way to its cloud: what is received here goes there, and is forgotten on the cloud's signed word alone. */
export interface Uplink {
  /** One instance as C-STORE sends it. `finish` resolves when it rests in the spool, sealed to the cloud, with its audit entry. */
  receiveDataSet(actor: Actor, header: DataSetHeader): Receiving;
  /** Something that the cloud does after all that was put before it. Resolves when it rests in the spool. */
  put(head: MessageHead, content: Uint8Array): Promise<void>;
  /** What became of an instance that was received here; undefined when it never was, or its receipt is forgotten. */
  standing(instance: Pick<StoredInstance, "sopClassUid" | "sopUid">): Promise<SubjectStanding | undefined>;
  readonly queue: UplinkQueue;
  state(): SpoolState & { readonly delivered: number };
}

/** A parcel that the cloud could not read is tried so often before it is put aside: the way there may have been at fault. */
const triesOfRefused = 3;
const firstPauseMs = 5_000;
/** Of so many that were refused lately it is known how often. */
const triedMost = 10_000;

export function createUplink(parts: UplinkParts): Uplink {
  const { spool, gate, clock, random, digestOf } = parts;
  const firsts = createFirstOfSeries();
  const receive = createOutgoingInstances(parts);
  const subjectOf = ({ sopClassUid, sopUid }: Pick<StoredInstance, "sopClassUid" | "sopUid">) =>
    digestOf("sent instance", `${sopClassUid}\n${sopUid}`);
  const begin = (keys: UplinkKeys) => (head: Parameters<typeof beginParcel>[2]) =>
    beginParcel(spool, keys.parcelKey, head);
  const keysNow = (): UplinkKeys => {
    const keys = parts.keys();
    if (keys !== undefined) return keys;
    const remedy = "leadglass edge enroll URL CODE, with a code from the cloud's page for edges";
    throw new Problem("unavailable", "this box is not enrolled in a cloud yet", { remedy });
  };
  /** Has a parcel rest, with what vouches for it. */
  const commit = (
    { edgeId, signing }: UplinkKeys,
    parcel: OpenParcel,
    {
      kind,
      sha256,
      sizeBytes,
      transferSyntaxUid,
    }: Pick<ReceivedInstance, "sha256" | "sizeBytes" | "transferSyntaxUid"> & {
      readonly kind: string;
    },
    note: Pick<ParcelNote, "id" | "urgency" | "inOrder" | "subject">,
  ): Promise<unknown> => {
    const receivedAt = clock.now();
    const signature = signProvenance(signing, { edge: edgeId, kind, sha256, transferSyntaxUid, receivedAt });
    const tail: ParcelTail = { sha256, sizeBytes, receivedAt, edge: edgeId, signature };
    return parcel.commit(tail, { ...note, putAt: receivedAt });
  };

  return {
    receiveDataSet(actor, header) {
      const keys = keysNow();
      const samenessKey = Buffer.from(keys.samenessKey, "base64url");
      return receive(header, {
        begin: begin(keys),
        async commit(parcel, received) {
          const series = digestOf("sent series", received.seriesUid);
          const urgency = header.isUrgent === true ? "stat" : firsts.isFirst(series) ? "first" : "routine";
          const subject = subjectOf(received);
          const id = parcelIdOf(samenessKey, "instance", received.sha256);
          await gate.pass(actor, "instance.store", { kind: "instance", id: subject }, () =>
            commit(keys, parcel, { kind: "instance", ...received }, { id, urgency, inOrder: false, subject }),
          );
          firsts.note(series);
        },
      });
    },
    async put(head, content) {
      const keys = keysNow();
      const parcel = await begin(keys)(head);
      try {
        await parcel.write([content]);
        const sha256 = createHash("sha256").update(content).digest("hex");
        const what = { kind: head.kind, sha256, sizeBytes: content.length, transferSyntaxUid: "" };
        // The same message may be said again, and is another one.
        const note = { id: newToken(random), urgency: "stat", inOrder: true, subject: undefined } as const;
        await commit(keys, parcel, what, note);
      } catch (error) {
        await parcel.abort();
        throw error;
      }
    },
    standing: (instance) => spool.standing(subjectOf(instance)),
    ...createQueue(parts, keysNow),
  };
}

/**
 * When the cloud signed for this parcel, by its own clock. A word that cannot be proven is no fault of the parcel, which stays: the cloud may
 * sign with a new key, which the box is told within a minute.
 */
function signedAt({ receiptKeys, edgeId }: UplinkKeys, id: string, bytes: Uint8Array): number {
  const remedy = "it is tried again; if that stays so, see the log of the cloud";
  try {
    const { parcel, edge, at } = readReceipt(receiptKeys, bytes);
    if (parcel === id && edge === edgeId) return at;
  } catch (cause) {
    throw new Problem("unavailable", "a receipt of the cloud cannot be verified", { remedy, cause });
  }
  throw new Problem("unavailable", "a receipt of the cloud is for something else", { remedy });
}

/** `conflict`: the cloud still has it open from before a stop of the box. */
const mayPass = (problem: Problem) => isPassing(problem) || problem.code === "conflict";

/** How often a parcel was tried in vain, and how often of that it was the parcel's own fault. */
interface Tries {
  readonly times: number;
  readonly refusals: number;
}

function createQueue({ spool, clock, log }: UplinkParts, keysNow: () => UplinkKeys): Pick<Uplink, "queue" | "state"> {
  const tries = new Map<string, Tries>();
  let delivered = 0;
  const pauseAfter = (times: number) => Math.min(firstPauseMs * 2 ** Math.min(times - 1, 20), putBackMsMost);
  const triedAgain = (id: string, wasRefused: boolean): Tries => {
    const { times, refusals } = tries.get(id) ?? { times: 0, refusals: 0 };
    const known = { times: times + 1, refusals: refusals + Number(wasRefused) };
    tries.delete(id);
    tries.set(id, known);
    if (tries.size > triedMost) tries.delete(tries.keys().next().value ?? "");
    return known;
  };
  /** That it is taken is known to the process alone: it can be given again when the disk takes nothing. */
  const giveAgain = (id: string, afterMs: number): void => {
    clock.after(afterMs, () => {
      spool.putBack(id, clock.now()).catch(() => giveAgain(id, putBackMsMost));
    });
  };
  return {
    queue: {
      take: (urgency, most) => spool.take(urgency, most),
      read: (id, from, to) => spool.read(id, from, to),
      onArrival: (listener) => spool.onArrival(listener),
      async settle(id, bytes) {
        const at = signedAt(keysNow(), id, bytes);
        await spool.settle(id, bytes, at);
        tries.delete(id);
        delivered++;
      },
      async refuse(id, problem) {
        const { times, refusals } = triedAgain(id, !mayPass(problem));
        const pauseMs = pauseAfter(times);
        try {
          if (mayPass(problem) || refusals < triesOfRefused) return await spool.putBack(id, clock.now() + pauseMs);
          await spool.setAside(id, problem, clock.now());
        } catch (error) {
          log.warn("the spool cannot note what became of a parcel: it is given again", {}, error);
          return giveAgain(id, pauseMs);
        }
        tries.delete(id);
        log.warn("the cloud does not take a parcel: it waits aside until somebody decides", { code: problem.code });
      },
    },
    state: () => ({ ...spool.state(), delivered }),
  };
}
