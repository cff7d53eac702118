import type { Files } from "#base/io";
import type { Half, PackRange } from "#trust/vault";

/** A range of bytes that did not prove, and that no replica could mend. */
export interface ScrubDamage extends PackRange {
  readonly half: Half;
  readonly what: string;
}

export interface ScrubPass {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly objects: number;
  readonly bytes: number;
  readonly repaired: number;
}

/** What is to outlive a stop: no pass begins anew because of one, and known damage stays known. */
export interface ScrubNotes {
  readonly lastFullPass?: ScrubPass;
  /** The pass under way. */
  readonly pass?: Omit<ScrubPass, "endedAt"> & { readonly packsDone: readonly string[] };
  readonly damaged: readonly ScrubDamage[];
}

/** Notes in one small file, replaced as a whole. One that cannot be read is as good as none: the pass begins anew. */
export function createScrubNotes(files: Files, folder: string) {
  const path = `${folder}/scrub.json`;
  const none: ScrubNotes = { damaged: [] };
  return {
    async load(): Promise<ScrubNotes> {
      if (!(await files.exists(path))) return none;
      const file = await files.open(path, "read");
      try {
        const bytes = Buffer.alloc(await file.size());
        await file.read(bytes, 0);
        return { ...none, ...(JSON.parse(bytes.toString("utf8")) as ScrubNotes) };
      } catch {
        return none;
      } finally {
        await file.close();
      }
    },
    async save(notes: ScrubNotes): Promise<void> {
      const next = `${path}.next`;
      await files.remove(next);
      const file = await files.open(next, "create");
      try {
        await file.write([Buffer.from(JSON.stringify(notes))], 0);
        await file.sync();
      } finally {
        await file.close();
      }
      await files.rename(next, path);
      await files.syncFolder(folder);
    },
  };
}
