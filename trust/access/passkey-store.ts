/** A public key of somebody's authenticator (W3C Web Authentication). Nothing in it is secret. */
export interface Passkey {
  /** The authenticator's name for it, base64url. */
  readonly id: string;
  readonly accountId: string;
  /** What its owner calls it. */
  readonly name: string;
  /** COSE. */
  readonly publicKey: Uint8Array;
  /** Of its signatures, where the authenticator counts; 0 where it does not. */
  readonly counter: number;
  /** How a browser reaches it: `internal`, `usb`, `hybrid`, … */
  readonly transports: readonly string[];
  /** Kept by a provider for several machines, or on one alone. */
  readonly isSynced: boolean;
  readonly createdAt: number;
  /** 0 until it was used. */
  readonly lastUsedAt: number;
}

/** Port: passkeys. Every write is durable when it resolves. */
export interface PasskeyStore {
  /** Problem `conflict` when its id is there. */
  addPasskey(passkey: Passkey): Promise<void>;
  passkey(id: string): Promise<Passkey | undefined>;
  /** Oldest first. */
  passkeysOf(accountId: string): Promise<Passkey[]>;
  /** How many each account has; accounts without any are left out. */
  passkeyCounts(): Promise<ReadonlyMap<string, number>>;
  /** Notes a use if the counter is as the caller knows it. False, changing nothing, if not: two used one at once, or it is a copy. */
  usePasskey(known: Pick<Passkey, "id" | "counter">, use: Pick<Passkey, "counter" | "lastUsedAt">): Promise<boolean>;
  /** False when this account has none of this id. */
  renamePasskey(accountId: string, id: string, name: string): Promise<boolean>;
  removePasskey(accountId: string, id: string): Promise<boolean>;
}
