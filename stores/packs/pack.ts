import type { FoundObject, VoidRange } from "#trust/vault";
import type { Lane } from "./lane.ts";

/** What is known of one pack. */
export interface Pack {
  readonly name: string;
  /** Of its file, as it stands in the folder now. */
  fileName: string;
  /** Undefined while it is open. */
  endPosition: number | undefined;
  /** That writes to it. */
  lane?: Lane;
  /** In order, none touching the next. */
  voids: VoidRange[];
  /** It holds copies from another pack, which counts until it is removed: this one is not listed before. */
  taking?: { readonly from: string; readonly moves: readonly CopiedObject[] } | undefined;
}

/** An object in two packs. */
export interface CopiedObject {
  readonly from: FoundObject;
  readonly to: FoundObject;
}

/** Up to here the pack holds only what was acknowledged. */
export function acknowledgedEnd(pack: Pack): number {
  return pack.endPosition ?? pack.lane?.acknowledgedTo() ?? 0;
}

export function isVoid(pack: Pack, position: number): boolean {
  return pack.voids.some(({ from, to }) => position >= from && position < to);
}

/** The union of ranges, in order. */
export function merged(ranges: readonly VoidRange[]): VoidRange[] {
  const out: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else out.push({ from, to });
  }
  return out;
}
