import type { X509Certificate } from "node:crypto";
import type { UserIdentity } from "./pdu.ts";
import type { FindService, NormalizedService, RetrieveService } from "./service-ports.ts";

/** What a peer showed in the TLS handshake. */
export interface ShownCertificates {
  /** It holds the key of this one: the handshake proved it. */
  readonly own: X509Certificate;
  /** What it sent along. */
  readonly sent: readonly X509Certificate[];
  /** It leads to an authority that the listener was given, and holds at this time. */
  readonly isVerified: boolean;
}

/** Who an association request says it is, and where it came from. */
export interface AssociationClaim {
  readonly callingAe: string;
  readonly calledAe: string;
  /** IP address of the peer; an IPv4 address in its own form also on a dual-stack listener. */
  readonly address: string;
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
  /** Of a peer that came in over TLS of ours. */
  readonly certificates: ShownCertificates | undefined;
  /** PS3.7 §D.3.3.7, already of sound form. Holds secrets: never log it. */
  readonly identity: UserIdentity | undefined;
}

export type RefusalReason = "calling-ae" | "called-ae" | "identity" | "busy";

export type Admission =
  | {
      readonly admitted: true;
      /** What this caller may ask for, bound to who it is. */
      readonly services: DimseServices;
      /** The user identity was verified: say so when the peer asked for a reply. */
      readonly identityVerified?: boolean;
    }
  | { readonly admitted: false; readonly reason: RefusalReason };

/** Decides who may associate, and remembers who was refused. */
export interface Callers {
  /** A rejected promise refuses the association as `busy`. */
  admit(claim: AssociationClaim): Promise<Admission>;
}

/** What is known of an instance before its data set comes. */
export interface StoreRequest {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly callingAe: string;
  readonly associationId: string;
  readonly messageId: number;
}

/** One data set on its way in. */
export interface Receiving {
  /**
   * Takes the next bytes of the data set. They are a view of the socket's buffer and valid only until this returns or,
   * when it returns a promise, until that settles; until then nothing more is read from the peer. Throwing or
   * rejecting refuses the instance: `abort` follows, the rest is read and dropped, the association lives on.
   */
  write(bytes: Uint8Array): undefined | Promise<void>;
  /** Resolves when the instance rests on stable storage; the peer is told Success then. A `Problem` tells it otherwise. */
  finish(): Promise<void>;
  /** The instance will not be completed. Called at most once, never after `finish`. */
  abort(reason: AbortReason): void;
}

export type AbortReason = "association-lost" | "refused";

/** A `Problem` thrown by a service may also say which attributes offend; they go into (0000,0901). */
export interface WithOffendingElements {
  readonly offendingElements?: readonly number[];
}

/**
 * The services behind the door for one caller. A SOP class that no map holds is refused in negotiation, verification and what the
 * storage policy takes apart.
 */
export interface DimseServices {
  echo(): Promise<void>;
  /** Throws a `Problem` when the instance is refused before its bytes come. */
  store(request: StoreRequest): Receiving;
  /** C-FIND by the SOP class of its information model. */
  readonly finds?: ReadonlyMap<string, FindService>;
  /** C-MOVE and C-GET alike: which of them a SOP class is, its UID says. */
  readonly retrieves?: ReadonlyMap<string, RetrieveService>;
  /** N- services by SOP class. */
  readonly normalized?: ReadonlyMap<string, NormalizedService>;
}
