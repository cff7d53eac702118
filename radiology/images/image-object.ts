import { Problem } from "#base/problem";
import {
  type ByteRange,
  type DataSet,
  encodingOf,
  type FrameLocation,
  frameLayoutOf,
  frameLocations,
  type PixelDataLocation,
  parseDataSet,
  pixelDataOf,
  pixelDataTags,
  readFile,
  startsCodestream,
  Tag,
  type Vr,
} from "#formats/dicom";
import type { FrameDescription } from "#imaging/codecs";
import type { HeldImage } from "#radiology/archive";
import type { OpenedObject } from "#trust/vault";
import { requireCleanFor } from "./burned-in.ts";

/** Everything before the pixels, wherever they are: nobody writes longer headers but to hurt. */
const headerBytesMax = 64 * 1024 * 1024;
/** What is read into memory as a whole: objects without pixels, and those that are deflated as a whole. */
const wholeBytesMax = 256 * 1024 * 1024;
const fragmentsMax = 1_000_000;
/** Whole slide images reach some hundred thousand; a location is kept for each. */
const framesMax = 500_000;
const scanBytes = 32 * 1024;
/** In memory a parsed header takes several times its bytes; where a fragment and a frame lie takes so many. */
const parsedWeight = 4;
const fragmentWeight = 64;
const frameWeight = 160;

/** What it takes to read an object, whole or its image half. */
type ReadableObject = Pick<HeldImage, "transferSyntaxUid" | "dataSetOffset" | "pixelOffset" | "pixelLength" | "open">;

/** What an instance says of itself, and how its bytes are reached. */
export interface ObjectHeader {
  /** Elements up to the pixels; all of them where there are none, or the whole was read. */
  readonly dataSet: DataSet;
  /** Bytes of the ranges that `dataSet` and `pixels` give. */
  readonly object: Pick<OpenedObject, "read" | "stream">;
  readonly pixels: PixelDataLocation | undefined;
  /** The pixels' element; 0 where there is none. */
  readonly pixelTag: number;
  readonly pixelVr: Vr;
  /** How much memory it holds. */
  readonly weight: number;
}

/** The frames of an image object. */
export interface ImageObject extends ObjectHeader {
  readonly frames: readonly FrameLocation[];
  /** Of each frame; `bitOffset` is that of the location. */
  readonly image: FrameDescription;
}

export function noPixels(): Problem {
  return new Problem("absent", "the instance has no frames", { remedy: "retrieve the instance itself" });
}

/** Opens an instance (whole, or its image half) and reads what stands before its pixels. */
export async function readHeader(instance: ReadableObject): Promise<ObjectHeader> {
  const { transferSyntaxUid, dataSetOffset, pixelOffset } = instance;
  const object = await instance.open();
  if (encodingOf(transferSyntaxUid).deflated) return inflatedHeader(object);
  const end = pixelOffset ?? object.sizeBytes;
  const most = pixelOffset === undefined ? wholeBytesMax : headerBytesMax;
  if (end - dataSetOffset > most) {
    throw new Problem("too-large", `the instance has more than ${most >> 20} MiB before its pixels`, {
      remedy: "retrieve the instance as stored",
    });
  }
  const bytes = await object.read(dataSetOffset, end);
  const { dataSet, stoppedAt } = parseDataSet(bytes, { transferSyntaxUid, stopBefore: pixelDataTags });
  const base = { dataSet, object: shifted(object, dataSetOffset), weight: bytes.length * parsedWeight };
  if (pixelOffset === undefined || stoppedAt === undefined) {
    return { ...base, pixels: pixelDataOf(dataSet), pixelTag: 0, pixelVr: "UN" };
  }
  const offset = pixelOffset - dataSetOffset;
  const pixels: PixelDataLocation =
    instance.pixelLength === undefined
      ? await fragmentsOf(base.object, offset, object.sizeBytes - dataSetOffset, dataSet)
      : { native: { offset, length: instance.pixelLength } };
  const fragments = "fragments" in pixels ? pixels.fragments.length : 0;
  const weight = base.weight + fragments * fragmentWeight;
  return { ...base, weight, pixels, pixelTag: stoppedAt.tag, pixelVr: stoppedAt.vr };
}

