import { isProblem } from "#base/problem";
import { inflateFrame } from "./deflate.ts";
import type { DecodedFrame, DecodeLimits, FrameDescription } from "./frame.ts";
import {
  checkDescription,
  defaultDecodeLimits,
  fitSamples,
  frameOf,
  invalid,
  samplesByPixel,
  unsupported,
} from "./frame.ts";
import { decodeJpegDct } from "./jpeg-dct.ts";
import type { JpegHeader } from "./jpeg-header.ts";
import { readJpegHeader } from "./jpeg-header.ts";
import { decodeJpegLossless } from "./jpeg-lossless.ts";
import { bareCodestream, readJpeg2000Header } from "./jpeg2000-header.ts";
import { decodeNative, nativeFrameBytes } from "./native.ts";
import { decodeRle } from "./rle.ts";
import type { WasmCodecs } from "./wasm.ts";

export type CodecFamily =
  | "native"
  | "native-big-endian"
  | "deflated"
  | "rle"
  | "jpeg"
  | "jpeg-ls"
  | "jpeg-2000"
  | "htj2k";

const families = new Map<string, CodecFamily>([
  ["1.2.840.10008.1.2", "native"],
  ["1.2.840.10008.1.2.1", "native"],
  ["1.2.840.10008.1.2.1.98", "native"],
  ["1.2.840.10008.1.2.1.99", "native"],
  ["1.2.840.10008.1.2.2", "native-big-endian"],
  ["1.2.840.10008.1.2.5", "rle"],
  ["1.2.840.10008.1.2.8.1", "deflated"],
  ...["50", "51", "53", "55", "57", "70"].map((end): [string, CodecFamily] => [`1.2.840.10008.1.2.4.${end}`, "jpeg"]),
  ...["80", "81"].map((end): [string, CodecFamily] => [`1.2.840.10008.1.2.4.${end}`, "jpeg-ls"]),
  ...["90", "91"].map((end): [string, CodecFamily] => [`1.2.840.10008.1.2.4.${end}`, "jpeg-2000"]),
  ...["201", "202", "203"].map((end): [string, CodecFamily] => [`1.2.840.10008.1.2.4.${end}`, "htj2k"]),
]);

/** Which codec a transfer syntax needs; undefined when its frames cannot be decoded here (video, JPIP, JPEG XL). */
export const codecFamily = (transferSyntaxUid: string): CodecFamily | undefined => families.get(transferSyntaxUid);

function checkShape(image: FrameDescription, made: { rows: number; columns: number; components: number }): void {
  if (made.rows !== image.rows || made.columns !== image.columns || made.components !== image.samplesPerPixel) {
    throw invalid(
      `the frame holds ${made.columns} by ${made.rows} pixels of ${made.components} samples, its header says ` +
        `${image.columns} by ${image.rows} of ${image.samplesPerPixel}`,
    );
  }
}

/** Samples as numbers from the bytes of a compiled decoder, which owns and frees its memory: always a copy. */
function samplesOf(bytes: Uint8Array | Uint8ClampedArray, bits: number): Uint8Array | Uint16Array {
  const copy = Uint8Array.from(bytes);
  return bits <= 8 ? copy : new Uint16Array(copy.buffer, 0, copy.length >> 1);
}

/** Runs one compiled decoder over `bytes`. Its own errors become `invalid`; what it prints is dropped. */
async function runDecoder(
  wasm: WasmCodecs,
  codec: "libjpeg-turbo" | "charls" | "openjpeg" | "openjph",
  bytes: Uint8Array,
): Promise<{ info: WasmFrameInfo; interleave: number; samples: Uint8Array | Uint16Array }> {
  try {
    return await wasm.use(codec, (module) => {
      const decoder =
        codec === "libjpeg-turbo"
          ? new module.JPEGDecoder()
          : codec === "charls"
            ? new module.JpegLSDecoder()
            : codec === "openjpeg"
              ? new module.J2KDecoder()
              : new module.HTJ2KDecoder();
      decoder.getEncodedBuffer(bytes.length).set(bytes);
      decoder.decode();
      const info = { ...decoder.getFrameInfo() };
      const mode = codec === "charls" ? decoder.getInterleaveMode() : 2;
      const interleave =
        typeof mode === "object" && mode !== null ? Number((mode as { value?: unknown }).value) : Number(mode);
      const samples = samplesOf(decoder.getDecodedBuffer(), info.bitsPerSample);
      decoder.delete();
      return { info, interleave, samples };
    });
  } catch (error) {
    throw isProblem(error) ? error : invalid("a compressed frame that its decoder refuses", error);
  }
}

