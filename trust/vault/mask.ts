import type { IdentityValues } from "./identity.ts";

/** What each keyword shows to who sees masked values only; keywords that are not named here identify nobody and stay. */
const rules: Readonly<Record<string, (value: string) => string>> = {
  PatientName: maskedName,
  ReferringPhysicianName: maskedName,
  PatientID: lastFour,
  AccessionNumber: lastFour,
  StudyID: lastFour,
  IssuerOfPatientID: () => "",
  PatientBirthDate: year,
  PatientAge: () => "",
  InstitutionName: () => "",
  StationName: () => "",
  StudyDescription: () => "",
  SeriesDescription: () => "",
};

/** `Doe^Jane` becomes `D***^J***`: the first letter of each component of the first group that is there, nothing of their lengths. */
export function masked(identity: IdentityValues): IdentityValues {
  const values: Record<string, string> = {};
  for (const [keyword, value] of Object.entries(identity.values)) {
    const shown = (rules[keyword] ?? ((same: string) => same))(value);
    if (shown !== "") values[keyword] = shown;
  }
  // What was corrected holds the values of before, whole.
  const { corrections: _corrections, ...rest } = identity;
  return { ...rest, values };
}

function maskedName(name: string): string {
  const group = name.split("=").find((each) => each.trim() !== "") ?? "";
  const components = group.split("^").map((component) => component.trim());
  return components
    .filter((component) => component !== "")
    .map((component) => `${[...component][0]}***`)
    .join("^");
}

/** Of what is long enough that four letters do not give it away. */
function lastFour(value: string): string {
  const letters = [...value.trim()];
  return letters.length >= 8 ? `***${letters.slice(-4).join("")}` : letters.length === 0 ? "" : "***";
}

/** `19700131` is `1970`. Who is over 89 is one group (45 CFR 164.514(b)(2)(i)(C)); the age is not known here, so only the year stays. */
function year(date: string): string {
  return /^\d{4}/.exec(date)?.[0] ?? "";
}
