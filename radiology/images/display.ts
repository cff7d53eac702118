import { type DataSet, Tag, tagOf } from "#formats/dicom";
import {
  type DisplayAttributes,
  type LookupTable,
  readLookupTable,
  readSegmentedTable,
  type VoiFunction,
  type Window,
} from "#imaging/rendering";

const tag = {
  sharedGroups: Tag.SharedFunctionalGroupsSequence,
  frameGroups: Tag.PerFrameFunctionalGroupsSequence,
  pixelValueTransformation: tagOf("PixelValueTransformationSequence"),
  frameVoi: tagOf("FrameVOILUTSequence"),
  modalityLut: tagOf("ModalityLUTSequence"),
  voiLut: tagOf("VOILUTSequence"),
  lutDescriptor: tagOf("LUTDescriptor"),
  lutData: tagOf("LUTData"),
  voiFunction: tagOf("VOILUTFunction"),
  presentationLut: tagOf("PresentationLUTSequence"),
  presentationShape: tagOf("PresentationLUTShape"),
  paddingLimit: tagOf("PixelPaddingRangeLimit"),
} as const;

const functions: readonly string[] = ["LINEAR", "LINEAR_EXACT", "SIGMOID"] satisfies VoiFunction[];

/**
 * What a data set says about showing one of its frames (counted from 0): a frame's own functional groups go before those of
 * all frames, and those before the data set's (PS3.3 §C.7.6.16). Tables that cannot be read are left out: the picture is then
 * shown without.
 */
export function displayOf(dataSet: DataSet, frame: number, float: boolean): DisplayAttributes {
  const groups = [dataSet.items(tag.frameGroups)?.[frame], dataSet.items(tag.sharedGroups)?.[0]];
  const within = (sequence: number) =>
    groups.map((group) => group?.items(sequence)?.[0]).find((item) => item !== undefined) ?? dataSet;
  const transformation = within(tag.pixelValueTransformation);
  const voi = within(tag.frameVoi);
  const signed = dataSet.number(Tag.PixelRepresentation) === 1;
  return {
    highBit: dataSet.number(Tag.HighBit),
    float,
    rescaleSlope: transformation.number(Tag.RescaleSlope),
    rescaleIntercept: transformation.number(Tag.RescaleIntercept),
    modalityLut: tableOf(dataSet.items(tag.modalityLut)?.[0], signed),
    ...voiOf(voi, signed),
    presentationLutShape: dataSet.text(tag.presentationShape),
    pixelPaddingValue: dataSet.number(Tag.PixelPaddingValue),
    pixelPaddingRangeLimit: dataSet.number(tag.paddingLimit),
    palette: paletteOf(dataSet),
  };
}

/** The VOI transform of a data set or item that holds one. */
export function voiOf(voi: DataSet, signed: boolean): Pick<DisplayAttributes, "windows" | "voiLut"> {
  return { windows: windowsOf(voi), voiLut: tableOf(voi.items(tag.voiLut)?.[0], signed) };
}

/** The modality transform of a presentation state, which goes before the image's where it has one (PS3.4 §N.2.1). */
export function transformationOf(state: DataSet, own: DisplayAttributes): Partial<DisplayAttributes> {
  const modalityLut = tableOf(state.items(tag.modalityLut)?.[0], false);
  if (modalityLut !== undefined) return { modalityLut };
  const rescaleSlope = state.number(Tag.RescaleSlope);
  if (rescaleSlope === undefined) return { modalityLut: own.modalityLut };
  return { modalityLut: undefined, rescaleSlope, rescaleIntercept: state.number(Tag.RescaleIntercept) };
}

/** The table of a Presentation LUT Sequence (PS3.3 §C.11.6). */
export function presentationTableOf(state: DataSet): LookupTable | undefined {
  return tableOf(state.items(tag.presentationLut)?.[0], false);
}

function windowsOf(voi: DataSet): Window[] {
  const centers = voi.numbers(Tag.WindowCenter) ?? [];
  const widths = voi.numbers(Tag.WindowWidth) ?? [];
  const named = voi.text(tag.voiFunction) ?? "";
  const voiFunction = functions.includes(named) ? (named as VoiFunction) : undefined;
  return centers.flatMap((center, at) => {
    const width = widths[at] ?? Number.NaN;
    return Number.isFinite(center) && Number.isFinite(width) ? [{ center, width, function: voiFunction }] : [];
  });
}

function tableOf(item: DataSet | undefined, signed: boolean): LookupTable | undefined {
  if (item === undefined) return undefined;
  return readable(() => table(item, tag.lutDescriptor, tag.lutData, undefined, signed));
}

function paletteOf(dataSet: DataSet): DisplayAttributes["palette"] {
  if (dataSet.text(Tag.PhotometricInterpretation) !== "PALETTE COLOR") return undefined;
  const signed = dataSet.number(Tag.PixelRepresentation) === 1;
  const colour = (name: "Red" | "Green" | "Blue") =>
    table(
      dataSet,
      tagOf(`${name}PaletteColorLookupTableDescriptor`),
      tagOf(`${name}PaletteColorLookupTableData`),
      tagOf(`Segmented${name}PaletteColorLookupTableData`),
      signed,
    );
  return readable(() => {
    const [red, green, blue] = [colour("Red"), colour("Green"), colour("Blue")];
    return red && green && blue && { red, green, blue };
  });
}

function table(
  from: DataSet,
  descriptorTag: number,
  dataTag: number,
  segmentedTag: number | undefined,
  signed: boolean,
): LookupTable | undefined {
  // The first and third value are unsigned whatever the VR; the second is signed where pixels are (PS3.3 §C.11.1.1).
  const descriptor = from.numbers(descriptorTag)?.map((value) => value & 0xffff);
  if (descriptor === undefined || descriptor.length < 3) return undefined;
  const data = littleEndian(from, dataTag);
  if (data !== undefined && data.length > 0) return readLookupTable(descriptor, data, signed);
  const segmented = segmentedTag === undefined ? undefined : littleEndian(from, segmentedTag);
  return segmented && readSegmentedTable(descriptor, segmented, signed);
}

function littleEndian(from: DataSet, dataTag: number): Uint8Array | undefined {
  const bytes = from.bytes(dataTag);
  if (bytes === undefined || !from.bigEndian) return bytes;
  const copy = Buffer.from(bytes);
  return copy.length % 2 === 0 ? copy.swap16() : copy;
}

function readable<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
