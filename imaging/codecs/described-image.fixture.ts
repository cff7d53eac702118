import { type DataSet, frameLayoutOf, frameLocations, pixelDataOf, Tag } from "#formats/dicom";
import type { FrameDescription } from "./frame.ts";

/** The Image Pixel attributes of a data set (PS3.3 C.7.6.3); undefined when it holds no pixels. */
export function describeImage(dataSet: DataSet, transferSyntaxUid: string): FrameDescription | undefined {
  const rows = dataSet.number(Tag.Rows);
  const columns = dataSet.number(Tag.Columns);
  const element =
    dataSet.get(Tag.PixelData) ?? dataSet.get(Tag.FloatPixelData) ?? dataSet.get(Tag.DoubleFloatPixelData);
  if (rows === undefined || columns === undefined || element === undefined) return undefined;
  const bits = element.tag === Tag.PixelData ? 8 : element.tag === Tag.FloatPixelData ? 32 : 64;
  const bitsAllocated = dataSet.number(Tag.BitsAllocated) ?? bits;
  return {
    transferSyntaxUid,
    rows,
    columns,
    samplesPerPixel: dataSet.number(Tag.SamplesPerPixel) ?? 1,
    bitsAllocated,
    bitsStored: dataSet.number(Tag.BitsStored) ?? bitsAllocated,
    pixelRepresentation: dataSet.number(Tag.PixelRepresentation) ?? 0,
    planarConfiguration: dataSet.number(Tag.PlanarConfiguration),
    photometricInterpretation: dataSet.text(Tag.PhotometricInterpretation) || "MONOCHROME2",
    pixelDataVr: element.vr === "OW" ? "OW" : element.vr === "OB" ? "OB" : undefined,
  };
}

/** Its frames as they are stored, each with the bit that it begins at. */
export function storedFrames(dataSet: DataSet): { bytes: Uint8Array; bitOffset: number }[] {
  const pixels = pixelDataOf(dataSet);
  if (pixels === undefined) return [];
  return frameLocations(pixels, frameLayoutOf(dataSet)).map(({ ranges, firstBit }) => ({
    bytes: Buffer.concat(ranges.map((range) => dataSet.range(range))),
    bitOffset: firstBit,
  }));
}
