import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { reduced } from "./reduce.ts";
import type { Finding, FindingKind } from "./target.ts";
import type { TargetName } from "./targets.ts";
import { newShared, openShared, type WorkerMessage, type WorkerOrder } from "./worker-order.ts";

export interface Fuzzing {
  readonly target: TargetName;
  readonly seed: number;
  /** Finds its way by what code the mutants run, which takes time: for runs of minutes and hours. */
  readonly isGuided: boolean;
  /** Mutants to run; ends earlier when `goesOn` says no. */
  readonly runs: number;
  /** Asked a few times a second. */
  goesOn?(): boolean;
  /** Told of each input that ran code that none before it had run, for the next time. */
  kept?(input: Uint8Array): void;
  /** What was kept before. */
  readonly corpus?: readonly Uint8Array[];
}

export interface Fuzzed {
  readonly runs: number;
  readonly findings: readonly Finding[];
  readonly telling: number;
}

/**
 * By the clock, after which an input counts as endless: how long a busy machine lets a thread wait is not its doing. Those that end are
 * judged by the time of the processor that they took (`cpuMsMax`, two seconds at most).
 */
const amongOthersMsMax = 5_000;
const aloneMsMax = 10_000;
const lookEveryMs = 100;
const heapMibMax = 512;
const reductionMsMax = 30_000;

type Ended = "done" | "stopped" | { readonly kind: FindingKind; readonly told: string };

/** Runs mutants in a thread of their own. One that hangs or kills it ends the fuzzing: the next ones would meet the same. */
export async function fuzz(fuzzing: Fuzzing): Promise<Fuzzed> {
  const { target, seed, isGuided, runs, goesOn = () => true, kept, corpus = [] } = fuzzing;
  const findings: Finding[] = [];
  const telling = [...corpus];
  const signatures = new Set<string>();
  const take = (message: WorkerMessage) => {
    if (message.is === "telling") {
      telling.push(message.input);
      kept?.(message.input);
    } else if (message.is === "finding" && !signatures.has(message.trouble.signature)) {
      const { trouble, input, run } = message;
      signatures.add(trouble.signature);
      findings.push({ target, kind: trouble.kind, told: trouble.told, input, seed, run });
    }
  };
  let from = 0;
  while (from < runs && goesOn()) {
    const memory = newShared();
    const shared = openShared(memory);
    const order = { target, seed, isGuided, from, to: runs, corpus: telling, shared: memory };
    const ended = await runThread(order, take, amongOthersMsMax, goesOn);
    if (ended === "done") from = runs;
    else from = shared.run() + 1;
    if (typeof ended === "string") continue;
    const input = shared.input();
    const isSame = async (tried: Uint8Array) => (await alone(target, tried))?.kind === ended.kind;
    if (!(await isSame(input))) continue;
    findings.push({ target, ...ended, seed, run: from - 1, input: await reduced(input, isSame, reductionMsMax) });
    break;
  }
  return { runs: from, findings, telling: telling.length - corpus.length };
}

/** The trouble that one input gives in a thread of its own. */
export async function alone(
  target: TargetName,
  input: Uint8Array,
  msMax = aloneMsMax,
): Promise<{ readonly kind: FindingKind; readonly told: string } | undefined> {
  let trouble: { kind: FindingKind; told: string } | undefined;
  const order = { target, seed: 1, isGuided: false, from: 0, to: 1, corpus: [], shared: newShared(), only: input };
  const take = (message: WorkerMessage) => {
    if (message.is === "done") trouble = message.trouble;
  };
  const ended = await runThread(order, take, msMax);
  return typeof ended === "string" ? trouble : ended;
}

async function runThread(
  order: WorkerOrder,
  take: (message: WorkerMessage) => void,
  inputMsMax: number,
  goesOn: () => boolean = () => true,
): Promise<Ended> {
  const shared = openShared(order.shared);
  const worker = new Worker(new URL("./fuzz-worker.ts", import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: heapMibMax },
    // What decoders print of bad input is not read.
    stdout: true,
    stderr: true,
  });
  let ended: Ended | undefined;
  worker.on("message", (message: WorkerMessage) => {
    take(message);
    if (message.is === "done") ended ??= "done";
  });
  worker.on("error", (error) => {
    ended ??= { kind: "died", told: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  });
  worker.on("exit", () => {
    ended ??= { kind: "died", told: "the thread ended" };
  });
  let [beats, sinceMs] = [-1, performance.now()];
  while (ended === undefined) {
    await sleep(lookEveryMs);
    const now = shared.beats();
    if (now !== beats || now % 2 === 0) [beats, sinceMs] = [now, performance.now()];
    if (performance.now() - sinceMs > inputMsMax) ended ??= { kind: "hung", told: `no end after ${inputMsMax} ms` };
    if (!goesOn()) ended ??= "stopped";
  }
  await worker.terminate();
  return ended;
}
