/** A value representation, PS3.5 §6.2. */
export type Vr =
  | "AE" | "AS" | "AT" | "CS" | "DA" | "DS" | "DT" | "FD" | "FL" | "IS" | "LO" | "LT" | "OB" | "OD" | "OF" | "OL" | "OV"
  | "OW" | "PN" | "SH" | "SL" | "SQ" | "SS" | "ST" | "SV" | "TM" | "UC" | "UI" | "UL" | "UN" | "UR" | "US" | "UT" | "UV"; // biome-ignore format: one table

/**
 * - `text`    characters of the default repertoire, split at backslashes (AE AS CS DA DS DT IS TM UI) or not (UR)
 * - `words`   characters of the data set's Specific Character Set (LO LT PN SH ST UC UT)
 * - `number`  binary numbers of a fixed size, any count (AT FD FL SL SS SV UL US UV)
 * - `bytes`   a run of bytes or words (OB OD OF OL OV OW UN)
 * - `items`   SQ
 */
export type VrKind = "text" | "words" | "number" | "bytes" | "items";

export interface VrRules {
  readonly kind: VrKind;
  /** Explicit VR heads of this VR are 12 bytes: two reserved and a 32-bit length (PS3.5 §7.1.2). */
  readonly longLength: boolean;
  /** Size in bytes of what is swapped between little and big endian; 1 when nothing is. */
  readonly unitBytes: 1 | 2 | 4 | 8;
  /** The byte that makes a value even. */
  readonly padding: 0x00 | 0x20;
  /** A backslash separates values. */
  readonly multiple: boolean;
  /** Leading spaces carry no meaning. Trailing ones never do, except in the middle of PN, which is not split here. */
  readonly trimStart: boolean;
  /** Most characters (text) in one value, where the standard sets a bound that fits 16 bits. */
  readonly charactersMax: number | undefined;
}

function rules(
  kind: VrKind,
  unitBytes: 1 | 2 | 4 | 8,
  options: { long?: boolean; nul?: boolean; multiple?: boolean; trimStart?: boolean; max?: number } = {},
): VrRules {
  const textual = kind === "text" || kind === "words";
  return {
    kind,
    longLength: options.long ?? false,
    unitBytes,
    padding: textual && !options.nul ? 0x20 : 0x00,
    multiple: options.multiple ?? textual,
    trimStart: options.trimStart ?? false,
    charactersMax: options.max,
  };
}

/** Every VR and its rules. */
export const vrTable: Readonly<Record<Vr, VrRules>> = {
  AE: rules("text", 1, { trimStart: true, max: 16 }),
  AS: rules("text", 1, { max: 4 }),
  AT: rules("number", 2),
  CS: rules("text", 1, { trimStart: true, max: 16 }),
  DA: rules("text", 1, { max: 8 }),
  DS: rules("text", 1, { trimStart: true, max: 16 }),
  DT: rules("text", 1, { max: 26 }),
  FD: rules("number", 8),
  FL: rules("number", 4),
  IS: rules("text", 1, { trimStart: true, max: 12 }),
  LO: rules("words", 1, { trimStart: true, max: 64 }),
  LT: rules("words", 1, { multiple: false, max: 10240 }),
  OB: rules("bytes", 1, { long: true }),
  OD: rules("bytes", 8, { long: true }),
  OF: rules("bytes", 4, { long: true }),
  OL: rules("bytes", 4, { long: true }),
  OV: rules("bytes", 8, { long: true }),
  OW: rules("bytes", 2, { long: true }),
  PN: rules("words", 1, { max: 194 }),
  SH: rules("words", 1, { trimStart: true, max: 16 }),
  SL: rules("number", 4),
  SQ: rules("items", 1, { long: true }),
  SS: rules("number", 2),
  ST: rules("words", 1, { multiple: false, max: 1024 }),
  SV: rules("number", 8, { long: true }),
  TM: rules("text", 1, { max: 14 }),
  UC: rules("words", 1, { long: true }),
  UI: rules("text", 1, { nul: true, max: 64 }),
  UL: rules("number", 4),
  UN: rules("bytes", 1, { long: true }),
  UR: rules("text", 1, { long: true, multiple: false }),
  US: rules("number", 2),
  UT: rules("words", 1, { long: true, multiple: false }),
  UV: rules("number", 8, { long: true }),
};

export const allVrs = Object.keys(vrTable) as readonly Vr[];

export function isVr(text: string): text is Vr {
  return Object.hasOwn(vrTable, text);
}

/** Characters are those of Specific Character Set (0008,0005), PS3.5 §6.1.2.2. */
export function usesCharacterSet(vr: Vr): boolean {
  return vrTable[vr].kind === "words";
}

/**
 * Look-up of a VR for the readers' inner loops, by its two letters as a little endian 16-bit number: the slot is made of
 * five bits of each letter; only if `letters[slot]` is the number is the VR known.
 */
export const vrSlots = /*#__PURE__*/ slotTables();

export function vrSlotOf(letters: number): number {
  return (letters & 0x1f) | ((letters >> 3) & 0x3e0);
}

function slotTables() {
  const letters = new Uint16Array(1024);
  letters[0] = 1; // slots without a VR hold a number of another slot, so that nothing equals it; 0 would do so in slot 0
  /** Bytes of the head of an explicit VR element. */
  const headBytes = new Uint8Array(1024);
  const vrs = new Array<Vr>(1024).fill("UN");
  for (const vr of allVrs) {
    const number = vr.charCodeAt(0) | (vr.charCodeAt(1) << 8);
    const slot = vrSlotOf(number);
    letters[slot] = number;
    headBytes[slot] = vrTable[vr].longLength ? 12 : 8;
    vrs[slot] = vr;
  }
  return { letters, headBytes, vrs: vrs as readonly Vr[] };
}
