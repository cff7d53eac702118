export type { AssociationLimits, AssociationStatus, DoorEvent, RejectionReason } from "./acceptor.ts";
export { dial } from "./dial.ts";
export type { DataSetSource } from "./fragments.ts";
export { type Implementation, leadglass } from "./implementation.ts";
export type { NegotiationPolicy } from "./negotiation.ts";
export { storagePolicy } from "./negotiation.ts";
export type {
  AssociationProposal,
  DimseOutcome,
  OutboundAssociation,
  SenderOptions,
  StoreInstance,
} from "./outbound.ts";
export type { UserIdentity } from "./pdu.ts";
export type {
  AbortReason,
  Admission,
  AssociationClaim,
  Callers,
  DimseServices,
  Receiving,
  RefusalReason,
  StoreRequest,
  WithOffendingElements,
} from "./ports.ts";
export type { DimseDoor, DimseDoorOptions, DimseListener, DoorLimits } from "./scp.ts";
export { createDimseDoor, defaultDoorLimits } from "./scp.ts";
export { openAssociation } from "./scu.ts";
export type {
  FindRequest,
  FindService,
  FoundIdentifier,
  MoveDestination,
  NormalizedAnswer,
  NormalizedRequest,
  NormalizedService,
  QueryExtensions,
  RetrievedInstance,
  RetrieveService,
} from "./service-ports.ts";
export type { Connection, Ending } from "./upper-layer.ts";
