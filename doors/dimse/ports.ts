import type { X509Certificate } from "node:crypto";
import type { NormalizedService } from "./normalized-ports.ts";
import type { UserIdentity } from "./pdu.ts";
import type { FindService, RetrieveService } from "./service-ports.ts";
import type { Receiving, StoreRequest } from "./store-ports.ts";

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

/** What a `Problem` thrown by a service may also say. */
export interface WithDimseDetail {
  /** Attributes that offend, for (0000,0901). */
  readonly offendingElements?: readonly number[];
  /** A status of the service's own, where that of the problem's code says too little. */
  readonly dimseStatus?: number;
  /** (0000,0903). */
  readonly errorId?: number;
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
