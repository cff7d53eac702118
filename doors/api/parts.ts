import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import type {
  BackupsView,
  BackupTaking,
  BackupView,
  CloudKeysView,
  CloudLinkRequest,
  CloudLinkView,
  CloudRenewalRequest,
  EdgeFindRequest,
  EdgeFound,
  EdgeHistoryView,
  EdgeInstancesRequest,
  EdgeReport,
  EdgeReportView,
  ParcelKeyView,
  PhantomState,
  ScrubView,
  StatusView,
} from "#formats/api";
import type {
  Archive,
  AskedPatient,
  Compaction,
  DiscardConflict,
  Disclosures,
  Exporting,
  Scrub,
  Shredding,
  StudyFates,
} from "#radiology/archive";
import type { Migrations } from "#radiology/migration";
import type { Messages, Relay } from "#radiology/relay";
import type { RoutingActs } from "#radiology/routing";
import type { Schedule } from "#radiology/schedule";
import type { Spool } from "#radiology/uplink";
import type {
  Actor,
  BreakGlass,
  Confirmations,
  Device,
  Devices,
  EdgeCertificate,
  Edges,
  Facilities,
  Gate,
  Grants,
  People,
  Policy,
  Reviews,
  SavedViews,
  Session,
  Shares,
  WatchedPeople,
  WaysIn,
} from "#trust/access";
import type { AuditLog, LogFinder } from "#trust/audit";
import type { Breaker, KeyRotation } from "#trust/vault";

/** Loads the phantom study into the archive, once. */
export interface PhantomLoader {
  state(): Promise<PhantomState>;
  start(actor: Actor): Promise<PhantomState>;
  watch(listener: (state: PhantomState) => void): () => void;
}

/** Takes backups of the home. */
export interface BackupTaker {
  take(request: BackupTaking, tell: (progress: string) => void): Promise<BackupView>;
  view(): Promise<BackupsView>;
}

/** What is done for stored objects in the background, and by whom it is told what to do. */
export interface CareGiver {
  readonly fates: Pick<StudyFates, "held">;
  readonly scrub: Pick<Scrub, "pause" | "resume" | "begin">;
  readonly compaction: Pick<Compaction, "runAll">;
  readonly discardConflict: DiscardConflict;
  /** Problem "absent" when there is no such study. */
  hold(studyToken: string): Promise<void>;
  release(studyToken: string): Promise<void>;
  confirmClock(): Promise<number | null>;
  scrubView(): Promise<ScrubView>;
}

/** Who certifies edges. */
export interface EdgeCertificates {
  /** What is typed on a box, from the secret that it was given. The authority is made with the first. */
  codeOf(secret: Uint8Array): Promise<string>;
  /** Problem `invalid` for what is no request in PEM. */
  issue(request: string, edgeId: string): Promise<EdgeCertificate>;
  /** What this edge needs of us to go on without us; told to it now. */
  cloudKeys(edge: string): Promise<CloudKeysView>;
  /** What edges seal to is another key from now on; or those before it are destroyed. */
  changeParcelKey(): Promise<ParcelKeyView>;
  forgetFormerKeys(): Promise<ParcelKeyView>;
}

/** What of a history is asked for: in epoch milliseconds, in so many steps at most. */
export interface HistorySpan {
  readonly from: number;
  readonly to: number;
  readonly points: number;
}

/** In a cloud: what its edges tell of how they do. */
export interface EdgeReportKeeper {
  /** In the history too. */
  keep(edgeId: string, report: EdgeReport): Promise<void>;
  newest(edgeId: string): EdgeReportView | undefined;
  history(edgeId: string, span: HistorySpan): Promise<EdgeHistoryView>;
  forget(edgeId: string): Promise<void>;
}

/** On a box in a facility: how it does. */
export interface OwnHealth {
  report(): Promise<EdgeReport>;
  history(span: HistorySpan): Promise<EdgeHistoryView>;
  /** What the cloud refused for good. */
  readonly asides: Pick<Spool, "asides" | "again" | "drop">;
}

