import { createHash, type KeyObject } from "node:crypto";
import { type CutTable, createMender } from "#formats/dicom";
import { frameNonce } from "./format.ts";
import { openMessage } from "./primitives.ts";

/** Bytes that take the place of others: all of them in a row, in the order of their places. */
export interface Patches extends CutTable {
  readonly bytes: Uint8Array;
}

/** All segments of a short object, whose framing is proven: nothing but work for a processor. */
export interface WholeTask {
  /** Ciphertext and tag of each segment; all lie in one ArrayBuffer, which is taken and comes back with the answer. */
  readonly segments: readonly Uint8Array[];
  readonly key: KeyObject;
  readonly context: Uint8Array;
  readonly patches: Patches;
  /** The hash covers the patched object from this byte on. */
  readonly hashFrom: number;
}

/** The patched object in pieces with the SHA-256 of it; or the first segment that did not prove. */
export type WholeAnswer =
  | { readonly pieces: readonly Buffer[]; readonly sha256: string }
  | { readonly damagedSegment: number };

export interface WholeDone {
  readonly answer: WholeAnswer;
  /** What the segments lay in. */
  readonly sealed: ArrayBuffer;
}

/** Where whole objects are opened, so that the thread that answers callers is free for the next. */
export interface WholeOpener {
  /** Undefined when it cannot take one now, and nothing was taken: the caller opens it by itself, piece by piece. */
  open(task: WholeTask): Promise<WholeDone> | undefined;
  /** What waits is answered; what is asked later is not taken. */
  close(): Promise<void>;
}

/** What a thread of a `WholeOpener` does. */
export function openWholeTask({ segments, key, context, patches, hashFrom }: WholeTask): WholeAnswer {
  const hash = createHash("sha256");
  const pieces: Buffer[] = [];
  const mender = createMender(patches);
  let at = 0;
  for (const [index, sealed] of segments.entries()) {
    const piece = openMessage(key, frameNonce("data", index), context, sealed);
    if (piece === undefined) return { damagedSegment: index };
    const { offset, length } = mender.cutsIn(at, piece.length);
    mender.mend(at, piece, patches.bytes.subarray(offset, offset + length));
    const skipped = Math.max(0, hashFrom - at);
    if (skipped < piece.length) hash.update(skipped === 0 ? piece : piece.subarray(skipped));
    at += piece.length;
    pieces.push(piece);
  }
  return { pieces, sha256: hash.digest("hex") };
}
