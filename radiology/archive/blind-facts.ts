import { Problem } from "#base/problem";
import type { StudyFacts } from "#trust/access";
import type { IndexBox } from "#trust/vault";
import type { StudyHeld } from "./blind-store.ts";
import { placeKey } from "./matching.ts";
import { accessionIssuer } from "./received-values.ts";
import type { IndexedValues } from "./study-index.ts";

/** Where a study lies, as its row keeps it: the study itself is named by the row. */
export interface HeldFacts extends Omit<StudyFacts, "study"> {
  /** When the instance arrived that said the facility: one that had arrived earlier says it instead. Epoch milliseconds. */
  readonly since: number;
}

type Sealed = Pick<StudyHeld, "studyToken" | "facts">;

/** Where studies lie, sealed under the index key into their rows: all alike in length, bound to their study. */
export interface FactsBox {
  seal(studyToken: string, facts: HeldFacts): Uint8Array;
  /** Problem "damaged" when it does not prove. */
  open(row: Sealed): HeldFacts;
  factsOf(row: Sealed): StudyFacts;
  /** Stands for the order that a study was made for; empty without an accession number. */
  orderOf(values: IndexedValues): string;
}

/** Facility, patient and order, 16 bytes each, zeros for none; then `since`. */
const idBytes = 16;
const factsBytes = 3 * idBytes + 8;
const none = "0".repeat(2 * idBytes);

export function createFactsBox(box: Pick<IndexBox, "digest" | "sealBlock" | "openBlock">): FactsBox {
  // A row is asked for several places, and given out again by the store as another object.
  const opened = new WeakMap<Uint8Array, HeldFacts>();
  const contextOf = (studyToken: string) => `where study lies ${studyToken}`;
  const open = ({ studyToken, facts: sealed }: Sealed): HeldFacts => {
    const known = opened.get(sealed);
    if (known !== undefined) return known;
    const plain = Buffer.from(box.openBlock(contextOf(studyToken), sealed));
    if (plain.length !== factsBytes) throw new Problem("damaged", "where a study lies does not add up in the index");
    const idAt = (at: number) => {
      const id = plain.toString("hex", at * idBytes, (at + 1) * idBytes);
      return id === none ? "" : id;
    };
    const facts = {
      ...{ facility: idAt(0), patient: idAt(1), order: idAt(2) },
      since: Number(plain.readBigInt64LE(3 * idBytes)),
    };
    opened.set(sealed, facts);
    return facts;
  };
  return {
    open,
    seal(studyToken, { facility, patient, order, since }) {
      const plain = Buffer.alloc(factsBytes);
      for (const [at, id] of [facility, patient, order].entries()) plain.write(id, at * idBytes, idBytes, "hex");
      plain.writeBigInt64LE(BigInt(Math.trunc(since)), 3 * idBytes);
      return box.sealBlock(contextOf(studyToken), plain);
    },
    factsOf(row) {
      const { facility, patient, order } = open(row);
      return { facility, patient, study: row.studyToken, order };
    },
    orderOf(values) {
      const { AccessionNumber = "", [accessionIssuer]: issuer = "" } = values;
      if (AccessionNumber === "") return "";
      return box.digest("order", JSON.stringify([issuer, AccessionNumber])).toString("hex", 0, idBytes);
    },
  };
}

/** What a study can be found by of where it lies, in the form of `Terms.all`. Its own token is in its row in the clear. */
export const placeTexts = ({
  facility,
  patient,
  order,
}: HeldFacts): { readonly key: string; readonly text: string }[] => [
  { key: placeKey("facility"), text: facility },
  { key: placeKey("patient"), text: patient },
  { key: placeKey("order"), text: order },
];
