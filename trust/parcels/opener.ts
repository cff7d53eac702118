import type { KeyObject } from "node:crypto";
import { Problem } from "#base/problem";
import { aead, keyOf, openMessage } from "#trust/vault";
import {
  bindingOf,
  contentBytesMost,
  decodeFrameHead,
  type FrameHead,
  frameHeadBytes,
  frameNonce,
  headerBytes,
  keyIdIn,
  prefixBytes,
} from "./format.ts";
import { decapsulate } from "./hpke.ts";
import type { ParcelKeyPair } from "./keys.ts";

const nothing = Buffer.alloc(0);

export interface ParcelOpener {
  /** The next sealed bytes, each call after the one before has resolved. They are not kept beyond it. */
  write(sealed: Uint8Array): Promise<void>;
  /** The tail. Problem `damaged` when the parcel was cut short, lengthened, put in another order or changed. */
  end(): Promise<Buffer>;
}

/** Where what was proven goes, in the order in which it was sealed. The next is opened when it has resolved. */
export interface ParcelContents {
  head(head: Buffer): void | Promise<void>;
  content(bytes: Buffer): void | Promise<void>;
}

const damaged = () => new Problem("damaged", "this parcel was cut short or changed on its way");

/**
 * Opens a parcel while its bytes come. Nothing is given on that was not proven; but that the parcel is whole is known only when `end` gives the tail.
 * `keyOf` says the private key of an id; where it has none, writing fails with Problem `absent`.
 */
export function openParcel(keyOf: (id: string) => ParcelKeyPair | undefined, into: ParcelContents): ParcelOpener {
  const frames = framesOpener(into);
  const header = gatherer(headerBytes);
  // The first fault is every later answer too.
  let failed: unknown;
  let isOpen = false;

  const take = async (sealed: Uint8Array) => {
    let at = 0;
    if (!isOpen) {
      at = header.add(sealed);
      const whole = header.whole();
      if (whole === undefined) return;
      frames.begin(await secretIn(whole, keyOf));
      isOpen = true;
    }
    await frames.take(Buffer.from(sealed.buffer, sealed.byteOffset + at, sealed.length - at));
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (failed !== undefined) throw failed;
    try {
      return await work();
    } catch (error) {
      failed = error;
      throw error;
    }
  };
  return {
    write: (sealed) => guarded(() => take(sealed)),
    end: () => guarded(async () => frames.end()),
  };
}

async function secretIn(header: Buffer, keyOfId: (id: string) => ParcelKeyPair | undefined): Promise<KeyObject> {
  const pair = keyOfId(keyIdIn(header));
  if (pair === undefined)
    throw new Problem("absent", "the key that this parcel was sealed to is not here", {
      remedy: "enrol the edge again, so that it seals to this cloud's key",
    });
  const binding = bindingOf(header.subarray(0, prefixBytes));
  const privateKey = Buffer.from(pair.privateKey, "base64url");
  try {
    return keyOf(await decapsulate(privateKey, header.subarray(prefixBytes), binding));
  } catch (cause) {
    throw new Problem("damaged", "this parcel was changed on its way", { cause });
  } finally {
    privateKey.fill(0);
  }
}

/** Gathers a first few bytes from pieces. */
function gatherer(bytes: number) {
  const gathered = Buffer.alloc(bytes);
  let filled = 0;
  return {
    /** How many of `piece` were taken. */
    add(piece: Uint8Array): number {
      const taken = Math.min(bytes - filled, piece.length);
      gathered.set(piece.subarray(0, taken), filled);
      filled += taken;
      return taken;
    },
    whole: () => (filled === bytes ? gathered : undefined),
  };
}

function framesOpener(into: ParcelContents) {
  // Of a frame that has not come whole. Those that come whole in one piece are opened where they lie.
  const waiting = Buffer.alloc(frameHeadBytes + contentBytesMost + aead.tagBytes);
  let filled = 0;
  let key: KeyObject | undefined;
  let index = 0;
  let contentEnded = false;
  let tail: Buffer | undefined;

  /** What the frame that begins here is. A sealer writes one head, frames of content that are full but for the last, one tail. */
  const frameAt = (bytes: Buffer): FrameHead => {
    const frame = decodeFrameHead(bytes);
    if (frame === undefined || tail !== undefined) throw damaged();
    if ((frame.kind === "head") !== (index === 0) || (frame.kind === "content" && contentEnded)) throw damaged();
    return frame;
  };
  const open = async ({ kind, length }: FrameHead, sealed: Uint8Array) => {
    const bytes = key && openMessage(key, frameNonce(kind, index), nothing, sealed);
    if (bytes === undefined) throw damaged();
    index++;
    contentEnded = kind === "content" && length < contentBytesMost;
    if (kind === "head") await into.head(bytes);
    else if (kind === "content") await into.content(bytes);
    else tail = bytes;
  };
  const bytesOf = ({ length }: FrameHead) => frameHeadBytes + length + aead.tagBytes;
  /** Adds to what waits; gives what of `bytes` was not taken. */
  const gather = async (bytes: Buffer): Promise<Buffer> => {
    const take = (upTo: number) => {
      const taken = Math.min(upTo - filled, bytes.length);
      waiting.set(bytes.subarray(0, taken), filled);
      filled += taken;
      return bytes.subarray(taken);
    };
    if (filled < frameHeadBytes) return take(frameHeadBytes);
    const frame = frameAt(waiting);
    const rest = take(bytesOf(frame));
    if (filled === bytesOf(frame)) {
      filled = 0;
      await open(frame, waiting.subarray(frameHeadBytes, bytesOf(frame)));
    }
    return rest;
  };
  return {
    begin(secret: KeyObject) {
      key = secret;
    },
    async take(bytes: Buffer) {
      for (let rest = bytes; rest.length > 0; ) {
        const frame = filled === 0 && rest.length >= frameHeadBytes ? frameAt(rest) : undefined;
        if (frame === undefined || rest.length < bytesOf(frame)) {
          rest = await gather(rest);
          continue;
        }
        await open(frame, rest.subarray(frameHeadBytes, bytesOf(frame)));
        rest = rest.subarray(bytesOf(frame));
      }
    },
    end(): Buffer {
      if (tail === undefined || filled > 0) throw damaged();
      return tail;
    },
  };
}