const startsYbr = (photometric: string) => photometric.startsWith("YBR");

/**
 * Whether three coded components are YCbCr. An Adobe marker decides; then a JFIF marker, which knows no other colour; else
 * the data set, since its Photometric Interpretation describes the coded components (PS3.5 §8.2.1).
 */
function isYcc(header: JpegHeader, photometricInterpretation: string): boolean {
  if (header.components.length !== 3) return false;
  if (header.adobeTransform !== undefined) return header.adobeTransform !== 0;
  if (header.jfif) return true;
  if (header.components.map((each) => String.fromCharCode(each.id)).join("") === "RGB") return false;
  return startsYbr(photometricInterpretation);
}

/** The frame with one Adobe marker in place of its application segments: libjpeg then takes its colour from that. */
function withColour(bytes: Uint8Array, header: JpegHeader, transform: 0 | 1): Uint8Array {
  const adobe = Uint8Array.of(0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform);
  const kept: Uint8Array[] = [bytes.subarray(0, 2), adobe];
  let at = 2;
  for (const [from, to] of header.applications) {
    kept.push(bytes.subarray(at, from));
    at = to;
  }
  kept.push(bytes.subarray(at));
  const out = new Uint8Array(kept.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of kept) {
    out.set(part, to);
    to += part.length;
  }
  return out;
}

async function decodeJpeg(wasm: WasmCodecs, bytes: Uint8Array, image: FrameDescription): Promise<DecodedFrame> {
  const header = readJpegHeader(bytes);
  checkShape(image, { ...header, components: header.components.length });
  const colour = header.components.length === 3;
  const done = (samples: Uint8Array | Uint16Array, photometric: string, bits: number) =>
    frameOf(image, fitSamples(image, samples, { bits, signed: false }), {
      photometricInterpretation: colour ? photometric : image.photometricInterpretation,
      planarConfiguration: 0,
    });
  const full = startsYbr(image.photometricInterpretation) ? "YBR_FULL" : image.photometricInterpretation;
  if (header.process === 0xc3) return done(decodeJpegLossless(bytes, header), full, header.precision);
  if (header.process > 0xc2) throw unsupported("a JPEG frame that is arithmetic or hierarchical");
  const ycc = isYcc(header, image.photometricInterpretation);
  if (header.precision === 8 && header.components.length !== 2 && header.components.length !== 4) {
    try {
      const { samples } = await runDecoder(
        wasm,
        "libjpeg-turbo",
        colour ? withColour(bytes, header, ycc ? 1 : 0) : bytes,
      );
      return done(samples, "RGB", 8);
    } catch {
      // libjpeg-turbo also refuses frames that only its warnings are about (stray bytes between segments). The decoder
      // below is slower, passes over those, and gives the reason when the frame is really damaged.
    }
  }
  const samples = decodeJpegDct(bytes, header);
  return done(samples, ycc ? "YBR_FULL" : "RGB", header.precision);
}

