import type { CareView } from "./care.ts";
import type { WaitingView } from "./devices.ts";
import type { GrantTermsView, Role } from "./grants.ts";
import type { reviewKinds } from "./reviews.ts";
import type { AccountView } from "./sign-in.ts";

/**
 * What the browser and the command say to the server under `/api`, and what comes back. JSON; times are epoch milliseconds;
 * DICOM values (names, dates) are as in the data set. Cookie session (browser) or `Authorization: Bearer` (programs).
 * A request that changes something from a browser carries `X-Leadglass: 1`, which no foreign page can send.
 *
 * | route | body → answer |
 * |---|---|
 * | GET    /api/studies             | StudyListRequest as query → StudyPage |
 * | POST   /api/studies/search      | StudyListRequest as body → StudyPage (search text is identifying: never in a URL) |
 * | GET    /api/studies/:token      | → StudyDetail |
 * | GET    /api/studies/:token/corrections | → CorrectionView[], oldest first |
 * | GET    /api/studies/:token/places | → StudyPlacesView: what grants for it can name |
 * | POST   /api/corrections/study   | StudyCorrection → CorrectedView |
 * | POST   /api/corrections/patient | PatientCorrection → CorrectedView |
 * | POST   /api/corrections/merge   | PatientMerge → CorrectedView |
 * | POST   /api/corrections/move    | StudyMove → CorrectedView |
 * | GET    /api/facilities          | → FacilityView[] |
 * | POST   /api/facilities          | FacilityRequest → FacilityView |
 * | PUT    /api/facilities/:id      | FacilityRequest → FacilityView (another name) |
 * | GET    /api/devices             | → DeviceView[] |
 * | POST   /api/devices             | DeviceRequest → DeviceAdded |
 * | DELETE /api/devices/:id         | → 204 |
 * | POST   /api/devices/:id/echo    | → EchoView |
 * | GET    /api/devices/waiting     | → WaitingView[] |
 * | DELETE /api/devices/waiting     | DeviceRequest → 204 |
 * | GET    /api/edges               | → EdgeView[] |
 * | POST   /api/edges               | EdgeRequest → EdgeCodeView |
 * | POST   /api/edges/:id/code      | → EdgeCodeView (another code) |
 * | POST   /api/edges/:id/revoke    | → EdgeView |
 * | DELETE /api/edges/:id           | → 204 |
 * | POST   /api/edges/parcel-key    | → ParcelKeyView: another one from now on |
 * | DELETE /api/edges/parcel-key/former | → ParcelKeyView: those before are destroyed |
 * | POST   /api/edges/enrolment     | EdgeEnrolmentRequest → EdgeCertificateView (who has the code) |
 * | GET    /api/edges/self          | → EdgeSelfView (an edge, with its certificate) |
 * | GET    /api/edges/self/worklist | → EdgeScheduleView (the same) |
 * | POST   /api/edges/self/find    | EdgeFindRequest → EdgeFound[] (the same) |
 * | POST   /api/edges/self/instances | EdgeInstancesRequest → files, each behind its length (the same) |
 * | POST   /api/edges/self/renewal  | EdgeRenewalRequest → EdgeCertificateView (the same) |
 * | GET    /api/link                | → CloudLinkView or null: on a box, its way to the cloud |
 * | POST   /api/link                | CloudLinkRequest → CloudLinkView (operator) |
 * | POST   /api/link/renewal        | CloudRenewalRequest → CloudLinkView (operator) |
 * | GET    /api/worklist            | → WorklistView |
 * | POST   /api/worklist            | a worklist item as a DICOM file → ScheduledView |
 * | DELETE /api/worklist/:id        | → 204 |
 * | GET    /api/phantom             | → PhantomState |
 * | POST   /api/phantom             | → PhantomState (starts loading when it is not there) |
 * | GET    /api/status              | → StatusView |
 * | GET    /api/audit               | ?from=&to= → AuditPage, newest first when neither is given |
 * | POST   /api/tokens              | TokenRequest → TokenView (operator on this machine only) |
 * | POST   /api/stopped/release     | ReleaseRequest → 204 (operator) |
 * | GET    /api/tenants             | → TenantView[] (operator, at the main home) |
 * | POST   /api/tenants             | TenantRequest → TenantView (the same) |
 * | DELETE /api/tenants/:name       | → RemovedTenantView (the same) |
 * | POST   /api/vault/check         | → lines of `{progress}`, then `{report: VaultReport}` (operator) |
 * | POST   /api/vault/rebuild       | → the same (operator) |
 * | GET    /api/vault/holds         | → HoldView[] (operator) |
 * | POST   /api/vault/holds         | HoldRequest → 204 (operator) |
 * | POST   /api/vault/clock         | → ClockView (operator) |
 * | GET    /api/vault/scrub         | → ScrubView (operator) |
 * | POST   /api/vault/scrub         | ScrubRequest → ScrubView (operator) |
 * | POST   /api/vault/compact       | → lines of `{progress}`, then `{report: CompactionView}` (operator) |
 * | POST   /api/vault/conflicts     | ConflictRequest → 204: gives up one copy (operator) |
 * | POST   /api/vault/backup        | BackupTaking → lines of `{progress}`, then `{report: BackupView}` (operator) |
 * | GET    /api/vault/backups       | → BackupsView (operator) |
 * | POST   /api/vault/rotate        | RotationRequest → lines of `{progress}`, then `{report: RotationView}` (operator) |
 * | POST   /api/vault/shred         | ShredRequest → ConfirmationView; its result is a ShredCertificateView |
 * | POST   /api/vault/root          | RootRequest → ConfirmationView; its result is a RootView |
 * | POST   /api/vault/recovery-kit  | → ConfirmationView; its result is a RecoverySharesView |
 * | POST   /api/exports/study       | StudyExportRequest → frames, see `exports.ts` |
 * | POST   /api/exports             | BulkExportRequest → ConfirmationView; its result is a BulkExportView |
 * | GET    /api/exports/:id         | → BulkExportStudies (who asked, once it is confirmed) |
 * | POST   /api/exports/:id/study   | `{study}` → frames (the same) |
 * | DELETE /api/exports/:id         | → 204; nothing more can be had by it |
 * | POST   /api/accounts            | AccountRequest → NewAccount (operator) |
 * | GET    /api/accounts            | → PeopleView |
 * | DELETE /api/accounts            | RemovalRequest → 204 (operator) |
 * | POST   /api/invitations         | InvitationRequest → InvitationView, with the one-use link (operator) |
 * | GET    /api/confirmations       | → ConfirmationView[], newest first |
 * | GET    /api/confirmations/:id   | → ConfirmationView |
 * | GET    /api/confirmations/:id/follow | → lines of `{progress}`, then `{report: ConfirmationView}` when nothing more can change |
 * | POST   /api/confirmations/:id/confirm | `{code}` → ConfirmationView (another administrator than who asked) |
 * | POST   /api/confirmations/:id/refuse | → ConfirmationView (the same) |
 * | POST   /api/confirmations/:id/withdraw | → ConfirmationView (who asked) |
 * | POST   /api/audit/checkpoint    | → SignedLog (operator) |
 * | GET    /api/audit/lines         | ?to= → entries as they were hashed, a line each (operator) |
 * | GET    /api/audit/checkpoints   | ?to= → signed notes of so many entries at most, oldest first (operator) |
 * | GET    /api/audit/entries/:index/proof | → EntryProofView (operator) |
 * | GET    /api/audit/checkpoint    | → the newest signed note (C2SP tlog-tiles; operator) |
 * | GET    /api/audit/tile/*        | → hashes `<L>/<N>[.p/<W>]`, entries `entries/<N>[.p/<W>]` (the same) |
 * | GET    /api/events              | → text/event-stream of ApiEvent |
 */
