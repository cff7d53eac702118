import type { Match, StudyIndex } from "./study-index.ts";

/** Whom somebody asks for, exactly, by one of the two. */
export type AskedPatient =
  | { readonly patientId: string; readonly issuer: string }
  | { readonly accessionNumber: string };

/** Of one patient there are no more studies than this that need to be looked at. */
const studiesMost = 500;

/**
 * Tokens of the patients whom an exact number stands for. Nothing that identifies is given out, so none is revealed: whoever asks knew
 * the number. Without an issuer all who have the number, whoever issued it.
 */
export async function patientsOf(
  archive: { settled(): Promise<void> },
  index: Pick<StudyIndex, "findStudies" | "factsOf">,
  asked: AskedPatient,
): Promise<string[]> {
  await archive.settled();
  const matches = matchesOf(asked);
  if (matches.length === 0) return [];
  const found = await index.findStudies({ matches, limit: studiesMost, offset: 0 });
  return [...new Set(found.map((study) => index.factsOf(study).patient))].filter((patient) => patient !== "");
}

function matchesOf(asked: AskedPatient): Match[] {
  const equal = (keyword: string, value: string): Match[] =>
    value === "" ? [] : [{ keyword, kind: "equal", values: [value] }];
  if ("accessionNumber" in asked) return equal("AccessionNumber", asked.accessionNumber);
  if (asked.patientId === "") return [];
  return [...equal("PatientID", asked.patientId), ...equal("IssuerOfPatientID", asked.issuer)];
}
