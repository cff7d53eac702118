import type { Window } from "./plan.ts";

/** A study as an old archive lists it. */
export interface ListedStudy {
  readonly studyUid: string;
  /** As it gives them; "" where it gives none. */
  readonly date: string;
  readonly time: string;
  readonly modalities: readonly string[];
  readonly patientId: string;
  readonly patientName: string;
  readonly accession: string;
}

/** What an old archive says that a study holds, as far as it says it. */
export interface Contents {
  /** Number of Study Related Instances. */
  readonly count?: number;
  /** Absent: it does not list series. */
  readonly series?: readonly ListedSeries[];
}

export interface ListedSeries {
  readonly seriesUid: string;
  readonly modality: string;
  /** Number of Series Related Instances. */
  readonly count?: number;
  /** Absent: it does not list instances. */
  readonly instances?: readonly { readonly sopUid: string; readonly sopClassUid: string }[];
}

/** What is to be sent: a study, or some series of it, or some instances of those. */
export interface Wanted {
  readonly studyUid: string;
  readonly only?: readonly { readonly seriesUid: string; readonly sopUids?: readonly string[] }[];
  /** Of what is to come, as far as they are known. */
  readonly sopClassUids: readonly string[];
}

/**
 * Port: an old archive, by the id of the machine, as it is asked and fetched from over DICOM. Every call opens associations of its own and
 * ends them when it is aborted. Rejects with Problem `unavailable` or `busy` when the machine does not answer, takes no association or
 * loses it; `absent` for one that is not registered any more.
 */
export interface Source {
  /** Its title. Problem `absent` for one that is not registered or takes no associations. */
  titleOf(at: string): Promise<string>;
  /** Whether it answers at all (C-ECHO). */
  answers(at: string): Promise<boolean>;
  /** Hands over the studies of a window as they come. True when the archive said that there are more, or stopped before the end. */
  list(at: string, window: Window, take: (study: ListedStudy) => Promise<void>, signal: AbortSignal): Promise<boolean>;
  /** Problem `absent` when it has no such study any more. */
  contents(at: string, studyUid: string, signal: AbortSignal): Promise<Contents>;
  /** Has them sent to us. Rejects when not all came; what came has stayed. */
  fetch(from: string, wanted: Wanted, signal: AbortSignal): Promise<void>;
}
