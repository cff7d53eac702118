/**
 * - `read`    an existing file, for reading
 * - `update`  an existing file, for reading and writing in place
 * - `create`  a file that must not exist yet (O_EXCL, never through a link), for reading and writing, mode 0600
 */
export type OpenMode = "read" | "update" | "create";

/** One open file. Every call may fail with a Node error (`code` EIO, ENOSPC, EMFILE, …). */
export interface OpenFile {
  /** Reads up to `into.length` bytes at `position`; the count read, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all parts, one after the other, from `position` on. On an error any prefix may have been written. */
  write(parts: readonly Uint8Array[], position: number): Promise<void>;
  /** fdatasync. After a failure the state of what was unsynced is unknown: never call it again, abandon the file. */
  sync(): Promise<void>;
  /**
   * `write`, and resolves when these bytes are on stable storage (those of earlier writes need not be): one call to the
   * system in place of two. After a failure as after one of `sync`.
   */
  writeSynced(parts: readonly Uint8Array[], position: number): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** The only way to files. Injected, so that a test can make the n-th call fail or drop what was not synced. */
export interface Files {
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(folder: string): Promise<string[]>;
  /** Makes a folder and its parents, mode 0700. */
  makeFolder(folder: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes one file; an absent file is no error. */
  remove(path: string): Promise<void>;
  /** Makes names in a folder durable: call after `create`, `rename` and `remove` when it matters. */
  syncFolder(folder: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Bytes that an ordinary user can still write on the file system of `path`. */
  freeBytes(path: string): Promise<number>;
}
