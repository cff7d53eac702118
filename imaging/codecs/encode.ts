import { isProblem, Problem } from "#base/problem";
import { codecFamily } from "./decode.ts";
import type { DecodeLimits, FrameDescription } from "./frame.ts";
import { checkDescription, sampleBytes, unsupported } from "./frame.ts";
import { encodeRle } from "./rle.ts";
import type { WasmCodec, WasmCodecs } from "./wasm.ts";

const rpcl = 2;
const losslessSyntaxes = new Set(["5", "4.80", "4.90", "4.201", "4.202"].map((end) => `1.2.840.10008.1.2.${end}`));

function configure(codec: WasmCodec, module: WasmModule, colour: boolean): WasmEncoder {
  if (codec === "charls-encoder") {
    const encoder = new module.JpegLSEncoder();
    encoder.setNearLossless(0);
    encoder.setInterleaveMode(colour ? 2 : 0);
    return encoder;
  }
  if (codec === "openjpeg-encoder") {
    const encoder = new module.J2KEncoder();
    encoder.setQuality(true, 0);
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

/** Precision that the codestream states: the stored bits, where the encoder can take them. */
function precisionFor(image: FrameDescription): number {
  if (image.bitsAllocated === 8) return 8;
  return image.pixelRepresentation === 1 ? 16 : Math.max(9, image.bitsStored);
}

/**
 * Compresses one frame without loss for `image.transferSyntaxUid`: RLE, JPEG-LS (.80), JPEG 2000 (.90), HTJ2K (.201, .202).
 * `pixels` are little endian, colour by pixel, 8 or 16 bits allocated.
 */
export async function encodeFrame(
  wasm: WasmCodecs,
  pixels: Uint8Array,
  image: FrameDescription,
  limits: DecodeLimits,
): Promise<Uint8Array> {
  const bytes = checkDescription(image, limits);
  if (pixels.length !== bytes) throw new Problem("invalid", `a frame of ${pixels.length} bytes instead of ${bytes}`);
  if (!losslessSyntaxes.has(image.transferSyntaxUid)) {
    throw unsupported(`compressing frames to transfer syntax ${image.transferSyntaxUid}`);
  }
  const family = codecFamily(image.transferSyntaxUid);
  if (family === "rle") return encodeRle(pixels, image);
  const colour = image.samplesPerPixel > 1;
  if (sampleBytes(image) > 2 || image.bitsAllocated === 1)
    throw unsupported(`frames of ${image.bitsAllocated} bits allocated`);
  if (colour && (image.samplesPerPixel !== 3 || image.bitsAllocated !== 8))
    throw unsupported("colour other than three bytes");
  const codec: WasmCodec =
    family === "jpeg-ls" ? "charls-encoder" : family === "jpeg-2000" ? "openjpeg-encoder" : "openjph";
  try {
    return await wasm.use(codec, (module) => {
      const encoder = configure(codec, module, colour);
      const info: WasmFrameInfo = {
        width: image.columns,
        height: image.rows,
        bitsPerSample: precisionFor(image),
        componentCount: image.samplesPerPixel,
        isSigned: family !== "jpeg-ls" && image.pixelRepresentation === 1 && image.bitsAllocated > 8,
        isUsingColorTransform: colour,
      };
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
