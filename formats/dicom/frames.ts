import { Problem } from "#base/problem";
import type { ByteRange, DataSet } from "./data-set.ts";
import { Tag } from "./tags.ts";

/** What the image pixel attributes say (PS3.3 §C.7.6.3). */
export interface FrameLayout {
  readonly frames: number;
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  /** Only YBR_FULL_422, YBR_PARTIAL_422 and YBR_PARTIAL_420 change the size of a native frame. */
  readonly photometricInterpretation?: string | undefined;
}

/** Where the pixels are, in the stream: from a DataElement, or from a reader's events. */
export type PixelDataLocation =
  | { readonly native: ByteRange }
  | {
      /** All fragments in order, the Basic Offset Table's item not among them. */
      readonly fragments: readonly ByteRange[];
      /** Values of the Basic Offset Table's item. */
      readonly basicOffsetTable?: Uint8Array | undefined;
      /** Values of (7FE0,0001) and (7FE0,0002), little endian. */
      readonly extendedOffsetTable?: Uint8Array | undefined;
      readonly extendedOffsetTableLengths?: Uint8Array | undefined;
      /**
       * Whether a fragment (by its place in `fragments`) begins a frame, for several frames in several fragments each
       * without a table. `startsCodestream` tells it from the fragment's first bytes.
       */
      readonly startsFrame?: ((index: number) => boolean) | undefined;
    };

/** The bytes of one frame, joined in this order. */
export interface FrameLocation {
  readonly ranges: readonly ByteRange[];
  /** With one bit a pixel, native frames follow each other without gaps: the first bit of this one in its first byte. */
  readonly firstBit: number;
}

const valuesMax = { rows: 65535, columns: 65535, samplesPerPixel: 65535, bitsAllocated: 64, frames: 2 ** 31 - 1 };

/**
 * Where each frame lies (PS3.5 §8.2, §A.4). Native frames must fit into the value; encapsulated ones are told apart by
 * the extended or basic offset table, by one fragment for each, or by how fragments begin.
 *
 * @throws Problem `invalid` for sizes that are not sizes, too short a value or tables that fit nothing; `unsupported`
 * for frames that only a decoder could tell apart (video).
 */
export function frameLocations(pixelData: PixelDataLocation, layout: FrameLayout): FrameLocation[] {
  for (const name of Object.keys(valuesMax) as (keyof typeof valuesMax)[]) {
    const value = layout[name];
    if (!Number.isInteger(value) || value < 1 || value > valuesMax[name]) {
      throw new Problem("invalid", `pixel data: ${name} is missing or out of range`);
    }
  }
  return "native" in pixelData ? nativeFrames(pixelData.native, layout) : encapsulatedFrames(pixelData, layout.frames);
}

/** The layout that a data set gives; frames is 1 where Number of Frames is absent. */
export function frameLayoutOf(dataSet: DataSet): FrameLayout {
  return {
    frames: dataSet.number(Tag.NumberOfFrames) ?? 1,
    rows: dataSet.number(Tag.Rows) ?? 0,
    columns: dataSet.number(Tag.Columns) ?? 0,
    samplesPerPixel: dataSet.number(Tag.SamplesPerPixel) ?? 1,
    bitsAllocated: dataSet.number(Tag.BitsAllocated) ?? 0,
    photometricInterpretation: dataSet.text(Tag.PhotometricInterpretation),
  };
}

/** Where the pixel data of a read data set is, tables included; undefined when it has none. */
export function pixelDataOf(dataSet: DataSet): PixelDataLocation | undefined {
  const element =
    dataSet.get(Tag.PixelData) ?? dataSet.get(Tag.FloatPixelData) ?? dataSet.get(Tag.DoubleFloatPixelData);
  if (element === undefined) return undefined;
  if (element.fragments === undefined) return { native: { offset: element.offset, length: element.length } };
  const [table, ...fragments] = element.fragments;
  return {
    fragments,
    basicOffsetTable: table && dataSet.range(table),
    extendedOffsetTable: dataSet.bytes(Tag.ExtendedOffsetTable),
    extendedOffsetTableLengths: dataSet.bytes(Tag.ExtendedOffsetTableLengths),
    startsFrame: (index) => startsCodestream(dataSet.range(fragments[index]!)),
  };
}

/** Whether bytes begin a JPEG, JPEG-LS, JPEG 2000, HTJ2K or JPEG XL image, bare or in its file format. */
export function startsCodestream(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  if (a === 0xff) return b === 0x0a || (b === 0xd8 && c === 0xff) || (b === 0x4f && c === 0xff && d === 0x51);
  return a === 0 && b === 0 && c === 0 && d === 12; // the signature box of JP2 and JPEG XL
}

