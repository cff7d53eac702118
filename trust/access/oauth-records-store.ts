/**
 * Something that the OAuth provider remembers: a code, a token, a grant, a request that waits for a person. Neither its secret nor what it
 * says can be read from the store.
 */
export interface StoredOauthRecord {
  readonly kind: string;
  /** Digest of the secret that names it. */
  readonly digest: string;
  readonly sealed: Uint8Array;
  /** Epoch milliseconds. */
  readonly endsAt: number;
}

/** How a program proves who it is and where it may send a person back to. The program itself is a `Client`. */
export interface StoredOauthClient {
  /** Of the client. */
  readonly clientId: string;
  /** JSON; holds public keys only. */
  readonly registration: string;
}

/** Port: OAuth records and registrations. Every write is durable when it resolves. */
export interface OauthRecordsStore {
  /** Adds it, or puts it in the place of the one of this kind and digest. */
  putOauthRecord(record: StoredOauthRecord): Promise<void>;
  oauthRecords(): Promise<StoredOauthRecord[]>;
  /** All of them or, when it rejects, none. */
  removeOauthRecords(records: readonly Pick<StoredOauthRecord, "kind" | "digest">[]): Promise<void>;

  putOauthClient(client: StoredOauthClient): Promise<void>;
  oauthClients(): Promise<StoredOauthClient[]>;
  /** Removes a client with its registration and its tokens; false when there is none. */
  removeClient(clientId: string): Promise<boolean>;
}
