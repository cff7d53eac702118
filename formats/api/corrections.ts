/** Why values are corrected: to agree with the patient's record (COERCE), or because they were wrong (CORRECT). */
export interface CorrectionReason {
  readonly code: "COERCE" | "CORRECT";
  readonly text: string;
}

/** Values by keyword (`PatientName`); empty takes one away. */
export type CorrectedValues = Readonly<Record<string, string>>;

/** The same Patient ID of another issuer is another patient. */
export interface PatientKey {
  readonly PatientID: string;
  readonly IssuerOfPatientID?: string;
}

export interface StudyCorrection {
  /** The study's token. */
  readonly study: string;
  readonly changes: CorrectedValues;
  readonly reason: CorrectionReason;
}

/** For all studies of a patient. */
export interface PatientCorrection {
  readonly patient: PatientKey;
  readonly changes: CorrectedValues;
  readonly reason: CorrectionReason;
}

/** The studies of one patient become those of another, whose name, birth date and sex they take. */
export interface PatientMerge {
  readonly from: PatientKey;
  readonly into: PatientKey;
  readonly reason: CorrectionReason;
}

export interface StudyMove {
  readonly study: string;
  /** Whose it is; for a patient without studies its name too. */
  readonly to: PatientKey & CorrectedValues;
  readonly reason: CorrectionReason;
}

/** What was corrected just now; a study that said so already is left out. */
export interface CorrectedView {
  readonly studies: readonly { readonly studyToken: string; readonly version: number }[];
}

export interface CorrectionView {
  /** 1, 2, … of its study. */
  readonly version: number;
  readonly act: string;
  readonly at: number;
  readonly by: string;
  readonly reason: CorrectionReason;
  readonly changes: Readonly<Record<string, { readonly from?: string; readonly to: string }>>;
}
