import assert from "node:assert/strict";
import { test } from "node:test";
import { givenNames, personName, surnames } from "../people/index.ts";
import {
  attackChanges,
  attackCopy,
  drawnNames,
  guessBlindly,
  type Lengths,
  type Recovered,
  toldLists,
} from "./frequency-attack.fixture.ts";
import { matchLists } from "./list-matching.fixture.ts";
import { paddedTo, watch } from "./watched-index.fixture.ts";

/*
 * A thief who knows how often each name occurs among all people, and all of the index but its key. `npm run bench -- blind-attack` does the same
 * with 100,000 names.
 */
const population = { surnames, givenNames };
const noLengths: Lengths = () => ({ least: 0, most: 1_000 });
const people = (count: number) => Array.from({ length: count }, (_, person) => personName(person));
const archive = await watch({ names: people(10_000), batch: 200 });
const blind = guessBlindly(archive, population);

/** Beyond chance: three deviations of so many guesses. */
function assertNoBetter(found: Recovered, than: Recovered, studies: number): void {
  for (const part of ["letter", "surname", "name"] as const) {
    const margin = 3 * Math.sqrt((than[part] * (1 - than[part])) / studies) + 3 / studies;
    assert.ok(found[part] <= than[part] + margin, `${part}: ${found[part]} with the database, ${than[part]} without`);
  }
}

test("one copy of the index gives no more names than guessing the commonest does", () => {
  assertNoBetter(attackCopy(archive, population, paddedTo(archive, 128)), blind, 10_000);
});

test("were rows as long as what they hold, one copy would give ten times as many whole names", () => {
  assert.ok(attackCopy(archive, population, paddedTo(archive, 1)).name > 5 * blind.name);
});

test("who watches every change of the index gets no more names, even told which list is which", () => {
  assert.ok(archive.epochs.length > 1, "lists were written");
  const { known } = matchLists(archive, drawnNames(20_000));
  const told = toldLists(archive, population);
  for (const lists of [known, told]) {
    assertNoBetter(attackChanges(archive, population, paddedTo(archive, 128), lists), blind, 10_000);
  }
});

test("were lists written with each study, who watches and was told the lists would read every name", async () => {
  const seen = await watch({ names: people(200), batch: 1, mergedAtTerms: 1 });
  const { name } = attackChanges(seen, population, noLengths, toldLists(seen, population));
  assert.ok(name > 0.95, `${name}`);
});
