/** A study, a series of it, or an instance of that. */
export interface ReadTarget {
  readonly studyUid: string;
  readonly seriesUid?: string;
  readonly sopUid?: string;
}
