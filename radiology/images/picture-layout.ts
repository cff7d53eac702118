import { encodingOf, parsingDataSet, pixelDataTags, Tag, TransferSyntaxUid } from "#formats/dicom";
import { nativeFrameBytes } from "#imaging/codecs";
import { frameBytesOf, isCodable, linesFor, type PictureLayout } from "./coded-pixels.ts";
import { describe } from "./image-object.ts";

/** What a data set is like, for what is known of others like it; nothing in it says whose it is. */
export interface Shape {
  readonly kind: string;
  readonly picture: PictureLayout | undefined;
}

/** The syntaxes whose samples codecs take as they lie. */
const straightSyntaxes: readonly string[] = [
  TransferSyntaxUid.implicitLittleEndian,
  TransferSyntaxUid.explicitLittleEndian,
];

const kindLengthMax = 100;

/** In steps that let others have their turn between. What cannot be read is of a kind without pixels. */
export async function shapeOf(dataSet: Uint8Array, transferSyntaxUid: string): Promise<Shape> {
  const rough = { kind: `${transferSyntaxUid} ${31 - Math.clz32(dataSet.length)}`, picture: undefined };
  if (!straightSyntaxes.includes(transferSyntaxUid)) return rough;
  const steps = parsingDataSet(dataSet, { transferSyntaxUid, stopBefore: pixelDataTags, partial: true });
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { dataSet: header, stoppedAt } = step.value;
  if (stoppedAt?.tag !== Tag.PixelData || stoppedAt.valueOffset + stoppedAt.length > dataSet.length) return rough;
  const image = describe(header, transferSyntaxUid, stoppedAt.vr);
  const { rows, columns, samplesPerPixel, bitsAllocated, bitsStored, photometricInterpretation: colours } = image;
  const bare = {
    ...{ rows, columns, bitsStored, before: stoppedAt.valueOffset },
    samplesPerPixel: samplesPerPixel as 1 | 3,
    bitsAllocated: bitsAllocated as 8 | 16,
    pixelRepresentation: image.pixelRepresentation === 1 ? 1 : 0,
    byPlane: samplesPerPixel === 3 && image.planarConfiguration === 1,
    rgb: samplesPerPixel === 3 && colours === "RGB",
    frames: Math.floor(stoppedAt.length / nativeFrameBytes(image)),
  } as const;
  const picture = { ...bare, lines: linesFor({ ...bare, after: 0 }), after: 0 };
  // Subsampled colour takes other bytes than its lines say.
  if (!isCodable(picture) || frameBytesOf(picture) !== nativeFrameBytes(image)) return rough;
  const after = dataSet.length - picture.before - frameBytesOf(picture) * picture.frames;
  const modality = header.text(Tag.Modality) ?? "";
  const traits = [modality, rows, columns, samplesPerPixel, bitsAllocated, bitsStored, colours, picture.byPlane];
  const kind = traits.join(" ").slice(0, kindLengthMax);
  return { kind, picture: { ...picture, after } };
}

/** A piece of it to try packings on: the middle run of lines, or some of the middle. */
export function sampleOf(dataSet: Uint8Array, picture: PictureLayout | undefined): Sample {
  if (picture === undefined) {
    const from = Math.max(0, (dataSet.length - sampleBytesMax) >> 1);
    return { bytes: dataSet.subarray(from, from + sampleBytesMax), picture };
  }
  const frame = frameBytesOf(picture);
  const line = frame / picture.rows;
  const lines = picture.byPlane ? picture.rows : Math.min(picture.lines, Math.ceil(sampleBytesMax / line));
  const from = picture.before + frame * (picture.frames >> 1) + line * ((picture.rows - lines) >> 1);
  return {
    bytes: dataSet.subarray(from, from + lines * line),
    picture: { ...picture, rows: lines, lines, frames: 1, before: 0, after: 0 },
  };
}

export interface Sample {
  readonly bytes: Uint8Array;
  readonly picture: PictureLayout | undefined;
}

const sampleBytesMax = 512 * 1024;

/** Codestreams and what is deflated hold nothing more to squeeze out; what is run-length coded, or not at all, may. */
export function mayShrink(transferSyntaxUid: string): boolean {
  const { codec, deflated } = encodingOf(transferSyntaxUid);
  return !deflated && (codec === "native" || codec === "rle");
}
