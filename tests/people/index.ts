/** One of several things, and how large its share is. */
export interface Share {
  readonly text: string;
  readonly share: number;
}

/** Repeatable chance for one number: xorshift, after some turns. */
export function chanceOf(seed: number): () => number {
  let state = (Math.imul(seed, 2_654_435_761) + 12_345) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < 4; i++) next();
  return next;
}

/** Zipf and Mandelbrot: what stands at a place of the order has 1 / (place + flatness) of it. Names of people go so. */
function byFrequency(texts: readonly string[], flatness: number): Share[] {
  const weights = texts.map((_, place) => 1 / (place + flatness));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return texts.map((text, place) => ({ text, share: (weights[place] as number) / total }));
}

/** Draws in proportion to the shares. */
export function drawing(shares: readonly Share[]): (chance: number) => string {
  const upTo = new Float64Array(shares.length);
  let sum = 0;
  for (const [at, { share }] of shares.entries()) {
    sum += share;
    upTo[at] = sum;
  }
  return (chance) => {
    let [low, high] = [0, shares.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((upTo[middle] as number) <= chance * sum) low = middle + 1;
      else high = middle;
    }
    return shares[low]?.text ?? "";
  };
}

const onsets = "S M B H K W R L G D C P F T N A J E V O Z SCH ST BR I KR GR Y TR FR U PF CH Q".split(" ");
const middles = "ER AN EL AR IN OL OR EN UL AM IK ET OS UR AL IM ECK OV AND INS ERT".split(" ");
const endings = "ER MANN S EN SON ER KE A E SKI EZ ING LEY TON I O OVA AU IC STEIN BERG ANI".split(" ");
const givenEndings = "A E AN IE INE O US LA RA TA N NA S EL IA".split(" ");

/** So many different words of one to three middles; the ends of the lists are rarer than their beginnings. */
function words(count: number, seed: number, lasts: readonly string[], middlesMost: number): string[] {
  const chance = chanceOf(seed);
  const pick = drawing(byFrequency(onsets, 3));
  const middle = drawing(byFrequency(middles, 4));
  const last = drawing(byFrequency(lasts, 4));
  const found = new Set<string>();
  while (found.size < count) {
    const length = 1 + Math.floor(chance() * middlesMost);
    const inner = Array.from({ length }, () => middle(chance())).join("");
    found.add(`${pick(chance())}${inner}${last(chance())}`);
  }
  return [...found];
}

/** Three that everybody asks for stand among the others, at the shares of a large English-speaking town. */
function withKnown(made: readonly string[]): string[] {
  const known = new Map([
    [0, "SMITH"],
    [30, "SMIRNOV"],
    [60, "SMILEY"],
  ]);
  const others = made.filter((name) => ![...known.values()].includes(name));
  for (const [place, name] of known) others.splice(place, 0, name);
  return others;
}

/** 20,000 family names: the first has 1.3 % of the people, the first thousand 60 %. */
export const surnames: readonly Share[] = byFrequency(withKnown(words(20_000, 11, endings, 3)), 10);
/** 600 given names: the first has 4 % of the people. */
export const givenNames: readonly Share[] = byFrequency(words(600, 12, givenEndings, 2), 5);

const surname = drawing(surnames);
const givenName = drawing(givenNames);

/** The same for the same number. */
export function personName(person: number): string {
  const chance = chanceOf(person + 1);
  return `${surname(chance())}^${givenName(chance())}`;
}
