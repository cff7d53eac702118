import type { ProblemView } from "./api.ts";

/*
 * What goes between this archive and other machines: `/api/transfers` and `/api/archives`.
 *
 * | route | body → answer |
 * |---|---|
 * | GET    /api/transfers             | ?study= → TransferView[], newest first, as far as the caller may know of its studies |
 * | POST   /api/transfers/send        | SendingRequest → TransferView |
 * | POST   /api/transfers/fetch       | FetchingRequest → TransferView |
 * | POST   /api/transfers/:id/retry   | → TransferView |
 * | GET    /api/transfers/:id/follow  | → lines of `{progress}`, then `{report: TransferView}` when it is over |
 * | DELETE /api/transfers/:id         | → TransferView, called off |
 * | GET    /api/destinations          | → DestinationView[]: machines that take images |
 * | POST   /api/archives/:device/search | ArchiveQuery → ArchiveStudyView[] |
 */

/** A machine that something can be sent to and asked of. */
export interface DestinationView {
  readonly id: string;
  readonly ae: string;
}

export interface SendingRequest {
  /** Token. */
  readonly study: string;
  /** Id of the machine. */
  readonly to: string;
  /** Series Instance UIDs; all where absent. */
  readonly series?: readonly string[];
  /** Ask the machine afterwards whether it keeps them. */
  readonly commit?: boolean;
}

export interface FetchingRequest {
  /** Id of the machine. */
  readonly from: string;
  readonly studyUid: string;
}

/** What a study is looked for by; `*` and `?` as in any query (PS3.4 §C.2.2.2.4). */
export const archiveKeys = [
  "PatientID",
  "PatientName",
  "PatientBirthDate",
  "AccessionNumber",
  "StudyInstanceUID",
  "StudyDate",
  "StudyDescription",
  "ModalitiesInStudy",
] as const;

export type ArchiveQuery = { readonly [keyword in (typeof archiveKeys)[number]]?: string };

/** A study of another archive: values as it gives them, by keyword. */
export type ArchiveStudyView = Readonly<Record<string, string>>;

/** `commitment-report` answers a machine that asked whether we keep something; `commitment-ask` asks one that we sent to. */
export type TransferKind = "send" | "route" | "fetch" | "commitment-report" | "commitment-ask" | "announcement";

export interface TransferView {
  readonly id: string;
  readonly kind: TransferKind;
  /** The machine; its title is "" when it is not registered any more. */
  readonly device: DestinationView;
  /** Token of the study that it is about. */
  readonly study?: string;
  /** Who asked for it, as one says it. */
  readonly by: string;
  readonly state: "waiting" | "running" | "done" | "given-up" | "cancelled";
  readonly attempts: number;
  readonly queuedAt: number;
  /** Of one that is over: when it ended. */
  readonly changedAt: number;
  readonly nextAt?: number;
  /** Instances, as far as they are counted. */
  readonly progress?: { readonly done: number; readonly of: number };
  /** Why the last attempt failed. */
  readonly problem?: Pick<ProblemView, "code" | "message">;
}
