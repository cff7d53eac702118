/** An exception to a rule for one file. Each is needed: one that excuses nothing is itself a finding. */
export interface Allowance {
  readonly rule: string;
  readonly file: string;
  /** A part of the finding's message, where the file may break the rule in this way only. */
  readonly about?: string;
  readonly reason: string;
}

export const allowances: readonly Allowance[] = [
  {
    rule: "closures",
    file: "formats/dicom/data-set.ts",
    about: "DataSet",
    reason: "a series of a thousand instances makes a million of them: their methods are shared, not made each time",
  },
];
