import { Problem } from "#base/problem";
import type { StoredInstance } from "./passing-values.ts";

/** One instance on its way in. Exactly one of `finish` and `abort` ends it. */
export interface Receiving {
  /**
   * Takes the next bytes; they may be reused as soon as this returns, or its promise resolves. Rejects when the instance
   * can no longer be stored: Problem `invalid` for what breaks the encoding, `no-room`, `too-large`.
   */
  write(bytes: Uint8Array): undefined | Promise<void>;
  /** Resolves when the instance and its audit entry are on stable storage. */
  finish(): Promise<StoredInstance>;
  abort(): Promise<void>;
}

/** A finish that fails aborts too: nothing half is left that could be found again. */
export function endingOnce(receiving: Receiving): Receiving {
  let over = false;
  const end = async () => {
    if (over) return;
    over = true;
    await receiving.abort();
  };
  return {
    write(bytes) {
      if (over) throw new Problem("conflict", "the instance has ended already");
      return receiving.write(bytes);
    },
    async finish() {
      if (over) throw new Problem("conflict", "the instance has ended already");
      try {
        const stored = await receiving.finish();
        over = true;
        return stored;
      } catch (error) {
        await end();
        throw error;
      }
    },
    abort: end,
  };
}
