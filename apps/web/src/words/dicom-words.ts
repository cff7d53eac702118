/** DICOM values as people read them. */

/** `Family^Given^Middle^Prefix^Suffix`, up to three groups parted by `=` (PS3.5 §6.2): "Family, Given Middle". */
export function personName(value: string): string {
  const groups = value.split("=");
  const shown = groups.find((group) => group.replaceAll("^", "").trim() !== "") ?? "";
  return nameOfGroup(shown);
}

/** The ideographic group, where there is one beside an alphabetic one. */
export function ideographicName(value: string): string {
  const [alphabetic = "", ideographic = ""] = value.split("=");
  return alphabetic.replaceAll("^", "").trim() === "" ? "" : nameOfGroup(ideographic);
}

function nameOfGroup(group: string): string {
  const [family = "", given = "", middle = "", prefix = "", suffix = ""] = group.split("^").map((part) => part.trim());
  const first = [prefix, given, middle].filter((part) => part !== "").join(" ");
  const last = [family, first].filter((part) => part !== "").join(", ");
  return suffix === "" ? last : `${last} ${suffix}`;
}

/** `YYYYMMDD` (and the old `YYYY.MM.DD`) as `YYYY-MM-DD`; anything else as it is. */
export function dicomDate(value: string): string {
  const plain = value.trim().replaceAll(".", "");
  return /^\d{8}$/.test(plain) ? `${plain.slice(0, 4)}-${plain.slice(4, 6)}-${plain.slice(6)}` : value.trim();
}

/** `HHMMSS.FFFFFF` as `HH:MM`. */
export function dicomTime(value: string): string {
  const plain = value.trim().replaceAll(":", "");
  return /^\d{4}/.test(plain) ? `${plain.slice(0, 2)}:${plain.slice(2, 4)}` : "";
}

/** Whole years between two DICOM dates, or undefined where either is not a date. */
export function ageInYears(birthDate: string, onDate: string): number | undefined {
  const born = dicomDate(birthDate).replaceAll("-", "");
  const on = dicomDate(onDate).replaceAll("-", "");
  if (!/^\d{8}$/.test(born) || !/^\d{8}$/.test(on) || on < born) return undefined;
  const years = Number(on.slice(0, 4)) - Number(born.slice(0, 4));
  return on.slice(4) < born.slice(4) ? years - 1 : years;
}

export function toDicomDate(value: string): string {
  return value.replaceAll("-", "");
}
