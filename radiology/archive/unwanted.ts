import { Problem } from "#base/problem";
import { tagOf, type Vr } from "#formats/dicom";

/** The text also becomes the Error Comment of a C-STORE response (LO, 64 characters). */
export function refusal(message: string, offending?: number): Problem {
  const problem = new Problem("invalid", message, { remedy: "correct the data set at its source and send it again" });
  return offending === undefined ? problem : Object.assign(problem, { offendingElements: [offending] });
}

/** Attributes that say how large the pixels are (PS3.3 §C.7.6.3), each one US. */
const sizes: ReadonlySet<number> = new Set(
  ["SamplesPerPixel", "PlanarConfiguration", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"]
    .concat(["PixelRepresentation"])
    .map(tagOf),
);

/**
 * Why an element is not kept that one reader would take in another way than the next: it is of a group that no data set has (PS3.5 §7.1:
 * commands, file meta information, directories, FFFF), or a size of the pixels in another VR than its own.
 */
export function unwanted(tag: number, vr: Vr, length: number, depth: number): Problem | undefined {
  if (tag < 0x00080000 || tag >= 0xffff0000) return refusal("a group that no data set may hold", tag);
  if (depth > 0 || tag >>> 16 !== 0x0028 || !sizes.has(tag)) return undefined;
  const isOwn = vr === "US" && (length === 2 || length === 0);
  return isOwn || vr === "UN" ? undefined : refusal("a size of the pixels has another VR than its own", tag);
}

/** Little and big endian TIFF and BigTIFF. */
const tiffMarks = ["49492a00", "4d4d002a", "49492b00", "4d4d002b"];
const preambleBytes = 128;

/**
 * Makes the bytes in front of the prefix of a file zero: they belong to no one (PS3.10 §7.1), and what begins with a program's mark is a
 * program to whom it is handed on. A TIFF directory stays, which makes a file of two kinds for whole slides.
 */
export function clearPreamble(pieces: readonly Buffer[]): void {
  const mark = Buffer.concat(pieces.slice(0, 4), 4).toString("hex");
  if (tiffMarks.includes(mark)) return;
  let left = preambleBytes;
  for (const piece of pieces) {
    piece.fill(0, 0, Math.min(left, piece.length));
    left -= Math.min(left, piece.length);
  }
}
