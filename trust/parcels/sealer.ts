import { createHash, type KeyObject } from "node:crypto";
import { Problem } from "#base/problem";
import { keyOf, sealMessage } from "#trust/vault";
import {
  bindingOf,
  contentBytesMost,
  encodeFrameHead,
  encodePrefix,
  endBytesMost,
  type FrameKind,
  frameNonce,
} from "./format.ts";
import { encapsulate } from "./hpke.ts";
import { type ParcelPublicKey, publicKeyBytes } from "./keys.ts";

const nothing = Buffer.alloc(0);

export interface ParcelSealer {
  /** Uses up `content`; whole frames are handed to `emit`. */
  update(content: Uint8Array): void;
  /** Ends the parcel. `tail` is what is known only now, at most 16 KiB. */
  end(tail: Uint8Array): { readonly length: number /** Of all sealed bytes. */; readonly sha256: Buffer };
}

/**
 * Starts a parcel that only the owner of the private key can open: not this process again either, once `end` was called. Content is
 * sealed as it comes; what is emitted is to be written in a row. `head` is at most 16 KiB.
 */
export async function sealParcel(
  to: ParcelPublicKey,
  head: Uint8Array,
  emit: (part: Buffer) => void,
): Promise<ParcelSealer> {
  checkEnd(head);
  const prefix = encodePrefix(to.id);
  const { enc, secret } = await encapsulated(publicKeyBytes(to), prefix);
  const sealer = framesSealer(keyOf(secret), emit);
  sealer.plain(prefix);
  sealer.plain(enc);
  sealer.frame("head", head);
  return { update: sealer.update, end: sealer.end };
}

async function encapsulated(publicKey: Buffer, prefix: Buffer) {
  try {
    return await encapsulate(publicKey, bindingOf(prefix));
  } catch (cause) {
    throw new Problem("invalid", "the key to seal parcels to is none", { cause });
  }
}

function checkEnd(bytes: Uint8Array): void {
  if (bytes.length > endBytesMost) throw new Problem("too-large", "head and tail of a parcel have at most 16 KiB each");
}

function framesSealer(once: KeyObject, emit: (part: Buffer) => void) {
  const hash = createHash("sha256");
  // Content that is shorter than a frame waits here: a copy of 64 KiB costs less than calls into the cipher for each PDU.
  const gathered = Buffer.alloc(contentBytesMost);
  // Gone with the end: from then on this process can open the parcel no more than any other.
  let key: KeyObject | undefined = once;
  let filled = 0;
  let index = 0;
  let length = 0;

  const plain = (part: Buffer) => {
    hash.update(part);
    length += part.length;
    emit(part);
  };
  const frame = (kind: FrameKind, bytes: Uint8Array) => {
    if (key === undefined) throw new Problem("conflict", "this parcel was ended");
    plain(encodeFrameHead({ kind, length: bytes.length }));
    for (const part of sealMessage(key, frameNonce(kind, index++), nothing, bytes)) plain(part);
  };
  const flush = () => {
    if (filled > 0) frame("content", gathered.subarray(0, filled));
    filled = 0;
  };
  return {
    plain,
    frame,
    update(content: Uint8Array) {
      for (let at = 0; at < content.length; ) {
        const take = Math.min(contentBytesMost - filled, content.length - at);
        const piece = content.subarray(at, at + take);
        at += take;
        if (take === contentBytesMost) {
          frame("content", piece);
          continue;
        }
        gathered.set(piece, filled);
        filled += take;
        if (filled === contentBytesMost) flush();
      }
    },
    end(tail: Uint8Array) {
      checkEnd(tail);
      flush();
      gathered.fill(0);
      frame("tail", tail);
      key = undefined;
      return { length, sha256: hash.digest() };
    },
  };
}
