import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import type { DataSetSource } from "./fragments.ts";
import type { PresentationContext, UserIdentity } from "./pdu.ts";

export interface AssociationProposal {
  readonly callingAe: string;
  readonly calledAe: string;
  /** Up to 128, each with its transfer syntaxes in order of preference. */
  readonly contexts: readonly { readonly sopClassUid: string; readonly transferSyntaxUids: readonly string[] }[];
  readonly identity?: UserIdentity;
}

export interface StoreInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** The transfer syntax that `dataSet` is in; a context with it must have been accepted. */
  readonly transferSyntaxUid: string;
  /** The data set without preamble and file meta information. */
  readonly dataSet: DataSetSource;
}

export interface DimseOutcome {
  readonly status: number;
  readonly errorComment: string | undefined;
  /** From the first byte of the request to the response. */
  readonly ms: number;
}

/** An association that we asked for. Every promise rejects with a `Problem` when the association is lost. */
export interface OutboundAssociation {
  readonly contexts: readonly PresentationContext[];
  echo(): Promise<DimseOutcome>;
  store(instance: StoreInstance): Promise<DimseOutcome>;
  release(): Promise<void>;
  abort(): void;
}

export interface SenderOptions {
  readonly clock: Clock;
  readonly log?: Log;
  readonly pduBytesMax?: number;
  /** For the transport connection and the answer to the association request together; and for that to a release. */
  readonly associateMs?: number;
  /** For one response. */
  readonly dimseMs?: number;
}
