import { isProblem, Problem } from "#base/problem";
import { codecFamily } from "./decode.ts";
import type { DecodeLimits, FrameDescription } from "./frame.ts";
import { checkDescription, sampleBytes, unsupported } from "./frame.ts";
import { encodeJpegLossless } from "./jpeg-lossless-encoder.ts";
import { encodeRle } from "./rle.ts";
import type { WasmCodec, WasmCodecs } from "./wasm.ts";

const rpcl = 2;
const levelsMax = 5;
const losslessSyntaxes = new Set(
  ["5", "4.57", "4.70", "4.80", "4.90", "4.201", "4.202"].map((end) => `1.2.840.10008.1.2.${end}`),
);

function configure(codec: WasmCodec, module: WasmModule, info: WasmFrameInfo): WasmEncoder {
  if (codec === "charls-encoder") {
    const encoder = new module.JpegLSEncoder();
    encoder.setNearLossless(0);
    encoder.setInterleaveMode(info.componentCount > 1 ? 2 : 0);
    return encoder;
  }
  if (codec === "openjpeg-encoder") {
    const encoder = new module.J2KEncoder();
    encoder.setQuality(true, 0);
    // No side may be halved more often than it can be.
    encoder.setDecompositions(Math.min(levelsMax, 31 - Math.clz32(Math.min(info.width, info.height))));
    return encoder;
  }
  const encoder = new module.HTJ2KEncoder();
  encoder.setQuality(true, 0);
  encoder.setProgressionOrder(rpcl);
  // With RPCL and a tile-part length table a client can ask for the first bytes only and show a smaller picture
  // (PS3.5 A.4.8, transfer syntax .202).
  encoder.setTLMMarker(true);
  encoder.setTilePartDivisionsAtResolutions(true);
  return encoder;
}

/** Samples as numbers, a view where their bytes lie so that they can be one. */
function samplesOf(pixels: Uint8Array, image: FrameDescription): Uint8Array | Uint16Array {
  if (sampleBytes(image) === 1) return pixels;
  const aligned = pixels.byteOffset % 2 === 0 ? pixels : Uint8Array.from(pixels);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

/**
 * Precision that the codestream states: the stored bits, where the encoder can take them and no sample has others set, as overlays in
 * unused bits do. Two's complement is taken for its bare bits where the codec knows no sign.
 */
function precisionFor(samples: Uint8Array | Uint16Array, image: FrameDescription, knowsSign: boolean): number {
  if (image.bitsAllocated === 8) return 8;
  const precision = Math.max(9, image.bitsStored);
  const signed = image.pixelRepresentation === 1;
  if (signed && !knowsSign) return 16;
  // Raised by half the range, those that fit are from 0 on. A plain loop over all: a call for each sample takes as long as the encoder.
  const half = signed ? 1 << (precision - 1) : 0;
  let outside = 0;
  for (let i = 0; i < samples.length; i++) outside |= (((samples[i] as number) + half) & 0xffff) >> precision;
  return outside === 0 ? precision : 16;
}

/**
 * Compresses one frame without loss for `image.transferSyntaxUid`: RLE, JPEG Lossless (.57, .70), JPEG-LS (.80), JPEG 2000 (.90), HTJ2K
 * (.201, .202). `pixels` are little endian, colour by pixel, 8 or 16 bits allocated, for RLE up to 32.
 */
export async function encodeFrame(
  wasm: WasmCodecs,
  pixels: Uint8Array,
  image: FrameDescription,
  limits: DecodeLimits,
): Promise<Uint8Array> {
  const bytes = checkDescription(image, limits);
  if (!losslessSyntaxes.has(image.transferSyntaxUid)) {
    throw unsupported(`compressing frames to transfer syntax ${image.transferSyntaxUid}`);
  }
  if (pixels.length !== bytes) throw new Problem("invalid", `a frame of ${pixels.length} bytes instead of ${bytes}`);
  if (image.bitsAllocated === 1) throw unsupported("compressing frames of 1 bit allocated");
  const family = codecFamily(image.transferSyntaxUid);
  if (family === "rle") return encodeRle(pixels, image);
  const colour = image.samplesPerPixel > 1;
  if (sampleBytes(image) > 2) throw unsupported(`compressing frames of ${image.bitsAllocated} bits allocated`);
  if (colour && (image.samplesPerPixel !== 3 || (image.bitsAllocated !== 8 && family !== "jpeg"))) {
    throw unsupported("compressing colour other than three bytes");
  }
  const samples = samplesOf(pixels, image);
  const signed = image.pixelRepresentation === 1 && image.bitsAllocated > 8;
  const knowsSign = family === "jpeg-2000" || family === "htj2k";
  const precision = precisionFor(samples, image, knowsSign);
  const rgb = image.photometricInterpretation === "RGB";
  if (family === "jpeg") {
    const { rows, columns, samplesPerPixel: components } = image;
    return encodeJpegLossless(samples, { rows, columns, components, precision, rgb });
  }
  const info: WasmFrameInfo = {
    width: image.columns,
    height: image.rows,
    bitsPerSample: precision,
    componentCount: image.samplesPerPixel,
    isSigned: knowsSign && signed,
    // The reversible transform is for red, green and blue; YBR_RCT is what it makes of them.
    isUsingColorTransform: colour && (rgb || image.photometricInterpretation === "YBR_RCT"),
  };
  return runEncoder(
    wasm,
    family === "jpeg-ls" ? "charls-encoder" : family === "jpeg-2000" ? "openjpeg-encoder" : "openjph",
    pixels,
    info,
  );
}

async function runEncoder(
  wasm: WasmCodecs,
  codec: WasmCodec,
  pixels: Uint8Array,
  info: WasmFrameInfo,
): Promise<Uint8Array> {
  try {
    return await wasm.use(codec, (module) => {
      const encoder = configure(codec, module, info);
      encoder.getDecodedBuffer(info).set(pixels);
      encoder.encode();
      const out = Uint8Array.from(encoder.getEncodedBuffer());
      encoder.delete();
      return out;
    });
  } catch (error) {
    if (isProblem(error)) throw error;
    throw new Problem("fault", "a frame could not be compressed", { remedy: "keep it uncompressed", cause: error });
  }
}
