export type {
  AccessStore,
  Account,
  Client,
  ClientToken,
  Device,
  Invitation,
  RequestState,
  Role,
  Session,
  StoredRequest,
  WaitingCaller,
} from "./access-store.ts";
export type { Act, Actor, ActorKind, PairAct } from "./acts.ts";
export { actorOf, acts, anonymous, may, operator, pairActs, system } from "./acts.ts";
export type { ActDetail, Confirmation, ConfirmationParts, Confirmations, Perform } from "./confirmations.ts";
export { createConfirmations } from "./confirmations.ts";
export type { Devices } from "./devices.ts";
export { canonicalAddress, createDevices } from "./devices.ts";
export type { Gate, Pass } from "./gate.ts";
export { createGate } from "./gate.ts";
export type { People } from "./people.ts";
export { createPeople } from "./people.ts";
export { totpCode } from "./second-factor.ts";
export type { Link, Setup } from "./setup.ts";
export { createSetup } from "./setup.ts";
export type { PendingAccount, SecretBox, SignedIn, SignIn } from "./sign-in.ts";
export { createSignIn, personOf } from "./sign-in.ts";
