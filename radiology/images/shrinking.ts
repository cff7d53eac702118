import type { Clock } from "#base/clock";
import { createKeyedTurns, createPermits, createTurns } from "#base/turns";
import { createPackingChoice, type PackingChoice } from "./packing-choice.ts";
import type { Packing, PackingDone, PackingTask, PackingWork, Recipe } from "./packing-work.ts";
import { mayShrink, type Sample, sampleOf, shapeOf } from "./picture-layout.ts";
import { chunkBytesMax, packedChunk, storedChunk, type ZstdLevel } from "./zstd-chunks.ts";

/** A data set packed: its parts, one after the other. */
export interface Packed {
  readonly packing: Packing;
  readonly parts: readonly Uint8Array[];
}

/** A data set that is packed as it comes. */
export interface PackingStream {
  readonly packing: Packing;
  /** What there is to be sent now. `bytes` may be kept. */
  write(bytes: Uint8Array): Promise<readonly Uint8Array[]>;
  end(): Promise<readonly Uint8Array[]>;
}

/**
 * Makes data sets small for the link, without loss, in whatever way brings them to its other end soonest: by what was measured on objects
 * like them, and by what the link does now.
 */
export interface Shrinker {
  /**
   * A whole data set (no file meta information), which must not change meanwhile. Never rejects because of what the bytes are: then they are
   * plain. What is given was restored and compared before. Waits while others fill the memory that is for it; rejects when `signal` says so.
   */
  pack(dataSet: Uint8Array, transferSyntaxUid: string, signal?: AbortSignal): Promise<Packed>;
  /** For what is too long to be held. */
  packing(transferSyntaxUid: string): PackingStream;
  /** Up to so many bytes `pack` takes at once. */
  readonly wholeBytesMax: number;
  /**
   * Bytes a second that the link takes while more waits for it than it takes at once. Undefined: nothing waits, or nobody knows. Not what it was given
   * while it ran dry: that would say how fast packing was, and ask for more of it.
   */
  pace(linkBytesPerSecond: number | undefined): void;
}

const wholeBytesMax = 32 * 1024 * 1024;
/** Of data sets that are worked on, each counted twice: a copy goes to a thread, and what comes back is hardly longer. */
const unitsInHand = 64;
const unitBytes = 1024 * 1024;
/** Shorter than a packet or two: nothing to gain. */
const leastBytes = 2 * 1024;

const zstd = (level: ZstdLevel): Recipe => ({ packing: "zstd", level });
const zstdRecipes = [zstd(1), zstd(2), zstd(3)];
const pictureRecipes: readonly Recipe[] = [
  ...zstdRecipes,
  { packing: "htj2k", level: 3 },
  { packing: "jpeg-ls", level: 3 },
];

