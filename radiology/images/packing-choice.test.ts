import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as laterTurn } from "node:timers/promises";
import fc from "fast-check";
import { createVirtualClock, type VirtualClock } from "#base/clock";
import { createPermits } from "#base/turns";
import { TransferSyntaxUid, writeDataSet } from "#formats/dicom";
import { createPackingChoice } from "./packing-choice.ts";
import type { PackingWork, Recipe } from "./packing-work.ts";
import { createShrinker } from "./shrinking.ts";

const explicit = TransferSyntaxUid.explicitLittleEndian;
const htj2k: Recipe = { packing: "htj2k", level: 3 };
const zstd: Recipe = { packing: "zstd", level: 1 };

/** An image of 200 by 200 samples of 12 bits. */
const dataSet = writeDataSet(
  [
    { tag: 0x00080060, vr: "CS", value: "CT" },
    { tag: 0x00280002, vr: "US", value: 1 },
    { tag: 0x00280004, vr: "CS", value: "MONOCHROME2" },
    { tag: 0x00280010, vr: "US", value: 200 },
    { tag: 0x00280011, vr: "US", value: 200 },
    { tag: 0x00280100, vr: "US", value: 16 },
    { tag: 0x00280101, vr: "US", value: 12 },
    { tag: 0x00280103, vr: "US", value: 0 },
    { tag: 0x7fe00010, vr: "OW", value: new Uint8Array(80_000) },
  ],
  { transferSyntaxUid: explicit },
);

interface Stated {
  /** Packed bytes for each byte. */
  readonly share: number;
  readonly bytesPerMs: number;
}

/** Codecs that take as long and give as much as is stated, in so many lanes of a virtual clock. */
function statedWork(clock: VirtualClock, lanes: number, stated: Readonly<Record<string, Stated>>): PackingWork {
  const free = createPermits(lanes);
  return {
    lanes,
    async pack({ bytes, recipe }) {
      const { share, bytesPerMs } = stated[recipe.packing] as Stated;
      await free.take();
      const milliseconds = bytes.length / bytesPerMs;
      await clock.sleep(milliseconds);
      free.give();
      const length = Math.ceil(bytes.length * share);
      return { parts: length < bytes.length ? [new Uint8Array(length)] : undefined, milliseconds };
    },
  };
}

/** Milliseconds until the last of `count` objects has passed a link that takes one after the other. */
async function journey(
  count: number,
  linkBytesPerMs: number,
  lanes: number,
  stated: Record<string, Stated>,
): Promise<number> {
  const clock = createVirtualClock();
  const shrinker = createShrinker({ work: statedWork(clock, lanes, stated), clock });
  shrinker.pace(linkBytesPerMs * 1000);
  const inHand = createPermits(8);
  /** When the link is free again. */
  let last = 0;
  const sent = Array.from({ length: count }, async () => {
    await inHand.take();
    const { parts } = await shrinker.pack(dataSet, explicit);
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    last = Math.max(last, clock.monotonicMs()) + bytes / linkBytesPerMs;
    await clock.sleep(last - clock.monotonicMs());
    inHand.give();
  });
  const stepMs = dataSet.length / linkBytesPerMs / 16;
  let isDone = false;
  const all = Promise.all(sent).then(() => {
    isDone = true;
  });
  while (!isDone) {
    await laterTurn();
    clock.advance(stepMs);
  }
  await all;
  return last;
}

test("whatever codecs and links do, objects arrive no later than they would have come plain", async () => {
  const stated = fc.record({
    share: fc.double({ min: 0.05, max: 1.2, noNaN: true }),
    bytesPerMs: fc.integer({ min: 2_000, max: 400_000 }),
  });
  const codecs = fc.record({ zstd: stated, htj2k: stated, "jpeg-ls": stated });
  await fc.assert(
    fc.asyncProperty(
      codecs,
      fc.integer({ min: 250, max: 60_000 }),
      fc.integer({ min: 1, max: 4 }),
      async (each, link, lanes) => {
        const count = 60;
        const plainMs = (count * dataSet.length) / link;
        // What it takes to know: each recipe once on the first, and one again on one of the next.
        const recipes = [each.zstd, each.zstd, each.zstd, each.htj2k, each["jpeg-ls"]];
        const knowingMs = recipes.reduce((sum, { bytesPerMs }) => sum + dataSet.length / bytesPerMs, 0) * 2;
        const tookMs = await journey(count, link, lanes, each);
        assert.ok(tookMs <= plainMs * 1.05 + knowingMs + 5, `${tookMs} ms instead of ${plainMs} and ${knowingMs}`);
      },
    ),
    { numRuns: 20, seed: 6 },
  );
});

test("on a slow link what is smallest is chosen, on a faster one what keeps up, on the fastest nothing", async () => {
  const stated = {
    zstd: { share: 0.5, bytesPerMs: 200_000 },
    htj2k: { share: 0.3, bytesPerMs: 40_000 },
    "jpeg-ls": { share: 0.25, bytesPerMs: 10_000 },
  };
  const arriving = async (link: number) => (200 * dataSet.length) / (await journey(200, link, 2, stated));
  assert.ok((await arriving(1_000)) > 3_000, "of JPEG-LS, with what it took to know");
  assert.ok((await arriving(10_000)) > 25_000, "of HTJ2K");
  assert.ok((await arriving(40_000)) > 55_000, "of zstd");
});

test("while nothing waits, what is packed and sent soonest over a link as fast as it was last is chosen", () => {
  const choice = createPackingChoice({ lanes: 2, clock: createVirtualClock() });
  assert.equal(choice.best("CT"), undefined);
  choice.learn("CT", zstd, 100_000, 60_000, 1);
  choice.learn("CT", htj2k, 100_000, 30_000, 2.5);
  choice.learn("CT", { packing: "jpeg-ls", level: 3 }, 100_000, 25_000, 100);
  assert.deepEqual(choice.best("CT"), htj2k);
  choice.pace(30_000_000);
  choice.pace(undefined);
  assert.deepEqual(choice.best("CT"), zstd);
  assert.equal(choice.best("MR"), undefined);
});

test("what saves next to nothing, or cannot be done, is left", () => {
  const choice = createPackingChoice({ lanes: 1, clock: createVirtualClock() });
  choice.pace(1);
  choice.learn("CT", zstd, 100_000, 97_000, 1);
  choice.learn("CT", htj2k, 100_000, undefined, 1);
  assert.equal(choice.best("CT"), undefined);
});

test("what was slow once is tried again, and chosen when it is slow no more", () => {
  const clock = createVirtualClock();
  const choice = createPackingChoice({ lanes: 1, clock });
  choice.pace(20_000_000);
  choice.learn("CT", zstd, 100_000, 60_000, 1);
  choice.learn("CT", htj2k, 100_000, 30_000, 100);
  const again = Array.from({ length: 3_000 }, () => {
    clock.advance(10);
    choice.learn("CT", zstd, 100_000, 60_000, 1);
    const due = choice.due("CT", 100_000);
    if (due !== undefined) choice.learn("CT", due, 100_000, 30_000, 2);
    return due?.packing;
  });
  assert.equal(again.indexOf("htj2k"), 999, "after a hundred times as long as it took");
  assert.deepEqual(choice.best("CT"), htj2k);
});
