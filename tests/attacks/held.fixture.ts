import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { asOperator, associate, type Slice, slicesOf, store } from "../flows/modality.fixture.ts";
import { type RunningHouse, startHouse } from "../house/index.ts";
import type { Held, Holding } from "./holding.fixture.ts";

export interface WhileHeld {
  /** Instances a second, by round: with nothing else going on, and while all the rest is held. */
  readonly quiet: readonly number[];
  readonly held: readonly number[];
  /** What was held when a round began, the least. */
  readonly associations: number;
  readonly clients: number;
}

export interface HeldOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly associations: number;
  readonly clients: number;
  /** Rows and columns of what is stored. */
  readonly size: number;
}

/** As many as one caller may have (`associationsPerCallerMax`). */
const perCaller = 32;

/** How fast a known modality stores into a house of its own, alone and beside what is held, in turns. */
export async function storeWhileHeld(options: HeldOptions): Promise<WhileHeld> {
  const house = await startHouse({ environment: { LEADGLASS_ASSOCIATIONS: String(options.associations + 16) } });
  try {
    const callers = Array.from({ length: options.associations }, (_, index) => {
      const number = 1 + Math.floor(index / perCaller);
      return { title: `HOLD${number}`, address: `127.0.1.${number}` };
    });
    await admit(house, [...callers, { title: "CT1", address: "127.0.0.1" }]);
    const slices = slicesOf({ kind: "ct-head", slices: 8, size: options.size, seed: 500 });
    await storeFor(house, slices, 2); // what is compiled and opened once
    const [quiet, held, least]: [number[], number[], Held[]] = [[], [], []];
    for (let round = 0; round < options.rounds; round++) {
      quiet.push(await storeFor(house, slices, options.seconds));
      const { now, stop } = await hold(house, callers, options.clients);
      held.push(await storeFor(house, slices, options.seconds));
      least.push(now());
      await stop();
    }
    return {
      ...{ quiet, held },
      associations: Math.min(...least.map(({ associations }) => associations)),
      clients: Math.min(...least.map(({ clients }) => clients)),
    };
  } finally {
    await house.remove();
  }
}

async function admit(house: RunningHouse, callers: Holding["callers"]): Promise<void> {
  for (const { title, address } of new Map(callers.map((caller) => [caller.title, caller])).values()) {
    await asOperator(house, "/api/devices", "POST", { ae: title, address });
  }
}

/** Instances a second, each with Success, over one association. */
async function storeFor(house: RunningHouse, slices: readonly Slice[], seconds: number): Promise<number> {
  const association = await associate(house, slices);
  const began = performance.now();
  let stored = 0;
  while (performance.now() - began < seconds * 1_000) {
    const status = await store(association, slices[stored % slices.length]!);
    if (status !== 0) throw new Error(`a store was answered with status ${status.toString(16)}`);
    stored++;
  }
  const perSecond = stored / ((performance.now() - began) / 1_000);
  await association.release();
  return perSecond;
}

async function hold(house: RunningHouse, callers: Holding["callers"], clients: number) {
  const { dicom, https } = house;
  const workerData: Holding = {
    dicom,
    https,
    callers,
    clients,
    token: house.token(),
    ca: readFileSync(house.ca, "utf8"),
  };
  const worker = new Worker(new URL("./holding.fixture.ts", import.meta.url), { workerData });
  let held: Held = { associations: 0, clients: 0 };
  worker.on("message", (now: Held) => {
    held = now;
  });
  for (let tries = 0; tries < 300 && held.associations < callers.length; tries++) await sleep(100);
  return {
    now: () => held,
    async stop() {
      const gone = new Promise((resolve) => worker.once("exit", resolve));
      worker.postMessage("stop");
      await gone;
    },
  };
}
