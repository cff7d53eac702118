export type {
  AccessStore,
  Account,
  Client,
  ClientToken,
  Device,
  Invitation,
  RequestState,
  Session,
  StoredRequest,
  WaitingCaller,
} from "./access-store.ts";
export type { Act, Actor, ActorKind, PairAct, Role, Scope, Where } from "./acts.ts";
export { actorOf, acts, anonymous, operator, pairActs, ruleOf, system } from "./acts.ts";
export type { ActDetail, Confirmation, ConfirmationParts, Confirmations, Perform } from "./confirmations.ts";
export { createConfirmations } from "./confirmations.ts";
export type { Devices } from "./devices.ts";
export { canonicalAddress, createDevices } from "./devices.ts";
export type { Gate, Pass, Subject } from "./gate.ts";
export { createGate } from "./gate.ts";
export type { Grant, GrantStore, GrantTerms, Purpose } from "./grant-store.ts";
export type { Grants } from "./grants.ts";
export { createGrants } from "./grants.ts";
export type { ClientProof, ClientRegistration, Jwk, NewOauthClient, OauthClient, OauthClients } from "./oauth-clients.ts";
export { createOauthClients } from "./oauth-clients.ts";
export type { OauthContent, OauthRecord, OauthRecords } from "./oauth-records.ts";
export { createOauthRecords } from "./oauth-records.ts";
export type { OauthRecordsStore, StoredOauthClient, StoredOauthRecord } from "./oauth-records-store.ts";
export type { Names, People } from "./people.ts";
export { createPeople } from "./people.ts";
export type { NarrowPlace, Place, Reach, StudyFacts } from "./place.ts";
export { covers, everywhere, isNowhere, narrowPlaces, reachOf } from "./place.ts";
export type { Decision, LiveGrants, Policy } from "./policy.ts";
export { createPolicy } from "./policy.ts";
export type { ResourceScope, ScopeContext } from "./scopes.ts";
export { actsOfScopes, needsPatient, parseResourceScope, scopesOffered, scopesShown } from "./scopes.ts";
export { totpCode } from "./second-factor.ts";
export type { Link, Setup } from "./setup.ts";
export { createSetup } from "./setup.ts";
export type { PendingAccount, SecretBox, SignedIn, SignIn, SignInParts } from "./sign-in.ts";
export { createSignIn, personOf } from "./sign-in.ts";
