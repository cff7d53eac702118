/*
 * A folder of packs holds only these names, so that listing it tells the state of every pack:
 *
 *   00000007-9f3a2c1b.open                    still written to
 *   00000007-9f3a2c1b.1073812345.pack         ended; what lies behind that position does not count
 *   00000007-9f3a2c1b.1048576-2097152.void    a range that was finished, and neither acknowledged nor proven
 */
const packName = /^(\d{8,})-[0-9a-f]{8}$/;

export type ParsedName =
  | { readonly kind: "open"; readonly pack: string }
  | { readonly kind: "ended"; readonly pack: string; readonly endPosition: number }
  | { readonly kind: "void"; readonly pack: string; readonly from: number; readonly to: number };

export function parseName(name: string): ParsedName | undefined {
  const [pack = "", ...rest] = name.split(".");
  if (!packName.test(pack)) return undefined;
  const [first = "", second] = rest;
  if (rest.length === 1 && first === "open") return { kind: "open", pack };
  if (rest.length !== 2) return undefined;
  if (second === "pack" && /^\d+$/.test(first)) return { kind: "ended", pack, endPosition: Number(first) };
  const range = /^(\d+)-(\d+)$/.exec(first);
  if (second === "void" && range) return { kind: "void", pack, from: Number(range[1]), to: Number(range[2]) };
  return undefined;
}

export const openName = (pack: string) => `${pack}.open`;
export const endedName = (pack: string, endPosition: number) => `${pack}.${endPosition}.pack`;
export const voidName = (pack: string, from: number, to: number) => `${pack}.${from}-${to}.void`;

export function serialOf(pack: string): number {
  return Number(packName.exec(pack)?.[1] ?? 0);
}

export function newPackName(serial: number, random: Uint8Array): string {
  return `${String(serial).padStart(8, "0")}-${Buffer.from(random).toString("hex")}`;
}
