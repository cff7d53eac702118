import { isProblem } from "#base/problem";
import type { IndexedInstance, StudyIndex } from "#radiology/archive";
import type { Vault } from "#trust/vault";

/** An instance as a storage commitment names it (PS3.4 §J.3). */
export interface InstanceReference {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}

/**
 * - `absent`      no such instance is here
 * - `other-class` it is here with another SOP class
 * - `in-doubt`    it is here, and does not prove, or other bytes have come under its UID: the sender keeps its own
 */
export type NotKept = "absent" | "other-class" | "in-doubt";

export interface Judged {
  readonly kept: readonly InstanceReference[];
  readonly failed: readonly (InstanceReference & { readonly reason: NotKept })[];
}

/** Says which instances are kept for good: what a machine that is told so may delete. */
export type JudgeKept = (references: readonly InstanceReference[], signal: AbortSignal) => Promise<Judged>;

export interface JudgeParts {
  readonly index: Pick<StudyIndex, "findInstances" | "conflicts">;
  readonly vault: Pick<Vault, "prove">;
  /** Resolves when everything that was acknowledged is in the index. */
  readonly settled: () => Promise<void>;
}

/**
 * An instance is kept when the index names it, no other bytes have come under its UID, and every byte of both of its halves proves
 * where it rests. It is read for that: nobody else may have it once the sender has deleted its copy.
 */
export function createJudgeKept({ index, vault, settled }: JudgeParts): JudgeKept {
  const proves = async ({ places }: IndexedInstance): Promise<boolean> => {
    for (const half of ["image", "identity"] as const) {
      if ((await vault.prove(half, places[half]).catch(whatIsWrong)) !== undefined) return false;
    }
    return true;
  };
  return async (references, signal) => {
    await settled();
    const conflicting = new Set((await index.conflicts()).map(({ id }) => id));
    const reasonFor = async ({ sopClassUid, sopInstanceUid }: InstanceReference): Promise<NotKept | undefined> => {
      const matches = [{ keyword: "SOPInstanceUID", kind: "equal", values: [sopInstanceUid] } as const];
      // A UID that stands in two studies says of neither which one is meant.
      const found = await index.findInstances({ matches, limit: 2, offset: 0 });
      const [row] = found;
      if (row === undefined) return "absent";
      if (row.sopClassUid !== sopClassUid) return "other-class";
      const isSure = found.length === 1 && !conflicting.has(row.id) && (await proves(row));
      return isSure ? undefined : "in-doubt";
    };
    const kept: InstanceReference[] = [];
    const failed: (InstanceReference & { reason: NotKept })[] = [];
    for (const reference of references) {
      signal.throwIfAborted();
      const reason = await reasonFor(reference);
      if (reason === undefined) kept.push(reference);
      else failed.push({ ...reference, reason });
    }
    return { kept, failed };
  };
}

function whatIsWrong(error: unknown): string {
  if (isProblem(error, "damaged") || isProblem(error, "absent")) return error.message;
  throw error;
}
