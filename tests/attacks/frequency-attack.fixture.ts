import { nameTerms } from "../../radiology/archive/blind-truth.fixture.ts";
import { personName, type Share } from "../people/index.ts";
import type { Epoch, Watched } from "./watched-index.fixture.ts";

/** The attacker knows how often each name occurs among all people, and how the index makes terms; not the key. */
export interface Population {
  readonly surnames: readonly Share[];
  readonly givenNames: readonly Share[];
}

/** Of the studies that were guessed at, the part that was guessed rightly. */
export interface Recovered {
  readonly letter: number;
  readonly surname: number;
  readonly name: number;
}

/** Lists whose text the attacker knows or believes to know. */
export interface Known {
  /** `p` or `c` (beginning, piece) and the text → name of the list. */
  readonly lists: ReadonlyMap<string, string>;
  /** How often that is mistaken. */
  readonly mistaken: number;
}

export const nothingKnown: Known = { lists: new Map(), mistaken: 0 };

/** What the length of a row says: shortest and longest name that it can hold. */
export type Lengths = (study: number) => { readonly least: number; readonly most: number };

export function textsOf(name: string): string[] {
  const found = new Set<string>();
  for (let to = 1; to <= Math.min(nameTerms.prefixMost, name.length); to++) found.add(`p${name.slice(0, to)}`);
  for (let length = 1; length <= nameTerms.pieceMost; length++) {
    for (let at = 0; at + length <= name.length; at++) found.add(`c${name.slice(at, at + length)}`);
  }
  return [...found];
}

const textsOfSurname = (surname: string) => textsOf(`${surname}^`);
const textsOfGivenName = (given: string) => textsOf(`^${given}`).filter((term) => term[0] === "c");

/** With no look at the database: the same guess for everybody. */
export function guessBlindly(watched: Watched, population: Population): Recovered {
  return recovered(watched, population, () => ({ least: 0, most: 1_000 }), nothingKnown, true);
}

/** From one copy: lists say nothing of who is in them, so all there is are the lengths of rows. */
export function attackCopy(watched: Watched, population: Population, lengths: Lengths): Recovered {
  return recovered(watched, population, lengths, nothingKnown, true);
}

/** From every change: a study's name is one whose lists have all changed with it. */
export function attackChanges(watched: Watched, population: Population, lengths: Lengths, known: Known): Recovered {
  return recovered(watched, population, lengths, known, false);
}

/** An attacker to whom somebody has told which list is which (or who sent in studies of his own to learn it). */
export function toldLists(watched: Watched, population: Population): Known {
  const known = new Map<string, string>();
  const add = (terms: readonly string[]) => {
    for (const term of terms) {
      if (!known.has(term)) known.set(term, watched.truth.listOf(term[0] === "p" ? "prefix" : "piece", term.slice(1)));
    }
  };
  for (const { text } of population.surnames) add(textsOfSurname(watched.truth.folded(text)));
  for (const { text } of population.givenNames) add(textsOfGivenName(watched.truth.folded(text)));
  return { lists: known, mistaken: 0 };
}

interface Candidate {
  readonly text: string;
  readonly share: number;
  /** Numbers of the lists that must have changed. */
  readonly lists: Int32Array;
}

function recovered(
  watched: Watched,
  population: Population,
  lengths: Lengths,
  known: Known,
  isOneCopy: boolean,
): Recovered {
  const { nameOf, truth } = watched;
  const numbers = new Map([...new Set(known.lists.values())].map((list, at) => [list, at] as const));
  const candidates = (shares: readonly Share[], termsOf: (text: string) => string[]): Candidate[] =>
    shares.map(({ text, share }) => {
      const lists = termsOf(truth.folded(text)).flatMap((term) => numbers.get(known.lists.get(term) ?? "") ?? []);
      return { text: truth.folded(text), share, lists: Int32Array.from(lists) };
    });
  const surnames = candidates(population.surnames, textsOfSurname);
  const givenNames = candidates(population.givenNames, textsOfGivenName);
  const whole = known.mistaken > 0 || known.lists.size === 0 ? undefined : wholeNames(watched);
  const epochs: readonly Epoch[] = isOneCopy ? [{ studies: [...nameOf.keys()], lists: new Set() }] : watched.epochs;
  const weighing = createWeighing(numbers, epochs, known.mistaken);
  const right = { letter: 0, surname: 0, name: 0 };
  let studies = 0;
  for (const epoch of epochs) {
    const weighed = weighing(epoch);
    const guess = guessing({
      surnames: weighed(surnames),
      givenNames: weighed(givenNames),
      whole: whole && [...epoch.lists].flatMap((list) => whole.get(list) ?? []),
    });
    for (const study of epoch.studies) {
      const name = truth.folded(nameOf.get(study) ?? "");
      const guessed = guess(lengths(study));
      studies++;
      if (guessed.letter === name[0]) right.letter++;
      if (guessed.surname === name.slice(0, name.indexOf("^"))) right.surname++;
      if (guessed.name === name) right.name++;
    }
  }
  return { letter: right.letter / studies, surname: right.surname / studies, name: right.name / studies };
}

