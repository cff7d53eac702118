import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { systemClock } from "#base/clock";
import { type ElementInput, readFile, TransferSyntaxUid, type Vr, writeDataSet } from "#formats/dicom";
import { createFrameCodecs } from "#imaging/codecs";
import { createPackingHere } from "./packing-here.ts";
import type { PackingWork, Recipe } from "./packing-work.ts";
import { shapeOf } from "./picture-layout.ts";
import { createShrinker } from "./shrinking.ts";
import { unpacked } from "./unpacked.fixture.ts";

const data = join(process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data"), "dicom");
const explicit = TransferSyntaxUid.explicitLittleEndian;
const work = createPackingHere({ codecs: createFrameCodecs(), clock: systemClock });

/** Packs in one way where that can be done at all. */
function shrinkerBy(packing: Recipe["packing"]) {
  const only: PackingWork = {
    lanes: 1,
    pack: async (task) => (task.recipe.packing === packing ? work.pack(task) : { parts: undefined, milliseconds: 1 }),
  };
  const shrinker = createShrinker({ work: only, clock: systemClock });
  shrinker.pace(1); // whatever it takes
  return shrinker;
}

const sizeOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);

test("every real data set comes back bit for bit, in every way that it can be packed", async (t) => {
  if (!existsSync(data)) return t.skip("needs the real data");
  const shrinkers = (["zstd", "htj2k", "jpeg-ls"] as const).map(shrinkerBy);
  const each = process.env.LEADGLASS_LONG === "1" ? 1 : 9;
  const counts: Record<string, number> = {};
  const files = readdirSync(data, { recursive: true, encoding: "utf8" }).sort();
  for (const [index, name] of files.entries()) {
    if (index % each !== 0) continue;
    const read = readable(join(data, name));
    if (read === undefined) continue;
    const { dataSet, transferSyntaxUid } = read;
    for (const shrinker of shrinkers) {
      const packed = await shrinker.pack(dataSet, transferSyntaxUid);
      counts[packed.packing] = (counts[packed.packing] ?? 0) + 1;
      assert.ok(sizeOf(packed.parts) <= dataSet.length, name);
      assert.ok((await unpacked(packed, dataSet.length)).equals(dataSet), `${name} by ${packed.packing}`);
    }
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok(Object.keys(counts).length === 4, "each way was taken");
});

function readable(path: string) {
  try {
    const bytes = readFileSync(path);
    const { dataSetOffset, transferSyntaxUid } = readFile(bytes, { partial: true });
    return { dataSet: bytes.subarray(dataSetOffset), transferSyntaxUid };
  } catch {
    return undefined; // a folder, or no file of DICOM
  }
}

interface Made {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly allocated: number;
  readonly stored: number;
  readonly signed: number;
  readonly planar: number;
  readonly photometric: string;
  readonly frames: number;
  /** Bits that are set in samples, whatever they mean. */
  readonly bits: number;
  readonly seed: number;
  /** Bytes of the pixels that are not there, or too many. */
  readonly odd: number;
  readonly trailing: boolean;
  readonly implicit: boolean;
}

const made: fc.Arbitrary<Made> = fc.record({
  rows: fc.integer({ min: 1, max: 72 }),
  columns: fc.integer({ min: 1, max: 72 }),
  samples: fc.constantFrom(1, 1, 3),
  allocated: fc.constantFrom(8, 16, 16),
  stored: fc.integer({ min: 1, max: 16 }),
  signed: fc.constantFrom(0, 1),
  planar: fc.constantFrom(0, 1),
  photometric: fc.constantFrom("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "PALETTE COLOR"),
  frames: fc.integer({ min: 1, max: 4 }),
  bits: fc.constantFrom(0x0fff, 0xffff, 0xf00f, 0x0001, 0x00ff, 0x8fff),
  seed: fc.nat(),
  odd: fc.integer({ min: -3, max: 5 }),
  trailing: fc.boolean(),
  implicit: fc.boolean(),
});

function imageOf(image: Made): { readonly dataSet: Buffer; readonly syntax: string } {
  const { rows, columns, samples, allocated, stored, signed, planar, photometric, frames, bits, seed } = image;
  const size = rows * columns * samples * (allocated / 8) * frames;
  const pixels = Buffer.alloc(Math.max(0, size + image.odd));
  let state = seed | 1;
  const width = allocated / 8;
  for (let at = 0; at + width <= pixels.length; at += width) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    // Smooth with some noise, so that it shrinks; now and then a word of any bits.
    const value = (state % 997 === 0 ? state >>> 8 : (at >> 7) + ((state >>> 16) & 1)) & bits;
    pixels.writeUIntLE(value & (width === 1 ? 0xff : 0xffff), at, width);
  }
  const us = (tag: number, value: number): ElementInput => ({ tag, vr: "US", value });
  const syntax = image.implicit ? TransferSyntaxUid.implicitLittleEndian : explicit;
  const text = (tag: number, vr: Vr, value: string): ElementInput => ({ tag, vr, value });
  const elements: ElementInput[] = [
    text(0x00080060, "CS", "OT"),
    text(0x00204000, "LT", "as it came ".repeat(300)),
    us(0x00280002, samples),
    text(0x00280004, "CS", photometric),
    ...(samples > 1 ? [us(0x00280006, planar)] : []),
    text(0x00280008, "IS", String(frames)),
    ...[us(0x00280010, rows), us(0x00280011, columns), us(0x00280100, allocated)],
    ...[us(0x00280101, Math.min(stored, allocated)), us(0x00280103, signed)],
    { tag: 0x7fe00010, vr: "OW", value: pixels },
    ...(image.trailing ? [{ tag: 0xfffcfffc, vr: "OB", value: Buffer.alloc(30, 7) } as const] : []),
  ];
  return { dataSet: Buffer.from(writeDataSet(elements, { transferSyntaxUid: syntax })), syntax };
}

test("images of any shape and sign, with garbage in their unused bits, too short or too long, come back bit for bit", async () => {
  const ways = new Set<string>();
  await fc.assert(
    fc.asyncProperty(made, fc.integer({ min: 1, max: 3_000 }), async (image, pieceBytes) => {
      const { dataSet, syntax } = imageOf(image);
      const { picture } = await shapeOf(dataSet, syntax);
      for (const packing of ["htj2k", "jpeg-ls"] as const) {
        const { parts } = await work.pack({ bytes: dataSet, picture, recipe: { packing, level: 1 } });
        if (parts === undefined) continue;
        const colour = image.samples === 1 ? "grey" : ["by pixel", "by plane"][image.planar];
        ways.add(`${packing} ${image.allocated} ${image.signed} ${colour}`);
        assert.ok((await unpacked({ packing, parts }, dataSet.length, pieceBytes)).equals(dataSet));
      }
    }),
    { numRuns: 60, seed: 11 },
  );
  for (const packing of ["htj2k", "jpeg-ls"]) {
    for (const way of ["8 0 grey", "8 1 grey", "16 0 grey", "16 1 grey", "8 0 by pixel", "8 0 by plane"]) {
      assert.ok(ways.has(`${packing} ${way}`), `${packing} ${way}`);
    }
  }
});

test("a frame longer than one codestream takes is cut into several, and bytes that are none of its own go with it", async () => {
  const rows = 1_500;
  const columns = 2_000;
  const shape = { rows, columns, samples: 1, allocated: 16, stored: 12, signed: 0, planar: 0, frames: 1, seed: 3 };
  const { dataSet } = imageOf({
    ...{ ...shape, photometric: "MONOCHROME1", bits: 0x0fff, odd: 2, trailing: true, implicit: false },
  });
  const packed = await shrinkerBy("htj2k").pack(dataSet, explicit);
  assert.equal(packed.packing, "htj2k");
  assert.equal(packed.parts[0]?.length, 24 + 3 * 4, "the lengths of three codestreams");
  assert.ok((await unpacked(packed, dataSet.length)).equals(dataSet));
});

test("anything at all goes plain where it cannot be made shorter: noise, what is cut, what is no data set", async () => {
  const shrinker = createShrinker({ work, clock: systemClock });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 0, maxLength: 5_000 }),
      fc.constantFrom("", explicit, "1.2.3"),
      async (bytes, uid) => {
        const packed = await shrinker.pack(bytes, uid);
        assert.ok((await unpacked(packed, bytes.length, 700)).equals(bytes));
      },
    ),
    { numRuns: 100, seed: 4 },
  );
  const { dataSet } = imageOf(fc.sample(made, { numRuns: 1, seed: 2 })[0] as Made);
  for (const length of [2_100, 3_000, dataSet.length - 1]) {
    const cut = dataSet.subarray(0, length);
    assert.ok((await unpacked(await shrinker.pack(cut, explicit), length)).equals(cut));
  }
});