/** Where its frames are. Problem `absent` for what is no image. */
export function imageOf(header: ObjectHeader, transferSyntaxUid: string): ImageObject {
  const { dataSet, pixels, pixelVr } = header;
  if (pixels === undefined) throw noPixels();
  const layout = frameLayoutOf(dataSet);
  if (layout.frames > framesMax) throw new Problem("invalid", `the instance states more than ${framesMax} frames`);
  const frames = frameLocations(pixels, layout);
  return {
    ...header,
    frames: withPadding(frames, pixels, dataSet),
    image: describe(dataSet, transferSyntaxUid, pixelVr),
  };
}

/** Big endian words of a value whose length is odd hold its last sample behind the byte that made it even (PS3.5 §7.3). */
function withPadding(frames: FrameLocation[], pixels: PixelDataLocation, { bigEndian }: DataSet): FrameLocation[] {
  const last = frames.at(-1);
  const range = last?.ranges[0];
  if (!bigEndian || !("native" in pixels) || last === undefined || range === undefined) return frames;
  const { offset, length } = pixels.native;
  if (range.length % 2 === 0 || range.offset + range.length >= offset + length) return frames;
  return [...frames.slice(0, -1), { ...last, ranges: [{ offset: range.offset, length: range.length + 1 }] }];
}

export function describe(dataSet: DataSet, transferSyntaxUid: string, pixelVr: Vr): FrameDescription {
  const number = (tag: number, otherwise: number) => dataSet.number(tag) ?? otherwise;
  const bitsAllocated = number(Tag.BitsAllocated, 0);
  return {
    transferSyntaxUid,
    rows: number(Tag.Rows, 0),
    columns: number(Tag.Columns, 0),
    samplesPerPixel: number(Tag.SamplesPerPixel, 1),
    bitsAllocated,
    bitsStored: number(Tag.BitsStored, bitsAllocated),
    pixelRepresentation: number(Tag.PixelRepresentation, 0),
    planarConfiguration: dataSet.number(Tag.PlanarConfiguration),
    photometricInterpretation: dataSet.text(Tag.PhotometricInterpretation) ?? "MONOCHROME2",
    ...((pixelVr === "OB" || pixelVr === "OW") && { pixelDataVr: pixelVr }),
  };
}

/** Offsets of a data set that was read from the first byte of it on. */
function shifted(object: OpenedObject, by: number): ObjectHeader["object"] {
  return {
    read: (from, to) => object.read(from + by, to + by),
    stream: (from = 0, to = object.sizeBytes - by) => object.stream(from + by, to + by),
  };
}

async function inflatedHeader(object: OpenedObject): Promise<ObjectHeader> {
  if (object.sizeBytes > wholeBytesMax) {
    throw new Problem("too-large", "the instance is deflated and too large to be taken apart", {
      remedy: "retrieve the instance as stored",
    });
  }
  const file = readFile(await object.read(0, object.sizeBytes), { limits: { inflatedBytesMax: wholeBytesMax } });
  const { dataSet } = file;
  const pixels = pixelDataOf(dataSet);
  const element = dataSet.elements.find(({ tag }) => pixelDataTags.includes(tag));
  const bytesOf = (from: number, to: number) => Buffer.from(dataSet.range({ offset: from, length: to - from }));
  return {
    dataSet,
    object: {
      read: async (from, to) => bytesOf(from, to),
      async *stream(from = 0, to = from) {
        yield bytesOf(from, to);
      },
    },
    pixels,
    pixelTag: element?.tag ?? 0,
    pixelVr: element?.vr ?? "UN",
    weight: wholeBytesMax, // never kept
  };
}

