const dayMs = 86_400_000;

/** A DA, or a DT with a day in it (PS3.5 §6.2), so many days earlier; undefined for what is neither. */
export function earlier(text: string, days: number): string | undefined {
  if (text === "") return "";
  const parts = /^(\d{4})(\d{2})(\d{2})(\d{0,6}(?:\.\d{1,6})?(?:[+-]\d{4})?)$/.exec(text);
  if (parts === null) return undefined;
  const [, year = "", month = "", day = "", rest = ""] = parts;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  const moved = new Date(date.getTime() - days * dayMs);
  if (moved.getUTCFullYear() < 1) return undefined;
  return moved.toISOString().slice(0, 10).replaceAll("-", "").padStart(8, "0") + rest;
}
