import { Problem } from "#base/problem";
import { TransferSyntaxUid } from "#formats/dicom";
import type { FrameDescription } from "#imaging/codecs";
import { inflateRatioMax } from "./zstd-chunks.ts";

/**
 * How the bytes of a data set are put into codestreams: the samples of its pixels in runs of lines, what stands before and behind them in
 * chunks. In front of them goes a head, and the length of each codestream:
 *
 *   0 version · 1 samples a pixel · 2 bits allocated · 3 bits stored · 4 pixel representation · 5 flags (1 colour by plane, 2 RGB)
 *   6 columns (2) · 8 rows (2) · 10 lines of a codestream (2) · 12 frames (4) · 16 bytes before (4) · 20 bytes behind (4) · 24 lengths (4 each)
 *
 * The description is the sender's word alone: nothing else of the data set is looked at to restore it.
 */
export interface PictureLayout {
  readonly columns: number;
  readonly rows: number;
  readonly samplesPerPixel: 1 | 3;
  readonly bitsAllocated: 8 | 16;
  readonly bitsStored: number;
  readonly pixelRepresentation: 0 | 1;
  readonly byPlane: boolean;
  readonly rgb: boolean;
  readonly frames: number;
  /** Of one codestream; the last of a frame may have fewer. */
  readonly lines: number;
  /** Bytes before the first frame, and behind the last. */
  readonly before: number;
  readonly after: number;
}

/** Samples of one codestream: what a decoder finds memory and time for on the worst of days. */
const runBytesMax = 4 * 1024 * 1024;
/** Longer frames are cut into runs of so many; two of them are decoded at once. */
const runBytesAim = 2 * 1024 * 1024;
const codestreamsMax = 65_536;
const version = 1;
export const codedHeadBytes = 24;

const syntaxes = { htj2k: TransferSyntaxUid.htj2kLossless, "jpeg-ls": TransferSyntaxUid.jpegLsLossless } as const;

const lineBytes = ({ columns, samplesPerPixel, bitsAllocated }: PictureLayout): number =>
  (columns * samplesPerPixel * bitsAllocated) / 8;

export const frameBytesOf = (picture: PictureLayout): number => lineBytes(picture) * picture.rows;

/** How many lines go into one codestream; colour by plane is not cut, as a line of it lies in three places. 0 where none fits. */
export function linesFor(picture: Omit<PictureLayout, "lines">): number {
  const { rows, byPlane } = picture;
  const line = lineBytes({ ...picture, lines: rows });
  if (byPlane) return rows * line <= runBytesMax ? rows : 0;
  return Math.min(rows, Math.floor(runBytesAim / line));
}

export interface Run {
  readonly lines: number;
  /** Of its samples, plain. */
  readonly bytes: number;
}

/** The codestreams of the pixels, in order. */
export function* runsOf(picture: PictureLayout): Generator<Run> {
  const bytes = lineBytes(picture);
  for (let frame = 0; frame < picture.frames; frame++) {
    for (let row = 0; row < picture.rows; row += picture.lines) {
      const lines = Math.min(picture.lines, picture.rows - row);
      yield { lines, bytes: lines * bytes };
    }
  }
}

/** What a codec is told of a run, the same at both ends. */
export function describeRun(picture: PictureLayout, lines: number, packing: keyof typeof syntaxes): FrameDescription {
  const { columns, samplesPerPixel, bitsAllocated, bitsStored, pixelRepresentation, rgb } = picture;
  return {
    transferSyntaxUid: syntaxes[packing],
    ...{ rows: lines, columns, samplesPerPixel, bitsAllocated, bitsStored, pixelRepresentation },
    photometricInterpretation: samplesPerPixel === 1 ? "MONOCHROME2" : rgb ? "RGB" : "YBR_FULL",
  };
}

const codestreamsOf = ({ frames, rows, lines }: PictureLayout): number => frames * Math.ceil(rows / lines);

