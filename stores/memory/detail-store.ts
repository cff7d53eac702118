import { Problem } from "#base/problem";
import type { DetailStore } from "#trust/audit";
import { type Failing, withFailures } from "./failing.ts";

export function createMemoryDetailStore(): DetailStore & Failing {
  const held = new Map<string, Uint8Array>();
  return withFailures<DetailStore>({
    async put(details) {
      if (details.some(({ commitment }) => held.has(commitment))) {
        throw new Problem("conflict", "a detail of this commitment is there already");
      }
      for (const { commitment, sealed } of details) held.set(commitment, Uint8Array.from(sealed));
    },
    get: async (commitments) =>
      commitments.flatMap((commitment) => {
        const sealed = held.get(commitment);
        return sealed === undefined ? [] : [{ commitment, sealed: Uint8Array.from(sealed) }];
      }),
    erase: async (commitments) => commitments.filter((commitment) => held.delete(commitment)).length,
  });
}
