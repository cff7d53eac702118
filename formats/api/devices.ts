/**
 * - `store`    sends instances, and asks whether they are kept
 * - `find`     searches studies
 * - `retrieve` has instances sent, to itself or to another machine
 * - `worklist` asks what is to be done, and says what was
 * - `notify`   is told when a study has come to rest: only where it is said
 * - `orders`   sends orders and appointments by HL7: only where it is said
 * - `patients` says by HL7 who patients are, whose studies and steps then say so too: only where it is said
 * - `results`  is sent by HL7, at its port, what reports say: only where it is said
 * - `status`   is told by HL7, at its port, what becomes of orders: only where it is said
 */
export const deviceRights = [
  "store",
  "find",
  "retrieve",
  "worklist",
  "notify",
  "orders",
  "patients",
  "results",
  "status",
] as const;
export type DeviceRight = (typeof deviceRights)[number];
export const usualDeviceRights: readonly DeviceRight[] = ["store", "find", "retrieve", "worklist"];

export interface DeviceRequest {
  readonly ae: string;
  readonly address: string;
  /** Id of the facility that it stands in, "" for none. Absent, as all that follows: of a device that is known it stays as it is. */
  readonly facility?: string;
  /** Where it takes images; 0: nowhere. */
  readonly port?: number;
  readonly tls?: boolean;
  /** The usual ones where nothing was ever said. */
  readonly may?: readonly DeviceRight[];
  /** How it is known over TLS, and no more without it. */
  readonly proof?: DeviceProofRequest;
}

/** By the key of a certificate that it has, by one that is issued now for the key of a request (PKCS #10), both PEM, or by a name. */
export type DeviceProofRequest =
  | { readonly kind: "certificate"; readonly certificate: string }
  | { readonly kind: "request"; readonly request: string }
  /** As one of the customer's own authorities certifies it: `CN=CT1,O=Clinic`. */
  | { readonly kind: "name"; readonly name: string };

/** A device that was added; `issued` where a certificate was asked for: it and the authority that it must trust, PEM, never shown again. */
export interface DeviceAdded extends DeviceView {
  readonly issued?: { readonly certificate: string; readonly authority: string };
}

export interface DeviceView {
  readonly id: string;
  readonly ae: string;
  readonly address: string;
  /** "" for none. */
  readonly facility: string;
  /** 0 where it takes no images. */
  readonly port: number;
  readonly tls: boolean;
  readonly may: readonly DeviceRight[];
  /** Whether it must show a certificate: then it comes in over TLS alone. */
  readonly hasCertificate: boolean;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

/** What a C-ECHO to a machine came to. */
export interface EchoView {
  /** From our asking for an association to its answer to the echo. */
  readonly ms: number;
}

/** A machine that called and was rejected because nobody admitted it yet. */
export interface WaitingView {
  readonly ae: string;
  readonly address: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly attempts: number;
}
