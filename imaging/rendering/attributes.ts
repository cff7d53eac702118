import type { Overlay } from "./overlay.ts";
import type { Presentation } from "./presentation.ts";

/** A look-up table of PS3.3 C.11.1, C.11.2 or C.7.6.3.1.5: data[i] belongs to the value `first` + i, outside it is clamped. */
export interface LookupTable {
  first: number;
  /** Bits of one entry, which say what full brightness is. */
  bits: number;
  data: Uint16Array;
}

export type VoiFunction = "LINEAR" | "LINEAR_EXACT" | "SIGMOID";

/** A window in the units that the modality transform makes (PS3.3 C.11.2.1.2). */
export interface Window {
  center: number;
  width: number;
  function?: VoiFunction | undefined;
}

/** What the data set says about how one frame is to be shown. All of it is optional. */
export interface DisplayAttributes {
  /** Needed only where it is not `bitsStored` - 1. */
  highBit?: number | undefined;
  /** Float Pixel Data or Double Float Pixel Data. */
  float?: boolean | undefined;
  rescaleSlope?: number | undefined;
  rescaleIntercept?: number | undefined;
  /** Goes before the rescale values when both are there. */
  modalityLut?: LookupTable | undefined;
  /** The first that can be used is the default. */
  windows?: Window[] | undefined;
  voiLut?: LookupTable | undefined;
  presentationLutShape?: string | undefined;
  /** Goes before the shape (PS3.3 C.11.6). */
  presentationLut?: LookupTable | undefined;
  pixelPaddingValue?: number | undefined;
  pixelPaddingRangeLimit?: number | undefined;
  overlays?: readonly Overlay[] | undefined;
  presentation?: Presentation | undefined;
  palette?: { red: LookupTable; green: LookupTable; blue: LookupTable } | undefined;
}
