// One thread that feeds a target with mutants. It tells before each input which it is: who watches it knows what it hangs on.
import { parentPort, workerData } from "node:worker_threads";
import fc, { type Arbitrary } from "fast-check";
import { type Coverage, countCoverage } from "./coverage.ts";
import { createDice, type Dice, mutantOf } from "./mutate.ts";
import { reduced } from "./reduce.ts";
import type { FuzzTarget } from "./target.ts";
import { loadTarget } from "./targets.ts";
import { type Trouble, tried } from "./trial.ts";
import { openShared, type WorkerMessage, type WorkerOrder } from "./worker-order.ts";

/** So many inputs are run between two looks at what ran; where that shows something new, so many are run again together. */
const batchMost = 512;
const groupMost = 32;
/** A look takes milliseconds: of a batch with more inputs that tell something, the rest shows in the next ones. */
const tellingMost = 4;
const reductionMsMax = 2_000;
const productFolders = ["/formats/", "/imaging/", "/doors/", "/radiology/"];
const order = workerData as WorkerOrder;
const shared = openShared(order.shared);
const say = (message: WorkerMessage) => parentPort?.postMessage(message);

/** Inputs in turn: what the target builds, and mutants of what has shown something new. */
function createInputs(target: FuzzTarget, corpus: readonly Uint8Array[], dice: Dice): () => Uint8Array {
  const { built, words = [] } = target;
  let waiting: Uint8Array[] = [];
  const nextBuilt = (arbitrary: Arbitrary<Uint8Array>): Uint8Array => {
    if (waiting.length === 0) waiting = fc.sample(arbitrary, { numRuns: 64, seed: dice(2 ** 31) });
    return waiting.pop()!;
  };
  const chosen = () => {
    const from = dice(2) === 0 ? Math.floor((corpus.length * 3) / 4) : 0;
    return corpus[from + dice(corpus.length - from)]!;
  };
  return () => {
    const whole = built !== undefined && dice(6) === 0 ? nextBuilt(built) : undefined;
    if (whole !== undefined && dice(2) === 0) return whole;
    return mutantOf(whole ?? chosen(), { dice, words, other: chosen() });
  };
}

function createTrials(target: FuzzTarget) {
  const known = new Set<string>();
  const trial = (input: Uint8Array, run: number): Promise<Trouble | undefined> =>
    tried(target, input, { begin: () => shared.begin(run, input), rest: shared.rest });
  return {
    trial,
    /** Runs it, and tells of trouble that is met for the first time. */
    async run(input: Uint8Array, run: number): Promise<void> {
      const trouble = await trial(input, run);
      if (trouble === undefined || known.has(trouble.signature)) return;
      known.add(trouble.signature);
      const isSame = async (smaller: Uint8Array) => (await trial(smaller, run))?.signature === trouble.signature;
      say({ is: "finding", trouble, run, input: await reduced(input, isSame, reductionMsMax) });
    },
  };
}

/** Some of a batch that ran what had never run: groups of it are run again, then halves of a group down to one input. */
async function tellingOf(
  batch: readonly Uint8Array[],
  coverage: Coverage,
  run: (input: Uint8Array) => Promise<unknown>,
): Promise<Uint8Array[]> {
  const telling: Uint8Array[] = [];
  if (!(await coverage.look({ keep: false }))) return telling;
  const isNew = async (inputs: readonly Uint8Array[], keep = false): Promise<boolean> => {
    for (const input of inputs) await run(input);
    return coverage.look({ keep });
  };
  for (let from = 0; from < batch.length && telling.length < tellingMost; from += groupMost) {
    let group = batch.slice(from, from + groupMost);
    if (!(await isNew(group))) continue;
    while (group.length > 1) {
      const half = group.slice(0, group.length >> 1);
      group = (await isNew(half)) ? half : group.slice(half.length);
    }
    if (await isNew(group, true)) telling.push(...group);
  }
  return telling;
}

async function fuzz(target: FuzzTarget, coverage: Coverage | undefined): Promise<void> {
  const { trial, run } = createTrials(target);
  const corpus = [...(await target.seeds()), ...order.corpus];
  for (const seed of corpus) await run(seed, order.from);
  await coverage?.look({ keep: true });
  const next = createInputs(target, corpus, createDice(order.seed + order.from));
  for (let at = order.from; at < order.to; ) {
    const batch: Uint8Array[] = [];
    for (; at < order.to && batch.length < batchMost; at++) {
      const input = next();
      batch.push(input);
      await run(input, at);
    }
    if (coverage === undefined) continue;
    for (const input of await tellingOf(batch, coverage, (input) => trial(input, at))) {
      corpus.push(input);
      say({ is: "telling", input });
    }
  }
}

// Before the target is loaded: what is compiled without counting is never counted.
const coverage = order.isGuided ? await countCoverage(productFolders) : undefined;
const target = await loadTarget(order.target);
if (order.only === undefined) await fuzz(target, coverage);
const trouble = order.only === undefined ? undefined : await createTrials(target).trial(order.only, 0);
say({ is: "done", runs: order.to - order.from, trouble });