/** Whether both ends take it: one rule for what is sent and what is believed. */
export function isCodable(picture: PictureLayout): boolean {
  const { columns, rows, lines, frames, samplesPerPixel, bitsAllocated, bitsStored, byPlane } = picture;
  return (
    columns > 0 &&
    rows > 0 &&
    lines > 0 &&
    lines <= rows &&
    frames > 0 &&
    (samplesPerPixel === 1 || (samplesPerPixel === 3 && bitsAllocated === 8)) &&
    (bitsAllocated === 8 || bitsAllocated === 16) &&
    bitsStored > 0 &&
    bitsStored <= bitsAllocated &&
    (!byPlane || (samplesPerPixel === 3 && lines === rows)) &&
    lines * lineBytes(picture) <= runBytesMax &&
    codestreamsOf(picture) <= codestreamsMax
  );
}

/** Whether a codestream may have this length: shorter is a bomb, longer is no use. */
export const isRunLength = (codedBytes: number, { bytes }: Run): boolean =>
  codedBytes > 0 && codedBytes <= 2 * bytes + 1024 && codedBytes * inflateRatioMax >= bytes;

export function writeCodedHead(picture: PictureLayout, lengths: readonly number[]): Buffer {
  const head = Buffer.alloc(codedHeadBytes + lengths.length * 4);
  const { samplesPerPixel, bitsAllocated, bitsStored, pixelRepresentation, byPlane, rgb } = picture;
  const flags = (byPlane ? 1 : 0) | (rgb ? 2 : 0);
  head.set([version, samplesPerPixel, bitsAllocated, bitsStored, pixelRepresentation, flags]);
  head.writeUInt16LE(picture.columns, 6);
  head.writeUInt16LE(picture.rows, 8);
  head.writeUInt16LE(picture.lines, 10);
  head.writeUInt32LE(picture.frames, 12);
  head.writeUInt32LE(picture.before, 16);
  head.writeUInt32LE(picture.after, 20);
  for (const [index, length] of lengths.entries()) head.writeUInt32LE(length, codedHeadBytes + index * 4);
  return head;
}

/** The picture that a head describes. Problem `damaged` for one that is not codable, or of a data set longer than `sizeBytes`. */
export function readCodedHead(head: Buffer, sizeBytes: number): PictureLayout {
  const [stated, samplesPerPixel, bitsAllocated, bitsStored = 0, pixelRepresentation, flags = 0] = head;
  const picture = {
    columns: head.readUInt16LE(6),
    rows: head.readUInt16LE(8),
    samplesPerPixel: samplesPerPixel as 1 | 3,
    bitsAllocated: bitsAllocated as 8 | 16,
    bitsStored,
    pixelRepresentation: pixelRepresentation as 0 | 1,
    byPlane: (flags & 1) !== 0,
    rgb: (flags & 2) !== 0,
    lines: head.readUInt16LE(10),
    frames: head.readUInt32LE(12),
    before: head.readUInt32LE(16),
    after: head.readUInt32LE(20),
  };
  const isKnown = stated === version && flags <= 3 && (pixelRepresentation === 0 || pixelRepresentation === 1);
  const size = picture.before + frameBytesOf(picture) * picture.frames + picture.after;
  if (!isKnown || !isCodable(picture) || size > sizeBytes) {
    throw new Problem("damaged", "the head of a packed image describes none");
  }
  return picture;
}

/** Bytes of the lengths behind a head. */
export const lengthsBytes = (picture: PictureLayout): number => codestreamsOf(picture) * 4;

/** Each run with the length of its codestream. Problem `damaged` where one cannot be. */
export function readLengths(picture: PictureLayout, table: Buffer): (Run & { readonly codedBytes: number })[] {
  return Array.from(runsOf(picture), (run, index) => {
    const codedBytes = table.readUInt32LE(index * 4);
    if (!isRunLength(codedBytes, run)) throw new Problem("damaged", "a codestream has a length that cannot be");
    return { ...run, codedBytes };
  });
}
