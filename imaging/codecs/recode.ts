import { codecFamily, decodeFrame } from "./decode.ts";
import { encodeFrame } from "./encode.ts";
import type { DecodeLimits, FrameDescription } from "./frame.ts";
import { byPixel, sampleBytes } from "./frame.ts";
import type { WasmCodecs } from "./wasm.ts";

/** One compressed frame, and what the attributes that depend on its coding say now (PS3.5 §8.2). Colour is by pixel. */
export interface CodedFrame {
  bytes: Uint8Array;
  photometricInterpretation: string;
}

/**
 * One frame, stored in any way that can be decoded, compressed without loss for `transferSyntaxUid`. JPEG 2000 and HTJ2K mix red, green
 * and blue reversibly, and then say YBR_RCT (PS3.5 §8.2.4); other colour stays as it is.
 */
export async function recodeFrame(
  wasm: WasmCodecs,
  bytes: Uint8Array,
  image: FrameDescription,
  transferSyntaxUid: string,
  limits: DecodeLimits,
): Promise<CodedFrame> {
  const decoded = await decodeFrame(wasm, bytes, image, limits);
  const { pixels, samplesPerPixel, planarConfiguration, photometricInterpretation } = decoded;
  // One bit a pixel stays that in what is asked of the encoder, which refuses it.
  const bitsAllocated = image.bitsAllocated === 1 ? 1 : decoded.bitsAllocated;
  const straight = planarConfiguration === 0 ? pixels : byPixel(pixels, samplesPerPixel, sampleBytes(decoded));
  const description = { ...decoded, bitsAllocated, transferSyntaxUid };
  const coded = await encodeFrame(wasm, straight, description, limits);
  const family = codecFamily(transferSyntaxUid);
  const isMixed = photometricInterpretation === "RGB" && (family === "jpeg-2000" || family === "htj2k");
  return { bytes: coded, photometricInterpretation: isMixed ? "YBR_RCT" : photometricInterpretation };
}
