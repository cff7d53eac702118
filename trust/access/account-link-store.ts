/** A one-use link with which somebody who has an account sets ways to sign in. Only the digest of its secret is kept. */
export interface AccountLink {
  readonly digest: string;
  readonly accountId: string;
  /**
   * - `recover` the ways there were are gone, new ones take their place
   * - `enrol`   a way is added to those there are
   */
  readonly kind: "recover" | "enrol";
  /** Actor id. */
  readonly issuedBy: string;
  /** Why, sealed; empty where nobody had to say. */
  readonly reasonSealed: Uint8Array;
  readonly createdAt: number;
  readonly endsAt: number;
}

/** Port: links to accounts. Every write is durable when it resolves. */
export interface AccountLinkStore {
  /** Adds it; earlier ones of the same account are gone. */
  putAccountLink(link: AccountLink): Promise<void>;
  accountLink(digest: string): Promise<AccountLink | undefined>;
  removeAccountLink(digest: string): Promise<void>;
}
