import { decodeFrame } from "./decode.ts";
import { encodeFrame } from "./encode.ts";
import type { DecodedFrame, DecodeLimits, FrameDescription } from "./frame.ts";
import { defaultDecodeLimits } from "./frame.ts";
import type { CodedFrame } from "./recode.ts";
import { recodeFrame } from "./recode.ts";
import type { LocateWasm } from "./wasm.ts";
import { createWasmCodecs } from "./wasm.ts";

export type { CodecFamily } from "./decode.ts";
export { codecFamily } from "./decode.ts";
export type { DecodedFrame, DecodeLimits, FrameDescription } from "./frame.ts";
export { byPixel, byPlane, defaultDecodeLimits } from "./frame.ts";
export { readJpegHeader } from "./jpeg-header.ts";
export { nativeFrameBytes, packBits } from "./native.ts";
export type { CodedFrame } from "./recode.ts";
export type { LocateWasm } from "./wasm.ts";

/**
 * Decoders and lossless encoders of frames. Pure: runs in Node, a worker and a browser. Compiled codecs are loaded on first
 * use and kept by this object, so one serves a whole thread; calls on it do not run at the same time, being on one thread.
 *
 * Bad input ends in a Problem: `invalid` (damaged, or not as described), `too-large` (over `outputBytesMax`, found before
 * anything is allocated) or `unsupported`. A hostile frame can still keep a compiled decoder busy: run what strangers send in
 * a worker that can be killed.
 */
export interface FrameCodecs {
  /** The samples of one frame; for encapsulated data `bytes` are its fragments put together. */
  decodeFrame(bytes: Uint8Array, image: FrameDescription, limits?: DecodeLimits): Promise<DecodedFrame>;
  /** One frame (little endian, colour by pixel) compressed without loss for `image.transferSyntaxUid`. */
  encodeFrame(pixels: Uint8Array, image: FrameDescription, limits?: DecodeLimits): Promise<Uint8Array>;
  /** One frame as it is stored, compressed without loss for another transfer syntax. */
  recodeFrame(
    bytes: Uint8Array,
    image: FrameDescription,
    transferSyntaxUid: string,
    limits?: DecodeLimits,
  ): Promise<CodedFrame>;
}

export function createFrameCodecs(options: { locateWasm?: LocateWasm } = {}): FrameCodecs {
  const wasm = createWasmCodecs(options.locateWasm);
  return {
    decodeFrame: (bytes, image, limits = defaultDecodeLimits) => decodeFrame(wasm, bytes, image, limits),
    encodeFrame: (pixels, image, limits = defaultDecodeLimits) => encodeFrame(wasm, pixels, image, limits),
    recodeFrame: (bytes, image, to, limits = defaultDecodeLimits) => recodeFrame(wasm, bytes, image, to, limits),
  };
}