export function createShrinker({ work, clock }: { readonly work: PackingWork; readonly clock: Clock }): Shrinker {
  const choice = createPackingChoice({ lanes: work.lanes, clock });
  /** The next of a kind waits for what the first is tried with. */
  const trying = createKeyedTurns();
  let isTryingAgain = false;
  const line = createTurns();
  const room = createPermits(unitsInHand);

  const run = async (kind: string, task: PackingTask): Promise<readonly Uint8Array[] | undefined> => {
    // A thread that died over it has shown that this recipe cannot.
    const { parts, milliseconds } = await work
      .pack(task)
      .catch((): PackingDone => ({ parts: undefined, milliseconds: 1 }));
    choice.learn(kind, task.recipe, task.bytes.length, parts && sizeOf(parts), milliseconds);
    return parts;
  };
  const tryAll = async (kind: string, sample: Sample, recipes: readonly Recipe[]): Promise<void> => {
    if (choice.isKnown(kind)) return; // since this began to wait
    for (const recipe of recipes) await run(kind, { ...sample, recipe });
  };
  /** Beside all else, one at a time: nobody waits for it. */
  const tryAgain = (kind: string, { bytes, picture }: Sample, recipe: Recipe): void => {
    if (isTryingAgain) return;
    isTryingAgain = true;
    const done = () => {
      isTryingAgain = false;
    };
    run(kind, { bytes: Uint8Array.from(bytes), picture, recipe }).then(done, done);
  };
  const packed = async (dataSet: Uint8Array, transferSyntaxUid: string): Promise<Packed> => {
    const { kind, picture } = await shapeOf(dataSet, transferSyntaxUid);
    const recipes = picture === undefined ? zstdRecipes : pictureRecipes;
    const sample = sampleOf(dataSet, picture);
    if (!choice.isKnown(kind)) await trying.take(kind, () => tryAll(kind, sample, recipes));
    const due = choice.due(kind, sample.bytes.length);
    if (due !== undefined) tryAgain(kind, sample, due);
    const recipe = choice.best(kind);
    if (recipe === undefined) return plain(dataSet);
    const parts = await run(kind, { bytes: dataSet, picture, recipe });
    if (parts !== undefined) return { packing: recipe.packing, parts };
    if (recipe.packing === "zstd") return plain(dataSet);
    const other = await run(kind, { bytes: dataSet, picture, recipe: zstd(1) });
    return other === undefined ? plain(dataSet) : { packing: "zstd", parts: other };
  };

  return {
    async pack(dataSet, transferSyntaxUid, signal) {
      signal?.throwIfAborted();
      if (dataSet.length < leastBytes || dataSet.length > wholeBytesMax) return plain(dataSet);
      const units = Math.ceil((dataSet.length * 2) / unitBytes);
      await line.take(async () => {
        for (let unit = 0; unit < units; unit++) await room.take();
      });
      try {
        signal?.throwIfAborted();
        // Whatever it was: the bytes are there as they came.
        return await packed(dataSet, transferSyntaxUid).catch(() => plain(dataSet));
      } finally {
        for (let unit = 0; unit < units; unit++) room.give();
      }
    },
    packing: (transferSyntaxUid) =>
      mayShrink(transferSyntaxUid) ? chunked(`stream ${transferSyntaxUid}`, choice, clock) : plainStream,
    wholeBytesMax,
    pace: choice.pace,
  };
}

const plain = (dataSet: Uint8Array): Packed => ({ packing: "plain", parts: [dataSet] });
const plainStream: PackingStream = { packing: "plain", write: async (bytes) => [bytes], end: async () => [] };

const sizeOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);

/** Chunk by chunk, each in whatever way is best by then; one that is not worth it stands as it is. */
function chunked(kind: string, choice: PackingChoice, clock: Clock): PackingStream {
  let pieces: Uint8Array[] = [];
  let held = 0;
  const by = async (recipe: Recipe, bytes: Uint8Array): Promise<Uint8Array[]> => {
    const began = clock.monotonicMs();
    const parts = await packedChunk(bytes, recipe.level);
    choice.learn(kind, recipe, bytes.length, sizeOf(parts), clock.monotonicMs() - began);
    return parts;
  };
  const chunkOf = async (bytes: Uint8Array): Promise<Uint8Array[]> => {
    const due = choice.due(kind, bytes.length);
    const tried = choice.isKnown(kind) ? due && [due] : zstdRecipes;
    for (const recipe of tried ?? []) await by(recipe, bytes);
    const recipe = choice.best(kind);
    return recipe === undefined ? storedChunk(bytes) : by(recipe, bytes);
  };
  return {
    packing: "zstd",
    async write(bytes) {
      const parts: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; ) {
        const piece = bytes.subarray(at, at + chunkBytesMax - held);
        pieces.push(piece);
        held += piece.length;
        at += piece.length;
        if (held < chunkBytesMax) continue;
        const chunk = Buffer.concat(pieces);
        pieces = [];
        held = 0;
        parts.push(...(await chunkOf(chunk)));
      }
      return parts;
    },
    end: async () => (held === 0 ? [] : chunkOf(Buffer.concat(pieces))),
  };
}
