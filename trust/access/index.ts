export type {
  AccessStore,
  Account,
  Client,
  ClientToken,
  Device,
  Session,
  WaitingCaller,
} from "./access-store.ts";
export type { Act, Actor, ActorKind } from "./acts.ts";
export { actorOf, acts, anonymous, may, operator, system } from "./acts.ts";
export type { Devices } from "./devices.ts";
export { canonicalAddress, createDevices } from "./devices.ts";
export type { Gate } from "./gate.ts";
export { createGate } from "./gate.ts";
export { totpCode } from "./second-factor.ts";
export type { Setup } from "./setup.ts";
export { createSetup } from "./setup.ts";
export type { PendingAccount, SecretBox, SignedIn, SignIn } from "./sign-in.ts";
export { createSignIn } from "./sign-in.ts";
