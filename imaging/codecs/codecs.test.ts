import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import turbo from "@julusian/jpeg-turbo";
import { isProblem } from "#base/problem";
import { createFrameCodecs, type FrameDescription, packBits } from "./index.ts";

const codecs = createFrameCodecs();
const syntax = (end: string) => `1.2.840.10008.1.2${end}`;

const shape = (over: Partial<FrameDescription> = {}): FrameDescription => ({
  transferSyntaxUid: syntax(".1"),
  rows: 64,
  columns: 48,
  samplesPerPixel: 1,
  bitsAllocated: 8,
  bitsStored: 8,
  pixelRepresentation: 0,
  photometricInterpretation: "MONOCHROME2",
  ...over,
});

/** Smooth shapes with some noise over them, of `bits` bits, two's complement when signed. */
function samplesFor(image: FrameDescription): Uint8Array {
  const count = image.rows * image.columns * image.samplesPerPixel;
  const half = 2 ** (image.bitsStored - 1);
  const out = image.bitsAllocated === 8 ? new Uint8Array(count) : new Uint16Array(count);
  let state = 12345;
  for (let i = 0; i < count; i++) {
    state = Math.imul(state, 1664525) + 1013904223;
    const wave = Math.sin(i / 91) * Math.cos((i % image.columns) / 7) * half * 0.8;
    const value = Math.round(wave + (((state >>> 16) & 0xff) / 255 - 0.5) * half * 0.1);
    out[i] = image.pixelRepresentation === 1 ? value : value + half;
  }
  return new Uint8Array(out.buffer);
}

const isInvalid = (error: unknown) => isProblem(error, "invalid");

describe("native frames", () => {
  test("one bit pixels come out as bytes, from any bit on, lowest bit first", async () => {
    const image = shape({ rows: 2, columns: 5, bitsAllocated: 1, bitsStored: 1, bitOffset: 6 });
    const frame = await codecs.decodeFrame(Uint8Array.of(0b01000000, 0b10110101), image);
    assert.deepEqual([...frame.pixels], [1, 0, 1, 0, 1, 0, 1, 1, 0, 1]);
    assert.equal(frame.bitsAllocated, 8);
    assert.deepEqual([...packBits(frame.pixels)], [0b11010101, 0b10]);
  });

  test("big endian words of 16 and 32 bits are turned, and bytes sent as OW in pairs", async () => {
    const big = { transferSyntaxUid: syntax(".2"), rows: 1 };
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const decoded = async (over: Partial<FrameDescription>) => [
      ...(await codecs.decodeFrame(bytes, shape({ ...big, ...over }))).pixels,
    ];
    assert.deepEqual(await decoded({ columns: 2, bitsAllocated: 16 }), [2, 1, 4, 3]);
    assert.deepEqual(await decoded({ columns: 1, bitsAllocated: 32 }), [4, 3, 2, 1]);
    assert.deepEqual(await decoded({ columns: 4, pixelDataVr: "OB" }), [1, 2, 3, 4]);
    assert.deepEqual(await decoded({ columns: 3, pixelDataVr: "OW" }), [2, 1, 4]);
  });

  test("4:2:2 colour is widened: both pixels of a pair take its Cb and Cr", async () => {
    const image = shape({ rows: 1, columns: 2, samplesPerPixel: 3, photometricInterpretation: "YBR_FULL_422" });
    const frame = await codecs.decodeFrame(Uint8Array.of(10, 20, 30, 40), image);
    assert.deepEqual([...frame.pixels], [10, 30, 40, 20, 30, 40]);
    assert.equal(frame.photometricInterpretation, "YBR_FULL");
  });

  test("a deflated frame is inflated, and refused when it is damaged or holds another length", async () => {
    const image = shape({ transferSyntaxUid: syntax(".8.1") });
    const pixels = samplesFor(image);
    assert.deepEqual((await codecs.decodeFrame(deflateRawSync(pixels), image)).pixels, pixels);
    for (const bytes of [deflateRawSync(pixels.subarray(9)), deflateRawSync(new Uint8Array(1 << 22)), pixels]) {
      await assert.rejects(codecs.decodeFrame(bytes, image), isInvalid);
    }
  });
});

