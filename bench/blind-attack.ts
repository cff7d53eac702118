import { parseArgs } from "node:util";
import {
  attackChanges,
  attackCopy,
  drawnNames,
  guessBlindly,
  type Lengths,
  type Recovered,
  toldLists,
} from "../tests/attacks/frequency-attack.fixture.ts";
import { matchLists } from "../tests/attacks/list-matching.fixture.ts";
import { type Arrivals, paddedTo, type Watched, watch } from "../tests/attacks/watched-index.fixture.ts";
import { givenNames, personName, surnames } from "../tests/people/index.ts";
import { print, table } from "./report.ts";

const population = { surnames, givenNames };
const noLengths: Lengths = () => ({ least: 0, most: 1_000 });
const drawnCount = 100_000;

/** What a thief of the index learns of generated names: of one copy, and of every change. */
export async function blindAttack(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      names: { type: "string", default: "100000" },
      /** Where lists are written with every change, which takes long. */
      "names-without-log": { type: "string", default: "2000" },
    },
  });
  const count = Number(values.names);
  const few = Number(values["names-without-log"]);
  const drawn = drawnNames(drawnCount);
  const asItIs = await watched({ batch: 200 }, count);
  copies(asItIs);
  const rows: string[][] = [];
  for (const batch of [1, 10, 200]) {
    rows.push(
      ...changes(`${few}, lists at once, ${batch} a change`, await watched({ batch, mergedAtTerms: 1 }, few), drawn),
    );
  }
  for (const batch of [1, 10])
    rows.push(...changes(`${few}, as it is, ${batch} a change`, await watched({ batch }, few), drawn));
  rows.push(...changes(`${count}, as it is, 200 a change`, asItIs, drawn));
  print("\nEvery change is watched:\n");
  print(table(["studies", "looks", "attacker", "lists named, right", "letter", "surname", "name"], rows));
  const shared: string[][] = [];
  for (const sharedTerms of [2 ** 8, 2 ** 12, 2 ** 18]) {
    const seen = await watched({ batch: 10, mergedAtTerms: 1, sharedTerms }, few);
    const found = attackChanges(seen, population, noLengths, toldLists(seen, population));
    shared.push([`2^${Math.log2(sharedTerms)}`, ...parts(found)]);
  }
  print(`\n${few} names, lists at once, 10 a change, lists told, by the number of shared terms:\n`);
  print(table(["shared terms", "letter", "surname", "name"], shared));
}

async function watched(how: Omit<Arrivals, "names">, count: number): Promise<Watched> {
  const began = performance.now();
  const names = Array.from({ length: count }, (_, person) => personName(person));
  const seen = await watch({ names, ...how });
  print(`  ${count} names, ${JSON.stringify(how)}: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  return seen;
}

function copies(seen: Watched): void {
  const rows = [["nothing", ...parts(guessBlindly(seen, population))]];
  for (const bytes of [1, 16, 64, 128, 256]) {
    const found = attackCopy(seen, population, paddedTo(seen, bytes));
    rows.push([bytes === 1 ? "rows as long as they are" : `rows filled up to ${bytes} bytes`, ...parts(found)]);
  }
  print(`\nOne copy, ${seen.nameOf.size} names:\n`);
  print(table(["the attacker has", "letter", "surname", "name"], rows));
}

function changes(label: string, seen: Watched, drawn: readonly string[]): string[][] {
  if (seen.epochs.length === 0) return [[label, "0", "sees no list change", "", "", "", ""]];
  const { known, matched, right } = matchLists(seen, drawn);
  const told = toldLists(seen, population);
  const row = (attacker: string, named: string, found: Recovered) => [
    label,
    String(seen.epochs.length),
    attacker,
    named,
    ...parts(found),
  ];
  return [
    row("guesses blindly", "", guessBlindly(seen, population)),
    row("counts", `${matched}, ${right}`, attackChanges(seen, population, noLengths, known)),
    row("was told which list is which", "", attackChanges(seen, population, noLengths, told)),
    row("was told, and rows are as long as they are", "", attackChanges(seen, population, paddedTo(seen, 1), told)),
    row("was told, rows filled up to 128 bytes", "", attackChanges(seen, population, paddedTo(seen, 128), told)),
  ];
}

const parts = ({ letter, surname, name }: Recovered) =>
  [letter, surname, name].map((part) => `${(part * 100).toFixed(2)} %`);
