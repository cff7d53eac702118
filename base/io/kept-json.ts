import type { Files } from "./files.ts";

/** One small value in a file of its own, replaced as a whole: after a stop it is the old one or the new one. */
export interface KeptJson {
  /** Undefined when there is none. Throws when what is there cannot be read. */
  load(): Promise<unknown>;
  save(value: unknown): Promise<void>;
}

export function createKeptJson(files: Files, folder: string, name: string): KeptJson {
  const path = `${folder}/${name}`;
  return {
    async load() {
      if (!(await files.exists(path))) return undefined;
      const file = await files.open(path, "read");
      try {
        const bytes = Buffer.alloc(await file.size());
        await file.read(bytes, 0);
        return JSON.parse(bytes.toString("utf8")) as unknown;
      } finally {
        await file.close();
      }
    },
    async save(value) {
      const next = `${path}.next`;
      await files.remove(next);
      const file = await files.open(next, "create");
      try {
        await file.write([Buffer.from(JSON.stringify(value))], 0);
        await file.sync();
      } finally {
        await file.close();
      }
      await files.rename(next, path);
      await files.syncFolder(folder);
    },
  };
}
