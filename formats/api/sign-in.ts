import type { GrantTermsView, PlaceView, Role } from "./grants.ts";

/**
 * How people come in: set-up by a one-use link, sign-in, one's own ways in and sessions, identity providers.
 *
 * | route | what |
 * | --- | --- |
 * | GET    /api/setup               | → SetupState (anonymous) |
 * | POST   /api/setup/link          | LinkRequest → LinkView (anonymous, needs the one-use secret) |
 * | POST   /api/setup/passkey       | SetupPasskeyRequest → options for the authenticator (anonymous, needs the one-use secret) |
 * | POST   /api/setup/passkey/confirm | SetupPasskeyAnswer → RecoveryKit, signs in (anonymous, needs the one-use secret) |
 * | POST   /api/setup/account       | SetupRequest → EnrolledSecondFactor (anonymous, needs the one-use secret) |
 * | POST   /api/setup/confirm       | ConfirmRequest → RecoveryKit, signs in (anonymous, needs the one-use secret) |
 * | POST   /api/session             | SessionRequest → SessionView, sets the cookie (anonymous) |
 * | GET    /api/sign-in             | → SignInOffer (anonymous) |
 * | POST   /api/session/passkey/options | → options for the authenticator (anonymous) |
 * | POST   /api/session/passkey     | PasskeyProof → SessionView, sets the cookie (anonymous) |
 * | POST   /api/session/recovery    | RecoveryRequest → IssuedLinkView (anonymous; for who has passkeys alone) |
 * | POST   /api/session/again/options | → options for the authenticator |
 * | POST   /api/session/again       | AgainRequest → ProofView: who is signed in shows again that it is them |
 * | GET    /api/sessions            | → SessionListing[], one's own |
 * | DELETE /api/sessions            | → 204; all one's own but this |
 * | DELETE /api/sessions/:id        | → 204; one's own |
 * | GET    /api/sessions/everybody  | → SessionListing[] |
 * | DELETE /api/sessions/everybody/:id | → 204 |
 * | GET    /api/credentials         | → CredentialsView |
 * | POST   /api/credentials/passkeys/options | → options for the authenticator |
 * | POST   /api/credentials/passkeys | NewPasskeyAnswer → 204 |
 * | POST   /api/credentials/passkeys/:id | `{name}` → 204 |
 * | DELETE /api/credentials/passkeys/:id | → 204 |
 * | PUT    /api/credentials/password | `{password}` → 204 |
 * | DELETE /api/credentials/password | → 204; passkeys alone from then on |
 * | POST   /api/credentials/authenticator | AuthenticatorRequest → EnrolledSecondFactor |
 * | POST   /api/credentials/authenticator/confirm | `{code}` → 204 |
 * | POST   /api/credentials/recovery-codes | → RecoveryKit |
 * | GET    /sign-in-with/:id       | → 303 to the customer's own identity provider (anonymous) |
 * | GET    /sign-in-with/:id/callback | → 303 to the first page, signed in (anonymous) |
 * | GET    /api/identity-providers  | → IdentityProviderView[] |
 * | PUT    /api/identity-providers  | IdentityProviderRequest → IdentityProviderView |
 * | DELETE /api/identity-providers/:id | → 204; what it gave ends |
 * | POST   /api/accounts/recovery   | AccountRecovery → IssuedLinkView (administrator, not for oneself) |
 * | GET    /api/session             | → SessionView, 401 when not signed in |
 * | DELETE /api/session             | → 204 |
 */
export interface SetupState {
  /** No administrator yet: the page leads through the first start. */
  readonly needed: boolean;
  /** The facility's own AE title and port, to type into the first device. */
  readonly dicom?: { readonly aeTitle: string; readonly port: number | null };
}

export interface LinkRequest {
  /** From the one-use link, behind `#setup=`. */
  readonly secret: string;
}

/** What the link is good for. */
export interface LinkView {
  /** An account (the first one of all, or for who is invited), new ways in, or a passkey beside one's identity provider. */
  readonly kind: "first" | "join" | "recover" | "enrol";
  /** Who is invited; the first administrator chooses a name. */
  readonly name?: string;
  readonly roles: readonly Role[];
}

export interface SetupRequest {
  readonly secret: string;
  /** Not heeded where the link names one. */
  readonly name: string;
  /** At least 12 characters. */
  readonly password: string;
}

export interface EnrolledSecondFactor {
  /** Base32, for typing. */
  readonly totpSecret: string;
  /** `otpauth://totp/…`, for the QR code. */
  readonly totpUri: string;
}

export interface ConfirmRequest {
  readonly secret: string;
  /** Six digits from the authenticator. */
  readonly code: string;
}

/** Shown once, to be printed or saved: without it a lost home or a lost phone is lost. */
export interface RecoveryKit {
  readonly recoveryCodes: readonly string[];
  /** Opens the vault on another machine. For the first administrator alone. */
  readonly rootPassphrase?: string;
  readonly madeAt: number;
}

export interface SessionRequest {
  readonly name: string;
  readonly password: string;
  /** Six digits, or a recovery code. */
  readonly code: string;
}

export interface AccountView {
  readonly id: string;
  readonly name: string;
  /** Of the grants that hold. */
  readonly roles: readonly Role[];
}

export interface SessionView {
  readonly account: AccountView;
  /** Every act that the grants let this person do, somewhere: what pages show goes by it. */
  readonly may: readonly string[];
  readonly endsAt: number;
  /** Tokens of the patients that this person is, or acts for. */
  readonly patients: readonly string[];
}

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

/** A customer's own identity provider (OpenID Connect). */
export interface IdentityProviderRequest {
  /** Short, in our addresses. */
  readonly id: string;
  /** What its button says. */
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: as it was; empty: none. */
  readonly clientSecret?: string;
  /** Beside `openid`. */
  readonly scopes: readonly string[];
  readonly groupsClaim: string;
  readonly rules: readonly GroupRuleView[];
  /** Values of `acr` and `amr` that stand for two factors. */
  readonly strongAcr: readonly string[];
  readonly strongAmr: readonly string[];
}

/** What a group there is worth here. */
export interface GroupRuleView {
  readonly group: string;
  readonly role: Role;
  readonly place: PlaceView;
  readonly purpose: GrantTermsView["purpose"];
}

export interface IdentityProviderView extends Omit<IdentityProviderRequest, "clientSecret"> {
  readonly hasSecret: boolean;
  readonly createdAt: number;
}
