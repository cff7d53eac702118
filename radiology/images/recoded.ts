import { Problem } from "#base/problem";
import {
  type DataElement,
  type DataSet,
  type ElementInput,
  encodingOf,
  inputOf,
  parseDataSet,
  Tag,
  type TransferSyntax,
  type Vr,
  writeDataSet,
} from "#formats/dicom";
import type { DecodedFrame } from "#imaging/codecs";
import type { CurrentInstance } from "#radiology/archive";
import { createBitPacker } from "./bit-packer.ts";
import type { ByteSource } from "./byte-source.ts";
import { elementHead, itemHead, sequenceEnd } from "./element-heads.ts";
import { type ImageObject, imageOf, type ObjectHeader, readHeader } from "./image-object.ts";
import type { PixelWork } from "./pixel-work.ts";
import { swapped, swapUnit } from "./sample-order.ts";

const swapBytesAtOnce = 256 * 1024;
/** Elements behind the pixels: padding and signatures, never much. */
const trailingBytesMax = 16 * 1024 * 1024;
/** Compressed frames that are held back until it is known where all of them begin. */
const tabledBytesMax = 8 * 1024 * 1024;
/** Frames that are worked on at once: as many as there are workers. */
const framesAhead = 2;

/** An instance as it is read once from front to end. */
export interface ReadInstance {
  readonly transferSyntaxUid: string;
  readonly header: ObjectHeader;
  /** Bytes of the data set behind those that were read before. */
  readonly read: (offset: number, length: number) => Promise<Buffer>;
  /** Elements behind the pixels; asked for last. */
  readonly trailing: () => Promise<ElementInput[]>;
}

/** What stands before the pixels of an instance, and the rest of it in order, out of `source`, which is proven at its end. */
export async function readThrough(instance: CurrentInstance, source: ByteSource): Promise<ReadInstance> {
  const { transferSyntaxUid } = instance;
  const header = await readHeader(instance);
  const { dataSet, object, pixels } = header;
  if (encodingOf(transferSyntaxUid).deflated) {
    const behind = dataSet.elements.filter(({ tag }) => pixels !== undefined && tag > header.pixelTag);
    return {
      transferSyntaxUid,
      header,
      read: (offset, length) => object.read(offset, offset + length),
      trailing: async () => behind.map((element) => inputOf(dataSet, element)),
    };
  }
  let at = 0;
  const skip = async (to: number): Promise<boolean> => {
    while (at < to) {
      const piece = await source.next(to - at);
      if (piece === undefined) return false;
      at += piece.length;
    }
    return true;
  };
  return {
    transferSyntaxUid,
    header,
    async read(offset, length) {
      await skip(offset);
      const bytes = await source.take(length);
      at += length;
      return bytes;
    },
    async trailing() {
      const isThere = pixels !== undefined && (await skip(endOf(pixels)));
      return isThere ? elementsIn(await restOf(source), transferSyntaxUid) : [];
    },
  };
}

/** Behind the value, and of fragments behind the sequence delimiter. */
function endOf(pixels: NonNullable<ObjectHeader["pixels"]>): number {
  if ("native" in pixels) return pixels.native.offset + pixels.native.length;
  const last = pixels.fragments.at(-1);
  return last === undefined ? 0 : last.offset + last.length + 8;
}

async function restOf(source: ByteSource): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (;;) {
    const piece = await source.next(swapBytesAtOnce);
    if (piece === undefined) return Buffer.concat(pieces);
    size += piece.length;
    if (size > trailingBytesMax) throw new Problem("too-large", "too much follows the pixels of an instance");
    pieces.push(piece);
  }
}

function elementsIn(bytes: Buffer, transferSyntaxUid: string): ElementInput[] {
  if (bytes.length === 0) return [];
  const { dataSet } = parseDataSet(bytes, { transferSyntaxUid, partial: true });
  return dataSet.elements.map((element) => inputOf(dataSet, element));
}

/** The data set of an instance in another transfer syntax that is not deflated. */
export async function* recoded(instance: ReadInstance, to: string, pixels: PixelWork): AsyncGenerator<Uint8Array> {
  const { header, transferSyntaxUid } = instance;
  const target = encodingOf(to);
  if (header.pixels === undefined) {
    if (target.encapsulated) throw notCompressible("an instance without pixels");
    yield writeDataSet(inputsBefore(header), { transferSyntaxUid: to });
  } else if (target.encapsulated) yield* compressed(instance, to, pixels);
  else if (encodingOf(transferSyntaxUid).encapsulated) yield* decoded(instance, target, pixels);
  else yield* reordered(instance, target);
  const trailing = header.pixels === undefined ? [] : await instance.trailing();
  if (trailing.length > 0) yield writeDataSet(trailing, { transferSyntaxUid: to });
}

