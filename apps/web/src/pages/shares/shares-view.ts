/** What the address of the links holds. */
export interface SharesView {
  /** Those that ended too. */
  readonly ended?: true;
  readonly study?: string;
}

/** Reads an address that anyone may have typed: what is not understood is left out. */
export function sharesView(search: Record<string, unknown>): SharesView {
  return {
    ...(search.ended === true && { ended: true }),
    ...(typeof search.study === "string" && /^[0-9a-f]{32}$/.test(search.study) && { study: search.study }),
  };
}