function nativeFrames(value: ByteRange, layout: FrameLayout): FrameLocation[] {
  const { rows, columns, samplesPerPixel, bitsAllocated, frames, photometricInterpretation } = layout;
  // At most 2^16 * 2^16 * 3 * 64: exact. Times frames it may not be, so frames are counted by dividing.
  const samples = subsampled.get(photometricInterpretation ?? "") ?? samplesPerPixel;
  const frameBits = rows * columns * samples * bitsAllocated;
  if (!Number.isSafeInteger(frameBits) || frames > Math.floor((value.length * 8) / frameBits)) {
    const wanted = `${frames} frames of ${rows} x ${columns} x ${samples} x ${bitsAllocated} bits`;
    throw new Problem("invalid", `pixel data: ${value.length} bytes do not hold ${wanted}`);
  }
  return Array.from({ length: frames }, (_, i) => {
    const firstBit = i * frameBits;
    const offset = Math.floor(firstBit / 8);
    const length = Math.ceil((firstBit + frameBits) / 8) - offset;
    return { ranges: [{ offset: value.offset + offset, length }], firstBit: firstBit % 8 };
  });
}

/** Samples a pixel of native colour with fewer chrominance samples (PS3.3 §C.7.6.3.1.2). */
const subsampled: ReadonlyMap<string, number> = new Map([
  ["YBR_FULL_422", 2],
  ["YBR_PARTIAL_422", 2],
  ["YBR_PARTIAL_420", 1.5],
]);

type Encapsulated = Exclude<PixelDataLocation, { readonly native: ByteRange }>;

function encapsulatedFrames(pixelData: Encapsulated, frames: number): FrameLocation[] {
  const { fragments } = pixelData;
  if (fragments.length === 0) throw new Problem("invalid", "pixel data: there is no fragment");
  if (frames > fragments.length) {
    throw new Problem(
      "unsupported",
      `pixel data: ${frames} frames in ${fragments.length} fragments cannot be told apart`,
      {
        remedy: "retrieve the instance or its whole bulk data",
      },
    );
  }
  const groups =
    (frames === 1 ? [fragments] : undefined) ??
    byExtendedTable(pixelData, frames) ??
    byTable(fragments, offsetsOf(pixelData.basicOffsetTable, 4), frames) ??
    (frames === fragments.length ? fragments.map((fragment) => [fragment]) : undefined) ??
    byStarts(pixelData, frames);
  if (groups === undefined) {
    throw new Problem("invalid", `pixel data: no way to find ${frames} frames in ${fragments.length} fragments`);
  }
  return groups.map((ranges) => ({ ranges, firstBit: 0 }));
}

function offsetsOf(table: Uint8Array | undefined, size: 4 | 8): number[] {
  if (table === undefined) return [];
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  return Array.from({ length: Math.floor(table.length / size) }, (_, i) =>
    size === 4 ? view.getUint32(i * 4, true) : Number(view.getBigUint64(i * 8, true)),
  );
}

/** The extended table gives lengths too, so that the byte that made a fragment even is not part of the frame. */
function byExtendedTable(pixelData: Encapsulated, frames: number): ByteRange[][] | undefined {
  const offsets = offsetsOf(pixelData.extendedOffsetTable, 8);
  const groups = byTable(pixelData.fragments, offsets, frames);
  const lengths = offsetsOf(pixelData.extendedOffsetTableLengths, 8);
  if (groups === undefined || lengths.length !== frames) return groups;
  return groups.map((group, i) => {
    const only = group[0]!;
    return group.length === 1 ? [{ offset: only.offset, length: Math.min(only.length, lengths[i]!) }] : group;
  });
}

/** Offsets count from the first fragment's item head (PS3.5 §A.4). A table that fits no fragments is not believed. */
function byTable(fragments: readonly ByteRange[], offsets: number[], frames: number): ByteRange[][] | undefined {
  if (offsets.length !== frames || offsets[0] !== 0) return undefined;
  const first = fragments[0]!.offset;
  const groups: ByteRange[][] = [];
  for (const fragment of fragments) {
    if (fragment.offset - first === offsets[groups.length]) groups.push([]);
    groups[groups.length - 1]!.push(fragment);
  }
  return groups.length === frames ? groups : undefined;
}

function byStarts({ fragments, startsFrame }: Encapsulated, frames: number): ByteRange[][] | undefined {
  if (startsFrame === undefined || !startsFrame(0)) return undefined;
  const groups: ByteRange[][] = [];
  fragments.forEach((fragment, i) => {
    if (startsFrame(i)) groups.push([]);
    groups[groups.length - 1]!.push(fragment);
  });
  return groups.length === frames ? groups : undefined;
}