export interface StudyListRequest {
  /** Free text: patient name, patient id or accession number. */
  readonly search?: string;
  readonly modality?: string;
  /** DICOM dates YYYYMMDD. */
  readonly dateFrom?: string;
  readonly dateTo?: string;
  readonly sort?: "StudyDate" | "PatientName" | "PatientID" | "AccessionNumber" | "StudyDescription" | "ArrivedAt";
  readonly ascending?: boolean;
  /** At most 200; 50 when absent. */
  readonly limit?: number;
  readonly offset?: number;
}

export interface StudyView {
  /** Stands for the study in our URLs. */
  readonly token: string;
  readonly studyUid: string;
  /** Family^Given as in the data set, all component groups. */
  readonly patientName: string;
  readonly patientId: string;
  readonly birthDate: string;
  readonly sex: string;
  readonly studyDate: string;
  readonly studyTime: string;
  readonly accessionNumber: string;
  readonly description: string;
  readonly referrer: string;
  readonly modalities: readonly string[];
  readonly seriesCount: number;
  readonly instanceCount: number;
  readonly conflictCount: number;
  readonly changedAt: number;
}

export interface StudyPage {
  readonly studies: readonly StudyView[];
  readonly total: number;
  /** False: there are more than that. */
  readonly isTotalExact: boolean;
}

