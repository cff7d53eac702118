import { randomFillSync } from "node:crypto";

/** The only way to randomness. Fills and returns `into`. */
export type Random = (into: Uint8Array) => Uint8Array;

export const systemRandom: Random = (into) => randomFillSync(into);

/** Repeatable bytes for tests and generated data. Never for keys, tokens or nonces. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 1;
  return (into) => {
    for (let i = 0; i < into.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      into[i] = state & 0xff;
    }
    return into;
  };
}
