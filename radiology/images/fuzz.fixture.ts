// What the fuzzer (tests/fuzz) feeds: what an edge that was stolen sends in place of a packed data set.
import assert from "node:assert/strict";
import { isProblem } from "#base/problem";
import { createFrameCodecs } from "#imaging/codecs";
import { describeRun, type PictureLayout, writeCodedHead } from "./coded-pixels.ts";
import type { Packing } from "./packing-work.ts";
import { createUnpacker } from "./unpacking.ts";
import { packedChunks } from "./zstd-chunks.ts";

const packings: readonly Packing[] = ["plain", "zstd", "htj2k", "jpeg-ls"];
const sizeBytesMax = 256 * 1024;

const small: PictureLayout = {
  ...{ columns: 16, rows: 16, lines: 16, samplesPerPixel: 1, bitsAllocated: 8, bitsStored: 8, pixelRepresentation: 0 },
  ...{ byPlane: false, rgb: false, frames: 2, before: 300, after: 40 },
};

async function seeds(): Promise<Uint8Array[]> {
  const codecs = createFrameCodecs();
  const text = Buffer.from("as it came ".repeat(60));
  const found: Uint8Array[] = [
    Buffer.concat([Buffer.of(0), text]),
    Buffer.concat([Buffer.of(1), ...(await packedChunks(text, 1))]),
  ];
  const samples = Uint8Array.from({ length: 768 }, (_, at) => (at >> 4) + (at % 3));
  for (const change of [{}, { samplesPerPixel: 3, rgb: true }, { samplesPerPixel: 3, byPlane: true }] as const) {
    const picture = { ...small, ...change };
    for (const [index, packing] of (["htj2k", "jpeg-ls"] as const).entries()) {
      const run = samples.subarray(0, 256 * picture.samplesPerPixel);
      const coded = await codecs.encodeFrame(run, describeRun(picture, 16, packing));
      const head = writeCodedHead(picture, [coded.length, coded.length]);
      const before = await packedChunks(text.subarray(0, picture.before), 1);
      const after = await packedChunks(text.subarray(0, picture.after), 1);
      found.push(Buffer.concat([Buffer.of(2 + index), head, ...before, coded, coded, ...after]));
    }
  }
  return found;
}

/** Samples of the size that was described: what decoders do with codestreams has a target of its own. */
const pixels: Parameters<typeof createUnpacker>[0]["pixels"] = {
  async decodeFrame(_, image) {
    const { rows, columns, samplesPerPixel, bitsAllocated } = image;
    const made = new Uint8Array((rows * columns * samplesPerPixel * bitsAllocated) / 8);
    return { ...image, pixels: made, planarConfiguration: 0 };
  },
};

/** The first byte says which packing it is said to be. No more comes out than was stated, nor than a bomb's ratio, in pieces or at once. */
export const packedTarget = {
  cpuMsMax: 100,
  seeds,
  words: [Uint8Array.of(0, 4, 0, 0), Uint8Array.of(0xff, 0xff, 0xff, 0xff), Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)],
  async run(input: Uint8Array): Promise<void> {
    const [which = 0] = input;
    let given = 0;
    const packing = packings[which % packings.length] as Packing;
    const unpacking = createUnpacker({ pixels }).unpacking(packing, sizeBytesMax, (bytes) => {
      given += bytes.length;
    });
    try {
      const middle = 1 + (input.length >> 1);
      await unpacking.write(input.subarray(1, middle));
      await unpacking.write(input.subarray(middle));
      await unpacking.end();
    } catch (error) {
      if (!isProblem(error) || error.code === "fault") throw error;
    }
    assert.ok(given <= sizeBytesMax && given <= input.length * 1024, `${given} bytes of ${input.length}`);
  },
};
