import { Problem } from "#base/problem";
import {
  createInflater,
  type ElementInput,
  encodingOf,
  inputOf,
  parseDataSet,
  pixelDataTags,
  readerLimits,
  readFile,
  Tag,
  TransferSyntaxUid,
  type Vr,
  writeDataSet,
  writeMeta,
} from "#formats/dicom";
import { codecFamily, type DecodedFrame, packBits } from "#imaging/codecs";
import { currentOf, type HeldInstance } from "#radiology/archive";
import { type ByteSource, createByteSource } from "./byte-source.ts";
import { type ImageObject, imageOf, readHeader } from "./image-object.ts";
import type { PixelWork } from "./pixel-work.ts";
import { swapped, swapUnit } from "./sample-order.ts";

/** How we name ourselves in what we write (PS3.10 §7.1). */
export interface Implementation {
  readonly classUid: string;
  readonly version: string;
}

const explicitUid = TransferSyntaxUid.explicitLittleEndian;
const swapBytesAtOnce = 256 * 1024;
/** Elements behind the pixels: padding and signatures, never much. */
const trailingBytesMax = 16 * 1024 * 1024;

/** Whether an instance can be given in Explicit VR Little Endian: video, JPEG XL and JPIP cannot. */
export function canBeExplicit({
  transferSyntaxUid,
  pixelOffset,
}: Pick<HeldInstance, "transferSyntaxUid" | "pixelOffset">): boolean {
  const { encapsulated, codec } = encodingOf(transferSyntaxUid);
  if (codec === "reference" || transferSyntaxUid === bigEndianPixels) return false;
  return pixelOffset === undefined || !encapsulated || codecFamily(transferSyntaxUid) !== undefined;
}

/** Little endian headers over big endian pixels, a maker's own. */
const bigEndianPixels = "1.2.840.113619.5.2";

/**
 * An instance in Explicit VR Little Endian (PS3.18 §8.7.3.5.2), made as it is read: one frame in memory, not the whole. What
 * is read on the way is proven as for `wholeBytes`. Values stay as they are, but for what decoding changes: Photometric
 * Interpretation and Planar Configuration of what the decoder gives.
 */
export async function* explicitBytes(
  held: HeldInstance,
  { pixels, implementation }: { readonly pixels: PixelWork; readonly implementation: Implementation },
): AsyncGenerator<Uint8Array> {
  const instance = await currentOf(held);
  const { transferSyntaxUid, pixelOffset, dataSetOffset, sizeBytes } = instance;
  const { deflated, encapsulated } = encodingOf(transferSyntaxUid);
  const source = createByteSource(instance.whole());
  try {
    yield metaOf(await source.take(dataSetOffset), instance, implementation);
    if (deflated) yield* inflated(source);
    else if (pixelOffset === undefined) yield whole(await source.take(sizeBytes - dataSetOffset), transferSyntaxUid);
    else if (encapsulated) yield* decoded(source, instance, pixels);
    else yield* native(source, instance);
    while ((await source.next(swapBytesAtOnce)) !== undefined); // to its end, where it is proven
  } finally {
    await source.close();
  }
}

/** File meta information for what is written here and now: by us (PS3.10 §7.1), from where the file said it came. */
function metaOf(start: Buffer, instance: HeldInstance, implementation: Implementation): Uint8Array {
  const { meta } = readFile(start, { partial: true });
  return writeMeta({
    mediaStorageSopClassUid: instance.sopClassUid,
    mediaStorageSopInstanceUid: instance.sopUid,
    transferSyntaxUid: explicitUid,
    implementationClassUid: implementation.classUid,
    implementationVersionName: implementation.version,
    sourceAe: meta.text(Tag.SourceApplicationEntityTitle) || undefined,
  });
}

/** The deflated transfer syntax is Explicit VR Little Endian under its compression (PS3.5 §A.5). */
async function* inflated(source: ByteSource): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const inflater = createInflater({
    inflatedBytesMax: readerLimits.inflatedBytesMax,
    inflateRatioMax: readerLimits.inflateRatioMax,
    onOutput: (bytes) => pieces.push(bytes.slice()),
  });
  for (;;) {
    const piece = await source.next(swapBytesAtOnce);
    if (piece === undefined) return;
    inflater.push(piece);
    yield* pieces.splice(0);
  }
}

function whole(bytes: Buffer, transferSyntaxUid: string): Uint8Array {
  return writeDataSet(parseDataSet(bytes, { transferSyntaxUid }).dataSet, { transferSyntaxUid: explicitUid });
}