describe("limits", () => {
  test("a frame over the limit is refused by its header, whatever the bytes are", async () => {
    const image = shape({ rows: 65535, columns: 65535, bitsAllocated: 16, bitsStored: 16 });
    for (const end of [".1", ".5", ".4.50", ".4.70", ".4.80", ".4.90", ".4.201", ".8.1"]) {
      const huge = codecs.decodeFrame(new Uint8Array(8), { ...image, transferSyntaxUid: syntax(end) });
      await assert.rejects(huge, (error) => isProblem(error, "too-large"), end);
    }
    const small = codecs.decodeFrame(new Uint8Array(64 * 48), shape(), { outputBytesMax: 64 * 48 - 1 });
    await assert.rejects(small, (error) => isProblem(error, "too-large"));
  });

  test("a header that makes no sense is refused", async () => {
    const senseless: Partial<FrameDescription>[] = [
      { rows: 0 },
      { columns: 1.5 },
      { rows: Number.NaN },
      { samplesPerPixel: 0 },
      { samplesPerPixel: 200 },
      { bitsAllocated: 12 },
      { bitsStored: 9 },
      { bitsStored: 0 },
      { pixelRepresentation: 2 },
      { bitOffset: 8 },
    ];
    for (const over of senseless)
      await assert.rejects(codecs.decodeFrame(new Uint8Array(9999), shape(over)), isInvalid);
  });

  test("a transfer syntax without a decoder is unsupported, not invalid", async () => {
    const video = codecs.decodeFrame(new Uint8Array(8), shape({ transferSyntaxUid: syntax(".4.102") }));
    await assert.rejects(video, (error) => isProblem(error, "unsupported"));
  });
});

const depths: [string, Partial<FrameDescription>][] = [
  ["8 bits", {}],
  ["12 bits in 16", { bitsAllocated: 16, bitsStored: 12 }],
  ["16 bits", { bitsAllocated: 16, bitsStored: 16 }],
  ["16 bits signed", { bitsAllocated: 16, bitsStored: 16, pixelRepresentation: 1 }],
  ["12 bits signed in 16", { bitsAllocated: 16, bitsStored: 12, pixelRepresentation: 1 }],
  ["RGB", { samplesPerPixel: 3, photometricInterpretation: "RGB" }],
];
const compressing = [".5", ".4.57", ".4.70", ".4.80", ".4.90", ".4.201", ".4.202"].map(syntax);

describe("compressed frames", () => {
  for (const transferSyntaxUid of compressing) {
    for (const [what, over] of depths) {
      test(`${what} come back from ${transferSyntaxUid} without loss`, async () => {
        const image = shape({ ...over, transferSyntaxUid, rows: 50, columns: 71 });
        const pixels = samplesFor(image);
        const bytes = await codecs.encodeFrame(pixels, image);
        const frame = await codecs.decodeFrame(bytes, image);
        assert.deepEqual(frame.pixels, pixels);
        assert.equal(frame.photometricInterpretation, image.photometricInterpretation);
        assert.equal(frame.planarConfiguration, 0);
      });
    }
  }

  test("frames of a few pixels, and bits set above those stored, come back too", async () => {
    for (const transferSyntaxUid of compressing) {
      for (const [rows, columns] of [
        [1, 1],
        [2, 64],
        [31, 33],
      ] as const) {
        const image = shape({ transferSyntaxUid, rows, columns, bitsAllocated: 16, bitsStored: 12 });
        const pixels = new Uint8Array(Uint16Array.from({ length: rows * columns }, (_, at) => at * 977).buffer);
        const frame = await codecs.decodeFrame(await codecs.encodeFrame(pixels, image), image);
        assert.deepEqual(frame.pixels, pixels, `${transferSyntaxUid} ${rows} by ${columns}`);
      }
    }
  });

  test("a stored frame is compressed again for another syntax, and says how its colour is coded then", async () => {
    const image = shape({ samplesPerPixel: 3, photometricInterpretation: "RGB", planarConfiguration: 1 });
    const planes = samplesFor(image);
    const straight = planes.map((_, at) => planes[(at % 3) * 64 * 48 + Math.floor(at / 3)] as number);
    for (const to of compressing) {
      const { bytes, photometricInterpretation } = await codecs.recodeFrame(planes, image, to);
      const mixes = /4\.(90|20[12])$/.test(to);
      assert.equal(photometricInterpretation, mixes ? "YBR_RCT" : "RGB");
      const coded = { ...image, transferSyntaxUid: to, photometricInterpretation, planarConfiguration: 0 };
      assert.deepEqual((await codecs.decodeFrame(bytes, coded)).pixels, straight, to);
      const ybr = { ...image, photometricInterpretation: "YBR_FULL" };
      const kept = await codecs.recodeFrame(planes, ybr, to);
      assert.equal(kept.photometricInterpretation, "YBR_FULL");
      const back = await codecs.decodeFrame(kept.bytes, { ...coded, photometricInterpretation: "YBR_FULL" });
      assert.deepEqual([back.photometricInterpretation, back.pixels], ["YBR_FULL", straight]);
    }
  });

  test("colour mixed by the codec is called RGB when it comes out, although the header says YBR_RCT", async () => {
    const image = shape({
      samplesPerPixel: 3,
      photometricInterpretation: "YBR_RCT",
      transferSyntaxUid: syntax(".4.90"),
    });
    const pixels = samplesFor(image);
    const frame = await codecs.decodeFrame(await codecs.encodeFrame(pixels, image), image);
    assert.equal(frame.photometricInterpretation, "RGB");
    assert.deepEqual(frame.pixels, pixels);
  });

  test("the bytes given are never written to, be they a Buffer or not", async () => {
    for (const transferSyntaxUid of compressing) {
      const image = shape({ transferSyntaxUid });
      const bytes = Buffer.from(await codecs.encodeFrame(samplesFor(image), image));
      const before = bytes.toString("hex");
      await codecs.decodeFrame(bytes, image);
      assert.equal(bytes.toString("hex"), before, transferSyntaxUid);
    }
  });

  test("a frame of another size than its header says is refused before it is decoded", async () => {
    for (const transferSyntaxUid of compressing.slice(1)) {
      const image = shape({ transferSyntaxUid });
      const bytes = await codecs.encodeFrame(samplesFor(image), image);
      for (const over of [{ rows: 65 }, { columns: 47 }, { samplesPerPixel: 3 }]) {
        await assert.rejects(codecs.decodeFrame(bytes, { ...image, ...over }), isInvalid);
      }
    }
  });

  test("a JPEG frame in RGB without any marker stays RGB when its header says so, and is YCbCr when that says so", async () => {
    const pixels = Buffer.alloc(64 * 48 * 3, 0);
    for (let i = 0; i < pixels.length; i += 3) pixels[i] = 200;
    const options = { width: 48, height: 64, format: turbo.FORMAT_RGB, subsampling: turbo.SAMP_444, quality: 100 };
    const jfif = turbo.compressSync(pixels, options);
    // The APP0 segment follows the start marker.
    const bare = Buffer.concat([jfif.subarray(0, 2), jfif.subarray(4 + jfif.readUInt16BE(4))]);
    const image = shape({ samplesPerPixel: 3, transferSyntaxUid: syntax(".4.50") });
    const first = async (bytes: Uint8Array, photometricInterpretation: string) => {
      const frame = await codecs.decodeFrame(bytes, { ...image, photometricInterpretation });
      assert.equal(frame.photometricInterpretation, "RGB");
      return [...frame.pixels.subarray(0, 3)];
    };
    const near = (one: number[], other: number[]) =>
      one.every((value, i) => Math.abs(value - (other[i] as number)) <= 2);
    assert.ok(near(await first(jfif, "YBR_FULL_422"), [200, 0, 0]));
    assert.ok(near(await first(jfif, "RGB"), [200, 0, 0]));
    assert.ok(near(await first(bare, "YBR_FULL_422"), [200, 0, 0]));
    assert.ok(near(await first(bare, "RGB"), [60, 94, 228]), "the coded components as they are");
  });
});

