import type { KeyObject } from "node:crypto";
import { Problem } from "#base/problem";
import {
  encodeFooter,
  encodeFrameHead,
  encodeHeader,
  type FrameHead,
  footerProven,
  frameNonce,
  headBytes,
  headerBytes,
  type ObjectIdentity,
  recordBytesMax,
  segmentBytes,
  tagBytes,
} from "./format.ts";
import { aead, hkdf, type Key, keyOf, type SegmentCipher, sealMessage, segmentCipher } from "./primitives.ts";

/** The key of one object and what binds its frames to it. */
export interface ObjectKey {
  readonly key: KeyObject;
  readonly commitment: Buffer;
  /** Additional data of every frame. */
  readonly context: Buffer;
}

/**
 * HKDF over the study's key with the object's nonce as salt. The second half commits to the key: GCM alone would let somebody
 * who knows two keys make one object that opens under both.
 */
export function objectKey(studyKey: Key, nonce: Uint8Array, context: Buffer): ObjectKey {
  const both = hkdf(studyKey, nonce, context, 2 * aead.keyBytes);
  const commitment = Buffer.from(both.subarray(aead.keyBytes));
  return { key: keyOf(both.subarray(0, aead.keyBytes)), commitment, context };
}

/** Turns the bytes of one object into its frames. No I/O: what it returns is to be written in a row behind the header. */
export interface Sealer {
  readonly identity: ObjectIdentity;
  header(provenTo: number): Buffer;
  /** Uses up `bytes`; whole frames are handed to `emit`. */
  update(bytes: Uint8Array): void;
  /** The rest of the data, the record and the footer. */
  end(record: Uint8Array): { readonly bodyBytes: number; readonly sizeBytes: number };
}

/**
 * Pieces are gathered to this before they are encrypted: a copy of 64 KiB costs less than four calls into the cipher with a
 * buffer each (0.36 against 0.22 ms for 526 KiB in PDUs of 16 KiB).
 */
const gatherBytes = 64 * 1024;

export function createSealer(identity: ObjectIdentity, key: ObjectKey, emit: (part: Buffer) => void): Sealer {
  const id = Buffer.from(identity.id, "hex");
  let cipher: SegmentCipher | undefined;
  let parts: Buffer[] = [];
  let filled = 0;
  let index = 0;
  let sizeBytes = 0;
  let gathered: Buffer | undefined;
  let gatheredBytes = 0;
  let bodyBytes = headerBytes;

  const frame = (kind: FrameHead["kind"], sealed: readonly Buffer[], plainBytes: number) => {
    const sealedBytes = plainBytes + tagBytes;
    emit(encodeFrameHead({ kind, sealedBytes, index }, id));
    for (const part of sealed) emit(part);
    bodyBytes += headBytes + sealedBytes;
  };
  const closeSegment = () => {
    if (cipher === undefined) return;
    parts.push(cipher.tag());
    frame("data", parts, filled);
    cipher = undefined;
    parts = [];
    filled = 0;
    index++;
  };
  const encrypt = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      cipher ??= segmentCipher(key.key, frameNonce("data", index), key.context);
      const take = Math.min(segmentBytes - filled, bytes.length - at);
      parts.push(cipher.update(bytes.subarray(at, at + take)));
      at += take;
      filled += take;
      if (filled === segmentBytes) closeSegment();
    }
  };
  const flushGathered = () => {
    if (gathered !== undefined && gatheredBytes > 0) encrypt(gathered.subarray(0, gatheredBytes));
    gatheredBytes = 0;
  };

  return {
    identity,
    header: (provenTo) => encodeHeader({ ...identity, provenTo }),
    update(bytes) {
      sizeBytes += bytes.length;
      if (bytes.length < gatherBytes) {
        gathered ??= Buffer.alloc(gatherBytes);
        if (gatheredBytes + bytes.length > gatherBytes) flushGathered();
        gathered.set(bytes, gatheredBytes);
        gatheredBytes += bytes.length;
        return;
      }
      flushGathered();
      encrypt(bytes);
    },
    end(record) {
      if (record.length > recordBytesMax) throw new Problem("too-large", "the record of an object has at most 1 MiB");
      flushGathered();
      closeSegment();
      const sealed = sealMessage(key.key, frameNonce("record", index), key.context, record);
      frame("record", sealed, record.length);
      const proven = footerProven({ ...identity, bodyBytes, sizeBytes, recordBytes: record.length });
      const [, tag] = sealMessage(key.key, frameNonce("footer", index), footerContext(key, proven), Buffer.alloc(0));
      emit(encodeFooter(proven, tag));
      return { bodyBytes, sizeBytes };
    },
  };
}

export function footerContext(key: ObjectKey, proven: Buffer): Buffer {
  return Buffer.concat([key.context, proven]);
}
