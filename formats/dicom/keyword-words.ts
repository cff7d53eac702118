/** The words of a keyword: "PatientBirthDate" is "Patient Birth Date". Most attributes are named exactly so. */
export function spacedKeyword(keyword: string): string {
  return keyword
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .replace(/([A-Za-z])([0-9])/g, "$1$2");
}
