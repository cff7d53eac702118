/*
 * A folder of packs holds only these names, so that listing it tells the state of every pack:
 *
 *   00000007-9f3a2c1b.open                    still written to
 *   00000007-9f3a2c1b.1073812345.pack         ended; what lies behind that position does not count
 *   00000007-9f3a2c1b.1048576-2097152.void    a range that is never found: discarded, or finished and neither acknowledged nor proven
 *
 * and while one pack takes the place of another (compaction.ts):
 *
 *   00000009-5d01e77a.00000007-9f3a2c1b.copying          not whole yet; removed at the next start
 *   00000009-5d01e77a.524288.00000007-9f3a2c1b.taking    whole; as long as the other is there, the other counts
 *   00000007-9f3a2c1b.gone                    was compacted; the replica may still hold it
 */
const packName = /^(\d{8,})-[0-9a-f]{8}$/;

export type ParsedName =
  | { readonly kind: "open"; readonly pack: string }
  | { readonly kind: "ended"; readonly pack: string; readonly endPosition: number }
  | { readonly kind: "void"; readonly pack: string; readonly from: number; readonly to: number }
  | { readonly kind: "copying"; readonly pack: string }
  | { readonly kind: "taking"; readonly pack: string; readonly endPosition: number; readonly from: string }
  | { readonly kind: "gone"; readonly pack: string };

const whole = /^\d+$/;

export function parseName(name: string): ParsedName | undefined {
  const [pack = "", ...rest] = name.split(".");
  if (!packName.test(pack)) return undefined;
  const [first = "", second, third] = rest;
  if (rest.length === 1) return first === "open" || first === "gone" ? { kind: first, pack } : undefined;
  if (rest.length === 3) {
    if (third !== "taking" || !whole.test(first) || second === undefined || !packName.test(second)) return undefined;
    return { kind: "taking", pack, endPosition: Number(first), from: second };
  }
  if (rest.length !== 2) return undefined;
  if (second === "pack" && whole.test(first)) return { kind: "ended", pack, endPosition: Number(first) };
  if (second === "copying" && packName.test(first)) return { kind: "copying", pack };
  const range = /^(\d+)-(\d+)$/.exec(first);
  if (second === "void" && range) return { kind: "void", pack, from: Number(range[1]), to: Number(range[2]) };
  return undefined;
}

export const openName = (pack: string) => `${pack}.open`;
export const endedName = (pack: string, endPosition: number) => `${pack}.${endPosition}.pack`;
export const voidName = (pack: string, from: number, to: number) => `${pack}.${from}-${to}.void`;
export const copyingName = (pack: string, from: string) => `${pack}.${from}.copying`;
export const takingName = (pack: string, endPosition: number, from: string) => `${pack}.${endPosition}.${from}.taking`;
export const goneName = (pack: string) => `${pack}.gone`;

export function serialOf(pack: string): number {
  return Number(packName.exec(pack)?.[1] ?? 0);
}

export function newPackName(serial: number, random: Uint8Array): string {
  return `${String(serial).padStart(8, "0")}-${Buffer.from(random).toString("hex")}`;
}