export interface SeriesView {
  readonly seriesUid: string;
  readonly modality: string;
  readonly number: string;
  readonly description: string;
  readonly bodyPart: string;
  readonly instanceCount: number;
}

export interface StudyDetail extends StudyView {
  /** Stands for the patient where somebody is granted all of one; "" for who sees identity masked. */
  readonly patientToken: string;
  readonly series: readonly SeriesView[];
}

/** Where a study lies, in the ids that grants name; "" where it lies in none. */
export interface StudyPlacesView {
  readonly facility: string;
  readonly patient: string;
  readonly study: string;
  readonly order: string;
}

export interface FacilityRequest {
  readonly name: string;
}

/** A place that machines stand in and that somebody may be granted. */
export interface FacilityView {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
}

export interface PhantomState {
  readonly state: "absent" | "loading" | "loaded";
  readonly done: number;
  readonly total: number;
  /** When loaded. */
  readonly studyToken?: string;
}

/** How far the customer's log collector has the log. */
export interface CollectorView {
  /** The collector has confirmed all entries before this one. */
  readonly position: number;
  readonly behind: number;
  /** Why it is not getting on; absent once it is. */
  readonly error?: { readonly since: number; readonly message: string; readonly remedy?: string };
}

export interface StatusView {
  readonly version: string;
  readonly startedAt: number;
  /** Whether it is a box in a facility, which takes what machines send to its cloud. */
  readonly isEdge: boolean;
  readonly ports: Readonly<Record<"https" | "dicom" | "dicomTls" | "hl7" | "hl7Tls", number | null>>;
  readonly dicomAeTitle: string;
  readonly studies: number;
  readonly associations: number;
  readonly disk: { readonly freeBytes: number; readonly reservedBytes: number };
  readonly audit: {
    readonly entries: number;
    readonly checkpointAt: number | null;
    readonly witnesses: readonly WitnessView[];
  };
  /** Null: no collector is set up. */
  readonly collector: CollectorView | null;
  readonly database: string;
  readonly keys: {
    /** The kind of root key that the keyring stands under. */
    readonly root: string;
    readonly hasRecoveryKit: boolean;
    /** Whether keys are being wrapped under a new master key, or wait for it. */
    readonly isRotating: boolean;
  };
  readonly care: CareView;
  /** Who looked at too many patients in a minute, and is stopped until an operator releases it. */
  readonly stopped: readonly { readonly actor: string; readonly since: number }[];
}

