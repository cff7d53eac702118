/** Port: browsers that somebody has signed in with (OWASP device cookies). Only digests of their secrets are kept. */
export interface KnownBrowserStore {
  /** Adds it; of an account's at most `keepMost` are kept, the newest. */
  addKnownBrowser(browser: { digest: string; accountId: string; createdAt: number }, keepMost: number): Promise<void>;
  isKnownBrowser(digest: string, accountId: string): Promise<boolean>;
  forgetKnownBrowsers(accountId: string): Promise<void>;
}
