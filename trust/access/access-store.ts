/** A person who signs in. */
export interface Account {
  readonly id: string;
  /** What the person types to sign in, lower case. */
  readonly name: string;
  /** Encoded argon2id hash with its parameters and salt. */
  readonly passwordHash: string;
  /** TOTP seed, sealed by the vault. */
  readonly totpSealed: Uint8Array;
  /** The newest TOTP time step that was used: a code works once (RFC 6238 §5.2). */
  readonly totpStep: number;
  readonly role: "administrator";
  readonly createdAt: number;
}

/** A signed-in browser. Only the digest of its secret is kept. */
export interface Session {
  readonly digest: string;
  readonly accountId: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
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

/** Port: who may come in. Every write is durable when it resolves. */
export interface AccessStore {
  addAccount(account: Account): Promise<void>;
  accounts(): Promise<Account[]>;
  account(id: string): Promise<Account | undefined>;
  accountNamed(name: string): Promise<Account | undefined>;
  /** Uses a time step up. Resolves false, changing nothing, unless `step` is newer than the stored one. */
  useTotpStep(accountId: string, step: number): Promise<boolean>;
  /** Digests of one-use recovery codes, replacing those there are. */
  setRecoveryCodes(accountId: string, digests: readonly string[]): Promise<void>;
  /** Uses one up; false when there is no such code. */
  useRecoveryCode(accountId: string, digest: string): Promise<boolean>;

  addSession(session: Session): Promise<void>;
  session(digest: string): Promise<Session | undefined>;
  touchSession(digest: string, lastSeenAt: number): Promise<void>;
  endSession(digest: string): Promise<void>;

  /** Adds, or returns the one that has this name. */
  clientNamed(client: Client): Promise<Client>;
  clients(): Promise<Client[]>;
  addToken(token: ClientToken): Promise<void>;
  token(digest: string): Promise<(ClientToken & { readonly client: Client }) | undefined>;
  /** Removes sessions and tokens that ended before `before`. */
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

  close(): Promise<void>;
}
