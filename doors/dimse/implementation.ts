/** How we name ourselves (PS3.7 §D.3.3.2): a UID under 2.25 of a UUID made once for this product (PS3.5 §B.2). */
export interface Implementation {
  readonly classUid: string;
  /** At most 16 characters. */
  readonly version: string;
}

export const leadglass: Implementation = {
  classUid: "2.25.36447048948509544807977255589286850288",
  version: "LEADGLASS_1",
};
