import type { X509Certificate } from "node:crypto";
import type { Server } from "node:net";
import type { Duplex } from "node:stream";
import type { DataSet } from "#formats/dicom";
import type { Fault } from "#formats/hl7";

/** A connection that a listener gives out: a socket, plain or of TLS, or what a test makes of two streams. */
export interface Connection extends Duplex {
  readonly remoteAddress?: string | undefined;
}

/** What a caller showed in the TLS handshake. */
export interface ShownCertificates {
  readonly own: X509Certificate;
  readonly sent: readonly X509Certificate[];
  readonly isVerified: boolean;
}

/** What a listener's connections come in through: plainly, or over TLS with who may call looked at first. */
export type Incoming = (take: (connection: Connection, certificates?: ShownCertificates) => void) => {
  /** Not listening yet. */
  readonly server: Server;
  close(): void;
};

/** Who a message says that sent it, and where it came from. */
export interface PartnerClaim {
  /** MSH-3, its first component: a text of the sender. */
  readonly application: string;
  /** MSH-4, likewise. */
  readonly facility: string;
  /** MSH-5: whom it is for. */
  readonly receiver: string;
  readonly address: string;
  readonly certificates: ShownCertificates | undefined;
}

/** Who may speak. Asked for each message: who was removed is not heard any more. */
export interface Partners {
  /** Undefined for who is none: the answer says so, and the connection ends. */
  admit(claim: PartnerClaim): Promise<PartnerServices | undefined>;
}

/** A patient by the identifier that a message gives, of an authority where it names one. */
export interface PatientId {
  readonly id: string;
  readonly authority: string;
}

/** An order by the numbers that placer and filler gave it, either of them empty, and its patient where it is said. */
export interface OrderNumbers {
  readonly placer: string;
  readonly filler: string;
  readonly patientId: string;
  /** Who gave the patient that ID, where it is said. */
  readonly issuer: string;
}

/** An order that is planned, and which identifiers of its step the message names. */
export interface PlannedOrder extends OrderNumbers {
  readonly names: { readonly study: boolean; readonly procedure: boolean; readonly step: boolean };
}

export interface OrderAmendment {
  readonly status?: "SCHEDULED" | "CANCELED" | "DISCONTINUED" | "COMPLETED";
  readonly startDate?: string;
  readonly startTime?: string;
  readonly stationAes?: readonly string[];
}

/**
 * What the messages of one partner do, bound to who it is. Each is done, and rests where it survives, when it resolves; each may be done
 * again. They reject with a Problem, `denied` for what this partner was not let do.
 */
export interface PartnerServices {
  /**
   * Takes a message: one with the same control id and digest that was done is not done again; `other` says that another one came by that
   * control id. The messages of a partner take turns.
   */
  once(controlId: string, digest: string, work: () => Promise<void>): Promise<"done" | "known" | "other">;
  /** A message that was done is handed on to whoever else has to do it. It rests where it survives when it resolves. */
  handOn(bytes: Uint8Array): Promise<void>;
  /** The steps of a worklist item, of an order that may be known by one of its numbers. */
  schedule(item: () => DataSet, order: PlannedOrder): Promise<void>;
  amendOrder(order: OrderNumbers, change: OrderAmendment): Promise<void>;
  /** Other values of a patient, by keyword; empty: there is no such any more. */
  changePatient(patient: PatientId, values: Readonly<Record<string, string>>): Promise<void>;
  /** What was of `from` is of `into`, whoever has studies already. */
  mergePatients(from: PatientId, into: PatientId, values: Readonly<Record<string, string>>): Promise<void>;
  /** `from` is called `to`. Problem `conflict` when that is another patient. */
  changePatientId(from: PatientId, to: PatientId, values: Readonly<Record<string, string>>): Promise<void>;
  /** A UID that always stands for the same text of this home. */
  uidFor(text: string): string;
  /** The machines at which a step that names none is to be seen. */
  stations(): Promise<readonly string[]>;
  /** Told of each message of this partner when its answer is made, whatever became of it. Never rejects. */
  heard(message: AnsweredMessage): Promise<void>;
}

/** A message of a partner, and what was answered. */
export interface AnsweredMessage {
  /** MSH-9: `ADT^A08`. */
  readonly kind: string;
  readonly controlId: string;
  readonly bytes: Uint8Array;
  readonly messages: readonly Uint8Array[];
  readonly outcome: "accepted" | "error" | "rejected";
  readonly fault: Fault | undefined;
}