/** Beside the likeliest, not worth a thought. */
const negligible = 1e-6;

/**
 * What the changed lists make of the share of each candidate: how many of the new studies are likely to have that name. It may be one of them
 * only if its lists have changed (but for the attacker's mistakes), and has the more reason to be the seldomer the rarest of them changes.
 */
function createWeighing(numbers: ReadonlyMap<string, number>, epochs: readonly Epoch[], mistaken: number) {
  const rates = new Float64Array(numbers.size);
  for (const { lists } of epochs) {
    for (const list of lists) {
      const number = numbers.get(list);
      if (number !== undefined) rates[number] = (rates[number] ?? 0) + 1 / epochs.length;
    }
  }
  const against = rates.map((rate) => Math.min(1, mistaken / Math.max(1 - rate, mistaken || 1)));
  return (epoch: Epoch) => {
    const changed = new Uint8Array(numbers.size);
    for (const list of epoch.lists) {
      const number = numbers.get(list);
      if (number !== undefined) changed[number] = 1;
    }
    return (candidates: readonly Candidate[]): Candidate[] => {
      const found: Candidate[] = [];
      let best = 0;
      for (const { text, lists, share } of candidates) {
        let rarest = 1;
        let doubt = 1;
        for (let at = 0; at < lists.length && doubt > 0; at++) {
          const list = lists[at] as number;
          if (changed[list] === 1) rarest = Math.min(rarest, rates[list] as number);
          else doubt *= against[list] as number;
        }
        if (doubt === 0) continue;
        const isThere = 1 - (1 - share) ** epoch.studies.length;
        const weighed = (doubt * share) / (isThere + (1 - isThere) * rarest);
        if (weighed <= best * negligible) continue;
        best = Math.max(best, weighed);
        found.push({ text, lists, share: weighed });
      }
      return found.sort((a, b) => b.share - a.share);
    };
  };
}

/** Names that stand in each list of whole names. */
function wholeNames({ nameOf, truth }: Watched): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of new Set([...nameOf.values()].map(truth.folded))) {
    const list = truth.listOf("whole", name);
    found.set(list, [...(found.get(list) ?? []), name]);
  }
  return found;
}

interface Guessed {
  readonly letter: string;
  readonly surname: string;
  readonly name: string;
}

interface Fitting {
  readonly surnames: readonly Candidate[];
  readonly givenNames: readonly Candidate[];
  /** Whole names, where the attacker knows their lists too. */
  readonly whole: readonly string[] | undefined;
}

const pairedMost = 40;

/** The likeliest of what fits, for each range of lengths once. */
function guessing({ surnames, givenNames, whole }: Fitting) {
  const made = new Map<string, Guessed>();
  const shareOf = new Map(surnames.map(({ text, share }) => [text, share] as const));
  const givenShareOf = new Map(givenNames.map(({ text, share }) => [text, share] as const));
  const givenByLength = new Float64Array(1_024);
  for (const { text, share } of givenNames) givenByLength[text.length] = (givenByLength[text.length] ?? 0) + share;
  const pairsOf = (fits: (length: number) => boolean) => {
    const all = (whole ?? []).map((name) => {
      const [surname = "", given = ""] = name.split("^");
      return { name, share: (shareOf.get(surname) ?? 0) * (givenShareOf.get(given) ?? 0) };
    });
    const pairs = surnames.slice(0, pairedMost).flatMap((surname) =>
      givenNames.slice(0, pairedMost).map((given) => ({
        name: `${surname.text}^${given.text}`,
        share: surname.share * given.share,
      })),
    );
    return (whole === undefined ? pairs : all).filter(({ name }) => fits(name.length));
  };
  return ({ least, most }: { readonly least: number; readonly most: number }): Guessed => {
    const range = `${least} ${most}`;
    const before = made.get(range);
    if (before !== undefined) return before;
    const letters = new Map<string, number>();
    let surname = { text: "", share: 0 };
    for (const one of surnames) {
      let given = 0;
      for (
        let length = Math.max(1, least - one.text.length - 1);
        length <= Math.min(1_000, most) - one.text.length - 1;
        length++
      ) {
        given += givenByLength[length] ?? 0;
      }
      const share = one.share * given;
      letters.set(one.text[0] ?? "", (letters.get(one.text[0] ?? "") ?? 0) + share);
      if (share > surname.share) surname = { text: one.text, share };
    }
    const pairs = pairsOf((length) => length >= least && length <= most);
    const name = pairs.reduce((best, one) => (one.share > best.share ? one : best), { name: "", share: 0 }).name;
    const letter = [...letters].reduce((best, one) => (one[1] > best[1] ? one : best), ["", 0] as [string, number])[0];
    const guessed = { letter, surname: surname.text, name };
    made.set(range, guessed);
    return guessed;
  };
}

/** A sample of the population that the attacker draws for himself, of persons who are not in the archive. */
export function drawnNames(count: number): string[] {
  return Array.from({ length: count }, (_, at) => personName(10_000_000 + at));
}
