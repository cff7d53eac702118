export type {
  AccessStore,
  Account,
  Client,
  ClientToken,
  Device,
  Factors,
  Invitation,
  RequestState,
  StoredRequest,
  WaitingCaller,
} from "./access-store.ts";
export type { AccountLink, AccountLinkStore } from "./account-link-store.ts";
export type { Act, Actor, ActorKind, PairAct, Role, Scope, Where } from "./acts.ts";
export { actorOf, acts, anonymous, operator, pairActs, ruleOf, system } from "./acts.ts";
export type { Attempts, Slowing } from "./attempts.ts";
export { createAttempts } from "./attempts.ts";
export type { BreachedPasswords } from "./breached-passwords.ts";
export { openBreachedPasswords } from "./breached-passwords.ts";
export type { BreakGlass, BreakGlassParts, EmergencyPatient } from "./break-glass.ts";
export { createBreakGlass } from "./break-glass.ts";
export type { Challenges } from "./challenges.ts";
export { createChallenges } from "./challenges.ts";
export type { ClientTokens } from "./client-tokens.ts";
export type { ActDetail, Confirmation, ConfirmationParts, Confirmations, Perform } from "./confirmations.ts";
export { createConfirmations } from "./confirmations.ts";
export type { Credentials, WaysHeld } from "./credentials.ts";
export type { DeviceProof } from "./device-certificates.ts";
export { boundToKey, boundToName, canonicalName, isProven, keyDigestOf } from "./device-certificates.ts";
export type { Devices, DeviceTerms, StandingDevice } from "./devices.ts";
export { anyAddress, canonicalAddress, createDevices, scopeOf, takesImages, takesMessages } from "./devices.ts";
export type { Edge, EdgeChange, EdgeSigningKey, EdgeState, EdgeStore } from "./edge-store.ts";
export type { EdgeAsking, EdgeCertificate, Edges } from "./edges.ts";
export { createEdges } from "./edges.ts";
export type { Facilities } from "./facilities.ts";
export { createFacilities } from "./facilities.ts";
export type { Facility, FacilityStore } from "./facility-store.ts";
export type { Gate, Pass, Subject } from "./gate.ts";
export { createGate } from "./gate.ts";
export type { Grant, GrantStore, GrantTerms, Purpose } from "./grant-store.ts";
export type { Grants } from "./grants.ts";
export { createGrants } from "./grants.ts";
export type { GroupRule, IdentityProvider, IdentityProviderStore } from "./identity-provider-store.ts";
export type { Arrived, IdentityProviders, ProvidedClaims, ProviderSettings } from "./identity-providers.ts";
export type { KnownBrowserStore } from "./known-browser-store.ts";
export type {
  ClientProof,
  ClientRegistration,
  Jwk,
  NewOauthClient,
  OauthClient,
  OauthClients,
} from "./oauth-clients.ts";
export { createOauthClients } from "./oauth-clients.ts";
export type { OauthKeys } from "./oauth-keys.ts";
export { createOauthKeys } from "./oauth-keys.ts";
export type { OauthContent, OauthRecord, OauthRecords } from "./oauth-records.ts";
export { createOauthRecords } from "./oauth-records.ts";
export type { OauthRecordsStore, StoredOauthClient, StoredOauthRecord } from "./oauth-records-store.ts";
export type { Passkey, PasskeyStore } from "./passkey-store.ts";
export type { CeremonyPlace, PasskeyAnswer, PasskeyOwner, Passkeys } from "./passkeys.ts";
export type { Names, People } from "./people.ts";
export { createPeople } from "./people.ts";
export type { NarrowPlace, Place, Reach, StudyFacts } from "./place.ts";
export { covers, everywhere, isNowhere, narrowPlaces, reachOf } from "./place.ts";
export type { Decision, LiveGrants, Policy } from "./policy.ts";
export { createPolicy } from "./policy.ts";
export type { IssuedLink, Recovery } from "./recovery.ts";
export type {
  NoticedReview,
  ReviewChoice,
  ReviewKind,
  ReviewOutcome,
  ReviewStore,
  StoredReview,
} from "./review-store.ts";
export type { Noticed, Review, Reviews } from "./reviews.ts";
export { createReviews } from "./reviews.ts";
export type { SavedViewStore, StoredSavedView } from "./saved-view-store.ts";
export type { KeptView, SavedViews } from "./saved-views.ts";
export { createSavedViews } from "./saved-views.ts";
export type { ResourceScope, ScopeContext } from "./scopes.ts";
export { actsOfScopes, needsPatient, parseResourceScope, scopesOffered, scopesShown } from "./scopes.ts";
export { totpCode } from "./second-factor.ts";
export type { SecretBox } from "./secret-box.ts";
export type { Session, SessionStore } from "./session-store.ts";
export type { BrowserFacts, SessionFacts, Sessions, SignedIn } from "./sessions.ts";
export { recentMs, requireRecent } from "./sessions.ts";
export type { Arrival, Link, LinkKind, Setup } from "./setup.ts";
export type { ShareMode, ShareStore, StoredShare } from "./share-store.ts";
export type { Share, Shares, ShareTerms } from "./shares.ts";
export { createShares } from "./shares.ts";
export type { Caller, SignIn } from "./sign-in.ts";
export { personOf } from "./sign-in.ts";
export type { LookedHour, ShownIdentity, UnusualAccess, UnusualLimits } from "./unusual-access.ts";
export { createUnusualAccess, usualLimits } from "./unusual-access.ts";
export type { Marked, PersonFacts, WatchedPeople } from "./watched-people.ts";
export { createWatchedPeople } from "./watched-people.ts";
export type { MarkedPatient, StoredPersonFacts, WatchedStore } from "./watched-store.ts";
export type { WaysIn } from "./ways-in.ts";
export { createWaysIn } from "./ways-in.ts";
