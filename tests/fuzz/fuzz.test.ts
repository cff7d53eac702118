// 100,000 mutants into every parser that takes what strangers send. `npm run fuzz` goes on for hours, by what code the mutants run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { realSeeds } from "./found.ts";
import { alone, fuzz } from "./fuzz.ts";
import { inputBytesMax } from "./mutate.ts";
import { type TargetName, targetNames } from "./targets.ts";

/** By what one costs, so that all together take a minute. */
const runsOf: Readonly<Record<Exclude<TargetName, "faulty">, number>> = {
  pdu: 16_000,
  command: 12_000,
  association: 5_000,
  part10: 11_000,
  pieces: 9_000,
  halves: 11_000,
  json: 10_000,
  model: 5_000,
  text: 9_000,
  multipart: 8_000,
  search: 5_000,
  hl7: 5_000,
  frames: 8_000,
  link: 2_000,
  parcels: 1_000,
  receipts: 4_000,
  packed: 1_000,
  codecs: 4_000,
};
const seed = 5;

test("there are 100,000 mutants at least", () => {
  const runs = targetNames.map((target) => runsOf[target]);
  assert.ok(runs.reduce((sum, each) => sum + each) >= 100_000);
});

for (const target of targetNames) {
  test(`no mutant makes ${target} throw, hang, hold the event loop up or take memory beyond its input`, async () => {
    const { runs, findings } = await fuzz({
      ...{ target, seed, runs: runsOf[target], isGuided: false },
      corpus: realSeeds(target).filter(({ length }) => length <= inputBytesMax / 4),
    });
    assert.equal(runs, runsOf[target]);
    const told = findings.map(({ kind, told, input }) => `${kind}: ${told}\n${Buffer.from(input).toString("base64")}`);
    assert.deepEqual(told, [], `npm run fuzz -- ${target} --seed ${seed}`);
  });
}

test("the fuzzer is not blind: what throws, is slow, takes memory or hangs is found, and made small", async () => {
  const { findings, runs } = await fuzz({ target: "faulty", seed, runs: 120, isGuided: true });
  assert.equal(runs, 120);
  assert.deepEqual(findings.map(({ kind }) => kind).sort(), ["memory", "slow", "threw"]);
  const thrown = findings.find(({ kind }) => kind === "threw");
  assert.equal(thrown && Buffer.from(thrown.input).toString(), "T!");
  assert.equal((await alone("faulty", Buffer.from("H!"), 1_000))?.kind, "hung");
  assert.equal(await alone("faulty", Buffer.from("-!")), undefined);
});
