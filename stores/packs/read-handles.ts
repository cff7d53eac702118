import type { Files, OpenFile } from "#base/io";

/** Files open for reading, the least used closed when there are too many. */
export interface ReadHandles {
  read(pack: string, position: number, into: Uint8Array): Promise<number>;
  /** One reader for a while: it goes on reading the file when that is removed. To be released. */
  lease(pack: string): Promise<{ read(position: number, into: Uint8Array): Promise<number>; release(): void }>;
  /** Lets the file of a removed pack go, so that its room is free once nobody reads it. */
  forget(pack: string): void;
  /** Closes all, and opens no more. */
  close(): Promise<void>;
}

interface Handle {
  readonly file: Promise<OpenFile>;
  readers: number;
  isOut: boolean;
}

export function createReadHandles(options: {
  readonly files: Files;
  /** Asked again when a pack was renamed between the answer and the opening. */
  readonly pathOf: (pack: string) => string;
  readonly openMax: number;
}): ReadHandles {
  const { files, pathOf, openMax } = options;
  const handles = new Map<string, Handle>();

  const open = async (pack: string): Promise<OpenFile> => {
    const path = pathOf(pack);
    return files.open(path, "read").catch((error) => {
      if (pathOf(pack) === path) throw error;
      return files.open(pathOf(pack), "read");
    });
  };
  const closeUnused = (handle: Handle) => {
    if (!handle.isOut || handle.readers > 0) return;
    handle.file.then((file) => file.close()).catch(() => {});
  };
  const putOut = (pack: string, handle: Handle) => {
    handles.delete(pack);
    handle.isOut = true;
    closeUnused(handle);
  };
  const take = (pack: string): Handle => {
    const handle = handles.get(pack) ?? { file: open(pack), readers: 0, isOut: false };
    handles.delete(pack);
    handles.set(pack, handle);
    for (const [name, oldest] of handles) {
      if (handles.size <= openMax) break;
      putOut(name, oldest);
    }
    return handle;
  };
  const lease = async (pack: string) => {
    const handle = take(pack);
    handle.readers++;
    const release = () => {
      handle.readers--;
      closeUnused(handle);
    };
    const giveUp = (error: unknown): never => {
      if (!handle.isOut) putOut(pack, handle);
      throw error;
    };
    const file = await handle.file.catch((error) => {
      release();
      return giveUp(error);
    });
    return { read: (position: number, into: Uint8Array) => file.read(into, position).catch(giveUp), release };
  };
  return {
    async read(pack, position, into) {
      const reader = await lease(pack);
      try {
        return await reader.read(position, into);
      } finally {
        reader.release();
      }
    },
    lease,
    forget(pack) {
      const handle = handles.get(pack);
      if (handle !== undefined) putOut(pack, handle);
    },
    async close() {
      const all = [...handles];
      for (const [pack, handle] of all) putOut(pack, handle);
      await Promise.all(all.map(([, handle]) => handle.file.catch(() => {})));
    },
  };
}
