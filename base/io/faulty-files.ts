import type { Files, OpenFile } from "./files.ts";

/** One call that went through faulty files, in the order of the calls. */
export interface FileCall {
  readonly kind: keyof Files | keyof OpenFile;
  readonly path: string;
  /** Whether the plan made it fail. */
  readonly isFailed: boolean;
}

/** How a call fails: with a code and without effect, or, for a write, after part of it took place. */
export interface Fault {
  readonly code: "EIO" | "ENOSPC" | "EMFILE";
  /** Only for `write`: so many bytes reach the file before the error. */
  readonly writtenBytes?: number;
}

/** Asked before every call, which is the `index`-th of its kind of store; a fault makes it fail. */
export type FaultPlan = (
  call: { readonly kind: FileCall["kind"]; readonly path: string },
  index: number,
) => Fault | undefined;

/** Files on which chosen calls fail, with a record of all calls. For tests. */
export function createFaultyFiles(inner: Files, plan: FaultPlan): Files & { readonly calls: readonly FileCall[] } {
  const calls: FileCall[] = [];

  const tryCall = async <Result>(kind: FileCall["kind"], path: string, act: (fault?: Fault) => Promise<Result>) => {
    const fault = plan({ kind, path }, calls.length);
    calls.push({ kind, path, isFailed: fault !== undefined });
    if (fault === undefined) return act();
    if (fault.writtenBytes !== undefined) await act(fault);
    throw Object.assign(new Error(`${fault.code}: made to fail, ${kind}`), { code: fault.code });
  };
  const write = (path: string, file: OpenFile, parts: readonly Uint8Array[], position: number) =>
    tryCall("write", path, (fault) => {
      if (fault?.writtenBytes === undefined) return file.write(parts, position);
      return file.write([Buffer.concat(parts).subarray(0, fault.writtenBytes)], position);
    });
  const faultyFile = (path: string, file: OpenFile): OpenFile => ({
    read: (into, position) => tryCall("read", path, () => file.read(into, position)),
    write: (parts, position) => write(path, file, parts, position),
    sync: () => tryCall("sync", path, () => file.sync()),
    /** As its two halves, so that a plan can make either fail. */
    async writeSynced(parts, position) {
      await write(path, file, parts, position);
      await tryCall("sync", path, () => file.sync());
    },
    truncate: (sizeBytes) => tryCall("truncate", path, () => file.truncate(sizeBytes)),
    size: () => tryCall("size", path, () => file.size()),
    close: () => tryCall("close", path, () => file.close()),
  });
  return {
    calls,
    open: async (path, mode) => faultyFile(path, await tryCall("open", path, () => inner.open(path, mode))),
    list: (folder) => tryCall("list", folder, () => inner.list(folder)),
    makeFolder: (folder) => tryCall("makeFolder", folder, () => inner.makeFolder(folder)),
    rename: (from, to) => tryCall("rename", from, () => inner.rename(from, to)),
    remove: (path) => tryCall("remove", path, () => inner.remove(path)),
    syncFolder: (folder) => tryCall("syncFolder", folder, () => inner.syncFolder(folder)),
    exists: (path) => tryCall("exists", path, () => inner.exists(path)),
    freeBytes: (path) => tryCall("freeBytes", path, () => inner.freeBytes(path)),
  };
}
