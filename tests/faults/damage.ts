import { type Random, seededRandom } from "#base/id";
import { createSwitchedVault, type SwitchedVault } from "../../trust/vault/switched-vault.fixture.ts";
import { inARow, look, type Resting } from "./damaged-vault.ts";

const kinds = ["bytes changed", "a range zeroed", "two ranges exchanged", "cut off"] as const;
type Kind = (typeof kinds)[number];

export interface DamageReport {
  readonly damages: Readonly<Record<Kind, number>>;
  /** Objects that refused to be read. */
  readonly refused: number;
  /** Objects that gave their own bytes: what was changed is not needed to read them, and `check` told. */
  readonly stillRead: number;
  /** Places where another whole object stood: its id alone tells. */
  readonly replaced: number;
  readonly seconds: number;
}

/** Rows of objects to damage: most are small, so that a million damages take minutes; some have several segments. */
const shortRows: readonly (readonly number[])[] = [
  [0, 1, 15],
  [16, 300, 17],
  [1000, 3000],
  [5000, 100],
  [2000, 0, 400],
  [700, 900, 50],
  [4000],
  [12_000, 800],
];
const longRows: readonly (readonly number[])[] = [[64 * 1024, 10], [128 * 1024, 500], [128 * 1024 + 1], [300_000, 7]];
/** One damage in so many is done to a long row. */
const longEvery = 50;

interface Row {
  readonly bytes: Buffer;
  readonly resting: readonly Resting[];
}

async function sealedRows(vault: SwitchedVault, rowsOfSizes: readonly (readonly number[])[]): Promise<Row[]> {
  const sealed: Row[] = [];
  for (const sizes of rowsOfSizes) {
    const objects = [];
    for (const size of sizes) objects.push(await vault.sealed(`1.2.${size % 3}`, size));
    sealed.push(inARow(objects));
  }
  return sealed;
}

/** The whole numbers below a limit, each as likely as the next one. */
function drawFrom(random: Random): (limit: number) => number {
  const four = Buffer.alloc(4);
  return (limit) => Buffer.from(random(four)).readUInt32BE() % limit;
}

type Draw = (limit: number) => number;

function damagedBy(kind: Kind, { bytes, resting }: Row, draw: Draw): Buffer {
  if (kind === "cut off") {
    // Inside an object: one that is gone with all its bytes is found missing by the index, not by the packs.
    const object = resting[draw(resting.length)] as Resting;
    return Buffer.from(bytes.subarray(0, object.from + 1 + draw(object.bytes.length - 1)));
  }
  const damaged = Buffer.from(bytes);
  const length = 1 + draw(Math.min(4096, bytes.length >> 1));
  const at = draw(bytes.length - length);
  if (kind === "a range zeroed") return damaged.fill(0, at, at + length);
  if (kind === "two ranges exchanged") {
    const to = draw(bytes.length - length);
    bytes.copy(damaged, at, to, to + length);
    bytes.copy(damaged, to, at, at + length);
    return damaged;
  }
  for (let count = 1 + draw(16); count > 0; count--) {
    const where = draw(bytes.length);
    damaged[where] = (damaged[where] ?? 0) ^ (1 + draw(255));
  }
  return damaged;
}

/** Damages sealed objects at random, again and again, and reads and checks them each time. Throws at the first that is not detected. */
export async function damageAgainAndAgain(options: {
  readonly times: number;
  readonly seed?: number;
  readonly seen?: (done: number, of: number) => void;
}): Promise<DamageReport> {
  const { times, seed = 1, seen } = options;
  const vault = await createSwitchedVault();
  const [short, long] = [await sealedRows(vault, shortRows), await sealedRows(vault, longRows)];
  const draw = drawFrom(seededRandom(seed));
  const damages = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>;
  const report = { damages, refused: 0, stillRead: 0, replaced: 0, seconds: 0 };
  const began = performance.now();
  for (let done = 0; done < times; ) {
    const from = done % longEvery === 0 ? long : short;
    const row = from[draw(from.length)] as Row;
    const kind = kinds[draw(kinds.length)] as Kind;
    const damaged = damagedBy(kind, row, draw);
    if (damaged.equals(row.bytes)) continue;
    const { refused, stillRead, replaced } = await look(vault, row.resting, damaged).catch((error) => {
      throw new Error(`damage ${done} of seed ${seed}: ${kind}`, { cause: error });
    });
    damages[kind]++;
    report.refused += refused;
    report.stillRead += stillRead;
    report.replaced += replaced;
    if (++done % 1000 === 0) seen?.(done, times);
  }
  report.seconds = (performance.now() - began) / 1000;
  return report;
}
