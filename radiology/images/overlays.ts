import type { DataSet } from "#formats/dicom";
import type { Overlay, OverlayBits } from "#imaging/rendering";

/** Groups 6000 to 601E, the even ones (PS3.3 §C.9.2). */
const groups = Array.from({ length: 16 }, (_, at) => 0x6000 + at * 2);

const at = (group: number, element: number) => group * 0x10000 + element;

/**
 * The overlay planes of a data set for one of its frames (counted from 0). One whose bits do not fill what its size says is left out:
 * the picture is then shown without. `isShown` picks planes by their group.
 */
export function overlaysOf(dataSet: DataSet, frame: number, isShown: (group: number) => boolean): Overlay[] {
  return groups.flatMap((group) => {
    const overlay = isShown(group) ? overlayOf(dataSet, group, frame) : undefined;
    return overlay === undefined ? [] : [overlay];
  });
}

/** Whether a data set has any with bits of their own. These identify, and are cut out of an image half. */
export const hasOverlayData = (dataSet: DataSet): boolean => groups.some((group) => dataSet.has(at(group, 0x3000)));

function overlayOf(dataSet: DataSet, group: number, frame: number): Overlay | undefined {
  const number = (element: number) => dataSet.number(at(group, element));
  const [rows, columns] = [number(0x0010), number(0x0011)];
  const [top = 1, left = 1] = dataSet.numbers(at(group, 0x0050)) ?? [];
  if (!isSide(rows) || !isSide(columns) || !Number.isInteger(top) || !Number.isInteger(left)) return undefined;
  const bits = bitsOf(dataSet, group, frame, rows * columns);
  return bits && { rows, columns, top: top - 1, left: left - 1, bits };
}

const isSide = (value: number | undefined): value is number =>
  value !== undefined && Number.isInteger(value) && value > 0 && value <= 65_535;

function bitsOf(dataSet: DataSet, group: number, frame: number, bitsEach: number): OverlayBits | undefined {
  const data = dataSet.bytes(at(group, 0x3000));
  if (data === undefined) {
    const position = dataSet.number(at(group, 0x0102));
    return position !== undefined && position > 0 && position < 16 ? { ofSamples: position } : undefined;
  }
  // Frames of an overlay begin with the image's frame of Image Frame Origin; one without frames is for all.
  const frames = dataSet.number(at(group, 0x0015));
  const own = frames === undefined ? 0 : frame + 1 - (dataSet.number(at(group, 0x0051)) ?? 1);
  if (own < 0 || own >= Math.max(1, frames ?? 1)) return undefined;
  const firstBit = own * bitsEach;
  if (firstBit + bitsEach > data.length * 8) return undefined;
  const from = firstBit >> 3;
  const packed = inOrder(dataSet, group, data).slice(from, Math.ceil((firstBit + bitsEach) / 8));
  return { packed, firstBit: firstBit & 7 };
}

/** Bits of big endian words lie in the byte that comes second. */
function inOrder(dataSet: DataSet, group: number, data: Uint8Array): Uint8Array {
  if (!dataSet.bigEndian || dataSet.vr(at(group, 0x3000)) !== "OW") return data;
  const copy = Buffer.from(data.subarray(0, data.length & ~1));
  return copy.swap16();
}
