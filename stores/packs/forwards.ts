import type { PackRange } from "#trust/vault";
import type { CopiedObject } from "./pack.ts";

/**
 * Where objects lie that this process saw moved: who read a place before its pack was compacted can still use it. Numbers only, 24
 * bytes an object; the next process has nobody with an old place in hand.
 */
export interface Forwards {
  /** `into` is undefined when nothing stayed. */
  add(pack: string, into: string | undefined, moves: readonly CopiedObject[]): void;
  /** The pack that took the place of one that was removed; undefined when it was not, or nothing stayed. */
  successorOf(pack: string): string | undefined;
  knows(pack: string): boolean;
  /** Where a position lies now, and how much of its object follows. */
  find(
    pack: string,
    position: number,
  ): { readonly pack: string; readonly position: number; readonly bytes: number } | undefined;
  /** Where the objects that lay in a range lie now. */
  objectsIn(range: PackRange): PackRange[];
}

interface Forward {
  readonly into: string | undefined;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly newStarts: Float64Array;
}

export function createForwards(): Forwards {
  const forwards = new Map<string, Forward>();
  const step = (pack: string, position: number) => {
    const forward = forwards.get(pack);
    if (forward?.into === undefined) return undefined;
    const at = lastNotAbove(forward.starts, position);
    const start = forward.starts[at];
    const end = forward.ends[at];
    const newStart = forward.newStarts[at];
    if (start === undefined || end === undefined || newStart === undefined || position >= end) return undefined;
    return { pack: forward.into, position: newStart + position - start, bytes: end - position };
  };
  const find: Forwards["find"] = (pack, position) => {
    let found = step(pack, position);
    for (let next = found; next !== undefined && forwards.has(next.pack); ) {
      next = step(next.pack, next.position);
      found = next;
    }
    return found;
  };
  return {
    add(pack, into, moves) {
      const sorted = [...moves].sort((a, b) => a.from.start - b.from.start);
      forwards.set(pack, {
        into,
        starts: Float64Array.from(sorted, ({ from }) => from.start),
        ends: Float64Array.from(sorted, ({ from }) => from.endPosition),
        newStarts: Float64Array.from(sorted, ({ to }) => to.start),
      });
    },
    successorOf: (pack) => forwards.get(pack)?.into,
    knows: (pack) => forwards.has(pack),
    find,
    objectsIn({ pack, from, to }) {
      const forward = forwards.get(pack);
      if (forward === undefined) return [];
      const starts = forward.starts.filter((start, at) => start >= from && (forward.ends[at] as number) <= to);
      return [...starts].flatMap((start) => {
        const now = find(pack, start);
        return now === undefined ? [] : [{ pack: now.pack, from: now.position, to: now.position + now.bytes }];
      });
    },
  };
}

/** Index of the last value that is at most `limit`; -1 when there is none. */
function lastNotAbove(values: Float64Array, limit: number): number {
  let low = -1;
  let high = values.length;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if ((values[middle] as number) <= limit) low = middle;
    else high = middle;
  }
  return low;
}
