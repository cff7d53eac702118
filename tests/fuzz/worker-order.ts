import { inputBytesMax } from "./mutate.ts";
import type { Trouble } from "./trial.ts";

/** What a fuzzing thread is to do. */
export interface WorkerOrder {
  readonly target: string;
  readonly seed: number;
  /** Mutants that run code that none before had run are mutated further. */
  readonly isGuided: boolean;
  /** Mutants from this number up to that, without it. */
  readonly from: number;
  readonly to: number;
  /** Inputs that showed something new to a thread before this one. */
  readonly corpus: readonly Uint8Array[];
  readonly shared: SharedArrayBuffer;
  /** This input alone, and nothing else. */
  readonly only?: Uint8Array;
}

export type WorkerMessage =
  | { readonly is: "finding"; readonly trouble: Trouble; readonly input: Uint8Array; readonly run: number }
  /** The input ran code that none before it had run. */
  | { readonly is: "telling"; readonly input: Uint8Array }
  /** All are done, or the one was tried. */
  | { readonly is: "done"; readonly runs: number; readonly trouble?: Trouble | undefined };

/** What both threads see, also while one of them computes without end. */
export interface SharedProgress {
  /** This input is run next, as mutant number `run`. */
  begin(run: number, input: Uint8Array): void;
  /** Nothing is run. */
  rest(): void;
  /** Grows with every input; odd while one is run. */
  beats(): number;
  run(): number;
  input(): Uint8Array;
}

const headBytes = 16;

export const newShared = (): SharedArrayBuffer => new SharedArrayBuffer(headBytes + inputBytesMax);

export function openShared(memory: SharedArrayBuffer): SharedProgress {
  const numbers = new Int32Array(memory, 0, headBytes / 4);
  const bytes = new Uint8Array(memory, headBytes);
  return {
    begin(run, input) {
      Atomics.store(numbers, 1, run);
      Atomics.store(numbers, 2, Math.min(input.length, bytes.length));
      bytes.set(input.subarray(0, bytes.length));
      Atomics.or(numbers, 0, 1);
    },
    rest() {
      Atomics.add(numbers, 0, 1);
    },
    beats: () => Atomics.load(numbers, 0),
    run: () => Atomics.load(numbers, 1),
    input: () => bytes.slice(0, Atomics.load(numbers, 2)),
  };
}
