/** A signed-in browser. Only the digest of its secret is kept. */
export interface Session {
  readonly digest: string;
  /** Actor id: `user:…`, `share:…`. */
  readonly holder: string;
  readonly createdAt: number;
  /** When its holder last proved who they are. */
  readonly authenticatedAt: number;
  readonly lastSeenAt: number;
  readonly endsAt: number;
  /** Browser and address, as they were at its beginning, sealed. */
  readonly fromSealed: Uint8Array;
}

/** Port: sessions. Every write is durable when it resolves. */
export interface SessionStore {
  addSession(session: Session): Promise<void>;
  /** All, oldest first. */
  sessions(): Promise<Session[]>;
  touchSession(digest: string, times: Pick<Session, "lastSeenAt" | "authenticatedAt">): Promise<void>;
  endSession(digest: string): Promise<void>;
}