/** Follows the item heads of encapsulated pixel data (PS3.5 §A.4) without reading what is in the items, if they are long. */
async function fragmentsOf(
  object: ObjectHeader["object"],
  start: number,
  end: number,
  dataSet: DataSet,
): Promise<PixelDataLocation> {
  const items: ByteRange[] = [];
  let window: Buffer = Buffer.alloc(0);
  let windowAt = 0;
  const headAt = async (at: number): Promise<Buffer> => {
    if (at < windowAt || at + 12 > windowAt + window.length) {
      windowAt = at;
      window = await object.read(at, Math.min(end, at + scanBytes));
    }
    return window.subarray(at - windowAt, at - windowAt + 12);
  };
  /** First bytes of each fragment, for those whose frames nothing else tells apart. */
  const starts: boolean[] = [];
  let at = start;
  for (;;) {
    const head = await headAt(at);
    if (head.length < 8) throw damaged();
    const tag = head.readUInt16LE(0) * 0x10000 + head.readUInt16LE(2);
    const length = head.readUInt32LE(4);
    if (tag === Tag.SequenceDelimitationItem) break;
    if (tag !== Tag.Item || at + 8 + length > end || items.length >= fragmentsMax) throw damaged();
    items.push({ offset: at + 8, length });
    starts.push(startsCodestream(head.subarray(8)));
    at += 8 + length;
  }
  const [table, ...fragments] = items;
  return {
    fragments,
    basicOffsetTable: table && (await object.read(table.offset, table.offset + table.length)),
    extendedOffsetTable: dataSet.bytes(Tag.ExtendedOffsetTable),
    extendedOffsetTableLengths: dataSet.bytes(Tag.ExtendedOffsetTableLengths),
    startsFrame: (index) => starts[index + 1] === true,
  };
}

function damaged(): Problem {
  return new Problem("invalid", "the fragments of the pixel data cannot be followed", {
    remedy: "retrieve the instance as stored",
  });
}

/** The bytes of a frame as they are stored, as one piece. */
export async function frameBytes(image: ImageObject, frame: FrameLocation): Promise<Buffer> {
  const [first, ...more] = frame.ranges;
  if (first === undefined) throw damaged();
  const read = (range: ByteRange) => image.object.read(range.offset, range.offset + range.length);
  return more.length === 0 ? read(first) : Buffer.concat(await Promise.all(frame.ranges.map(read)));
}

interface KeptImage {
  readonly header: ObjectHeader;
  frames: ImageObject | undefined;
  weight: number;
}

/** Keeps the headers of images that were used last, without what identifies, by the object's token, in memory only. */
export function createImageCache(weightMax: number) {
  const kept = new Map<string, KeptImage>();
  let weight = 0;
  const drop = (id: string) => {
    weight -= kept.get(id)?.weight ?? 0;
    kept.delete(id);
  };
  /** As the one used last. */
  const keep = (id: string, image: KeptImage, more = 0) => {
    drop(id);
    image.weight += more;
    if (image.weight > weightMax / 2) return;
    kept.set(id, image);
    weight += image.weight;
    for (const oldest of kept.keys()) {
      if (weight <= weightMax) break;
      drop(oldest);
    }
  };
  const entryOf = async (instance: HeldImage): Promise<KeptImage> => {
    let entry = kept.get(instance.id);
    if (entry === undefined) {
      const header = await readHeader(instance);
      entry = { header, frames: undefined, weight: header.weight };
    }
    keep(instance.id, entry);
    return entry;
  };
  return {
    header: async (instance: HeldImage): Promise<ObjectHeader> => (await entryOf(instance)).header,
    /** Problem `denied` where the pixels may show whose they are, and who looks may not know. */
    async image(instance: HeldImage): Promise<ImageObject> {
      const entry = await entryOf(instance);
      requireCleanFor(instance, entry.header.dataSet);
      if (entry.frames === undefined) {
        entry.frames = imageOf(entry.header, instance.transferSyntaxUid);
        keep(instance.id, entry, entry.frames.frames.length * frameWeight);
      }
      return entry.frames;
    },
  };
}

export type ImageCache = ReturnType<typeof createImageCache>;
