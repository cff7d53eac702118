import { type DataSet, Tag, tagOf } from "#formats/dicom";
import type { DisplayAttributes, LookupTable, VoiFunction, Window } from "./attributes.ts";
import { readLookupTable, readSegmentedTable } from "./lookup-table.ts";

const voiFunctions = new Set<string>(["LINEAR", "LINEAR_EXACT", "SIGMOID"]);

/** The functional group item that holds for a frame (PS3.3 C.7.6.16): the frame's own before the shared one. */
function groupOf(dataSet: DataSet, frame: number, sequence: string): DataSet | undefined {
  const own = dataSet.items(tagOf("PerFrameFunctionalGroupsSequence"))?.[frame]?.items(tagOf(sequence))?.[0];
  return own ?? dataSet.items(tagOf("SharedFunctionalGroupsSequence"))?.[0]?.items(tagOf(sequence))?.[0];
}

function windowsOf(holder: DataSet): Window[] {
  const centers = holder.numbers(tagOf("WindowCenter")) ?? [];
  const widths = holder.numbers(tagOf("WindowWidth")) ?? [];
  const named = holder.text(tagOf("VOILUTFunction"));
  const kind = named !== undefined && voiFunctions.has(named) ? (named as VoiFunction) : undefined;
  return centers.slice(0, widths.length).map((center, i) => ({ center, width: widths[i] as number, function: kind }));
}

/** Little endian words of a value that may have been written big endian. */
function words(holder: DataSet, tag: number): Uint8Array | undefined {
  const bytes = holder.bytes(tag);
  if (bytes === undefined || !holder.bigEndian || holder.vr(tag) === "OB") return bytes;
  const out = Uint8Array.from(bytes);
  for (let i = 0; i + 1 < out.length; i += 2) [out[i], out[i + 1]] = [out[i + 1] as number, out[i] as number];
  return out;
}

/** A damaged table is left out: the image is then shown without it rather than not at all. */
function tableOr<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function sequenceTable(dataSet: DataSet, sequence: string, signed: boolean): LookupTable | undefined {
  const item = dataSet.items(tagOf(sequence))?.[0];
  const descriptor = item?.numbers(tagOf("LUTDescriptor"));
  const bytes = item === undefined ? undefined : words(item, tagOf("LUTData"));
  if (descriptor === undefined || bytes === undefined) return undefined;
  return tableOr(() => readLookupTable(descriptor, bytes, signed));
}

function paletteTable(dataSet: DataSet, colour: "Red" | "Green" | "Blue"): LookupTable | undefined {
  const descriptor = dataSet.numbers(tagOf(`${colour}PaletteColorLookupTableDescriptor`));
  if (descriptor === undefined) return undefined;
  const plain = words(dataSet, tagOf(`${colour}PaletteColorLookupTableData`));
  if (plain !== undefined) return tableOr(() => readLookupTable(descriptor, plain, (descriptor[1] ?? 0) < 0));
  const segments = words(dataSet, tagOf(`Segmented${colour}PaletteColorLookupTableData`));
  return segments && tableOr(() => readSegmentedTable(descriptor, segments, (descriptor[1] ?? 0) < 0));
}

function paletteOf(dataSet: DataSet): DisplayAttributes["palette"] {
  if (dataSet.text(tagOf("PhotometricInterpretation")) !== "PALETTE COLOR") return undefined;
  const [red, green, blue] = [
    paletteTable(dataSet, "Red"),
    paletteTable(dataSet, "Green"),
    paletteTable(dataSet, "Blue"),
  ];
  return red && green && blue && { red, green, blue };
}

/** What `dataSet` says about how its `frame` (from 0) is to be shown, functional groups included. */
export function displayAttributes(dataSet: DataSet, frame = 0): DisplayAttributes {
  const signed = dataSet.number(tagOf("PixelRepresentation")) === 1;
  const values = groupOf(dataSet, frame, "PixelValueTransformationSequence") ?? dataSet;
  const voi = groupOf(dataSet, frame, "FrameVOILUTSequence") ?? dataSet;
  const slope = values.number(tagOf("RescaleSlope"));
  const intercept = values.number(tagOf("RescaleIntercept")) ?? 0;
  // A VOI table's first value is signed when the modality transform can make it so (PS3.3 C.11.2.1.1).
  const negative = signed || intercept < 0;
  return {
    highBit: dataSet.number(tagOf("HighBit")),
    float: dataSet.has(Tag.FloatPixelData) || dataSet.has(Tag.DoubleFloatPixelData),
    rescaleSlope: slope,
    rescaleIntercept: intercept,
    modalityLut: sequenceTable(dataSet, "ModalityLUTSequence", signed),
    windows: windowsOf(voi),
    voiLut: sequenceTable(voi, "VOILUTSequence", negative),
    presentationLutShape: dataSet.text(tagOf("PresentationLUTShape")),
    pixelPaddingValue: dataSet.number(tagOf("PixelPaddingValue")),
    pixelPaddingRangeLimit: dataSet.number(tagOf("PixelPaddingRangeLimit")),
    palette: paletteOf(dataSet),
  };
}
