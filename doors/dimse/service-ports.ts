import type { DataSet, DataSetInput } from "#formats/dicom";
import type { ContextProposal, OutboundAssociation, StoreInstance } from "./outbound.ts";
import type { QueryExtensions } from "./query-extensions.ts";

/** C-FIND of one information model (PS3.4 Annex C and K). */
export interface FindService {
  /** What is granted to a peer that asks for it; relational queries and fuzzy names where it is left out. */
  readonly supports?: QueryExtensions;
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

export interface FoundIdentifier {
  /** Text in Unicode: the door writes it in the request's character set where that holds it, else in UTF-8, and says which. */
  readonly identifier: DataSetInput;
  /** An optional key of the request was not matched by: FF01 instead of FF00. */
  readonly keysIgnored: boolean;
}

/** What C-MOVE and C-GET of one information model send (PS3.4 §C.4.2, §C.4.3). */
export interface RetrieveService {
  /** As for C-FIND. */
  readonly supports?: QueryExtensions;
  /**
   * All that the identifier names; a Problem as for `find`. `signal` ends with the request, and with a C-CANCEL or the association before
   * it: what is still got ready to be opened is not wanted any more.
   */
  select(request: FindRequest, signal: AbortSignal): Promise<readonly RetrievedInstance[]>;
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
  /**
   * Its data set in the first of these that can be had: as stored when that is among them. Problem `unsupported` when none can. It may take
   * its time where the instance has yet to come from elsewhere.
   */
  open(transferSyntaxUids: readonly string[]): Promise<StoreInstance>;
}

export interface MoveDestination {
  open(contexts: readonly ContextProposal[]): Promise<OutboundAssociation>;
}
