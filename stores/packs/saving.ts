import type { Files } from "#base/io";
import type { PackState } from "#trust/vault";
import { endedName, parseName } from "./names.ts";

/** A pack for who copies it: what it holds by now never changes, and is a pack again under these names in another folder. */
export interface SavedPack {
  readonly id: string;
  readonly endPosition: number;
  readonly restoredName: string;
  /** Empty files beside it: ranges that are never found. */
  readonly besides: readonly string[];
}

export async function packsToSave(files: Files, folder: string, states: readonly PackState[]): Promise<SavedPack[]> {
  const voids = (await files.list(folder)).flatMap((name) => {
    const parsed = parseName(name);
    return parsed?.kind === "void" ? [{ name, ...parsed }] : [];
  });
  return states.map(({ pack: id, endPosition }) => ({
    id,
    endPosition,
    restoredName: endedName(id, endPosition),
    besides: voids.filter(({ pack, to }) => pack === id && to <= endPosition).map(({ name }) => name),
  }));
}
