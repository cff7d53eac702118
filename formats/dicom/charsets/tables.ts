import type { GraphicSetId } from "./terms.ts";

/** What a cell without a character holds, and what it decodes to. */
export const noCharacter = 0xfffd;

const labels = new Map<GraphicSetId, string>([
  [100, "iso-8859-1"],
  [101, "iso-8859-2"],
  [109, "iso-8859-3"],
  [110, "iso-8859-4"],
  [126, "iso-8859-7"],
  [127, "iso-8859-6"],
  [138, "iso-8859-8"],
  [144, "iso-8859-5"],
  [148, "iso-8859-9"],
  [166, "windows-874"],
  [203, "iso-8859-15"],
]);

/** The 96 characters of a single-byte set at 0xA0 to 0xFF. Web labels differ from the ISO sets below 0xA0 only. */
export function singleByteTable(set: GraphicSetId): Uint16Array {
  const table = new Uint16Array(96).fill(noCharacter);
  const label = labels.get(set);
  const decoder = label === undefined ? undefined : new TextDecoder(label);
  for (let i = 0; i < 96; i++) {
    if (decoder !== undefined) table[i] = decoder.decode(Uint8Array.of(0xa0 + i)).charCodeAt(0);
    else if (set === 13 && i >= 1 && i <= 0x3f) table[i] = 0xff60 + i;
  }
  return table;
}
