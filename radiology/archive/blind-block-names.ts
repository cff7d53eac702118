import type { IndexBox } from "#trust/vault";
import type { SortScheme } from "./blind-sort-keys.ts";
import type { Term } from "./blind-terms.ts";

/** Names of blocks, and what each is bound to. */
export interface BlockNames {
  readonly log: Uint8Array;
  chunk(scheme: SortScheme, chunk: number): Uint8Array;
  list(term: Term): Uint8Array;
  context(name: Uint8Array, serial: number): string;
}

export function createBlockNames(box: Pick<IndexBox, "digest">): BlockNames {
  const named = (kind: string, text: string) => box.digest(kind, text).subarray(0, 8);
  return {
    log: named("log", ""),
    chunk: ({ keyword }, chunk) => named(`column ${keyword}`, String(chunk)),
    list: (term) => Buffer.from(term, "latin1"),
    context: (name, serial) => `${Buffer.from(name.buffer, name.byteOffset, name.length).toString("hex")} ${serial}`,
  };
}
