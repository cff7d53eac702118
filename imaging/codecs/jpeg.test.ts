import assert from "node:assert/strict";
import { test } from "node:test";
import turbo from "@julusian/jpeg-turbo";
import fc from "fast-check";
import sharp from "sharp";
import { isProblem } from "#base/problem";
import { decodeJpegDct } from "./jpeg-dct.ts";
import { readJpegHeader } from "./jpeg-header.ts";
import { decodeJpegLossless } from "./jpeg-lossless.ts";
import { encodeLosslessJpeg } from "./lossless-jpeg.fixture.ts";

const runs = { numRuns: 60, seed: 7 };

test("lossless JPEG gives back every sample, for all predictors, 2 to 16 bits, restarts, components together or apart", () => {
  const picture = fc.record({
    rows: fc.integer({ min: 1, max: 9 }),
    columns: fc.integer({ min: 1, max: 9 }),
    components: fc.constantFrom(1, 3),
    precision: fc.integer({ min: 2, max: 16 }),
    predictor: fc.integer({ min: 1, max: 7 }),
    pointTransform: fc.constantFrom(0, 0, 1),
    restartRows: fc.constantFrom(0, 1, 3),
    apart: fc.boolean(),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(picture, (p) => {
      const mask = (2 ** p.precision - 1) & ~((1 << p.pointTransform) - 1);
      let state = p.seed | 1;
      const samples = Array.from({ length: p.rows * p.columns * p.components }, () => {
        state = Math.imul(state, 1103515245) + 12345;
        return (state >>> 8) & mask;
      });
      const bytes = encodeLosslessJpeg(p, samples);
      assert.deepEqual(Array.from(decodeJpegLossless(bytes, readJpegHeader(bytes))), samples);
    }),
    runs,
  );
});

test("a lossless JPEG frame that is cut anywhere is refused, not padded", () => {
  const p = {
    rows: 6,
    columns: 6,
    components: 1,
    precision: 12,
    predictor: 4,
    pointTransform: 0,
    restartRows: 2,
    apart: false,
  };
  const bytes = encodeLosslessJpeg(
    p,
    Array.from({ length: 36 }, (_, i) => (i * 997) & 4095),
  );
  for (let length = 0; length < bytes.length - 4; length++) {
    const cut = bytes.subarray(0, length);
    assert.throws(
      () => decodeJpegLossless(cut, readJpegHeader(cut)),
      (error) => isProblem(error, "invalid"),
      `cut to ${length}`,
    );
  }
});

const side = 61;
/** A smooth colour picture, so that loss stays small and both decoders can be compared sample by sample. */
const picture = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
  const [x, y, c] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side), i % 3];
  return 128 + 100 * Math.sin(x / (7 + c) + c) * Math.cos(y / (9 - c));
});

const worst = (one: ArrayLike<number>, other: ArrayLike<number>) => {
  assert.equal(one.length, other.length);
  let most = 0;
  for (let i = 0; i < one.length; i++) most = Math.max(most, Math.abs((one[i] as number) - (other[i] as number)));
  return most;
};

test("our own cosine decoder agrees with libjpeg-turbo within 1 on a grayscale baseline frame", () => {
  const gray = picture.filter((_, i) => i % 3 === 0);
  const options = { width: side, height: side, format: turbo.FORMAT_GRAY, subsampling: turbo.SAMP_GRAY, quality: 90 };
  const jpeg = turbo.compressSync(Buffer.from(gray), options);
  const theirs = turbo.decompressSync(jpeg, { format: turbo.FORMAT_GRAY }).data.subarray(0, gray.length);
  assert.ok(worst(decodeJpegDct(jpeg, readJpegHeader(jpeg)), theirs) <= 1);
});

test("a progressive frame gives the same coefficients as the baseline frame of the same picture", async () => {
  const raw = sharp(picture, { raw: { width: side, height: side, channels: 3 } });
  const jpeg = (progressive: boolean, chromaSubsampling: string) =>
    raw.clone().jpeg({ quality: 92, progressive, chromaSubsampling, optimiseScans: false }).toBuffer();
  for (const chroma of ["4:4:4", "4:2:0"]) {
    const [plain, progressive] = await Promise.all([jpeg(false, chroma), jpeg(true, chroma)]);
    assert.equal(readJpegHeader(progressive).process, 0xc2);
    const one = decodeJpegDct(plain, readJpegHeader(plain));
    assert.equal(worst(one, decodeJpegDct(progressive, readJpegHeader(progressive))), 0, chroma);
  }
});
