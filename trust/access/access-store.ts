import type { DeviceRight } from "#formats/api";
import type { AccountLinkStore } from "./account-link-store.ts";
import type { EdgeStore } from "./edge-store.ts";
import type { FacilityStore } from "./facility-store.ts";
import type { Grant, GrantStore, GrantTerms } from "./grant-store.ts";
import type { IdentityProviderStore } from "./identity-provider-store.ts";
import type { KnownBrowserStore } from "./known-browser-store.ts";
import type { OauthRecordsStore } from "./oauth-records-store.ts";
import type { Passkey, PasskeyStore } from "./passkey-store.ts";
import type { ReviewStore } from "./review-store.ts";
import type { SavedViewStore } from "./saved-view-store.ts";
import type { SessionStore } from "./session-store.ts";
import type { ShareStore } from "./share-store.ts";
import type { WatchedStore } from "./watched-store.ts";

/** A person who signs in. What they may do stands in grants. */
export interface Account {
  readonly id: string;
  /** What the person types to sign in, lower case. */
  readonly name: string;
  /** Encoded argon2id hash with its parameters and salt; empty for who signs in with passkeys alone. */
  readonly passwordHash: string;
  /** TOTP seed, sealed by the vault; empty where there is no password: neither comes without the other. */
  readonly totpSealed: Uint8Array;
  /** The newest TOTP time step that was used: a code works once (RFC 6238 §5.2). */
  readonly totpStep: number;
  readonly createdAt: number;
}

/** What somebody signs in with beside passkeys. */
export type Factors = Pick<Account, "passwordHash" | "totpSealed" | "totpStep">;

/** A one-use link that makes an account of this name. Only the digest of its secret is kept. */
export interface Invitation {
  readonly digest: string;
  /** Lower case, as the account will have it. */
  readonly name: string;
  /** What the account will be given. */
  readonly grants: readonly GrantTerms[];
  /** Actor id. */
  readonly invitedBy: string;
  readonly createdAt: number;
  readonly endsAt: number;
}

/** A program that reads and writes with tokens. */
export interface Client {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
}

/** An access token of a client. Only the digest of its secret is kept. */
export interface ClientToken {
  readonly digest: string;
  readonly clientId: string;
  /** Who holds it sees identity masked. */
  readonly masked: boolean;
  readonly createdAt: number;
  readonly endsAt: number;
}