export interface ShredRequest {
  /** Token of a study. */
  readonly study: string;
  /** All that is held of its patient. */
  readonly wholePatient: boolean;
}

/** One entry of the log with the proof that the log holds it. */
export interface ProvenEntryView {
  readonly index: number;
  readonly line: string;
  readonly path: readonly string[];
  readonly checkpoint: string;
}

/** The same, with the key that proves it. */
export interface EntryProofView extends ProvenEntryView {
  readonly verifierKey: string;
}

/** One that signs the log's checkpoints too. */
export interface WitnessView {
  readonly name: string;
  /**
   * - `signed`  the newest checkpoint
   * - `behind`  an older one, or none yet
   * - `away`    it does not answer, or does not watch this log
   * - `refuses` it signed another tree than this log: an alarm
   */
  readonly state: "signed" | "behind" | "away" | "refuses";
  readonly signedEntries: number;
  readonly signedAt: number | null;
  /** What keeps it from signing, and since when. */
  readonly why?: string;
  readonly since?: number;
}

export interface ShredCertificateView {
  readonly format: "leadglass shred certificate 1";
  readonly on: { readonly kind: string; readonly id: string };
  readonly studies: readonly string[];
  /** `kept`: why a backup still holds destroyed keys. */
  readonly backups: readonly { readonly folder: string; readonly kept?: string }[];
  readonly entries: readonly ProvenEntryView[];
  readonly verifierKey: string;
}

export interface ReleaseRequest {
  /** As it stands in the log: `user:…`, `client:…`. */
  readonly actor: string;
}

export interface LogEntryView {
  readonly index: number;
  readonly at: number;
  readonly actor: string;
  readonly act: string;
  readonly on?: { readonly kind: string; readonly id: string };
  readonly outcome: string;
}

export interface AuditPage {
  readonly size: number;
  readonly checkpoint: string | null;
  readonly entries: readonly LogEntryView[];
}

/** The log up to `size` is signed; the key that proves it. */
export interface SignedLog {
  readonly size: number;
  readonly verifierKey: string;
}

export interface TokenRequest {
  readonly client: string;
  readonly minutes: number;
  /** Who holds it sees identity masked. */
  readonly masked?: boolean;
}

export interface TokenView {
  readonly token: string;
  readonly endsAt: number;
}

/** What a check or a rebuild of the vault found. */
export interface VaultReport {
  /** Sealed objects that were read. */
  readonly objects: number;
  /** Instances that were taken into the index (rebuild). */
  readonly instances: number;
  /** Copies that share a SOP Instance UID and differ (check): how many, and which; the one that is served first of each. */
  readonly conflicts: number;
  readonly copies: readonly {
    readonly instance: string;
    readonly study: string;
    readonly receivedAt: number;
    readonly isServed: boolean;
  }[];
  /** Identity halves whose image half is not there (rebuild). */
  readonly withoutImage: number;
  /** Objects that nothing opens: their study was shredded, or its key was lost (check). */
  readonly withoutKey: number;
  readonly damaged: readonly {
    readonly half: "image" | "identity";
    readonly pack: string;
    readonly offset: number;
    readonly what: string;
  }[];
}

export interface RotationRequest {
  readonly level: "tenant" | "study";
  /** Tokens; without them every study. */
  readonly studies?: readonly string[];
}

export interface RotationView {
  /** Keys that were wrapped anew. */
  readonly rewrapped: number;
  /** Keys that do not open. */
  readonly damaged: number;
  /** Whether no master key but the newest is left. */
  readonly isWhole: boolean;
}

export const rootKinds = ["passphrase", "pkcs11", "awskms"] as const;
export type RootKind = (typeof rootKinds)[number];

export interface RootRequest {
  readonly to: RootKind;
}

export interface RootView {
  readonly root: RootKind;
  /** What the operator does next. */
  readonly next: string;
}

export interface RecoverySharesView {
  readonly shares: readonly string[];
}

