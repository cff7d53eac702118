export type { AssociationLimits, AssociationStatus, DoorEvent, RejectionReason } from "./acceptor.ts";
export type { SecureDialing } from "./dial.ts";
export { dial, dialSecurely } from "./dial.ts";
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
  ShownCertificates,
  StoreRequest,
  WithOffendingElements,
} from "./ports.ts";
export type { DimseDoor, DimseDoorOptions, DimseListener, DoorLimits, Incoming } from "./scp.ts";
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
export type { OwnCertificates, SecureEntranceOptions } from "./tls.ts";
export { secureEntrance } from "./tls.ts";
export type { Connection, Ending } from "./upper-layer.ts";
