import { createChanging } from "./changing.ts";
import type { DataSetSource } from "./fragments.ts";

/** A source that is read before it is asked for. */
export interface Prefetched {
  readonly source: DataSetSource;
  /** It will not be read to its end. */
  discard(): void;
}

/**
 * Begins to read `source` at once, `bytesMax` ahead of whoever reads what is returned: C-STORE is lock-step, and the time in which
 * one instance travels is the time to get the next. A list of pieces is there already.
 */
export function prefetched(source: DataSetSource, bytesMax: number): Prefetched {
  if (Symbol.iterator in source) return { source, discard: () => {} };
  const pieces: Uint8Array[] = [];
  let bytesAhead = 0;
  let ended: { readonly error?: unknown } | undefined;
  let discarded = false;
  const { changed, next } = createChanging();

  const readAhead = async () => {
    for await (const piece of source) {
      pieces.push(piece);
      bytesAhead += piece.length;
      changed();
      while (bytesAhead >= bytesMax && !discarded) await next();
      if (discarded) return;
    }
  };
  readAhead().then(
    () => {
      ended = {};
      changed();
    },
    (error: unknown) => {
      ended = { error };
      changed();
    },
  );

  async function* rest(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = pieces.shift();
      if (piece) {
        bytesAhead -= piece.length;
        changed();
        yield piece;
      } else if (!ended) await next();
      else if ("error" in ended) throw ended.error;
      else return;
    }
  }
  return {
    source: rest(),
    discard() {
      discarded = true;
      changed();
    },
  };
}
