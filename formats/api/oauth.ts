import type { GrantTermsView } from "./grants.ts";

/**
 * Programs that ask for tokens, and the people who let them.
 *
 * | route | body → answer |
 * |---|---|
 * | GET    /api/clients             | → ClientView[] |
 * | POST   /api/clients             | ClientRequest → ClientView |
 * | DELETE /api/clients/:id         | → 204; its tokens end at once |
 * | POST   /api/clients/keys        | → 204; ID tokens are signed with another key from now on |
 * | GET    /api/apps                | → AppView[]: the programs that one lets act for oneself |
 * | DELETE /api/apps/:id            | → 204; what it was given ends at once |
 * | POST   /api/launches            | LaunchRequest → LaunchView |
 * | POST   /api/app-codes           | AppCodeRequest → AskView: what waits behind a code that a device shows |
 * | POST   /api/app-codes/decision  | AppCodeDecision → 204 |
 * | GET    /consent/:uid/request    | → AskView (its cookie goes to no other path) |
 * | POST   /consent/:uid/request    | ConsentDecision → ConsentView |
 */
export interface ClientRequest {
  readonly name: string;
  readonly redirectUris?: readonly string[];
  /** JWK set, public keys. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  /** PEM. Without this and without keys the client cannot prove who it is. */
  readonly certificate?: string;
  readonly grants?: readonly GrantTermsView[];
  readonly isFapi?: boolean;
  readonly isFirstParty?: boolean;
  readonly byCode?: boolean;
}

export interface ClientView {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly proof: "none" | "keys" | "certificate";
  readonly redirectUris: readonly string[];
  readonly isFapi: boolean;
  readonly isFirstParty: boolean;
  readonly byCode: boolean;
}

/** What an application asks for, in kinds that a page has words for. */
export const permissions = ["know-you", "search", "view", "read", "store", "correct", "audit", "stay"] as const;
export type Permission = (typeof permissions)[number];

export interface AskView {
  readonly client: string;
  readonly isFirstParty: boolean;
  readonly permissions: readonly Permission[];
  /** What it asks for is about one patient, who has to be chosen. */
  readonly needsPatient: boolean;
  /** The same was allowed before, or need not be asked: the page goes on by itself. */
  readonly isSettled: boolean;
  /** The origin that the person is sent back to; empty for a device. */
  readonly goesTo: string;
  /** How long what it is given lasts at most, in seconds. */
  readonly lastsSeconds: number;
}

export interface ConsentDecision {
  readonly allow: boolean;
  /** Token of the study whose patient was chosen. */
  readonly study?: string;
}

export interface ConsentView {
  /** Where the browser goes on. */
  readonly goTo: string;
}

export interface AppCodeRequest {
  readonly code: string;
}

export interface AppCodeDecision extends AppCodeRequest {
  readonly allow: boolean;
}

export interface AppView {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly allowedAt: number;
}

/** One of both. */
export interface LaunchRequest {
  readonly patient?: string;
  readonly study?: string;
  /** The name of the account that will open it; absent: who asks. */
  readonly user?: string;
}

export interface LaunchView {
  /** `launch` of SMART App Launch: good once, for that person, for some minutes. */
  readonly launch: string;
  readonly iss: string;
  readonly endsAt: number;
}
