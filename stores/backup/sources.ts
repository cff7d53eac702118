import type { EntryStore } from "#trust/audit";

/** One append-only file as it stands at a moment. */
export interface GrowingFile {
  /** Stays the same as long as the file is there. */
  readonly id: string;
  /** Everything before was acknowledged and never changes again. */
  readonly endPosition: number;
  /** Its name in a restored home, where nothing is appended to it. */
  readonly restoredName: string;
  /** Names of empty files beside it that say something about it. */
  readonly besides: readonly string[];
}

/** A folder of append-only files that are sealed already: packs. */
export interface GrowingFolder {
  /** Below the home, for example `identity/packs`. */
  readonly name: string;
  /** All files with what they hold by now. */
  take(): Promise<readonly GrowingFile[]>;
  /** Up to `into.length` bytes; the count read. Problem "absent" when the file has gone (compaction). */
  read(id: string, position: number, into: Uint8Array): Promise<number>;
  /** How many objects lie between two positions that `take` gave as ends (or 0). */
  countObjects(id: string, from: number, to: number): Promise<number>;
}

/** Wrapped keys: the one thing in a backup that is replaced, never kept in an older state. */
export interface KeySource {
  /** What opens the keys, wrapped itself and kept in the clear (the keyring). */
  readonly settings: readonly { readonly name: string; readonly path: string }[];
  /** Folders of key files: rows of records that are appended, and overwritten in place when a key is destroyed. */
  readonly folders: readonly { readonly name: string; readonly folder: string }[];
  /** Does work while the settings stay as they are. */
  steadily<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Whether a name in such a folder is a key file. */
  isKeyFile(name: string): boolean;
  /** The records in a piece of a key file. Pieces are cut at multiples of 1 MiB. */
  records(piece: Buffer): Iterable<{ readonly token: string; readonly isDestroyed: boolean }>;
}

/** Something small that is saved whole, sealed, each time. */
export interface StateSource {
  readonly name: string;
  /** Undefined when there is none. */
  read(): Promise<Buffer | undefined>;
}

/** The audit log: its lines and its signed checkpoints. */
export type LogSource = Pick<EntryStore, "size" | "read" | "checkpointCount" | "readCheckpoints"> & {
  /** Signs the log as it stands, so that what is saved can be proven. */
  checkpoint(): Promise<unknown>;
};

/** All that a backup of a home holds. */
export interface BackupSources {
  /**
   * Who refers comes before what it refers to: identity halves before image halves. The ends of an earlier folder are taken
   * before those of a later one, so that whatever an object names is there.
   */
  readonly growing: readonly GrowingFolder[];
  readonly keys: KeySource;
  readonly states: readonly StateSource[];
  readonly log: LogSource;
}
