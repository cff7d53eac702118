import type { Files, OpenFile } from "#base/io";

/** Files open for reading, the least used closed when there are too many. */
export interface ReadHandles {
  read(pack: string, position: number, into: Uint8Array): Promise<number>;
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
  return {
    async read(pack, position, into) {
      const handle = take(pack);
      handle.readers++;
      try {
        return await (await handle.file).read(into, position);
      } catch (error) {
        if (!handle.isOut) putOut(pack, handle);
        throw error;
      } finally {
        handle.readers--;
        closeUnused(handle);
      }
    },
    async close() {
      const all = [...handles];
      for (const [pack, handle] of all) putOut(pack, handle);
      await Promise.all(all.map(([, handle]) => handle.file.catch(() => {})));
    },
  };
}
