import type { Clock } from "#base/clock";
import type { Recipe } from "./packing-work.ts";

/** What packing objects of a kind has brought so far, and what is chosen from it. */
export interface PackingChoice {
  /** Whether anything was measured of the kind; where not, all recipes are to be tried on its first object. */
  isKnown(kind: string): boolean;
  /** Now and then a recipe that is to be tried again on so many bytes of the kind: that which was not for longest. */
  due(kind: string, bytes: number): Recipe | undefined;
  /** `packedBytes` undefined: that recipe cannot. */
  learn(kind: string, recipe: Recipe, bytes: number, packedBytes: number | undefined, milliseconds: number): void;
  /** Undefined: plain. */
  best(kind: string): Recipe | undefined;
  /** Bytes a second of the link while something waits for it; undefined while nothing does. */
  pace(linkBytesPerSecond: number | undefined): void;
}

interface Measure {
  readonly recipe: Recipe;
  /** Packed bytes for each byte. */
  share: number;
  bytesPerMs: number;
  learnedAtMs: number;
}

type Measures = Map<string, Measure>;

const kindsMax = 256;
/** What was true of one object counts so much for the next. */
const weightOfNew = 0.3;
const weightOfFaster = 0.7;
/** Saving less is not worth the work at the other end. */
const shareMax = 0.95;
/** Of a link that was never waited for: 100 Mbit/s. */
const bytesPerMsUsual = 12_500;
/** Trying a recipe again takes no more than a hundredth of the time since it was measured last: what is slow is tried seldom. */
const restBetweenTries = 100;

interface PackingChoiceParts {
  readonly lanes: number;
  readonly clock: Clock;
}

/**
 * While the link is what is waited for, objects are packed and sent at the same time, so one costs the longer of both: packing it on its
 * share of the lanes, or sending what is left of it. While nothing waits, an object is packed and then sent over a link as fast as it was last, and
 * costs both. The recipe that costs least is taken, and plain costs its sending alone: nothing that was measured slower is ever chosen.
 */
export function createPackingChoice({ lanes, clock }: PackingChoiceParts): PackingChoice {
  const kinds = new Map<string, Measures>();
  let link = bytesPerMsUsual;
  let isWaitedFor = false;

  const measuresOf = (name: string): Measures => {
    const kind = kinds.get(name) ?? new Map();
    kinds.delete(name);
    kinds.set(name, kind);
    const [oldest] = kinds.keys();
    if (kinds.size > kindsMax && oldest !== undefined) kinds.delete(oldest);
    return kind;
  };
  /** Milliseconds for each byte. */
  const costOf = ({ share, bytesPerMs }: Measure): number =>
    isWaitedFor ? Math.max(1 / (bytesPerMs * lanes), share / link) : 1 / bytesPerMs + share / link;

  return {
    isKnown: (name) => measuresOf(name).size > 0,
    due(name, bytes) {
      const [stalest] = [...measuresOf(name).values()].sort((a, b) => a.learnedAtMs - b.learnedAtMs);
      if (stalest === undefined) return undefined;
      const restMs = (bytes / stalest.bytesPerMs) * restBetweenTries;
      return clock.monotonicMs() - stalest.learnedAtMs >= restMs ? stalest.recipe : undefined;
    },
    learn(name, recipe, bytes, packedBytes, milliseconds) {
      const measures = measuresOf(name);
      const learnedAtMs = clock.monotonicMs();
      const key = `${recipe.packing} ${recipe.level}`;
      const share = packedBytes === undefined ? 1 : packedBytes / bytes;
      const bytesPerMs = bytes / Math.max(milliseconds, 0.001);
      const known = measures.get(key);
      if (known === undefined) {
        measures.set(key, { recipe, share, bytesPerMs, learnedAtMs });
        return;
      }
      known.learnedAtMs = learnedAtMs;
      known.share += (share - known.share) * weightOfNew;
      // Times add up, speeds do not. A machine that was busy makes a packing slow for once; nothing makes it fast by chance.
      const weight = bytesPerMs > known.bytesPerMs ? weightOfFaster : weightOfNew;
      known.bytesPerMs = 1 / (1 / known.bytesPerMs + (1 / bytesPerMs - 1 / known.bytesPerMs) * weight);
    },
    best(name) {
      let best: Measure | undefined;
      for (const measure of measuresOf(name).values()) {
        if (measure.share > shareMax) continue;
        if (best === undefined || costOf(measure) < costOf(best)) best = measure;
      }
      return best !== undefined && costOf(best) < 1 / link ? best.recipe : undefined;
    },
    pace(linkBytesPerSecond) {
      isWaitedFor = linkBytesPerSecond !== undefined;
      if (linkBytesPerSecond !== undefined) link = linkBytesPerSecond / 1000;
    },
  };
}
