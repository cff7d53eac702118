/** The protocol data units of the DICOM upper layer (PS3.8 §9.3, PS3.7 Annex D) as one closed union. */
export type Pdu =
  | AssociateRequest
  | AssociateAccept
  | AssociateReject
  | DataTransfer
  | ReleaseRequest
  | ReleaseReply
  | Abort;

export const pduType = {
  associateRequest: 0x01,
  associateAccept: 0x02,
  associateReject: 0x03,
  dataTransfer: 0x04,
  releaseRequest: 0x05,
  releaseReply: 0x06,
  abort: 0x07,
} as const;

/** PS3.8 §9.3.2. AE titles are without their padding. */
export interface AssociateRequest {
  readonly type: "associate-rq";
  readonly protocolVersion: number;
  readonly calledAe: string;
  readonly callingAe: string;
  readonly applicationContext: string;
  readonly contexts: readonly ProposedContext[];
  readonly user: UserInformation;
}

/** PS3.8 §9.3.3. */
export interface AssociateAccept {
  readonly type: "associate-ac";
  readonly protocolVersion: number;
  readonly calledAe: string;
  readonly callingAe: string;
  readonly applicationContext: string;
  readonly contexts: readonly AnsweredContext[];
  readonly user: UserInformation;
}

/** PS3.8 §9.3.4; see `rejection` for the combinations in use. */
export interface AssociateReject {
  readonly type: "associate-rj";
  readonly result: number;
  readonly source: number;
  readonly reason: number;
}

/** PS3.8 §9.3.5. Only writers build it whole: the reader hands its fragments on as they arrive. */
export interface DataTransfer {
  readonly type: "p-data-tf";
  readonly values: readonly DataValue[];
}

export interface ReleaseRequest {
  readonly type: "release-rq";
}

export interface ReleaseReply {
  readonly type: "release-rp";
}

/** PS3.8 §9.3.8. Source 0 is the service user (reason 0), 2 the service provider. */
export interface Abort {
  readonly type: "abort";
  readonly source: number;
  readonly reason: number;
}

/** One presentation data value: a fragment of a command set or a data set (PS3.8 Annex E). */
export interface DataValue {
  readonly contextId: number;
  readonly command: boolean;
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

export interface ProposedContext {
  readonly id: number;
  readonly abstractSyntax: string;
  /** In the requestor's order of preference. */
  readonly transferSyntaxes: readonly string[];
}

export interface AnsweredContext {
  readonly id: number;
  readonly result: number;
  /** Without meaning when the context is refused. */
  readonly transferSyntax: string;
}

/** A presentation context in use: proposed, and accepted with one of its transfer syntaxes. */
export interface PresentationContext {
  readonly id: number;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
}

export const contextResult = {
  accepted: 0,
  userRejected: 1,
  noReason: 2,
  abstractSyntaxNotSupported: 3,
  transferSyntaxesNotSupported: 4,
} as const;

/** The user information item (PS3.8 §9.3.2.3) with the sub-items of PS3.8 Annex D and PS3.7 §D.3.3. */
export interface UserInformation {
  /** Largest variable field of a P-DATA-TF that its sender takes; 0 is no limit (PS3.8 §D.1). */
  readonly pduBytesMax: number;
  readonly implementationClassUid: string;
  readonly implementationVersion?: string | undefined;
  readonly asyncWindow?: { readonly invoked: number; readonly performed: number } | undefined;
  readonly roles?: readonly RoleSelection[] | undefined;
  readonly extended?: readonly ExtendedNegotiation[] | undefined;
  readonly commonExtended?: readonly CommonExtendedNegotiation[] | undefined;
  readonly identity?: UserIdentity | undefined;
  /** In an A-ASSOCIATE-AC: the identity was accepted; the bytes are empty but for Kerberos, SAML and JWT. */
  readonly identityReply?: Uint8Array | undefined;
}

export interface RoleSelection {
  readonly sopClassUid: string;
  readonly scu: boolean;
  readonly scp: boolean;
}

export interface ExtendedNegotiation {
  readonly sopClassUid: string;
  readonly information: Uint8Array;
}

export interface CommonExtendedNegotiation {
  readonly version: number;
  readonly sopClassUid: string;
  readonly serviceClassUid: string;
  readonly relatedSopClassUids: readonly string[];
}

/** PS3.7 §D.3.3.7. Kinds: 1 name, 2 name and passcode, 3 Kerberos, 4 SAML, 5 JWT. Holds secrets: never log it. */
export interface UserIdentity {
  readonly kind: number;
  readonly replyWanted: boolean;
  readonly primary: Uint8Array;
  readonly secondary: Uint8Array;
}

export const verificationSopClass = "1.2.840.10008.1.1";
export const dicomApplicationContext = "1.2.840.10008.3.1.1.1";

/** A-ASSOCIATE-RJ result, source and reason of PS3.8 Table 9-21. */
export const rejection = {
  noReason: { type: "associate-rj", result: 1, source: 1, reason: 1 },
  applicationContext: { type: "associate-rj", result: 1, source: 1, reason: 2 },
  callingAe: { type: "associate-rj", result: 1, source: 1, reason: 3 },
  calledAe: { type: "associate-rj", result: 1, source: 1, reason: 7 },
  invalidRequest: { type: "associate-rj", result: 1, source: 2, reason: 1 },
  protocolVersion: { type: "associate-rj", result: 1, source: 2, reason: 2 },
  congestion: { type: "associate-rj", result: 2, source: 3, reason: 1 },
  localLimit: { type: "associate-rj", result: 2, source: 3, reason: 2 },
} as const satisfies Record<string, AssociateReject>;

/** A-ABORT reasons of the service provider (PS3.8 Table 9-26). */
export const abortReason = {
  notSpecified: 0,
  unrecognizedPdu: 1,
  unexpectedPdu: 2,
  unrecognizedParameter: 4,
  unexpectedParameter: 5,
  invalidParameter: 6,
} as const;

/** Bytes that are not a valid PDU: event 19 of the state machine. `reason` goes into the A-ABORT. */
export class PduError extends Error {
  override readonly name = "PduError";
  readonly reason: number;

  constructor(reason: number, message: string) {
    super(message);
    this.reason = reason;
  }
}
