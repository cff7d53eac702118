import { getHeapStatistics } from "node:v8";
import type { FindingKind, FuzzTarget } from "./target.ts";

/** What a trial of one input showed: nothing, or one thing that must not be. */
export interface Trouble {
  readonly kind: Extract<FindingKind, "threw" | "slow" | "memory">;
  readonly told: string;
  /** The same for inputs that meet the same fault. */
  readonly signature: string;
}

const bytesMax = (input: Uint8Array) => 64 * 2 ** 20 + 4 * input.length;
/** What is slow or large once may be the collector's doing: it counts when it is so each time. */
const timesToBelieve = 3;

const cpuMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};
const heldBytes = () => {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
};

/** Who watches from outside: told when the input begins to run, and when it has. */
export interface Watch {
  begin(): void;
  rest(): void;
}

/** Runs one input, and says what was wrong about it. */
export async function tried(
  { run, cpuMsMax }: FuzzTarget,
  input: Uint8Array,
  watch: Watch,
): Promise<Trouble | undefined> {
  let [ms, grown] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let time = 0; time < timesToBelieve && (ms > cpuMsMax || grown > bytesMax(input)); time++) {
    const [before, held] = [cpuMs(), heldBytes()];
    watch.begin();
    try {
      await run(input);
    } catch (error) {
      return thrown(error);
    } finally {
      watch.rest();
    }
    ms = Math.min(ms, cpuMs() - before);
    grown = Math.min(grown, heldBytes() - held);
  }
  if (ms > cpuMsMax) return { kind: "slow", told: `${Math.round(ms)} ms of one thread`, signature: "slow" };
  if (grown > bytesMax(input)) return { kind: "memory", told: `${grown} bytes more are held`, signature: "memory" };
  return undefined;
}

function thrown(error: unknown): Trouble {
  const told = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  const [first = "", ...frames] = told.split("\n");
  const where = frames.find((frame) => /\/(formats|imaging|doors|radiology|base)\//.test(frame)) ?? "";
  return { kind: "threw", told, signature: `${first.replace(/\d+/g, "0")} ${where.trim()}` };
}
