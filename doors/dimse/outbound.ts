import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { type DataSet, type DataSetInput, TransferSyntaxUid } from "#formats/dicom";
import type { DataSetSource } from "./fragments.ts";
import type { NormalizedService } from "./normalized-ports.ts";
import type { PresentationContext, UserIdentity } from "./pdu.ts";
import type { QueryExtensions } from "./query-extensions.ts";
import type { Receiving, StoreRequest } from "./store-ports.ts";

export interface AssociationProposal {
  readonly callingAe: string;
  readonly calledAe: string;
  /** Up to 128. */
  readonly contexts: readonly ContextProposal[];
  /** What queries and retrieves of these SOP classes ask for beyond the baseline (PS3.4 §C.5.1.1). */
  readonly extensions?: ReadonlyMap<string, QueryExtensions>;
  /** Requests of ours that may be unanswered at once; 1 where left out, or where the peer does not answer to it. */
  readonly operationsMax?: number;
  readonly identity?: UserIdentity;
}

export interface ContextProposal {
  readonly sopClassUid: string;
  /** In order of preference. */
  readonly transferSyntaxUids: readonly string[];
  /** The role of ours where it is not that of SCU alone: SCP for what a C-GET brings (PS3.7 §D.3.3.4). */
  readonly role?: "scp" | "both";
}

/** Of what is never compressed: identifiers, lists of attributes. */
export const uncompressedSyntaxes: readonly string[] = [
  TransferSyntaxUid.explicitLittleEndian,
  TransferSyntaxUid.implicitLittleEndian,
];

/** A context for messages without pixels. */
export function plainContext(sopClassUid: string): ContextProposal {
  return { sopClassUid, transferSyntaxUids: uncompressedSyntaxes };
}

export interface StoreInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** The transfer syntax that `dataSet` is in; a context with it must have been accepted. */
  readonly transferSyntaxUid: string;
  /** The data set without preamble and file meta information. */
  readonly dataSet: DataSetSource;
  /** Whose C-MOVE this belongs to. */
  readonly moveOriginator?: { readonly ae: string; readonly messageId: number };
}

export interface DimseOutcome {
  readonly status: number;
  readonly errorComment: string | undefined;
  /** From the first byte of the request to the response. */
  readonly ms: number;
}

/** What a peer answered to a request of an N- service. */
export interface NormalizedOutcome extends DimseOutcome {
  readonly sopInstanceUid: string | undefined;
  readonly dataSet: DataSet | undefined;
}

/** Sub-operations of a C-MOVE or C-GET, as the peer counts them. */
export interface SubOperationCounts {
  readonly remaining: number;
  readonly completed: number;
  readonly failed: number;
  readonly warning: number;
}

export interface RetrieveOutcome extends DimseOutcome, SubOperationCounts {
  readonly failedSopInstanceUids: readonly string[];
}

export interface RetrieveOptions {
  /** Aborted: a C-CANCEL is sent, and the peer's last response is waited for. */
  readonly signal?: AbortSignal;
  onProgress?(counts: SubOperationCounts): void;
}

/**
 * An association that we asked for. Every promise rejects with a `Problem` when the association is lost. Requests that are made
 * while others are unanswered wait, unless an asynchronous operations window was agreed on.
 */
export interface OutboundAssociation {
  readonly contexts: readonly PresentationContext[];
  /** Requests that may be unanswered at once. */
  readonly operationsMax: number;
  /** The peer says that it has verified our user identity. */
  readonly identityVerified: boolean;
  isOver(): boolean;
  echo(): Promise<DimseOutcome>;
  store(instance: StoreInstance): Promise<DimseOutcome>;
  /**
   * The matches as the peer finds them, no further than they are asked for. Whoever stops asking, or aborts `signal`, has a C-CANCEL sent,
   * and waits for the peer's last response.
   * A failure of the peer is thrown as a Problem.
   */
  find(
    sopClassUid: string,
    identifier: DataSetInput,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<DataSet>;
  move(
    sopClassUid: string,
    identifier: DataSetInput,
    destinationAe: string,
    options?: RetrieveOptions,
  ): Promise<RetrieveOutcome>;
  /** The peer sends on this association; `receive` takes each instance. One at a time. */
  get(
    sopClassUid: string,
    identifier: DataSetInput,
    receive: (request: StoreRequest) => Receiving,
    options?: RetrieveOptions,
  ): Promise<RetrieveOutcome>;
  create(sopClassUid: string, sopInstanceUid: string | undefined, dataSet?: DataSetInput): Promise<NormalizedOutcome>;
  set(sopClassUid: string, sopInstanceUid: string, dataSet: DataSetInput): Promise<NormalizedOutcome>;
  /** Of no tags all attributes. */
  getAttributes(sopClassUid: string, sopInstanceUid: string, tags?: readonly number[]): Promise<NormalizedOutcome>;
  action(
    sopClassUid: string,
    sopInstanceUid: string,
    actionTypeId: number,
    dataSet?: DataSetInput,
  ): Promise<NormalizedOutcome>;
  eventReport(
    sopClassUid: string,
    sopInstanceUid: string,
    eventTypeId: number,
    dataSet?: DataSetInput,
  ): Promise<NormalizedOutcome>;
  release(): Promise<void>;
  abort(): void;
}

/** What a peer may ask for on an association of ours. */
export interface PeerServices {
  store?(request: StoreRequest): Receiving;
  /** By SOP class. */
  readonly normalized?: ReadonlyMap<string, NormalizedService>;
}

export interface SenderOptions {
  readonly clock: Clock;
  readonly log?: Log;
  readonly pduBytesMax?: number;
  /** For the transport connection and the answer to the association request together; and for that to a release. */
  readonly associateMs?: number;
  /** For the peer to take, or to answer, anything of a request. */
  readonly dimseMs?: number;
  readonly serves?: PeerServices;
}