async function* native(source: ByteSource, instance: HeldInstance): AsyncGenerator<Uint8Array> {
  const { transferSyntaxUid, dataSetOffset, pixelOffset = 0 } = instance;
  const header = await source.take(pixelOffset - dataSetOffset);
  const { dataSet, stoppedAt } = parseDataSet(header, { transferSyntaxUid, stopBefore: pixelDataTags });
  if (stoppedAt === undefined) throw new Problem("damaged", "an instance's pixels are not where they were");
  yield writeDataSet(dataSet, { transferSyntaxUid: explicitUid });
  const { tag, vr, length } = stoppedAt;
  yield elementHead(tag, vr, length);
  const unit = encodingOf(transferSyntaxUid).bigEndian ? swapUnit(dataSet, vr) : 1;
  for (let left = length; left > 0; ) {
    const piece = await (unit === 1
      ? source.next(Math.min(left, swapBytesAtOnce))
      : source.take(Math.min(left, swapBytesAtOnce)));
    if (piece === undefined) throw new Problem("damaged", "an instance ends inside its pixel data");
    left -= piece.length;
    yield unit === 1 ? piece : swapped(piece, unit);
  }
  yield* trailing(source, instance);
}

async function* decoded(source: ByteSource, instance: HeldInstance, pixels: PixelWork): AsyncGenerator<Uint8Array> {
  const image = imageOf(await readHeader(instance), instance.transferSyntaxUid);
  let at = 0;
  const read = async (offset: number, length: number): Promise<Buffer> => {
    for (; at < offset; ) at += (await source.next(offset - at))?.length ?? Number.POSITIVE_INFINITY;
    const bytes = await source.take(length);
    at += length;
    return bytes;
  };
  const frameAt = async (index: number): Promise<DecodedFrame> => {
    const pieces: Buffer[] = [];
    for (const { offset, length } of image.frames[index]?.ranges ?? []) pieces.push(await read(offset, length));
    return pixels.decodeFrame(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces), image.image);
  };
  const first = await frameAt(0);
  yield writeDataSet(changedHeader(image, first), { transferSyntaxUid: explicitUid });
  const bytes = samplesOf(first, image);
  const total = bytes.length * image.frames.length;
  yield elementHead(Tag.PixelData, first.bitsAllocated > 8 ? "OW" : "OB", total + (total % 2));
  yield bytes;
  for (let index = 1; index < image.frames.length; index++) {
    const next = samplesOf(await frameAt(index), image);
    if (next.length !== bytes.length) throw new Problem("damaged", "frames of one instance decode to different sizes");
    yield next;
  }
  if (total % 2 === 1) yield Uint8Array.of(0);
  if (await passFragments(image, source, at)) yield* trailing(source, instance);
}

/** Reads up to behind the sequence delimiter. False where the object ends before it. */
async function passFragments({ pixels }: ImageObject, source: ByteSource, at: number): Promise<boolean> {
  const last = pixels !== undefined && "fragments" in pixels ? pixels.fragments.at(-1) : undefined;
  let left = (last === undefined ? at : last.offset + last.length) + 8 - at;
  while (left > 0) {
    const piece = await source.next(left);
    if (piece === undefined) return false;
    left -= piece.length;
  }
  return true;
}

/** One bit a pixel goes back into bits. */
function samplesOf(frame: DecodedFrame, image: ImageObject): Uint8Array {
  if (image.image.bitsAllocated !== 1) return frame.pixels;
  if (image.frames.length > 1 && frame.pixels.length % 8 !== 0) {
    throw new Problem("unsupported", "frames of single bits that do not fill whole bytes");
  }
  return packBits(frame.pixels);
}

function changedHeader({ dataSet }: ImageObject, frame: DecodedFrame): ElementInput[] {
  const changes = new Map<number, ElementInput | undefined>([
    [Tag.ExtendedOffsetTable, undefined],
    [Tag.ExtendedOffsetTableLengths, undefined],
  ]);
  changes.set(Tag.PhotometricInterpretation, {
    tag: Tag.PhotometricInterpretation,
    vr: "CS",
    value: frame.photometricInterpretation,
  });
  if (frame.samplesPerPixel > 1) {
    changes.set(Tag.PlanarConfiguration, {
      tag: Tag.PlanarConfiguration,
      vr: "US",
      value: frame.planarConfiguration,
    });
  }
  const kept = dataSet.elements.filter(({ tag }) => !changes.has(tag)).map((element) => inputOf(dataSet, element));
  return [...kept, ...[...changes.values()].filter((element) => element !== undefined)];
}

async function* trailing(source: ByteSource, instance: HeldInstance): AsyncGenerator<Uint8Array> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (;;) {
    const piece = await source.next(swapBytesAtOnce);
    if (piece === undefined) break;
    size += piece.length;
    if (size > trailingBytesMax) throw new Problem("too-large", "too much follows the pixels of an instance");
    pieces.push(piece);
  }
  if (size === 0) return;
  const { transferSyntaxUid } = instance;
  const { dataSet } = parseDataSet(Buffer.concat(pieces), { transferSyntaxUid, partial: true });
  yield writeDataSet(dataSet, { transferSyntaxUid: explicitUid });
}

/** Head of an element with a 32 bit length (PS3.5 §7.1.2). */
function elementHead(tag: number, vr: Vr, length: number): Buffer {
  if (length >= 0xffffffff) {
    throw new Problem("too-large", "the pixels are 4 GiB or more when they are not compressed", {
      remedy: "retrieve the instance as stored, or frame by frame",
    });
  }
  const head = Buffer.alloc(12);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr === "UN" ? "OW" : vr, 4, "latin1");
  head.writeUInt32LE(length, 8);
  return head;
}
