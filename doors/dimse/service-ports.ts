import type { DataSet, DataSetInput } from "#formats/dicom";
import type { OutboundAssociation, StoreInstance } from "./outbound.ts";

/** C-FIND of one information model (PS3.4 Annex C and K). */
export interface FindService {
  /**
   * What matches, one pending response each. After a C-CANCEL nothing more is asked for: the iteration is returned. A Problem fails the
   * request: `invalid` as an identifier that does not match the model (A900), `too-large` as out of resources (A700).
   */
  find(request: FindRequest): AsyncIterable<FoundIdentifier>;
}

export interface FindRequest {
  readonly sopClassUid: string;
  readonly identifier: DataSet;
  readonly extended: QueryExtensions;
}

/** What of PS3.4 §C.5.1.1 the association has agreed on; all false where nothing was negotiated. */
export interface QueryExtensions {
  readonly relational: boolean;
  readonly fuzzyNames: boolean;
}

export interface FoundIdentifier {
  /** Text in Unicode: the door writes it in the request's character set where that holds it, else in UTF-8, and says which. */
  readonly identifier: DataSetInput;
  /** An optional key of the request was not matched by: FF01 instead of FF00. */
  readonly keysIgnored: boolean;
}

/** What C-MOVE and C-GET of one information model send (PS3.4 §C.4.2, §C.4.3). */
export interface RetrieveService {
  /** All that the identifier names; a Problem as for `find`. */
  select(request: FindRequest): Promise<readonly RetrievedInstance[]>;
  /** Where a C-MOVE sends to. Problem `absent` for a title that nobody registered (A801). */
  destination(aeTitle: string): Promise<MoveDestination>;
}

export interface RetrievedInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** As it is stored. */
  readonly transferSyntaxUid: string;
  /** Syntaxes that `open` can make of it, best first, the stored one first of all. */
  readonly offeredSyntaxUids: readonly string[];
  /** Its data set in the first of these that can be had: as stored when that is among them. Problem `unsupported` when none can. */
  open(transferSyntaxUids: readonly string[]): Promise<StoreInstance>;
}

export interface MoveDestination {
  open(
    contexts: readonly { readonly sopClassUid: string; readonly transferSyntaxUids: readonly string[] }[],
  ): Promise<OutboundAssociation>;
}

/** The N- services of one SOP class (PS3.7 §10). */
export interface NormalizedService {
  /** A Problem fails the request: `absent` no such instance (0112), `conflict` duplicate (0111), `invalid` a wrong value (0106), `denied` (0124). */
  perform(request: NormalizedRequest): Promise<NormalizedAnswer>;
}

export interface NormalizedRequest {
  readonly operation: "event-report" | "get" | "set" | "action" | "create";
  readonly sopClassUid: string;
  /** Of N-CREATE it may be left to us. */
  readonly sopInstanceUid: string | undefined;
  /** Action Type ID or Event Type ID. */
  readonly typeId: number | undefined;
  /** Attribute Identifier List of N-GET; empty: all. */
  readonly attributes: readonly number[];
  readonly dataSet: DataSet | undefined;
}

export interface NormalizedAnswer {
  readonly sopInstanceUid?: string;
  readonly dataSet?: DataSetInput;
  /** A warning of the service; Success where absent. */
  readonly status?: number;
}
