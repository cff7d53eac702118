import { elementsOf, writeFile } from "#formats/dicom";
import { axialAttributes } from "./attributes.ts";
import { ctHeadSeries } from "./head-series.ts";
import type { PhantomInstance, PhantomOptions } from "./study.ts";
import { axialBase, phantomStudy, sopClassUids, studyParts } from "./study.ts";

const explicitLittleEndian = "1.2.840.10008.1.2.1";
const implementation = {
  implementationClassUid: "2.25.248103612909437213365011904358125711533",
  implementationVersionName: "LEADGLASS_PH",
};

function joined(frames: Uint8Array[]): Uint8Array {
  const [only] = frames;
  if (frames.length === 1 && only !== undefined) return only;
  const out = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0));
  let at = 0;
  for (const frame of frames) {
    out.set(frame, at);
    at += frame.length;
  }
  return out;
}

function fileOf(instance: PhantomInstance, transferSyntaxUid: string, fragments?: Uint8Array[]): Uint8Array {
  return writeFile(
    {
      ...implementation,
      mediaStorageSopClassUid: instance.sopClassUid,
      mediaStorageSopInstanceUid: instance.sopInstanceUid,
      transferSyntaxUid,
    },
    elementsOf({
      ...instance.attributes,
      PixelData: fragments === undefined ? joined(instance.frames) : { fragments: [new Uint8Array(0), ...fragments] },
    }),
  );
}

/** A phantom study as DICOM files (PS3.10), explicit little endian. */
export function* phantomFiles(options: PhantomOptions): Generator<Uint8Array> {
  for (const instance of phantomStudy(options)) yield fileOf(instance, explicitLittleEndian);
}

/** What a compressor is told about a frame: the description that `encodeFrame` of `#imaging/codecs` takes. */
export interface FrameShape {
  transferSyntaxUid: string;
  rows: number;
  columns: number;
  samplesPerPixel: number;
  bitsAllocated: number;
  bitsStored: number;
  pixelRepresentation: number;
  photometricInterpretation: string;
}

export type CompressFrame = (pixels: Uint8Array, shape: FrameShape) => Promise<Uint8Array>;

const jpeg2000Family = new Set(["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202"]);

/** A phantom study compressed without loss, one fragment a frame, by a given compressor (`encodeFrame` of `#imaging/codecs`). */
export async function* compressedPhantomFiles(
  options: PhantomOptions & { transferSyntaxUid: string; compress: CompressFrame },
): AsyncGenerator<Uint8Array> {
  const { transferSyntaxUid } = options;
  for (const instance of phantomStudy(options)) {
    const number = (keyword: string) => Number(instance.attributes[keyword]);
    const colour = number("SamplesPerPixel") === 3;
    const shape: FrameShape = {
      transferSyntaxUid,
      rows: number("Rows"),
      columns: number("Columns"),
      samplesPerPixel: number("SamplesPerPixel"),
      bitsAllocated: number("BitsAllocated"),
      bitsStored: number("BitsStored"),
      pixelRepresentation: number("PixelRepresentation"),
      photometricInterpretation: colour ? "RGB" : "MONOCHROME2",
    };
    const fragments: Uint8Array[] = [];
    for (const frame of instance.frames) {
      const bytes = await options.compress(frame, shape);
      const even = new Uint8Array(bytes.length + (bytes.length % 2));
      even.set(bytes);
      fragments.push(even);
    }
    // JPEG 2000 mixes the components of colour, and the header has to say so (PS3.5 §8.2.4).
    const mixed = colour && jpeg2000Family.has(transferSyntaxUid) ? { PhotometricInterpretation: "YBR_RCT" } : {};
    yield fileOf({ ...instance, attributes: { ...instance.attributes, ...mixed } }, transferSyntaxUid, fragments);
  }
}

const baseSlices = 24;

/**
 * A long CT series for measuring intake: `count` slices of 512 by 512 pixels, 16 bits, each a file of some 526 kB with a full
 * header and pixels of its own. A few slices are painted and the noise is moved over them, so that making them costs
 * little beside sending them.
 */
export function* ingestSlices(options: { count: number; seed: number }): Generator<Uint8Array> {
  const { count, seed } = options;
  const { study, newUid } = studyParts({ kind: "ct-head", seed });
  const painted = ctHeadSeries({ slices: Math.min(baseSlices, count), size: 512, seed, stepMm: 5 });
  const slices = new Map<number, Uint16Array>();
  const attributes = axialBase("ct-head", study, painted);
  const stepMm = 0.625;
  for (let index = 0; index < count; index++) {
    const from = index % baseSlices;
    const source = slices.get(from) ?? new Uint16Array(painted.slice(from).buffer);
    slices.set(from, source);
    const turn = Math.floor(index / baseSlices);
    const pixels = Uint16Array.from(source);
    // The lowest bits of another part of the same noise, so that no two slices are alike.
    const shift = (turn * 65537 + index * 131) & 0x3ffff;
    if (turn > 0)
      for (let i = 0; i < pixels.length; i++)
        pixels[i] = (pixels[i] as number) ^ ((source[(i + shift) & 0x3ffff] as number) & 7);
    const sopInstanceUid = newUid();
    yield fileOf(
      {
        sopClassUid: sopClassUids["ct-head"],
        sopInstanceUid,
        attributes: {
          ...attributes,
          SOPClassUID: sopClassUids["ct-head"],
          SOPInstanceUID: sopInstanceUid,
          ...axialAttributes(study, { ...painted, thicknessMm: stepMm, zMm: (index - count / 2) * stepMm }, index),
        },
        frames: [new Uint8Array(pixels.buffer)],
      },
      explicitLittleEndian,
    );
  }
}
