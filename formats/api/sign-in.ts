import type { Role } from "./grants.ts";

/** What the sign-in page offers. */
export interface SignInOffer {
  /** Pages that are reached by a numeric address have none. */
  readonly passkeys: boolean;
  /** Identity providers of the customer, each at `/sign-in-with/ID`. */
  readonly providers: readonly { readonly id: string; readonly label: string }[];
}

/** What an authenticator is asked for, or answers, in the JSON of WebAuthn Level 3: browser and server hand it on as it is. */
export type WebAuthnJson = Readonly<Record<string, unknown>>;

export interface SetupPasskeyRequest {
  readonly secret: string;
  /** Not heeded where the link names one. */
  readonly name: string;
}

export interface SetupPasskeyAnswer {
  readonly secret: string;
  /** What its owner calls the passkey. */
  readonly name: string;
  readonly answer: WebAuthnJson;
}

export interface PasskeyProof {
  readonly answer: WebAuthnJson;
}

/** One of the two. */
export interface AgainRequest {
  readonly answer?: WebAuthnJson;
  readonly code?: string;
}

/** Stands once, within five minutes, where a code of the authenticator is asked for. */
export interface ProofView {
  readonly code: string;
}

export interface RecoveryRequest {
  readonly name: string;
  readonly code: string;
}

/** A one-use link, shown once. */
export interface IssuedLinkView {
  readonly link: string;
  readonly endsAt: number;
}

export interface AccountRecovery {
  /** Of the account. */
  readonly name: string;
  readonly reason: string;
}

export interface SessionListing {
  readonly id: string;
  /** Name of the account; with its roles. */
  readonly holder: string;
  readonly roles: readonly Role[];
  readonly userAgent: string;
  readonly address: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  /** The one that asks. */
  readonly isThis: boolean;
}

export interface PasskeyView {
  readonly id: string;
  readonly name: string;
  readonly isSynced: boolean;
  readonly createdAt: number;
  /** 0 until it was used. */
  readonly lastUsedAt: number;
}

export interface CredentialsView {
  readonly name: string;
  readonly passkeys: readonly PasskeyView[];
  /** Whether pages reached as this one can have passkeys. */
  readonly passkeysOffered: boolean;
  readonly hasPassword: boolean;
  readonly recoveryCodesLeft: number;
}

export interface NewPasskeyAnswer {
  readonly name: string;
  readonly answer: WebAuthnJson;
}

export interface AuthenticatorRequest {
  /** Where there is none yet. */
  readonly password?: string;
}
