import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "#base/problem";
import { createFrameReader } from "./frame-reader.ts";
import { encodeFrame, type Frame, farewells, listedMax, objectBytesMax, refusalReasons } from "./frames.ts";

const seed = 11;
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const number = fc.nat(0xffffffff);
const positions = fc.array(fc.record({ number, at: fc.maxSafeNat().map((value) => value % 2 ** 48) }), {
  minLength: 1,
  maxLength: 20,
});
const kind = <T extends Frame["type"]>(type: T) => fc.constant(type);

const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: kind("hello"), version: fc.nat(0xffff), session: bytes(16) }),
  fc.record({ type: kind("welcome"), incarnation: bytes(16), windowBytes: number, objectsMax: fc.nat(0xffff) }),
  fc.record({
    type: kind("offer"),
    objects: fc.array(
      fc.record({
        number,
        id: bytes(16).map((id) => Buffer.from(id).toString("hex")),
        length: fc.maxSafeNat().map((value) => value % objectBytesMax),
        sha256: bytes(32),
      }),
      { minLength: 1, maxLength: 20 },
    ),
  }),
  fc.record({ type: kind("answer"), positions }),
  fc.record({ type: kind("taken"), positions }),
  fc.record({
    type: kind("data"),
    number,
    from: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 3000, size: "max" }),
  }),
  fc.record({ type: kind("received"), bytes: fc.nat() }),
  fc.record({ type: kind("receipt"), number, receipt: fc.uint8Array({ maxLength: 600 }) }),
  fc.record({ type: kind("refusal"), number, reason: fc.constantFrom(...refusalReasons) }),
  fc.record({ type: kind("withdrawal"), number }),
  fc.record({ type: kind("alive") }),
  fc.record({ type: kind("goodbye"), reason: fc.constantFrom(...farewells) }),
);

const encoded = (frames: readonly Frame[]) => Buffer.concat(frames.flatMap(encodeFrame));
function read(stream: Uint8Array, cuts: readonly number[]): Frame[] {
  const frames: Frame[] = [];
  const reader = createFrameReader((each) => frames.push(each));
  const bounds = [0, ...[...cuts].map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  for (let at = 1; at < bounds.length; at++) reader.read(Uint8Array.from(stream.subarray(bounds[at - 1], bounds[at])));
  return frames;
}

test("frames are read as they were written, wherever the stream was cut", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
      const given = read(encoded(frames), cuts);
      assert.deepEqual(
        given.map(({ type }) => type),
        frames.map(({ type }) => type),
      );
      assert.deepEqual(encoded(given), encoded(frames));
    }),
    { seed, numRuns: 300 },
  );
});

test("whatever the bytes, the reader gives frames or a Problem, and what it gives is written as the same bytes", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 3 }), fc.array(fc.tuple(fc.nat(), fc.nat(255))), (frames, changes) => {
      const stream = encoded(frames);
      for (const [at, value] of changes) if (stream.length > 0) stream[at % stream.length] = value;
      const given: Frame[] = [];
      const reader = createFrameReader((each) => given.push(each));
      try {
        reader.read(stream);
      } catch (error) {
        assert.ok(isProblem(error, "invalid"));
      }
      assert.deepEqual(encoded(given), stream.subarray(0, encoded(given).length));
    }),
    { seed, numRuns: 500 },
  );
});

test("a length that its type cannot have is refused before a byte of the body is waited for", () => {
  const refused = (header: readonly number[]) =>
    assert.throws(
      () => read(Uint8Array.from(header), []),
      (error) => isProblem(error, "invalid"),
    );
  refused([6, 0xff, 0xff, 0xff]); // data of 16 MiB
  refused([6, 0, 0, 10]); // data without data
  refused([3, 0, 0, 57]); // an offer a byte short
  refused([8, 0, 0x50, 0]); // a receipt of 20 KiB
  refused([11, 0, 0, 1]); // a sign of life with something to say
  refused([0, 0, 0, 0]);
  refused([13, 0, 0, 0]);
});

test("an offer has as many objects as it may have and no more", () => {
  const objects = Array.from({ length: listedMax }, (_, index) => ({
    number: index,
    id: "0".repeat(32),
    length: 1,
    sha256: Buffer.alloc(32),
  }));
  const [given] = read(encoded([{ type: "offer", objects }]), [7, 1000]);
  assert.equal(given?.type === "offer" && given.objects.length, listedMax);
  assert.throws(() => encodeFrame({ type: "offer", objects: [...objects, objects[0]!] }), RangeError);
});

test("what is given does not keep the chunk that it came in", () => {
  const stream = encoded([{ type: "data", number: 1, from: 0, bytes: Uint8Array.of(1) }]);
  const chunk = Buffer.alloc(65_536);
  stream.copy(chunk);
  let given: Frame | undefined;
  createFrameReader((each) => {
    given = each;
  }).read(chunk.subarray(0, stream.length));
  assert.ok(given?.type === "data" && given.bytes.buffer !== chunk.buffer);
});
