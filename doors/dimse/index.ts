export type { AssociationLimits, AssociationStatus, DoorEvent, RejectionReason } from "./acceptor.ts";
export { type ArchiveFindParts, archiveFinds } from "./archive-find.ts";
export { type ArchiveRetrieveParts, archiveRetrieves, retrievedInstance } from "./archive-retrieve.ts";
export { instanceAvailabilityNotification, notifyAvailability } from "./availability.ts";
export {
  reportCommitment,
  requestCommitment,
  type StorageCommitment,
  storageCommitmentPushModel,
  storageCommitmentService,
} from "./commitment.ts";
export type { SecureDialing } from "./dial.ts";
export { dial, dialSecurely } from "./dial.ts";
export { type Fetching, fetchParts, fetchStudy, findStudies } from "./fetching.ts";
export type { DataSetSource } from "./fragments.ts";
export { type Implementation, leadglass } from "./implementation.ts";
export { listContents, listStudies } from "./inventory.ts";
export type { NegotiationPolicy } from "./negotiation.ts";
export { storagePolicy } from "./negotiation.ts";
export type { NormalizedAnswer, NormalizedRequest, NormalizedService } from "./normalized-ports.ts";
export { type OpenTo, onAssociation } from "./on-association.ts";
export type {
  AssociationProposal,
  ContextProposal,
  DimseOutcome,
  NormalizedOutcome,
  OutboundAssociation,
  PeerServices,
  RetrieveOutcome,
  SenderOptions,
  StoreInstance,
  SubOperationCounts,
} from "./outbound.ts";
export { plainContext } from "./outbound.ts";
export { type UserIdentity, verificationSopClass } from "./pdu.ts";
export { performedServices } from "./performed.ts";
export type {
  Admission,
  AssociationClaim,
  Callers,
  DimseServices,
  RefusalReason,
  ShownCertificates,
  WithDimseDetail,
} from "./ports.ts";
export type { QueryExtensions } from "./query-extensions.ts";
export type { DimseDoor, DimseDoorOptions, DimseListener, DoorLimits, Incoming } from "./scp.ts";
export { createDimseDoor, defaultDoorLimits } from "./scp.ts";
export { openAssociation } from "./scu.ts";
export { type Sending, sendAll } from "./sending.ts";
export type {
  FindRequest,
  FindService,
  FoundIdentifier,
  MoveDestination,
  RetrievedInstance,
  RetrieveService,
} from "./service-ports.ts";
export { status as dimseStatus } from "./status.ts";
export type { AbortReason, Receiving, StoreRequest } from "./store-ports.ts";
export type { OwnCertificates, SecureEntranceOptions } from "./tls.ts";
export { secureEntrance } from "./tls.ts";
export type { Connection, Ending } from "./upper-layer.ts";
export { worklistFinds } from "./worklist.ts";
