import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, deflateRawSync, deflateSync } from "node:zlib";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { createInflater } from "./inflate.ts";

function inflate(pieces: readonly Uint8Array[], limits = { inflatedBytesMax: 1e9, inflateRatioMax: 2000 }) {
  const out: Uint8Array[] = [];
  const inflater = createInflater({ ...limits, onOutput: (bytes) => void out.push(bytes.slice()) });
  for (const piece of pieces) inflater.push(piece);
  return { bytes: Buffer.concat(out), finished: inflater.finished() };
}

function* split(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const plain = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 4000 }).map((all) => Uint8Array.from(all)),
  fc.integer({ min: 0, max: 200_000 }).map((size) => new Uint8Array(size).fill(7, size >> 2)),
  fc.integer({ min: 0, max: 200_000 }).map((size) => Uint8Array.from({ length: size }, (_, i) => (i * i) >> 7)),
);

test("What zlib deflates is inflated to the same bytes, however the stream is cut", () => {
  fc.assert(
    fc.property(
      plain,
      fc.constantFrom(0, 1, 6, 9),
      fc.constantFrom(constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
      (bytes, level, strategy, sizes) => {
        const result = inflate([...split(deflateRawSync(bytes, { level, strategy }), sizes)]);
        assert.equal(result.finished, true);
        assert.ok(result.bytes.equals(bytes));
      },
    ),
    { numRuns: 150, seed: 7 },
  );
});

test("A stream cut at every byte gives the same bytes, one byte at a time", () => {
  const bytes = Buffer.from("The lead glass is the window of an X-ray room. ".repeat(300));
  const result = inflate([...split(deflateRawSync(bytes), [1])]);
  assert.ok(result.bytes.equals(bytes));
});

test("The two bytes of zlib in front are passed over, and padding behind is ignored", () => {
  const bytes = Buffer.from("0123456789".repeat(50));
  assert.ok(inflate([deflateSync(bytes)]).bytes.equals(bytes));
  assert.ok(inflate([Buffer.concat([deflateRawSync(bytes), Buffer.from([0])])]).bytes.equals(bytes));
});

test("Who has enough stops it in the midst of a piece, and is given no more of that or of another", () => {
  const random = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i * 31) >> (i % 11));
  for (const bytes of [
    deflateRawSync(Buffer.alloc(40_000_000)),
    deflateRawSync(random, { level: 0 }),
    deflateRawSync(random),
  ]) {
    const given: number[] = [];
    const onOutput = (piece: Uint8Array) => {
      given.push(piece.length);
      if (given.length === 2) inflater.stop();
    };
    const inflater = createInflater({ inflatedBytesMax: 1e9, inflateRatioMax: 2000, onOutput });
    inflater.push(bytes);
    inflater.push(bytes);
    assert.equal(given.length, 2);
    assert.ok(Math.max(...given) < 100_000);
    assert.equal(inflater.finished(), false);
  }
});

test("A bomb is refused by its size and by its ratio", () => {
  const bomb = deflateRawSync(Buffer.alloc(40_000_000));
  const tooLarge = (error: unknown) => isProblem(error, "too-large");
  assert.throws(() => inflate([bomb], { inflatedBytesMax: 1_000_000, inflateRatioMax: 2000 }), tooLarge);
  assert.throws(() => inflate([bomb], { inflatedBytesMax: 1e9, inflateRatioMax: 100 }), tooLarge);
});

test("Random bytes end with output or with an invalid Problem, never otherwise", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 400 }), (bytes) => {
      try {
        inflate([bytes]);
      } catch (error) {
        assert.ok(isProblem(error, "invalid"), String(error));
      }
    }),
    { numRuns: 3000, seed: 11 },
  );
});
