import { isProblem, Problem } from "#base/problem";
import { type Half, rangeAt, type SealedObjects } from "#trust/vault";
import type { StudyFates } from "./retention-facts.ts";
import type { StudyIndex } from "./study-index.ts";

/** Gives up one copy of an instance that came with different bytes: never the one that is served. */
export type DiscardConflict = (id: string) => Promise<void>;

/**
 * Out of the index, then out of the packs: its bytes go with the next compaction. A stop between the two leaves it to a rebuild, which
 * shows the conflict again. Rejects with Problem "absent" when no such copy is in conflict, "conflict" when a study of it is under legal hold.
 */
export function createConflictDiscard(parts: {
  readonly index: StudyIndex;
  readonly fates: StudyFates;
  readonly stores: Readonly<Record<Half, SealedObjects>>;
  /** Resolves when the index knows all that is stored. */
  readonly settled: () => Promise<void>;
}): DiscardConflict {
  const { index, fates, stores, settled } = parts;
  return async (id) => {
    await settled();
    const copy = (await index.conflicts()).find((each) => each.id === id);
    if (copy !== undefined && fates.isHeld(copy.studyToken)) throw held();
    const places = copy && (await index.removeConflict(id));
    if (places === undefined) throw absent();
    for (const half of ["image", "identity"] as const) {
      const [objects, place] = [stores[half], places[half]];
      const readAt = (position: number, into: Uint8Array) => objects.read(place.pack, position, into);
      const range = await rangeAt(readAt, place).catch(unlessAbsent);
      if (range !== undefined) await objects.discard([range]);
    }
  };
}

function unlessAbsent(error: unknown): undefined {
  if (!isProblem(error, "absent")) throw error;
}

function held(): Problem {
  return new Problem("conflict", "the study of this copy is under legal hold", {
    remedy: "release it first: leadglass vault hold STUDY --release",
  });
}

function absent(): Problem {
  return new Problem("absent", "no copy of that id is in conflict, or it is the one that is served", {
    remedy: "`leadglass vault check` lists the copies in conflict",
  });
}
