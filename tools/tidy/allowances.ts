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
    rule: "declared",
    file: "tools/tidy/tree.ts",
    about: "rolldown",
    reason: "the parser that comes with vite, which the lock file pins; TypeScript 7 has none to call",
  },
  {
    rule: "declared",
    file: "tools/tidy/syntax.ts",
    about: "rolldown",
    reason: "the types of that parser",
  },
];