function inputsBefore({ dataSet, pixels, pixelTag }: ObjectHeader): ElementInput[] {
  const before = dataSet.elements.filter(({ tag }) => pixels === undefined || tag < pixelTag);
  return withoutInnerPictures(dataSet, before);
}

/**
 * A compressed picture inside a sequence (an icon of PS3.3 §F.7, or a maker's own) is so in the syntax of its object. The sequence is left
 * out, as any writer may leave an icon out: whoever wants a small picture makes one.
 */
function withoutInnerPictures(dataSet: DataSet, elements: readonly DataElement[]): ElementInput[] {
  return elements.flatMap((element) => {
    const { tag, items } = element;
    if (items === undefined || !items.some(holdsPicture)) return [inputOf(dataSet, element)];
    if (items.some((item) => item.elements.some(({ fragments }) => fragments !== undefined))) return [];
    return [{ tag, vr: "SQ", value: items.map((item) => withoutInnerPictures(item, item.elements)) } as const];
  });
}

/** The reader has bounded how deeply sequences nest. */
function holdsPicture(dataSet: DataSet): boolean {
  return dataSet.elements.some(({ fragments, items }) => fragments !== undefined || items?.some(holdsPicture));
}

/** Plain pixels as they are, their words turned round where the byte order changes. */
async function* reordered(
  { header, read, transferSyntaxUid }: ReadInstance,
  target: TransferSyntax,
): AsyncGenerator<Uint8Array> {
  const { pixels, pixelTag, pixelVr, dataSet } = header;
  if (pixels === undefined || !("native" in pixels)) throw new Problem("invalid", "plain pixels that are in fragments");
  const { offset, length } = pixels.native;
  const vr = pixelVr === "UN" ? "OW" : pixelVr;
  const turns = encodingOf(transferSyntaxUid).bigEndian !== target.bigEndian;
  const unit = turns ? swapUnit(dataSet, vr) : 1;
  yield writeDataSet(inputsBefore(header), { transferSyntaxUid: target.uid });
  yield elementHead(target, pixelTag, vr, length + (length % 2));
  for (let at = 0; at < length; at += swapBytesAtOnce) {
    const bytes = await read(offset + at, Math.min(length - at, swapBytesAtOnce));
    yield unit === 1 ? bytes : swapped(bytes, unit);
  }
  if (length % 2 === 1) yield Uint8Array.of(0);
}

/** Each frame's bytes in order, and what is made of them: a few are worked on while one is given. */
async function* frames<Made>(
  instance: ReadInstance,
  image: ImageObject,
  make: (frame: Buffer, firstBit: number) => Promise<Made>,
): AsyncGenerator<Made> {
  const begun: Promise<Made>[] = [];
  for (const { ranges, firstBit } of image.frames) {
    const pieces: Buffer[] = [];
    for (const { offset, length } of ranges) pieces.push(await instance.read(offset, length));
    const one = make(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces), firstBit);
    one.catch(() => {}); // told when its turn comes; whoever asked may have gone before
    begun.push(one);
    if (begun.length >= framesAhead) yield await (begun.shift() as Promise<Made>);
  }
  for (const one of begun) yield await one;
}

async function* decoded(instance: ReadInstance, target: TransferSyntax, pixels: PixelWork): AsyncGenerator<Uint8Array> {
  const image = imageOf(instance.header, instance.transferSyntaxUid);
  const isBits = image.image.bitsAllocated === 1;
  const packer = createBitPacker();
  let first: DecodedFrame | undefined;
  let unit = 1;
  for await (const frame of frames(instance, image, (bytes) => pixels.decodeFrame(bytes, image.image))) {
    if (first === undefined) {
      first = frame;
      const bits = (isBits ? frame.pixels.length : frame.pixels.length * 8) * image.frames.length;
      const length = Math.ceil(bits / 8);
      unit = target.bigEndian ? frame.bitsAllocated / 8 : 1;
      yield writeDataSet(changedHeader(image, frame), { transferSyntaxUid: target.uid });
      yield elementHead(target, Tag.PixelData, frame.bitsAllocated > 8 ? "OW" : "OB", length + (length % 2));
    } else if (frame.pixels.length !== first.pixels.length) {
      throw new Problem("damaged", "frames of one instance decode to different sizes");
    }
    if (isBits) yield packer.push(frame.pixels);
    else yield unit === 1 ? frame.pixels : swapped(frame.pixels, unit);
  }
  if (isBits) yield packer.rest();
  const size = isBits ? packer.size() : (first?.pixels.length ?? 0) * image.frames.length;
  if (size % 2 === 1) yield Uint8Array.of(0);
}

