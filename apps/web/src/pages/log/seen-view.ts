/** What the address of a patient's own account of disclosures holds. */
export interface SeenView {
  /** Of the last year only; six years else, as the law has it (45 CFR 164.528). */
  readonly years?: 1;
}

export function seenView(search: Record<string, unknown>): SeenView {
  return search.years === 1 ? { years: 1 } : {};
}