/** On a box in a facility: how it is enrolled in a cloud. */
export interface CloudEnrolment {
  /** Undefined where it is not enrolled. The cloud is asked first. */
  view(): Promise<CloudLinkView | undefined>;
  /** Problem `denied` when who answers is not who the code names, `absent` when the code is not good any more. */
  enrol(request: CloudLinkRequest): Promise<CloudLinkView>;
  /** A new key and a new certificate for it. Problem `absent` where it is not enrolled. */
  renew(request: CloudRenewalRequest): Promise<CloudLinkView>;
}

/** Who looks beyond what is theirs, who is let look from outside, and who judges it. */
export interface OversightParts {
  readonly breakGlass: BreakGlass;
  readonly shares: Shares;
  readonly reviews: Reviews;
  readonly watchedPeople: WatchedPeople;
  readonly disclosures: Disclosures;
  /** Where entries of the log are found. */
  readonly finder: LogFinder;
  readonly savedViews: SavedViews;
  /** Tokens of the patients whom an exact number stands for. */
  readonly patientsOf: (asked: AskedPatient) => Promise<readonly string[]>;
}

/** What an edge reads in its cloud for the machines at its facility. */
export interface EdgeReading {
  /** C-FIND of the archive. Problem `invalid` for an identifier that is none. */
  find(actor: Actor, request: EdgeFindRequest): Promise<readonly EdgeFound[]>;
  /** Instances of a series as files, in pieces behind their lengths, each with an end that says whether it is whole. Problem `absent` when there is no such series. */
  instances(actor: Actor, request: EdgeInstancesRequest): AsyncIterable<Uint8Array>;
}

export interface ApiParts extends WaysIn, OversightParts {
  readonly care: CareGiver;
  readonly archive: Archive;
  readonly gate: Gate;
  readonly policy: Policy;
  readonly grants: Grants;
  readonly audit: AuditLog;
  /** Has the newest checkpoint signed by witnesses too, as far as they answer within some seconds. */
  readonly cosigning: { settle(): Promise<void> };
  readonly breaker: Breaker;
  readonly shredding: Shredding;
  readonly exporting: Exporting;
  readonly people: People;
  readonly confirmations: Confirmations;
  readonly facilities: Facilities;
  readonly schedule: Schedule;
  readonly devices: Devices;
  readonly edges: Edges;
  readonly edgeCertificates: EdgeCertificates;
  readonly edgeReports: EdgeReportKeeper;
  readonly edgeReading: EdgeReading;
  readonly cloudLink: CloudEnrolment;
  readonly ownHealth: OwnHealth;
  /** A C-ECHO to a machine: how many milliseconds it took. Problem `invalid` for one that takes no associations. */
  readonly echoDevice: (device: Device) => Promise<number>;
  readonly relay: Relay;
  readonly routing: RoutingActs;
  readonly migrations: Migrations;
  readonly messages: Messages;
  /** Certifies the key of a request for a machine. Problem `unavailable` where the installation's authority is not open. */
  readonly deviceAuthority: () => Promise<{
    /** PEM: what a machine must trust. */
    readonly certificate: string;
    /** Problem `invalid` for what is no request in PEM. */
    issue(request: string, ae: string): Promise<string>;
  }>;
  readonly phantom: PhantomLoader;
  readonly backups: BackupTaker;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly status: () => Promise<StatusView>;
  readonly dicom: () => { readonly aeTitle: string; readonly port: number | null };
  /** Where the browser application is reached, with a slash at the end. */
  readonly pageUrl: () => string;
  readonly keyRotation: KeyRotation;
  readonly keyState: () => StatusView["keys"];
  /** Shown once to who has just been made the first administrator; undefined when the root key is not a passphrase. */
  readonly rootPassphrase: () => Promise<string | undefined>;
  /** Who sends this request; the server has found it out before any route runs. */
  readonly actorOf: (request: FastifyRequest) => Actor;
  /** The session that this request came with. */
  readonly sessionOf: (request: FastifyRequest) => Session | undefined;
  readonly setSession: (reply: FastifyReply, secret: string, endsAt: number) => void;
  readonly clearSession: (reply: FastifyReply) => void;
}
