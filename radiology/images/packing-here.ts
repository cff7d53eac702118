import type { Clock } from "#base/clock";
import { byPixel, byPlane, type FrameCodecs } from "#imaging/codecs";
import { describeRun, isRunLength, type PictureLayout, runsOf, writeCodedHead } from "./coded-pixels.ts";
import type { PackingWork, Recipe } from "./packing-work.ts";
import { packedChunks } from "./zstd-chunks.ts";

/** The work of packing in this thread, one task after the other: what a thread for it runs. */
export function createPackingHere({ codecs, clock }: { codecs: FrameCodecs; clock: Clock }): PackingWork {
  return {
    lanes: 1,
    async pack({ bytes, picture, recipe }) {
      const began = clock.monotonicMs();
      const parts = await packed(codecs, bytes, picture, recipe);
      const size = parts?.reduce((sum, { length }) => sum + length, 0) ?? bytes.length;
      return { parts: size < bytes.length ? parts : undefined, milliseconds: clock.monotonicMs() - began };
    },
  };
}

async function packed(
  codecs: FrameCodecs,
  bytes: Uint8Array,
  picture: PictureLayout | undefined,
  { packing, level }: Recipe,
): Promise<Uint8Array[] | undefined> {
  if (packing === "zstd") return packedChunks(bytes, level);
  if (picture === undefined) return undefined;
  const codestreams: Uint8Array[] = [];
  let at = picture.before;
  for (const run of runsOf(picture)) {
    const samples = bytes.subarray(at, at + run.bytes);
    const coded = await codedRun(codecs, samples, picture, run.lines, packing);
    if (coded === undefined || !isRunLength(coded.length, run)) return undefined;
    codestreams.push(coded);
    at += run.bytes;
  }
  return [
    writeCodedHead(
      picture,
      codestreams.map(({ length }) => length),
    ),
    ...(await packedChunks(bytes.subarray(0, picture.before), level)),
    ...codestreams,
    ...(await packedChunks(bytes.subarray(at), level)),
  ];
}

/** A run as a codestream that gives back exactly its bytes, unused bits and all; undefined where the codec cannot. */
async function codedRun(
  codecs: FrameCodecs,
  samples: Uint8Array,
  picture: PictureLayout,
  lines: number,
  packing: Exclude<Recipe["packing"], "zstd">,
): Promise<Uint8Array | undefined> {
  const description = describeRun(picture, lines, packing);
  try {
    const straight = picture.byPlane ? byPixel(samples, 3, 1) : samples;
    const coded = await codecs.encodeFrame(straight, description);
    const { pixels } = await codecs.decodeFrame(coded, description);
    const restored = picture.byPlane ? byPlane(pixels, 3, 1) : pixels;
    return Buffer.compare(restored, samples) === 0 ? coded : undefined;
  } catch {
    return undefined; // a codec that refuses cannot
  }
}
