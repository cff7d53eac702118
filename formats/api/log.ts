import type { LogEntryView } from "./api.ts";

/*
 * The log, as people look through it.
 *
 * | route | body → answer |
 * |---|---|
 * | GET    /api/audit/find                  | LogQuestion as query → FoundEntriesView, newest first |
 * | GET    /api/audit/entries/:index/detail | → EntryDetailView: what is personal about it; itself an entry |
 * | GET    /api/audit/entries/:index/path   | ?size= → EntryPathView: for who kept a checkpoint of that size |
 * | GET    /api/audit/bundle                | → application/zip of `exportedLogNames`, as `leadglass audit export` writes them |
 * | GET    /api/saved-views                 | ?page= → SavedView[], one's own |
 * | POST   /api/saved-views                 | SavedViewRequest → SavedView; in place of the one of that name |
 * | DELETE /api/saved-views/:id             | → 204 |
 * | GET    /api/studies/:token/files        | → application/zip of DICOM files |
 */
export interface LogQuestion {
  /** Actor id. */
  readonly actor?: string;
  /** Token of a study, or of a patient. */
  readonly study?: string;
  /** An act, or with a dot at its end the beginning of several: `study.`. */
  readonly act?: string;
  readonly outcome?: "done" | "refused" | "failed";
  /** Epoch milliseconds, inclusive; `to` exclusive. */
  readonly from?: number;
  readonly to?: number;
  /** Entries that stand before this one. */
  readonly before?: number;
  /** At most 500; 100 when absent. */
  readonly limit?: number;
}

export interface FoundEntryView extends LogEntryView {
  /** "" for who may not see the accounts. */
  readonly actorName: string;
  /** Tokens of the studies whose identity was opened. */
  readonly studies?: readonly string[];
  readonly purpose?: string;
  readonly counts?: Readonly<Record<string, number>>;
  /** Commitment to what is personal about it and kept sealed beside the log, 64 hex digits. */
  readonly detail?: string;
}

export interface FoundEntriesView {
  /** Entries that the log holds. */
  readonly size: number;
  readonly checkpoint: string | null;
  readonly entries: readonly FoundEntryView[];
  /** `before` of the page that follows; absent when the log was read to its beginning. */
  readonly next?: number;
}

export interface EntryDetailView {
  /** 64 hex digits: SHA-256 of it and the canonical JSON of the detail is what the entry committed to. */
  readonly salt: string;
  /** By name: address, reason and the like. */
  readonly detail: Readonly<Record<string, string>>;
}

export interface EntryPathView {
  /** Audit path to the root of a tree (RFC 6962 §2.1.1), base64. */
  readonly path: readonly string[];
}

/** What an exported log consists of: enough to prove it without us. */
export const exportedLogNames = {
  entries: "entries.jsonl",
  checkpoints: "checkpoints.txt",
  key: "verifier.key",
} as const;

export const viewedPages = ["log", "studies", "reviews", "shares"] as const;

export interface SavedViewRequest {
  readonly page: (typeof viewedPages)[number];
  /** 1 to 80 characters. */
  readonly name: string;
  /** What stands behind `?` in the address; at most 500 characters. */
  readonly search: string;
}

export interface SavedView extends SavedViewRequest {
  readonly id: string;
}