async function decodeJpegLs(wasm: WasmCodecs, bytes: Uint8Array, image: FrameDescription): Promise<DecodedFrame> {
  const header = readJpegHeader(bytes);
  if (header.process !== 0xf7) throw invalid("a frame that is JPEG and not JPEG-LS");
  checkShape(image, { ...header, components: header.components.length });
  // CharLS looks for the end marker beyond a frame that has none, for seconds; with one behind every frame it says at once
  // that the frame was cut.
  const ended = new Uint8Array(bytes.length + 2);
  ended.set(bytes);
  ended.set([0xff, 0xd9], bytes.length);
  const { samples, info, interleave: mode } = await runDecoder(wasm, "charls", ended);
  const straight = mode === 0 && info.componentCount > 1 ? samplesByPixel(samples, info.componentCount) : samples;
  return frameOf(image, fitSamples(image, straight, { bits: info.bitsPerSample, signed: false }), {
    planarConfiguration: 0,
  });
}

async function decodeJpeg2000(wasm: WasmCodecs, bytes: Uint8Array, image: FrameDescription): Promise<DecodedFrame> {
  let codestream = bareCodestream(bytes);
  const header = readJpeg2000Header(codestream);
  checkShape(image, header);
  if (header.precision > 16) throw unsupported(`JPEG 2000 of ${header.precision} bits`);
  if (header.components > 1 && header.precision > 8 && !header.highThroughput) {
    throw unsupported(`JPEG 2000 colour of ${header.precision} bits`);
  }
  // Both decoders clamp signed samples of a byte at 0. Declared unsigned, the same code words come out raised by half the
  // range (ISO 15444-1 G.1), which is taken off again here.
  const raised = header.signed && header.precision <= 8;
  if (raised) {
    codestream = Uint8Array.from(codestream); // Buffer.slice would be a view of the caller's bytes
    for (const at of header.depthAt) codestream[at] = header.precision - 1;
  }
  const { samples } = await runDecoder(wasm, header.highThroughput ? "openjph" : "openjpeg", codestream);
  const half = 1 << (header.precision - 1);
  if (raised) for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] as number) - half;
  const photometric = image.photometricInterpretation;
  const undone = header.mixed && (photometric === "YBR_ICT" || photometric === "YBR_RCT");
  return frameOf(image, fitSamples(image, samples, { bits: header.precision, signed: header.signed }), {
    planarConfiguration: 0,
    photometricInterpretation: undone ? "RGB" : photometric,
  });
}

/** How a native frame leaves this module: its chroma repeated, so that YBR_FULL_422 is YBR_FULL. */
const widened = (photometric: string) =>
  photometric === "YBR_FULL_422" ? "YBR_FULL" : photometric === "YBR_PARTIAL_422" ? "YBR_PARTIAL" : photometric;

const isColourByPlane = (image: FrameDescription) => image.samplesPerPixel > 1 && image.planarConfiguration === 1;

export async function decodeFrame(
  wasm: WasmCodecs,
  given: Uint8Array,
  image: FrameDescription,
  limits: DecodeLimits = defaultDecodeLimits,
): Promise<DecodedFrame> {
  // A Node Buffer is let in as what it is underneath, so that no view of its pool leaves as one.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  const family = codecFamily(image.transferSyntaxUid);
  if (family === undefined) throw unsupported(`frames of transfer syntax ${image.transferSyntaxUid}`);
  checkDescription(image, limits);
  const native = (plain: Uint8Array, bigEndian: boolean) =>
    frameOf(image, decodeNative(plain, image, bigEndian), {
      photometricInterpretation: widened(image.photometricInterpretation),
      planarConfiguration:
        isColourByPlane(image) && widened(image.photometricInterpretation) === image.photometricInterpretation ? 1 : 0,
    });
  switch (family) {
    case "native":
    case "native-big-endian":
      return native(bytes, family === "native-big-endian");
    case "deflated":
      return native(await inflateFrame(bytes, nativeFrameBytes({ ...image, bitOffset: 0 })), false);
    case "rle":
      return frameOf(image, decodeRle(bytes, image), {
        planarConfiguration: 0,
        photometricInterpretation: widened(image.photometricInterpretation),
      });
    case "jpeg":
      return decodeJpeg(wasm, bytes, image);
    case "jpeg-ls":
      return decodeJpegLs(wasm, bytes, image);
    case "jpeg-2000":
    case "htj2k":
      return decodeJpeg2000(wasm, bytes, image);
  }
}
