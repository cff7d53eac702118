import { type ByteRange, type DataSet, Tag, tagOf, undefinedLength } from "#formats/dicom";
import { codecFamily } from "./decode.ts";
import type { FrameDescription } from "./frame.ts";
import { invalid } from "./frame.ts";
import { nativeFrameBytes } from "./native.ts";

const samplesPerPixelTag = tagOf("SamplesPerPixel");
const planarConfigurationTag = tagOf("PlanarConfiguration");
const numberOfFramesTag = tagOf("NumberOfFrames");
const extendedOffsetsTag = tagOf("ExtendedOffsetTable");

/** The Image Pixel attributes of a data set (PS3.3 C.7.6.3); undefined when it holds no pixels. Values are not checked here. */
export function describeImage(dataSet: DataSet, transferSyntaxUid: string): FrameDescription | undefined {
  const rows = dataSet.number(Tag.Rows);
  const columns = dataSet.number(Tag.Columns);
  const element = pixelElement(dataSet);
  if (rows === undefined || columns === undefined || element === undefined) return undefined;
  const bits = element.tag === Tag.PixelData ? 8 : element.tag === Tag.FloatPixelData ? 32 : 64;
  const bitsAllocated = dataSet.number(tagOf("BitsAllocated")) ?? bits;
  return {
    transferSyntaxUid,
    rows,
    columns,
    samplesPerPixel: dataSet.number(samplesPerPixelTag) ?? 1,
    bitsAllocated,
    bitsStored: dataSet.number(tagOf("BitsStored")) ?? bitsAllocated,
    pixelRepresentation: dataSet.number(tagOf("PixelRepresentation")) ?? 0,
    planarConfiguration: dataSet.number(planarConfigurationTag),
    photometricInterpretation: dataSet.text(tagOf("PhotometricInterpretation")) || "MONOCHROME2",
    pixelDataVr: element.vr === "OW" ? "OW" : element.vr === "OB" ? "OB" : undefined,
  };
}

function pixelElement(dataSet: DataSet) {
  return dataSet.get(Tag.PixelData) ?? dataSet.get(Tag.FloatPixelData) ?? dataSet.get(Tag.DoubleFloatPixelData);
}

/** Where one frame lies in the stream that its data set was read from. */
export interface FrameLocation {
  /** In order; more than one where a frame is in several fragments. */
  ranges: ByteRange[];
  /** Of a 1 bit frame that begins inside a byte. */
  bitOffset: number;
}

/**
 * Where the frames of a data set lie. Encapsulated frames are found by the offset tables, by one fragment for each frame, or by
 * the start markers of their codestreams, in this order of trust; the bytes of the fragments have to be at hand for the last.
 *
 * @throws Problem `invalid` when there are fewer frames than Number of Frames says, or no telling where they begin.
 */
export function locateFrames(dataSet: DataSet, image: FrameDescription): FrameLocation[] {
  const element = pixelElement(dataSet);
  const count = Math.max(1, dataSet.number(numberOfFramesTag) ?? 1);
  if (element === undefined) throw invalid("an image without pixels");
  if (element.fragments !== undefined) return encapsulatedFrames(dataSet, element.fragments, image, count);
  if (element.length === undefinedLength) throw invalid("native pixels of undefined length");
  return nativeFrames(element.offset, element.length, image, count);
}

function nativeFrames(offset: number, length: number, image: FrameDescription, count: number): FrameLocation[] {
  const bits =
    image.bitsAllocated === 1 ? image.rows * image.columns * image.samplesPerPixel : nativeFrameBytes(image) * 8;
  if (!(bits > 0) || Math.ceil((bits * count) / 8) > length) {
    throw invalid(`pixels of ${length} bytes where ${count} frames of ${Math.ceil(bits / 8)} bytes belong`);
  }
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * bits) / 8);
    const to = Math.ceil(((index + 1) * bits) / 8);
    // The padding byte goes with a single frame: big endian words need it (PS3.5 §8.2).
    const last = count === 1 && length === to + 1 ? to + 1 : to;
    return { ranges: [{ offset: offset + from, length: last - from }], bitOffset: (index * bits) % 8 };
  });
}

/** Offsets of the frames from the first byte of the first fragment's item, from either table. */
function offsetsIn(dataSet: DataSet, table: ByteRange | undefined, count: number): number[] | undefined {
  const extended = dataSet.bigints(extendedOffsetsTag);
  if (extended !== undefined && extended.length === count) return extended.map(Number);
  if (table === undefined || table.length !== count * 4) return undefined;
  const bytes = dataSet.range(table);
  if (bytes.length !== table.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => view.getUint32(i * 4, true));
}

function startsFrame(bytes: Uint8Array, family: string | undefined): boolean {
  if (family === "jpeg" || family === "jpeg-ls") return bytes[0] === 0xff && bytes[1] === 0xd8;
  const boxed = bytes[4] === 0x6a && bytes[5] === 0x50;
  return (bytes[0] === 0xff && bytes[1] === 0x4f && bytes[2] === 0xff && bytes[3] === 0x51) || boxed;
}

function encapsulatedFrames(
  dataSet: DataSet,
  [table, ...fragments]: readonly ByteRange[],
  image: FrameDescription,
  count: number,
): FrameLocation[] {
  const [first] = fragments;
  if (first === undefined) throw invalid("encapsulated pixels without fragments");
  const frame = (ranges: ByteRange[]): FrameLocation => ({ ranges, bitOffset: 0 });
  if (count === 1) return [frame(fragments)];
  const offsets = offsetsIn(dataSet, table, count);
  // An offset counts from the item tag of the first fragment, eight bytes before its value (PS3.5 A.4).
  const starts = offsets?.map((offset) => fragments.findIndex((each) => each.offset - first.offset === offset));
  const ascending = starts?.every((start, i) => start >= 0 && (i === 0 || start > (starts[i - 1] as number)));
  if (starts !== undefined && ascending) return starts.map((start, i) => frame(fragments.slice(start, starts[i + 1])));
  if (fragments.length === count) return fragments.map((each) => frame([each]));
  const family = codecFamily(image.transferSyntaxUid);
  const marked = fragments.flatMap((each, i) => (startsFrame(dataSet.range(each).subarray(0, 8), family) ? [i] : []));
  if (marked.length !== count || marked[0] !== 0) {
    throw invalid(`${fragments.length} fragments without a table, of which ${count} frames cannot be made`);
  }
  return marked.map((start, i) => frame(fragments.slice(start, marked[i + 1])));
}

/** The bytes of a located frame, put together; a view where they are in one piece. */
export function frameBytes(dataSet: DataSet, location: FrameLocation): Uint8Array {
  const pieces = location.ranges.map((range) => dataSet.range(range));
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
