import { isProblem } from "#base/problem";
import type { SealedAlone, SwitchedVault } from "../../trust/vault/switched-vault.fixture.ts";

/** One object in the bytes of a pack. */
export interface Resting extends SealedAlone {
  readonly from: number;
}

/** What came of one damage. */
export interface Seen {
  /** How many objects refused to be read. */
  readonly refused: number;
  /** How many gave their own bytes although something of theirs was changed that reading does not need. */
  readonly stillRead: number;
  /** How many places held another whole object afterwards: it proves, and only its id says that it is not the one looked for. */
  readonly replaced: number;
}

/** Puts objects in a row, as a pack does. */
export function inARow(objects: readonly SealedAlone[]): { bytes: Buffer; resting: Resting[] } {
  let from = 0;
  const resting = objects.map((object) => {
    const here = { ...object, from };
    from += object.bytes.length;
    return here;
  });
  return { bytes: Buffer.concat(objects.map(({ bytes }) => bytes)), resting };
}

const footerBytes = 164;

/** Throws when it gives any byte that is not the object's own. */
async function read(vault: SwitchedVault, object: Resting): Promise<keyof Seen> {
  try {
    const offset = object.from + object.bytes.length - footerBytes;
    const opened = await vault.vault.open({ pack: vault.pack, offset });
    if (opened.id !== object.id) return "replaced";
    const bytes = await opened.read(0, opened.sizeBytes);
    if (bytes.equals(object.plain)) return "stillRead";
  } catch (error) {
    if (isProblem(error, "damaged") || isProblem(error, "absent")) return "refused";
    throw error;
  }
  throw new Error("damaged bytes were served");
}

/**
 * Puts damaged bytes where the objects were: every object that was touched refuses or gives its own bytes, every other one is
 * read, and `check` tells. Throws when that is not so.
 */
export async function look(vault: SwitchedVault, objects: readonly Resting[], damaged: Buffer): Promise<Seen> {
  await vault.hold(damaged);
  const seen = { refused: 0, stillRead: 0, replaced: 0 };
  for (const object of objects) {
    const isTouched = !damaged.subarray(object.from, object.from + object.bytes.length).equals(object.bytes);
    const what = await read(vault, object);
    if (isTouched) seen[what]++;
    else if (what !== "stillRead") throw new Error("an object that was not touched is refused");
  }
  for await (const _ of vault.vault.check()) return seen;
  throw new Error("damage was not told of");
}
