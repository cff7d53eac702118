import type { AuditEntry } from "./audit.ts";
import type { LogCriteria } from "./finder.ts";

/** What the index knows of an entry: where it is looked for. */
export interface IndexedEntry extends Pick<AuditEntry, "at" | "actor" | "act" | "outcome"> {
  readonly index: number;
  /** Tokens of the studies that it is about, or of the patient. */
  readonly studies: readonly string[];
}

/** How far the index follows the log, and which log. */
export interface IndexMark {
  /** Entries before this one are in it. */
  readonly size: number;
  /** Hash of the last of them: another log's index is no use. */
  readonly lastHash: string;
}

/** Studies that somebody looked at within one hour. */
export interface StudiesInHour {
  /** Hours since 1970. */
  readonly hour: number;
  readonly studies: number;
}

/**
 * Port: where entries of the log are found. All of it is made from the log and can be made again, so it may lose its newest part in a
 * crash, never a part before.
 */
export interface EntryIndex {
  mark(): Promise<IndexMark | undefined>;
  /** Takes the entries that follow, and the mark behind them, together. */
  add(entries: readonly IndexedEntry[], mark: IndexMark): Promise<void>;
  /** Of entries that fit, those before the entry `before`: their indexes, newest first. May give some that do not fit. */
  find(criteria: LogCriteria, page: { readonly before: number; readonly limit: number }): Promise<number[]>;
  /** The hours since then in which this actor did one of these acts on studies, in no order. */
  hoursOf(actor: string, acts: readonly string[], since: number): Promise<StudiesInHour[]>;
  /** Forgets everything. */
  clear(): Promise<void>;
  close(): Promise<void>;
}