test("codecs that fail, give other bytes or die leave an object as it was", async () => {
  const { dataSet, syntax } = imageOf({ ...(fc.sample(made, { numRuns: 1, seed: 2 })[0] as Made), odd: 0 });
  const codecs = createFrameCodecs();
  const liar: typeof codecs = {
    ...codecs,
    encodeFrame: (pixels, image) =>
      codecs.encodeFrame(
        pixels.map((byte) => byte ^ 1),
        image,
      ),
  };
  const lying = createPackingHere({ codecs: liar, clock: systemClock });
  const { packing } = await createShrinker({ work: lying, clock: systemClock }).pack(dataSet, syntax);
  assert.ok(packing === "zstd" || packing === "plain", "found out before it is given");
  const dead: PackingWork = { lanes: 1, pack: () => Promise.reject(new Error("the thread has died")) };
  const plain = await createShrinker({ work: dead, clock: systemClock }).pack(dataSet, syntax);
  assert.deepEqual(plain, { packing: "plain", parts: [dataSet] });
});

test("who waits for room may leave; the room comes free", async () => {
  const doors: (() => void)[] = [];
  const slow: PackingWork = {
    lanes: 1,
    pack: () => new Promise((resolve) => doors.push(() => resolve({ parts: undefined, milliseconds: 1 }))),
  };
  const shrinker = createShrinker({ work: slow, clock: systemClock });
  const large = Buffer.alloc(shrinker.wholeBytesMax);
  const first = shrinker.pack(large, explicit);
  const leaving = new AbortController();
  const second = shrinker.pack(large, explicit, leaving.signal);
  leaving.abort(new Error("no more"));
  const rejected = assert.rejects(second, /no more/);
  let isDone = false;
  const done = first.then(() => {
    isDone = true;
  });
  while (!isDone) {
    for (const open of doors.splice(0)) open();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all([done, rejected]);
  assert.equal((await shrinker.pack(Buffer.alloc(10), explicit)).packing, "plain");
});

test("what is too long to be held is packed as it comes, chunk by chunk; compressed pictures go as they are", async () => {
  const shrinker = createShrinker({ work, clock: systemClock });
  const stream = shrinker.packing(explicit);
  assert.equal(stream.packing, "zstd");
  const pieces = Array.from({ length: 40 }, (_, index) =>
    Buffer.from(Uint8Array.from({ length: 70_000 }, (_, at) => (index % 3 === 0 ? (at * at * index) >> 5 : at >> 8))),
  );
  const parts: Uint8Array[] = [];
  for (const piece of [...pieces, Buffer.alloc(0)]) parts.push(...(await stream.write(piece)));
  parts.push(...(await stream.end()));
  const whole = Buffer.concat(pieces);
  assert.ok(sizeOf(parts) < whole.length / 2);
  assert.ok(
    (await unpacked({ packing: "zstd", parts }, whole.length + 1_000)).equals(whole),
    "its length is not known before",
  );
  const jpeg = shrinker.packing(TransferSyntaxUid.jpegBaseline8Bit);
  assert.equal(jpeg.packing, "plain");
  const written = await jpeg.write(whole);
  assert.deepEqual([...written, ...(await jpeg.end())], [whole]);
});
