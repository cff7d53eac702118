import { Problem, type ProblemCode } from "#base/problem";
import type { HeadState } from "./element-head.ts";
import type { Inflater } from "./inflate.ts";
import type { ReaderEvents, StopPoint } from "./reader-events.ts";
import type { ReaderLimits } from "./reader-limits.ts";
import { formatTag } from "./tags.ts";
import type { Vr } from "./vr.ts";

/** What the reader is inside of. */
export const Inside = { dataSet: 0, sequence: 1, item: 2, fragments: 3 } as const;
export type Inside = (typeof Inside)[keyof typeof Inside];

export const Status = { reading: 0, stopped: 1, failed: 2, ended: 3 } as const;
export type Status = (typeof Status)[keyof typeof Status];

/** An open sequence, item or encapsulated element, and what to go back to when it closes. */
export interface Frame {
  kind: Inside;
  tag: number;
  /** Where it ends; Infinity when a delimiter ends it. */
  end: number;
  /** Items or fragments begun. */
  count: number;
  outerExplicitVr: boolean;
  outerBigEndian: boolean;
}

/**
 * Everything a reading knows. One object with fields instead of captured variables, because the inner loop runs some
 * hundred thousand times a second and an engine keeps fields of one shape faster than closure slots.
 */
export interface ReaderState extends HeadState {
  readonly events: Required<ReaderEvents>;
  readonly capture: ((tag: number, vr: Vr, length: number, depth: number) => boolean) | undefined;
  readonly onInflated: ((bytes: Uint8Array) => void) | undefined;
  readonly stops: readonly number[];
  /** The largest tag at the top level that is read; Infinity for all of them. */
  readonly lastWanted: number;
  /** The smallest tag that may be a place to stop at. */
  readonly stopMin: number;
  readonly limits: ReaderLimits;

  status: Status;
  problem: Problem | undefined;
  stop: StopPoint | undefined;

  /** Beginning of a file that is still being collected; undefined once the data set has begun. */
  lead: Uint8Array[] | undefined;
  leadBytes: number;
  leadNeeds: number;
  transferSyntaxUid: string;
  dataSetOffset: number;
  inflater: Inflater | undefined;

  received: number;
  elements: number;
  captured: number;

  /** Offset of the first byte of the piece being read. */
  base: number;
  /** Bytes of the current value still to come. */
  left: number;
  /** Whether the encoding has been checked against the first head. */
  settled: boolean;
  /** A head cut by the end of a piece. */
  carry: DataView | undefined;
  carried: number;
  capturing: boolean;
  pieces: Uint8Array[] | undefined;

  inside: Inside;
  end: number;
  /** Number of items around the current element. */
  depth: number;
  level: number;
  readonly frames: Frame[];
}

/** "(0008,1140)[2].(0008,1155)": where the reader is. Tags and numbers only, so it may be shown and logged. */
export function pathOf(s: ReaderState, tag?: number): string {
  const parts: string[] = [];
  for (let i = 0; i < s.level; i += 1) {
    const frame = s.frames[i]!;
    if (frame.kind === Inside.item) parts[parts.length - 1] += `[${s.frames[i - 1]!.count - 1}]`;
    else parts.push(formatTag(frame.tag >>> 0));
  }
  if (tag !== undefined) parts.push(formatTag(tag >>> 0));
  if (parts.length > 8) parts.splice(3, parts.length - 6, "…");
  return parts.length === 0 ? "the data set" : parts.join(".");
}

/** Ends the reading. What was read before stays valid. */
export function fail(s: ReaderState, code: ProblemCode, what: string, offset: number, tag?: number): void {
  failWith(s, new Problem(code, `${what}: ${pathOf(s, tag)}, byte ${offset}`), offset);
}

export function failWith(s: ReaderState, problem: Problem, offset: number): void {
  s.problem = problem;
  s.status = Status.failed;
  s.left = 0;
  s.events.unread(offset);
}

export function pushFrame(s: ReaderState, kind: Inside, tag: number, end: number): void {
  const frame = s.frames[s.level];
  if (frame === undefined) {
    const { explicitVr: outerExplicitVr, bigEndian: outerBigEndian } = s;
    s.frames[s.level] = { kind, tag, end, count: 0, outerExplicitVr, outerBigEndian };
  } else {
    frame.kind = kind;
    frame.tag = tag;
    frame.end = end;
    frame.count = 0;
    frame.outerExplicitVr = s.explicitVr;
    frame.outerBigEndian = s.bigEndian;
  }
  s.level += 1;
  s.inside = kind;
  s.end = end;
  if (kind === Inside.item) s.depth += 1;
}

/** Closes the innermost frame; `offset` is behind its delimiter or its last byte. */
export function popFrame(s: ReaderState, offset: number): void {
  s.level -= 1;
  const frame = s.frames[s.level]!;
  s.explicitVr = frame.outerExplicitVr;
  s.bigEndian = frame.outerBigEndian;
  const outer = s.level === 0 ? undefined : s.frames[s.level - 1];
  s.inside = outer?.kind ?? Inside.dataSet;
  s.end = outer?.end ?? Number.POSITIVE_INFINITY;
  if (frame.kind === Inside.item) {
    s.depth -= 1;
    s.events.itemEnd(offset);
  } else if (frame.kind === Inside.sequence) {
    s.events.sequenceEnd(offset);
  } else {
    s.events.encapsulatedEnd(offset);
  }
}
