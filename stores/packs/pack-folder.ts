import type { Files } from "#base/io";
import type { VoidRange } from "#trust/vault";
import { endedName, parseName, takingName, voidName } from "./names.ts";
import { merged, type Pack } from "./pack.ts";

/** The names in one folder of packs. What changes them is durable when it resolves, unless it says otherwise. */
export interface PackFolder {
  readonly path: string;
  pathOf(pack: Pack): string;
  /** What the folder holds; packs that were half copied are removed. */
  load(): Promise<{ readonly packs: Map<string, Pack>; readonly gone: Set<string> }>;
  /** From then on nothing behind the pack's end exists. */
  end(pack: Pack): Promise<void>;
  /** A whole copy: from then on it may take the place of the other pack. */
  take(pack: Pack, from: string): Promise<void>;
  /** Nothing in these ranges will be found. */
  addVoids(voids: readonly { readonly pack: Pack; readonly range: VoidRange }[]): Promise<void>;
  sync(): Promise<void>;
}

export function createPackFolder(files: Files, path: string): PackFolder {
  const rename = async (pack: Pack, name: string) => {
    if (pack.fileName !== name) await files.rename(`${path}/${pack.fileName}`, `${path}/${name}`);
    pack.fileName = name;
    await files.syncFolder(path);
  };
  const createNote = async (name: string) => {
    const create = () => files.open(`${path}/${name}`, "create");
    const note = await create().catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
      // Left by a call that failed before its sync: made anew, so that there is something to sync.
      await files.remove(`${path}/${name}`);
      return create();
    });
    await note.close();
  };
  return {
    path,
    pathOf: (pack) => `${path}/${pack.fileName}`,
    async load() {
      const packs = new Map<string, Pack>();
      const gone = new Set<string>();
      const voids: { pack: string; from: number; to: number }[] = [];
      for (const fileName of await files.list(path)) {
        const parsed = parseName(fileName);
        if (parsed === undefined) continue;
        const { kind, pack: name } = parsed;
        if (kind === "copying") await files.remove(`${path}/${fileName}`);
        if (kind === "gone") gone.add(name);
        if (kind === "void") voids.push(parsed);
        const pack: Pack = { name, fileName, endPosition: undefined, voids: [] };
        if (kind === "open") packs.set(name, pack);
        if (kind === "ended") packs.set(name, { ...pack, endPosition: parsed.endPosition });
        if (kind === "taking") {
          const taking = { from: parsed.from, moves: [] };
          packs.set(name, { ...pack, endPosition: parsed.endPosition, taking });
        }
      }
      for (const { pack, from, to } of voids) packs.get(pack)?.voids.push({ from, to });
      for (const pack of packs.values()) pack.voids = merged(pack.voids);
      return { packs, gone };
    },
    end: (pack) => rename(pack, endedName(pack.name, pack.endPosition ?? 0)),
    take: (pack, from) => rename(pack, takingName(pack.name, pack.endPosition ?? 0, from)),
    async addVoids(voids) {
      const added = voids.filter(
        ({ pack, range }) => !pack.voids.some(({ from, to }) => from <= range.from && range.to <= to),
      );
      if (added.length === 0) return;
      const byPack = new Map<Pack, VoidRange[]>();
      for (const { pack, range } of added) byPack.set(pack, [...(byPack.get(pack) ?? []), range]);
      for (const [pack, ranges] of byPack) {
        for (const { from, to } of merged(ranges)) await createNote(voidName(pack.name, from, to));
      }
      await files.syncFolder(path);
      for (const [pack, ranges] of byPack) pack.voids = merged([...pack.voids, ...ranges]);
    },
    sync: () => files.syncFolder(path),
  };
}