export interface BackupTaking {
  /** From the root. */
  readonly folder: string;
  readonly keepPoints: number;
  /** Reads everything back. */
  readonly verify: boolean;
  /** Begins another backup in a folder whose backup is not there any more. */
  readonly beginAnew: boolean;
}

/** A point that was added to a backup. */
export interface BackupView {
  readonly point: number;
  /** Everything that was acknowledged before is in it. */
  readonly takenAt: number;
  readonly tookMs: number;
  /** New bytes of packs, and bytes and objects that the point stands for. */
  readonly copiedBytes: number;
  readonly bytes: number;
  readonly objects: number;
  readonly points: readonly number[];
  readonly losses: readonly { readonly name: string; readonly what: string }[];
}

/** What the home knows of its backups. */
export interface BackupsView {
  readonly backups: readonly { readonly folder: string; readonly point: number; readonly takenAt: number }[];
  /** When the newest instance was acknowledged; null when none was lately. */
  readonly newestInstanceAt: number | null;
}

export interface AccountRequest {
  readonly name: string;
  readonly password: string;
}

/** An account made by a script: what its owner needs for the second factor. */
export interface NewAccount {
  readonly totpSecret: string;
  readonly totpUri: string;
  readonly recoveryCodes: readonly string[];
}

export interface PeopleView {
  readonly accounts: readonly (AccountView & {
    readonly createdAt: number;
    /** With an authenticator: neither comes without the other. */
    readonly hasPassword: boolean;
    readonly passkeys: number;
  })[];
  readonly invitations: readonly Omit<InvitationView, "link">[];
}

export interface RemovalRequest {
  readonly name: string;
}

export interface InvitationRequest {
  readonly name: string;
  /** At least one. */
  readonly grants: readonly GrantTermsView[];
}

export interface InvitationView {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly endsAt: number;
  /** Works once, for whoever opens it first. */
  readonly link: string;
}

/** An act that one person must not do alone, asked for by one and to be confirmed by another. */
export interface ConfirmationView {
  readonly id: string;
  /** `study.shred`, `patient.shred`, `archive.export`, `root.change`, `recovery-kit.make`. */
  readonly act: string;
  readonly on: { readonly kind: string; readonly id: string };
  /** What the act would do, fact by fact. */
  readonly detail: Readonly<Record<string, string>>;
  /** A name, "the console" or "a removed account". */
  readonly requestedBy: string;
  /** Whether the caller asked for it. */
  readonly isOwn: boolean;
  readonly requestedAt: number;
  readonly endsAt: number;
  readonly state: "pending" | "confirmed" | "done" | "failed" | "refused" | "withdrawn" | "expired";
  readonly decidedBy?: string;
  readonly decidedAt?: number;
  /** For who asked, when it is done. */
  readonly result?: unknown;
  /** Why it failed. */
  readonly problem?: ProblemView;
}

export type ApiEvent =
  /** A study is new or has changed; at most one a second for each study while its images arrive. */
  | { readonly type: "study"; readonly study: StudyView }
  | { readonly type: "waiting"; readonly waiting: WaitingView }
  /** One was added, enrolled, renewed, revoked or removed. */
  | { readonly type: "edge"; readonly id: string }
  /** One was asked for, decided or done. */
  | { readonly type: "confirmation"; readonly id: string }
  /** A look in an emergency, or something unusual, waits to be judged. */
  | { readonly type: "alarm"; readonly kind: (typeof reviewKinds)[number] }
  /** Somebody looked at too many patients and is stopped. */
  | { readonly type: "stopped" }
  /** Somebody lost their ways in and was given a link to new ones. */
  | { readonly type: "recovered" }
  /** To whom something was taken: what one may do is to be read again. */
  | { readonly type: "access" }
  | { readonly type: "phantom"; readonly phantom: PhantomState };

/** Every answer of 400 and above. */
export interface ProblemView {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
}
