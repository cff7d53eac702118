import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import type { Files, OpenFile, OpenMode } from "./files.ts";

const flags: Record<OpenMode, number> = {
  read: constants.O_RDONLY,
  update: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
};

export const systemFiles: Files = {
  open: async (path, mode) => openFile(path, await open(path, flags[mode], 0o600)),
  async list(folder) {
    try {
      return (await readdir(folder)).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  },
  async makeFolder(folder) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncFolder(folder) {
    const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async exists(path) {
    try {
      await stat(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  },
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

function openFile(path: string, handle: FileHandle): OpenFile {
  /** The same file once more: a handle either syncs each of its writes or none. */
  let synced: Promise<FileHandle> | undefined;
  const syncedHandle = () => {
    synced ??= open(path, constants.O_WRONLY | constants.O_DSYNC | constants.O_NOFOLLOW);
    return synced;
  };
  return {
    read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
    write: (parts, position) => writeWhole(handle, parts, position),
    writeSynced: async (parts, position) => writeWhole(await syncedHandle(), parts, position),
    sync: () => handle.datasync(),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    size: async () => (await handle.stat()).size,
    async close() {
      await (await synced?.catch(() => undefined))?.close();
      await handle.close();
    },
  };
}

/** `writev` may stop short (a signal, a nearly full disk): go on with what is left until all is written or it fails. */
async function writeWhole(handle: FileHandle, parts: readonly Uint8Array[], position: number): Promise<void> {
  let left = parts.filter((part) => part.length > 0);
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, at);
    if (bytesWritten === 0) throw Object.assign(new Error("write made no progress"), { code: "EIO" });
    at += bytesWritten;
    left = dropFirst(left, bytesWritten);
  }
}

function dropFirst(parts: Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  let index = 0;
  for (let part = parts[index]; part !== undefined && skip >= part.length; part = parts[++index]) skip -= part.length;
  const rest = parts.slice(index);
  const first = rest[0];
  if (skip > 0 && first !== undefined) rest[0] = first.subarray(skip);
  return rest;
}
