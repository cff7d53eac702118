import type { Grant, Purpose } from "./grant-store.ts";

/** What who opens a share link may do: look, or take the images away too. */
export type ShareMode = "view" | "download";

/** A link to one study for somebody outside. Kept when it has ended; whether it holds is said by the grant of `share:` and its id. */
export interface StoredShare {
  readonly id: string;
  /** Of the secret in the link. */
  readonly digest: string;
  /** Of the secret and the code together: of the code alone it would be guessed. */
  readonly codeDigest: string;
  /** Token of the study. */
  readonly study: string;
  readonly mode: ShareMode;
  readonly purpose: Purpose;
  /** Actor id. */
  readonly madeBy: string;
  readonly madeAt: number;
  readonly endsAt: number;
  readonly uses: number;
  /** 0 until it was opened. */
  readonly lastUsedAt: number;
  /** For whom, and what the maker noted, sealed. */
  readonly aboutSealed: Uint8Array;
}

/** Port: share links. Every write is durable when it resolves. */
export interface ShareStore {
  /** Adds it with what its holder is granted, both or neither. */
  addShare(share: StoredShare, grants: readonly Grant[]): Promise<void>;
  /** All, the newest first. */
  shares(): Promise<StoredShare[]>;
  shareOf(digest: string): Promise<StoredShare | undefined>;
  /** Counts one more use. */
  useShare(id: string, at: number): Promise<void>;
}
