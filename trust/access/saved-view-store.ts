/** What somebody kept of a list to come back to, sealed: its name is in their own words. */
export interface StoredSavedView {
  readonly id: string;
  readonly accountId: string;
  readonly sealed: Uint8Array;
  readonly createdAt: number;
}

/** Port: kept views of lists, by account. Every write is durable when it resolves. */
export interface SavedViewStore {
  /** For an account that is there; they go with it. */
  addSavedView(view: StoredSavedView): Promise<void>;
  /** The oldest first. */
  savedViewsOf(accountId: string): Promise<StoredSavedView[]>;
  /** False when the account has none of this id. */
  removeSavedView(accountId: string, id: string): Promise<boolean>;
}