describe("damaged frames", () => {
  const jpeg = (image: FrameDescription) =>
    turbo.compressSync(Buffer.from(samplesFor(image)), {
      width: image.columns,
      height: image.rows,
      format: turbo.FORMAT_GRAY,
      subsampling: turbo.SAMP_GRAY,
    });

  test("cut or changed anywhere, a frame is refused by a Problem or decodes to its full size", async () => {
    const outcomes = { refused: 0, decoded: 0 };
    for (const transferSyntaxUid of [...compressing, syntax(".4.50")]) {
      const image = shape({ transferSyntaxUid, rows: 32, columns: 32 });
      const whole = transferSyntaxUid.endsWith(".50")
        ? jpeg(image)
        : await codecs.encodeFrame(samplesFor(image), image);
      for (let i = 0; i < 60; i++) {
        const at = Math.floor((whole.length * i) / 60);
        const damaged = i % 2 === 0 ? whole.slice(0, at) : Uint8Array.from(whole);
        if (i % 2 === 1) damaged[at] = (damaged[at] as number) ^ (1 << (i % 8));
        try {
          const { pixels } = await codecs.decodeFrame(damaged, image);
          assert.equal(pixels.length, 32 * 32);
          outcomes.decoded++;
        } catch (error) {
          assert.ok(
            isProblem(error, "invalid") || isProblem(error, "unsupported"),
            `${transferSyntaxUid} at ${at}: ${error}`,
          );
          outcomes.refused++;
        }
      }
    }
    assert.ok(outcomes.refused > outcomes.decoded, `${outcomes.refused} refused, ${outcomes.decoded} decoded`);
  });

  test("after a decoder has failed the next frame decodes as if nothing had been", async () => {
    for (const transferSyntaxUid of compressing.slice(1)) {
      const image = shape({ transferSyntaxUid });
      const pixels = samplesFor(image);
      const whole = await codecs.encodeFrame(pixels, image);
      const damaged = Uint8Array.from(whole);
      damaged.fill(0xa5, Math.floor(whole.length / 3));
      await codecs.decodeFrame(damaged, image).catch(() => undefined);
      assert.deepEqual((await codecs.decodeFrame(whole, image)).pixels, pixels);
    }
  });
});
