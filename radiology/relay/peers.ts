import type { HeldInstance } from "#radiology/archive";
import type { InstanceReference, Judged } from "./commitment.ts";
import type { Progress } from "./outbox.ts";

/**
 * What became of an instance that was sent:
 * - `taken`   the machine answered Success, or a warning
 * - `not-now` it has no room, or failed, or we could not read it: another time it may go
 * - `refused` it never will: no presentation context that we have it for, or not an object for it
 */
export type SendingAnswer = "taken" | "not-now" | "refused";

/** One round of sending over one or a few associations. */
export interface SendingRound {
  readonly signal: AbortSignal;
  /** Hears what becomes of each instance; false: no further one is to be begun. */
  answered(sopInstanceUid: string, answer: SendingAnswer): boolean;
}

export interface CommitmentReport extends Judged {
  readonly transactionUid: string;
}

export interface CommitmentRequest {
  readonly transactionUid: string;
  readonly references: readonly InstanceReference[];
}

/** Which instances of a study are here to be had (PS3.4 §R.3). */
export interface Availability {
  readonly studyUid: string;
  readonly series: readonly { readonly seriesUid: string; readonly instances: readonly InstanceReference[] }[];
}

/**
 * Port: registered machines, by the id of the device, as they are spoken with over DICOM. Every call opens associations of its own and
 * ends them when it is aborted. Rejects with Problem `unavailable` or `busy` when the machine does not answer, takes no association
 * or loses it; `absent` for one that is not registered any more, `unsupported` for one that has no port or does not take the service.
 */
export interface Peers {
  /** The title of a machine. Problem `absent` for one that is not registered or takes no associations. */
  titleOf(id: string): Promise<string>;
  /** In the transfer syntax that they are stored in where the machine takes it, else in another one without loss. */
  send(to: string, instances: readonly HeldInstance[], round: SendingRound): Promise<void>;
  /** Storage commitment: says what is kept (N-EVENT-REPORT). */
  report(to: string, report: CommitmentReport, signal: AbortSignal): Promise<void>;
  /** Storage commitment: asks the machine what it keeps (N-ACTION). Its answer comes some time later, on its own way. */
  ask(to: string, request: CommitmentRequest, signal: AbortSignal): Promise<void>;
  /** Instance Availability Notification (N-CREATE). */
  announce(to: string, study: Availability, signal: AbortSignal): Promise<void>;
  /** Has a study of the machine sent to us. */
  fetch(from: string, studyUid: string, note: (progress: Progress) => void, signal: AbortSignal): Promise<void>;
  /** Studies that it has, by values for keywords. */
  find(at: string, keys: Readonly<Record<string, string>>): Promise<FoundStudy[]>;
}

/** A study as another archive describes it: texts by keyword, several values joined by a backslash. */
export type FoundStudy = Readonly<Record<string, string>>;
