import type { Arbitrary } from "fast-check";

/** A parser to feed with mutants. What a target is stands beside the parser, in its folder's `fuzz.fixture.ts`. */
export interface FuzzTarget {
  /** True inputs that mutants are made of. */
  seeds(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Bytes that mean something to this parser; they are put into mutants. */
  readonly words?: readonly Uint8Array[];
  /** Inputs that are built, not mutated: right in their form and wrong in what they say. */
  readonly built?: Arbitrary<Uint8Array>;
  /**
   * Takes one input, which it may keep but not change. Throws, or rejects, where the parser did what it must not: refusals that are
   * documented are caught in here.
   */
  run(input: Uint8Array): unknown;
  /** Milliseconds of its thread that one input may take: 100 where it holds an event loop, more only where it runs in a worker. */
  readonly cpuMsMax: number;
}

/** What went wrong with an input. */
export type FindingKind = "threw" | "slow" | "memory" | "hung" | "died";

export interface Finding {
  readonly target: string;
  readonly kind: FindingKind;
  /** The error with its stack, or what was measured. */
  readonly told: string;
  /** The input, made as small as was quickly done. */
  readonly input: Uint8Array;
  readonly seed: number;
  /** Number of the mutant, from 0. */
  readonly run: number;
}
