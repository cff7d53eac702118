import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/id";
import { isProblem } from "#base/problem";
import { footerBytes, frameStride, headerBytes, segmentBytes } from "./format.ts";
import type { OpenedObject } from "./index.ts";
import { type Loot, type Manipulation, manipulations } from "./manipulations.fixture.ts";
import { createSwitchedVault, type SealedAlone } from "./switched-vault.fixture.ts";

const { vault, pack, hold, sealed } = await createSwitchedVault();

/** Sizes at every border, most of them small: the cost lies in the bytes, the dangers at the borders. */
const random = seededRandom(20261122);
const below = (limit: number) => Buffer.from(random(Buffer.alloc(4))).readUInt32BE() % limit;
const borders = [0, 1, 15, 16, 17, segmentBytes - 1, segmentBytes, segmentBytes + 1];
function sizeOf(serial: number, segmentsMin: number): number {
  if (segmentsMin > 1) return segmentsMin * segmentBytes + (serial % 4 === 0 ? below(segmentBytes) : serial % 3);
  const border = borders[serial % 160];
  if (border !== undefined) return Math.max(border, segmentsMin);
  return serial % 40 === 39 ? below(4 * segmentBytes) + 1 : below(3000) + segmentsMin;
}

const isRefused = (error: unknown) => {
  assert.ok(isProblem(error, "damaged") || isProblem(error, "absent"), `not refused but failed: ${error}`);
  return undefined;
};

/** Asks for all, as one and as a stream, and for a piece of every segment. */
async function tryReading(object: OpenedObject, victim: SealedAlone, made: Buffer, stillGives: boolean): Promise<void> {
  const take = (bytes: Buffer | undefined, from: number, isAllowed: boolean) => {
    if (bytes === undefined || bytes.length === 0) return;
    assert.ok(bytes.equals(victim.plain.subarray(from, from + bytes.length)), "other bytes were given out");
    assert.ok(isAllowed, "bytes were given out");
  };
  const { sizeBytes } = object;
  take(await object.read(0, sizeBytes).catch(isRefused), 0, stillGives);
  let at = 0;
  try {
    for await (const piece of object.stream()) {
      take(piece, at, stillGives);
      at += piece.length;
    }
  } catch (error) {
    isRefused(error);
  }
  for (let from = 0; from < sizeBytes; from += segmentBytes) {
    const to = Math.min(from + segmentBytes, sizeBytes);
    const index = from / segmentBytes;
    const [begin, end] = [index === 0 ? 0 : headerBytes + index * frameStride, headerBytes + (index + 1) * frameStride];
    // A segment that is as it was, where it was, opens by itself: that is what segments are for.
    const isWhole = made.subarray(begin, end).equals(victim.bytes.subarray(begin, end));
    take(await object.read(from, to).catch(isRefused), from, stillGives || isWhole);
    const middle = (from + to) >> 1;
    take(await object.read(middle, Math.min(middle + 100, to)).catch(isRefused), middle, stillGives || isWhole);
  }
}

/** Tries a manipulated object at the place where it was, and where it ends now. */
async function tryOne(begin: number, victim: SealedAlone, bytes: Buffer, manipulation: Manipulation) {
  const places = new Set([begin + victim.bytes.length - footerBytes, begin + bytes.length - footerBytes]);
  for (const offset of places) {
    const object = await vault.open({ pack, offset }).catch(isRefused);
    // Whoever keeps a place keeps the id of what was put there.
    if (object === undefined || object.id !== victim.id) continue;
    await tryReading(object, victim, bytes, manipulation.stillGives === true);
  }
  let told = 0;
  for await (const _ of vault.check()) told++;
  assert.equal(told > 0, !manipulation.isUntold, "told by check");
}

const times = 1000;
/** Stands in front, so that a false length leads somewhere. */
const before = await sealed("1.2.3", 5000);

/** How many objects each of these manipulations was tried on; throws at the first that is not refused. */
async function tryAll(these: readonly Manipulation[], segmentsMin: number): Promise<Map<string, number>> {
  const counts = new Map(these.map(({ name }) => [name, 0]));
  for (let serial = 0; serial < times; serial++) {
    const size = sizeOf(serial, segmentsMin);
    const victim = await sealed("1.2.3", size, 1 + (serial % 300));
    const [sibling, stranger] = [await sealed("1.2.3", size), await sealed("9.9", size)];
    const loot: Loot = { victim: victim.bytes, sibling: sibling.bytes, stranger: stranger.bytes };
    for (const manipulation of these) {
      const made = manipulation.on(loot, below(2 ** 31));
      assert.ok(!made.equals(victim.bytes), `${manipulation.name} changed nothing`);
      await hold(before.bytes, made);
      await tryOne(before.bytes.length, victim, made, manipulation).catch((error) => {
        throw new Error(`object ${serial} of ${size} bytes, ${manipulation.name}`, { cause: error });
      });
      counts.set(manipulation.name, (counts.get(manipulation.name) ?? 0) + 1);
    }
  }
  return counts;
}

// Tried before the first test begins: node:test follows every promise that is made inside of one, which doubles the time.
const outcomes = new Map<number, Map<string, number> | Error>();
for (const segmentsMin of [0, 1, 2]) {
  const these = manipulations.filter((each) => each.segmentsMin === segmentsMin);
  outcomes.set(segmentsMin, await tryAll(these, segmentsMin).catch((error: Error) => error));
}

for (const [segmentsMin, outcome] of outcomes) {
  test(`manipulations of ${times} objects of ${segmentsMin} or more segments each are refused`, async (t) => {
    if (outcome instanceof Error) throw outcome;
    for (const [name, count] of outcome) await t.test(`${name}: ${count} refused`, () => assert.equal(count, times));
  });
}
