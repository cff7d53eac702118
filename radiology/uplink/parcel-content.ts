import { Problem } from "#base/problem";
import type { Packing } from "#radiology/images";

/** What stands in the head of a parcel: what comes, and how it is packed. */
export type ParcelHead = InstanceHead | MessageHead;

/** An instance as a machine sent it: a data set without file meta information. */
export interface InstanceHead {
  readonly kind: "instance";
  readonly packing: Packing;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly sourceAe: string;
  /** Of the data set; 0 where it was not known when the parcel was begun: then up to what instances may have. */
  readonly sizeBytes: number;
}

/** Something that has its place in a row: what was said before it has been done. */
export interface MessageHead {
  readonly kind: "hl7" | "step";
  /** For who understands that kind. */
  readonly about: Readonly<Record<string, string>>;
}

/** What stands at the end of a parcel, with the edge's signature over it (`Provenance`). */
export interface ParcelTail {
  /** Of what was received, in hexadecimal digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly receivedAt: number;
  /** The id of the edge that signed, which may have another one by now; absent: it is the one that sends. */
  readonly edge?: string;
  readonly signature: string;
}

export const instanceBytesMax = 2 ** 32;
const packings: ReadonlySet<string> = new Set<Packing>(["plain", "zstd", "htj2k", "jpeg-ls"]);
const uid = /^[0-9.]{1,64}$/;

export function encodePart(part: ParcelHead | ParcelTail): Buffer {
  return Buffer.from(JSON.stringify(part), "utf8");
}

/** Problem `unsupported` for what a newer edge may have written, `invalid` for what breaks the rules. */
export function readHead(bytes: Buffer): ParcelHead {
  const head = parsed(bytes) as Partial<InstanceHead> & Partial<MessageHead>;
  if (head.kind === "instance") {
    const isOne =
      packings.has(String(head.packing)) &&
      [head.sopClassUid, head.sopInstanceUid, head.transferSyntaxUid].every((each) => uid.test(String(each))) &&
      isText(head.sourceAe, 16) &&
      isCount(head.sizeBytes, instanceBytesMax);
    if (isOne) return head as InstanceHead;
    throw broken();
  }
  if (head.kind !== "hl7" && head.kind !== "step") {
    throw new Problem("unsupported", "a parcel of a kind that is not known here", { remedy: "update the cloud" });
  }
  const { about } = head;
  if (typeof about !== "object" || about === null) throw broken();
  if (!Object.values(about).every((each) => isText(each, 256))) throw broken();
  return { kind: head.kind, about };
}

export function readTail(bytes: Buffer): ParcelTail {
  const tail = parsed(bytes) as Partial<ParcelTail>;
  const isOne =
    /^[0-9a-f]{64}$/.test(String(tail.sha256)) &&
    isCount(tail.sizeBytes, instanceBytesMax) &&
    isCount(tail.receivedAt, Number.MAX_SAFE_INTEGER) &&
    (tail.edge === undefined || /^[0-9a-f]{32}$/.test(String(tail.edge))) &&
    isText(tail.signature, 256);
  if (isOne) return tail as ParcelTail;
  throw broken();
}

function parsed(bytes: Buffer): object {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Not JSON: the same as JSON that is no object.
  }
  throw broken();
}

const isText = (value: unknown, most: number): value is string => typeof value === "string" && value.length <= most;
const isCount = (value: unknown, most: number) =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;

function broken(): Problem {
  return new Problem("invalid", "a parcel does not say rightly what is in it", {
    remedy: "see that the edge and the cloud run versions that fit each other",
  });
}
