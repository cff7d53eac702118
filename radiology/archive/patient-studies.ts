import type { Pass } from "#trust/access";
import type { IdentityValues, Reveal } from "#trust/vault";
import type { PatientRef } from "./corrected-values.ts";
import type { IndexedStudy, Match, StudyIndex } from "./study-index.ts";

export interface FoundStudy {
  readonly studyToken: string;
  readonly identity: IdentityValues;
}

/** Studies with what identifies them, opened to be corrected. */
export interface PatientStudies {
  /** All of one patient, newest first. */
  of(pass: Pass, patient: PatientRef): Promise<FoundStudy[]>;
  identityOf(pass: Pass, studyToken: string): Promise<IdentityValues | undefined>;
}

const atOnce = 500;

export function createPatientStudies(parts: { reveal: Reveal; index: StudyIndex }): PatientStudies {
  const { reveal, index } = parts;

  const open = async (pass: Pass, rows: readonly IndexedStudy[]): Promise<FoundStudy[]> => {
    if (rows.length === 0) return [];
    const opened = await reveal(pass, { rows: rows.map(({ identity }) => identity) }, "correction");
    return rows.flatMap(({ studyToken }, at) => {
      const identity = opened.rows[at];
      return identity === undefined ? [] : [{ studyToken, identity }];
    });
  };

  return {
    async of(pass, { PatientID, IssuerOfPatientID = "" }) {
      const equal = (keyword: string, value: string): Match => ({ keyword, kind: "equal", values: [value] });
      const matches = [equal("PatientID", PatientID)];
      if (IssuerOfPatientID !== "") matches.push(equal("IssuerOfPatientID", IssuerOfPatientID));
      const found: FoundStudy[] = [];
      for (let offset = 0; ; offset += atOnce) {
        const rows = await index.findStudies({ matches, limit: atOnce, offset });
        found.push(...(await open(pass, rows)));
        if (rows.length < atOnce) break;
      }
      // Without an issuer is another patient than with any.
      return found.filter(
        ({ identity: { values } }) =>
          values.PatientID === PatientID && (values.IssuerOfPatientID ?? "") === IssuerOfPatientID,
      );
    },
    async identityOf(pass, studyToken) {
      const row = await index.studyOfToken(studyToken);
      return row === undefined ? undefined : (await open(pass, [row]))[0]?.identity;
    },
  };
}