/** A machine that may speak DICOM to us: known by AE title and address together. */
export interface Device {
  readonly id: string;
  /** Calling AE title, without padding. */
  readonly ae: string;
  /** IP address, in canonical text. */
  readonly address: string;
  /** Token of the facility that it stands in; empty: of none. */
  readonly facility: string;
  /** Where it takes associations at its address: what is sent to it goes there. 0: it takes none. */
  readonly port: number;
  /** It is called over TLS. */
  readonly tls: boolean;
  readonly may: readonly DeviceRight[];
  /** What it must show over TLS, as `device-certificates.ts` has it: a public key, or a name; empty: it speaks without TLS. */
  readonly certificate: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

/** A caller that was rejected, waiting for the operator to admit it. */
export interface WaitingCaller {
  readonly ae: string;
  readonly address: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly attempts: number;
}

/**
 * Where a request stands. `pending` until an administrator decides or its time is over; `confirmed` while the act is done;
 * the others are final.
 */
export type RequestState = "pending" | "confirmed" | "done" | "failed" | "refused" | "withdrawn";

/** An act that one person must not do alone, asked for. */
export interface StoredRequest {
  readonly id: string;
  /** One of the pair acts. */
  readonly act: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  /** Actor ids. */
  readonly requestedBy: string;
  readonly requestedAt: number;
  /** Confirmed before then, or not at all. */
  readonly endsAt: number;
  readonly state: RequestState;
  /** Empty until somebody decided. */
  readonly decidedBy: string;
  /** 0 until somebody decided. */
  readonly decidedAt: number;
  /** How often the act was begun: more than once when the server stopped while it was done. */
  readonly begun: number;
  /** What the second person is told, sealed. */
  readonly detailSealed: Uint8Array;
  /** What came of it, sealed; empty until the act is done or has failed. */
  readonly resultSealed: Uint8Array;
}

/** Port: who may come in. Every write is durable when it resolves. */
export interface AccessStore
  extends GrantStore,
    FacilityStore,
    EdgeStore,
    SessionStore,
    PasskeyStore,
    KnownBrowserStore,
    AccountLinkStore,
    IdentityProviderStore,
    OauthRecordsStore,
    ShareStore,
    ReviewStore,
    WatchedStore,
    SavedViewStore {
  /** Adds it with its first grants and passkeys, all or nothing. Problem `conflict` when the name is taken. */
  addAccount(account: Account, grants: readonly Grant[], passkeys?: readonly Passkey[]): Promise<void>;
  accounts(): Promise<Account[]>;
  account(id: string): Promise<Account | undefined>;
  accountNamed(name: string): Promise<Account | undefined>;
  /** Removes it with its sessions, all that it signs in with and what was sent to its name; false when there is none. */
  removeAccount(id: string): Promise<boolean>;
  /** Uses a time step up. Resolves false, changing nothing, unless `step` is newer than the stored one. */
  useTotpStep(accountId: string, step: number): Promise<boolean>;
  /** False when there is no such account. */
  setFactors(accountId: string, factors: Factors): Promise<boolean>;
  /** These in place of all there are: password, authenticator, passkeys, recovery codes, known browsers. False when there is no such account. */
  replaceWaysIn(accountId: string, factors: Factors, passkeys: readonly Passkey[]): Promise<boolean>;
  /** Digests of one-use recovery codes, replacing those there are. */
  setRecoveryCodes(accountId: string, digests: readonly string[]): Promise<void>;
  /** Uses one up; false when there is no such code. */
  useRecoveryCode(accountId: string, digest: string): Promise<boolean>;
  recoveryCodesLeft(accountId: string): Promise<number>;

  /** Adds it; earlier ones to the same name are gone. */
  putInvitation(invitation: Invitation): Promise<void>;
  invitations(): Promise<Invitation[]>;
  invitation(digest: string): Promise<Invitation | undefined>;
  removeInvitation(digest: string): Promise<void>;

  /** Adds, or returns the one that has this name. */
  clientNamed(client: Client): Promise<Client>;
  clients(): Promise<Client[]>;
  addToken(token: ClientToken): Promise<void>;
  token(digest: string): Promise<(ClientToken & { readonly client: Client }) | undefined>;
  /** Removes sessions, tokens, invitations and links to accounts that ended before `before`. */
  removeEnded(before: number): Promise<void>;

  /** Adds a device; a caller of its AE title and address no longer waits. */
  putDevice(device: Device): Promise<void>;
  devices(): Promise<Device[]>;
  removeDevice(id: string): Promise<void>;
  touchDevice(id: string, lastSeenAt: number): Promise<void>;
  /** Notes a rejected caller. At most `keepMost` are kept, the newest; counts attempts. */
  noteWaiting(ae: string, address: string, at: number, keepMost: number): Promise<void>;
  waiting(): Promise<WaitingCaller[]>;
  forgetWaiting(ae: string, address: string): Promise<void>;

  addRequest(request: StoredRequest): Promise<void>;
  /** The newest first. */
  requests(): Promise<StoredRequest[]>;
  request(id: string): Promise<StoredRequest | undefined>;
  /** Changes it if it is as the caller knows it: in this state, begun so often. Resolves false, changing nothing, if not. */
  moveRequest(
    known: Pick<StoredRequest, "id" | "state" | "begun">,
    to: Partial<Pick<StoredRequest, "state" | "begun" | "decidedBy" | "decidedAt" | "resultSealed">>,
  ): Promise<boolean>;
  /** Removes those that were asked for before `before` and are not being done. */
  removeRequests(before: number): Promise<void>;

  close(): Promise<void>;
}
