import type { IndexBox } from "#trust/vault";
import { createTerms } from "./blind-terms.ts";
import { keyIn } from "./matching.ts";

/** What only the holder of the index key can say: the names of the lists that a patient's name stands in, for who plays its thief. */
export interface NameTruth {
  /** Name of the list of a piece of text: of names that begin so, or hold it. */
  listOf(kind: "prefix" | "piece" | "whole", text: string): string;
  /** As names are compared. */
  folded(name: string): string;
}

/** All lists that texts of a name can stand in: beginnings of one to `prefixMost` characters, pieces of one to `pieceMost`. */
export const nameTerms = { prefixMost: 6, pieceMost: 3 };

const key = "PatientName/alphabetic";

export function createNameTruth(box: Pick<IndexBox, "digest">, sharedTerms: number): NameTruth {
  const terms = createTerms(box, sharedTerms);
  return {
    listOf(kind, text) {
      if (kind === "whole") return hexOf(terms.exact(key, text));
      const term = kind === "prefix" ? terms.prefix(key, text) : terms.pieces(key, text)[0];
      return hexOf(term ?? "");
    },
    folded: (name) => String(keyIn({ PatientName: name }, key)),
  };
}

const hexOf = (term: string) => Buffer.from(term, "latin1").toString("hex");
