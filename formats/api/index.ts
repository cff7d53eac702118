export { byteSize, counted, duration } from "./amounts.ts";
export type {
  AccountRequest,
  ApiEvent,
  AuditPage,
  BackupsView,
  BackupTaking,
  BackupView,
  ConfirmationView,
  EntryProofView,
  FacilityRequest,
  FacilityView,
  InvitationRequest,
  InvitationView,
  LogEntryView,
  NewAccount,
  PeopleView,
  PhantomState,
  ProblemView,
  RecoverySharesView,
  ReleaseRequest,
  RemovalRequest,
  RootKind,
  RootRequest,
  RootView,
  RotationRequest,
  RotationView,
  SeriesView,
  ShredCertificateView,
  ShredRequest,
  SignedLog,
  StatusView,
  StudyDetail,
  StudyListRequest,
  StudyPage,
  StudyPlacesView,
  StudyView,
  TokenRequest,
  TokenView,
  VaultReport,
  WitnessView,
} from "./api.ts";
export { rootKinds } from "./api.ts";
export type {
  CareView,
  ClockView,
  CompactionView,
  ConflictRequest,
  HoldRequest,
  HoldView,
  ScrubRequest,
  ScrubView,
} from "./care.ts";
export type {
  CorrectedValues,
  CorrectedView,
  CorrectionReason,
  CorrectionView,
  PatientCorrection,
  PatientKey,
  PatientMerge,
  StudyCorrection,
  StudyMove,
} from "./corrections.ts";
export {
  type DeviceAdded,
  type DeviceProofRequest,
  type DeviceRequest,
  type DeviceRight,
  type DeviceView,
  deviceRights,
  type EchoView,
  usualDeviceRights,
  type WaitingView,
} from "./devices.ts";
export type { DisclosureReport, DisclosureView, LookKind, LooksPage, LookView } from "./disclosures.ts";
export { type EdgeFinding, edgeFindings, edgeHeadline, type ReportAge } from "./edge-findings.ts";
export {
  type AsideView,
  type EdgeHistoryView,
  type EdgeMeasure,
  type EdgeReportView,
  type EdgeSample,
  sampleOf,
} from "./edge-health.ts";
export type {
  CloudKeysView,
  CloudLinkRequest,
  CloudLinkView,
  CloudRenewalRequest,
  EdgeCallerReport,
  EdgeCertificateView,
  EdgeCodeView,
  EdgeDeviceReport,
  EdgeEnrolmentRequest,
  EdgeFindRequest,
  EdgeFound,
  EdgeInstancesRequest,
  EdgeRenewalRequest,
  EdgeReport,
  EdgeRequest,
  EdgeScheduleView,
  EdgeSelfView,
  EdgeToldView,
  EdgeView,
  FindingSeverity,
  ParcelKeyView,
} from "./edges.ts";
export { edgeCallersMost, edgeDevicesMost } from "./edges.ts";
export type {
  BulkExportRequest,
  BulkExportStudies,
  BulkExportView,
  ExportedInstance,
  ExportFrame,
  ExportFrameKind,
  StudyExportRequest,
} from "./exports.ts";
export { exportFrameHead, exportFrames } from "./exports.ts";
export type { GrantRequest, GrantTermsView, GrantView, PlaceView, Role, RoleView } from "./grants.ts";
export { purposeOf, purposes, roles, rolesOfPeople } from "./grants.ts";
export type {
  EntryDetailView,
  EntryPathView,
  FoundEntriesView,
  FoundEntryView,
  LogQuestion,
  SavedView,
  SavedViewRequest,
} from "./log.ts";
export { exportedLogNames, viewedPages } from "./log.ts";
export {
  type MessageDetail,
  type MessagePage,
  type MessageState,
  type MessageView,
  messageStates,
  type PartnerTerms,
  type PartnerView,
  partnerCharacterSets,
} from "./messages.ts";
export type {
  MigrationCounts,
  MigrationReportView,
  MigrationRequest,
  MigrationStudyView,
  MigrationTally,
  MigrationView,
} from "./migrations.ts";
export type {
  AppCodeDecision,
  AppCodeRequest,
  AppView,
  AskView,
  ClientRequest,
  ClientView,
  ConsentDecision,
  ConsentView,
  LaunchRequest,
  LaunchView,
  Permission,
} from "./oauth.ts";
export { permissions } from "./oauth.ts";
export type {
  BreakGlassRequest,
  BrokenGlass,
  BrokenGlassView,
  MarkedPatientView,
  PatientMark,
  PersonFacts,
  ReviewDecision,
  ReviewPage,
  ReviewView,
} from "./reviews.ts";
export { reviewKinds, reviewOutcomes } from "./reviews.ts";
export type {
  ChangesView,
  CoercionView,
  DeidentifyOption,
  DeidentifyView,
  HeldReason,
  HeldView,
  HoursCondition,
  RoutingConditions,
  RoutingCounts,
  RoutingRuleRequest,
  RoutingRuleView,
  RoutingText,
  RoutingTrial,
  RoutingTrialView,
  RoutingView,
  TextCondition,
} from "./routing.ts";
export { coercionKinds, deidentifyOptions, routingTexts } from "./routing.ts";
export type { MadeShare, OpenedShare, ShareOpening, ShareRequest, ShareView } from "./shares.ts";
export { sharePurposes } from "./shares.ts";
export type {
  AccountRecovery,
  AccountView,
  AgainRequest,
  AuthenticatorRequest,
  ConfirmRequest,
  CredentialsView,
  EnrolledSecondFactor,
  GroupRuleView,
  IdentityProviderRequest,
  IdentityProviderView,
  IssuedLinkView,
  LinkRequest,
  LinkView,
  NewPasskeyAnswer,
  PasskeyProof,
  PasskeyView,
  ProofView,
  RecoveryKit,
  RecoveryRequest,
  SessionListing,
  SessionRequest,
  SessionView,
  SetupPasskeyAnswer,
  SetupPasskeyRequest,
  SetupRequest,
  SetupState,
  SignInOffer,
  WebAuthnJson,
} from "./sign-in.ts";
export type { RemovedTenantView, TenantRequest, TenantView } from "./tenants.ts";
export type {
  ArchiveQuery,
  ArchiveStudyView,
  DestinationView,
  FetchingRequest,
  SendingRequest,
  TransferKind,
  TransferView,
} from "./transfers.ts";
export { archiveKeys } from "./transfers.ts";
export type { ScheduledStepView, ScheduledView, WorklistView } from "./worklist.ts";
