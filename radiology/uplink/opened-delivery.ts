import { createHash } from "node:crypto";
import { Problem } from "#base/problem";
import type { Archive, Receiving } from "#radiology/archive";
import type { Unpacker } from "#radiology/images";
import { actorOf } from "#trust/access";
import { openParcel, parcelIdOf, provesProvenance } from "#trust/parcels";
import type { TakenInstance } from "./known-parcels.ts";
import {
  type InstanceHead,
  instanceBytesMax,
  type MessageHead,
  type ParcelTail,
  readHead,
  readTail,
} from "./parcel-content.ts";
import type { ParcelOffice, SendingEdge } from "./parcel-office.ts";

/** Where what is in a parcel goes. */
export interface OpeningParts {
  readonly office: ParcelOffice;
  readonly archive: Pick<Archive, "receiveDataSet">;
  readonly unpacker: Unpacker;
  /** Does what a message says. What it throws is told to the edge: passing problems are tried again, others set the message aside. */
  readonly perform: (edge: SendingEdge, head: MessageHead, content: Buffer) => Promise<void>;
}

/** Where the content of a parcel goes while it is opened. */
interface Sink {
  write(content: Buffer): Promise<void>;
  /** All has come. What it then is, to be held against what the edge signed. */
  end(): Promise<{
    readonly kind: string;
    readonly transferSyntaxUid: string;
    readonly sha256: string;
    readonly sizeBytes: number;
  }>;
  /** It proved: stores it, and says what was stored; or has it done. */
  keep(signed: Signed): Promise<TakenInstance | undefined>;
  abort(): Promise<void>;
}

/** What an edge vouches for, and the key by which it proved. */
interface Signed extends ParcelTail {
  readonly edge: string;
  readonly key: string;
}

const messageBytesMax = 4 * 1024 * 1024;

/**
 * Opens one parcel. Only what proves is kept: the hash of what was unpacked, the edge's signature over it, and the id, which follows from it.
 * The instance that was stored, undefined for a message. Problem `damaged` otherwise, and what the archive or the message's own door says.
 */
export async function openDelivery(
  parts: OpeningParts,
  edge: SendingEdge,
  id: string,
  sealed: AsyncIterable<Uint8Array>,
): Promise<TakenInstance | undefined> {
  const { office } = parts;
  let sink: Sink | undefined;
  const opener = openParcel(office.keyOf, {
    head(bytes) {
      const head = readHead(bytes);
      sink = head.kind === "instance" ? instanceSink(parts, edge, head) : messageSink(parts, edge, head);
    },
    content: (bytes) => (sink as Sink).write(bytes),
  });
  try {
    for await (const piece of sealed) await opener.write(piece);
    const tail = readTail(await opener.end());
    if (sink === undefined) throw notProven();
    const { kind, transferSyntaxUid, sha256, sizeBytes } = await sink.end();
    if (sha256 !== tail.sha256 || sizeBytes !== tail.sizeBytes) throw notProven();
    // A box that was enrolled anew has another id than when it signed; the keys of the former one stay known.
    const { receivedAt, signature, edge: signer = edge.id } = tail;
    const provenance = { edge: signer, kind, sha256, transferSyntaxUid, receivedAt };
    const keys = await office.signingKeysOf(signer);
    const key = keys.find((each) => provesProvenance(each, provenance, signature));
    if (key === undefined) throw notProven();
    if (kind === "instance" && id !== parcelIdOf(Buffer.from(office.samenessKey, "base64url"), kind, sha256))
      throw notProven();
    return await sink.keep({ ...tail, edge: signer, key });
  } catch (error) {
    await sink?.abort();
    throw error;
  }
}

function instanceSink({ archive, unpacker }: OpeningParts, edge: SendingEdge, head: InstanceHead): Sink {
  const { sopClassUid, sopInstanceUid, transferSyntaxUid, sourceAe, packing } = head;
  const hash = createHash("sha256");
  let sizeBytes = 0;
  let signed: Signed | undefined;
  const header = {
    ...{ sopClassUid, sopInstanceUid, transferSyntaxUid, facility: edge.facility },
    ...(sourceAe !== "" && { sourceAe }),
    provenance: () =>
      signed && { edge: signed.edge, key: signed.key, receivedAt: signed.receivedAt, signature: signed.signature },
  };
  const receiving: Receiving = archive.receiveDataSet(actorOf("edge", edge.id), header);
  const unpacking = unpacker.unpacking(packing, head.sizeBytes || instanceBytesMax, (bytes) => {
    hash.update(bytes);
    sizeBytes += bytes.length;
    return receiving.write(bytes);
  });
  return {
    write: (content) => unpacking.write(content),
    async end() {
      await unpacking.end();
      return { kind: head.kind, transferSyntaxUid, sha256: hash.digest("hex"), sizeBytes };
    },
    async keep(proven) {
      signed = proven;
      return { sopUid: (await receiving.finish()).sopUid, sha256: proven.sha256 };
    },
    async abort() {
      await unpacking.abort();
      await receiving.abort();
    },
  };
}

function messageSink({ perform }: OpeningParts, edge: SendingEdge, head: MessageHead): Sink {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  return {
    async write(content) {
      sizeBytes += content.length;
      if (sizeBytes > messageBytesMax)
        throw new Problem("too-large", `a message of more than ${messageBytesMax >> 20} MiB`);
      pieces.push(Buffer.from(content));
    },
    async end() {
      const sha256 = createHash("sha256").update(Buffer.concat(pieces)).digest("hex");
      return { kind: head.kind, transferSyntaxUid: "", sha256, sizeBytes };
    },
    async keep() {
      await perform(edge, head, Buffer.concat(pieces));
      return undefined;
    },
    abort: async () => {},
  };
}

function notProven(): Problem {
  const remedy = "look at the edge: what it sends is not what it signed";
  return new Problem("damaged", "a parcel does not hold what its edge vouches for", { remedy });
}
