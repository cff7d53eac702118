import { type ReviewView, reviewKinds } from "#formats/api";

/** What the address of the queue holds. */
export interface ReviewsView {
  readonly state?: "decided";
  readonly kind?: ReviewView["kind"];
}

/** Reads an address that anyone may have typed: what is not understood is left out. */
export function reviewsView(search: Record<string, unknown>): ReviewsView {
  const kind = reviewKinds.find((each) => each === search.kind);
  return { ...(search.state === "decided" && { state: "decided" }), ...(kind !== undefined && { kind }) };
}
