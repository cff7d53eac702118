// What the fuzzer (tests/fuzz) feeds: frames in every encoding, with descriptions that may be lies.
import assert from "node:assert/strict";
import { deflateRawSync } from "node:zlib";
import turbo from "@julusian/jpeg-turbo";
import { isProblem } from "#base/problem";
import { createFrameCodecs, type FrameDescription } from "./index.ts";
import { encodeLosslessJpeg } from "./lossless-jpeg.fixture.ts";

const syntaxes = [".1", ".2", ".5", ".1.99", ".8.1", ".4.50", ".4.51", ".4.57", ".4.70", ".4.80", ".4.81", ".4.90"]
  .concat([".4.91", ".4.201", ".4.202", ".4.203", ".4.102"])
  .map((end) => `1.2.840.10008.1.2${end}`);
const photometrics = ["MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR"];
const allocations = [1, 8, 16, 32, 64, 12, 0];

/** The first bytes of an input say what the rest is said to be. */
const descriptionBytes = 11;

function describedBy(head: Uint8Array): FrameDescription {
  const at = (index: number) => head[index] ?? 0;
  const of = <T>(list: readonly T[], index: number) => list[at(index) % list.length]!;
  return {
    transferSyntaxUid: of(syntaxes, 0),
    rows: at(1) | (at(2) << 8),
    columns: at(3) | (at(4) << 8),
    samplesPerPixel: at(5),
    bitsAllocated: of(allocations, 6),
    bitsStored: at(7),
    pixelRepresentation: at(8),
    planarConfiguration: at(9),
    photometricInterpretation: of(photometrics, 10),
    pixelDataVr: at(9) > 1 ? "OW" : undefined,
  };
}

const side = 32;

function described(end: string, samples: number, bits: number, frame: Uint8Array, photometric = 0): Uint8Array {
  const allocated = allocations.indexOf(bits <= 8 ? 8 : 16);
  const syntax = syntaxes.indexOf(`1.2.840.10008.1.2${end}`);
  const head = [syntax, side, 0, side, 0, samples, allocated, bits, 0, 0, photometric];
  return Uint8Array.from(Buffer.concat([Uint8Array.from(head), frame]));
}

async function seeds(): Promise<Uint8Array[]> {
  const codecs = createFrameCodecs();
  const found: Uint8Array[] = [];
  for (const [samples, bits] of [
    [1, 8],
    [3, 8],
    [1, 12],
  ] as const) {
    const pixels = new Uint8Array(side * side * samples * (bits > 8 ? 2 : 1));
    for (let i = 0; i < pixels.length; i++) pixels[i] = bits > 8 && i % 2 === 1 ? (i >> 6) % 16 : (i * 37) % 251;
    found.push(described(".1", samples, bits, pixels), described(".8.1", samples, bits, deflateRawSync(pixels)));
    for (const end of [".5", ".4.80", ".4.90", ".4.201", ".4.202"]) {
      const image = { ...describedBy(described(end, samples, bits, pixels, samples === 3 ? 1 : 0)) };
      found.push(described(end, samples, bits, await codecs.encodeFrame(pixels, image), samples === 3 ? 1 : 0));
    }
    const picture = { rows: side, columns: side, components: samples, precision: bits, predictor: 1 };
    const values = Array.from({ length: side * side * samples }, (_, i) => (i * 37) % 251);
    const lossless = encodeLosslessJpeg(
      { ...picture, pointTransform: 0, restartRows: 8, apart: samples === 3 },
      values,
    );
    found.push(described(".4.70", samples, bits, lossless, samples === 3 ? 1 : 0));
    if (bits > 8) continue;
    const options = {
      format: samples === 3 ? turbo.FORMAT_RGB : turbo.FORMAT_GRAY,
      width: side,
      height: side,
      quality: 80,
    };
    const subsampling = samples === 3 ? turbo.SAMP_420 : turbo.SAMP_GRAY;
    const baseline = turbo.compressSync(Buffer.from(pixels), { ...options, subsampling });
    found.push(described(".4.50", samples, bits, baseline, samples === 3 ? 2 : 0));
  }
  return found;
}

const codecs = createFrameCodecs();
const outputBytesMax = 4 * 2 ** 20;

/** A frame: decoded to as many bytes as its description says, or refused. Runs in a worker that is ended after some seconds. */
export const codecsTarget = {
  cpuMsMax: 2_000,
  seeds,
  words: [
    ...[0xc0, 0xc1, 0xc3, 0xc4, 0xd0, 0xd8, 0xd9, 0xda, 0xdb, 0xdd, 0xee, 0xf7, 0xf8].map((mark) =>
      Uint8Array.of(0xff, mark),
    ),
    ...[0x4f, 0x51, 0x52, 0x53, 0x5c, 0x5d, 0x55, 0x90, 0x93, 0x50].map((mark) => Uint8Array.of(0xff, mark)),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0, 0, 0, 0),
  ],
  async run(input: Uint8Array): Promise<void> {
    const image = describedBy(input);
    try {
      const decoded = await codecs.decodeFrame(input.subarray(descriptionBytes), image, { outputBytesMax });
      const sampleBytes = decoded.bitsAllocated / 8;
      assert.equal(decoded.pixels.length, decoded.rows * decoded.columns * decoded.samplesPerPixel * sampleBytes);
      assert.ok(decoded.pixels.length <= outputBytesMax);
    } catch (error) {
      if (!isProblem(error) || error.code === "fault") throw error;
    }
  },
};
