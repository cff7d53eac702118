import { type DataSet, Tag, type Vr, vrTable } from "#formats/dicom";

/** Bytes of a word of pixel data that big endian turns round: a sample, where it is longer than the VR's own words. */
export function swapUnit(dataSet: DataSet, vr: Vr): number {
  const allocated = dataSet.number(Tag.BitsAllocated) ?? 0;
  return allocated === 32 || allocated === 64 ? allocated / 8 : vrTable[vr].unitBytes;
}

/** A copy with each word of `unit` bytes turned round. */
export function swapped(bytes: Uint8Array, unit: number): Buffer {
  const copy = Buffer.from(bytes);
  const whole = copy.subarray(0, copy.length - (copy.length % unit));
  if (unit === 2) whole.swap16();
  else if (unit === 4) whole.swap32();
  else if (unit === 8) whole.swap64();
  return copy;
}