/**
 * One fragment a frame behind a Basic Offset Table (PS3.5 §A.4). Where the frames begin is known only when all have been made: those of a
 * larger object are sent as they are made, behind an empty table.
 */
async function* compressed(instance: ReadInstance, to: string, pixels: PixelWork): AsyncGenerator<Uint8Array> {
  const { header, transferSyntaxUid } = instance;
  if (header.pixelTag !== Tag.PixelData) throw notCompressible("floating point samples");
  const image = imageOf(header, transferSyntaxUid);
  const recode = (frame: Buffer, bitOffset: number) => pixels.recodeFrame(frame, { ...image.image, bitOffset }, to);
  let photometric: string | undefined;
  let held: Uint8Array[] | undefined = [];
  let heldBytes = 0;
  for await (const { bytes, photometricInterpretation } of frames(instance, image, recode)) {
    photometric ??= photometricInterpretation;
    if (photometricInterpretation !== photometric) {
      throw new Problem("damaged", "frames of one instance are coloured in different ways");
    }
    if (held === undefined) {
      yield* fragment(bytes);
      continue;
    }
    held.push(bytes);
    heldBytes += bytes.length;
    if (heldBytes <= tabledBytesMax) continue;
    yield beforeFragments(image, photometric, to, new Uint8Array(0));
    for (const each of held.splice(0)) yield* fragment(each);
    held = undefined;
  }
  if (held !== undefined && photometric !== undefined) {
    yield beforeFragments(image, photometric, to, offsetTable(held));
    for (const each of held) yield* fragment(each);
  }
  yield sequenceEnd();
}

function beforeFragments(image: ImageObject, photometricInterpretation: string, to: string, table: Uint8Array): Buffer {
  const { samplesPerPixel } = image.image;
  const changes = { photometricInterpretation, samplesPerPixel, planarConfiguration: 0 };
  return Buffer.concat([
    writeDataSet(changedHeader(image, changes), { transferSyntaxUid: to }),
    elementHead(encodingOf(to), Tag.PixelData, "OB", 0xffffffff),
    itemHead(table.length),
    table,
  ]);
}

/** Where the item of each frame begins, counted from the first of them. */
function offsetTable(fragments: readonly Uint8Array[]): Buffer {
  const table = Buffer.alloc(fragments.length * 4);
  let offset = 0;
  for (const [at, { length }] of fragments.entries()) {
    table.writeUInt32LE(offset, at * 4);
    offset += 8 + length + (length % 2);
  }
  return table;
}

function* fragment(bytes: Uint8Array): Generator<Uint8Array> {
  yield itemHead(bytes.length + (bytes.length % 2));
  yield bytes;
  if (bytes.length % 2 === 1) yield Uint8Array.of(0);
}

/** What stands before the pixels, with what their coding changed (PS3.5 §8.2). */
function changedHeader(
  image: ImageObject,
  made: { photometricInterpretation: string; samplesPerPixel: number; planarConfiguration: number },
): ElementInput[] {
  const { photometricInterpretation, samplesPerPixel, planarConfiguration } = made;
  const changes = new Map<number, ElementInput | undefined>([
    [Tag.ExtendedOffsetTable, undefined],
    [Tag.ExtendedOffsetTableLengths, undefined],
  ]);
  const set = (tag: number, vr: Vr, value: string | number) => changes.set(tag, { tag, vr, value });
  set(Tag.PhotometricInterpretation, "CS", photometricInterpretation);
  if (samplesPerPixel > 1) set(Tag.PlanarConfiguration, "US", planarConfiguration);
  // What a lossy codestream held has lost something, whatever becomes of it (PS3.3 §C.7.6.1.1.5).
  const isLossy = encodingOf(image.image.transferSyntaxUid).loss === "lossy";
  if (isLossy && image.dataSet.text(Tag.LossyImageCompression) !== "01") set(Tag.LossyImageCompression, "CS", "01");
  const kept = inputsBefore(image).filter(({ tag }) => !changes.has(tag));
  return [...kept, ...[...changes.values()].filter((element) => element !== undefined)];
}

function notCompressible(what: string): Problem {
  return new Problem("unsupported", `${what} cannot be compressed`, { remedy: "ask for it uncompressed or as stored" });
}
