import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFrameReader, type Framed, framed } from "./framing.ts";

const read = (pieces: readonly Uint8Array[], bytesMax = 1_000): Framed[] => {
  const frames = createFrameReader(bytesMax);
  const found: Framed[] = [];
  for (const piece of pieces) {
    frames.push(piece);
    for (let next = frames.next(); next !== undefined; next = frames.next()) found.push(next);
  }
  return found;
};
const told = (found: readonly Framed[]) =>
  found.map((each) => ("bytes" in each ? `${each.kind} ${Buffer.from(each.bytes).toString("latin1")}` : each.kind));
const bytes = (text: string) => Buffer.from(text, "latin1");

test("frames come out as they went in, however the bytes are divided", () => {
  const message = fc
    .uint8Array({ maxLength: 60 })
    .map((each) => each.map((byte) => (byte === 0x0b || byte === 0x1c ? 0x20 : byte)));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 40 })), (messages, cuts) => {
      const whole = Buffer.concat(messages.map(framed));
      const pieces: Uint8Array[] = [];
      let at = 0;
      for (const cut of cuts) {
        pieces.push(whole.subarray(at, at + cut));
        at += cut;
      }
      pieces.push(whole.subarray(at));
      const found = read(pieces);
      assert.deepEqual(
        found.map((each) => ("bytes" in each ? Buffer.from(each.bytes) : each.kind)),
        messages.map((each) => Buffer.from(each)),
      );
    }),
    { seed: 74, numRuns: 300 },
  );
});

test("what stands between frames, a frame that was given up, one that is too long, one without its last byte", () => {
  assert.deepEqual(told(read([bytes("\u000ba\u001c\r\n\u000bb\u001c\u000bc\u001c\r")])), [
    "frame a",
    "frame b",
    "frame c",
  ]);
  assert.deepEqual(told(read([bytes("GET / \u000ba\u001c\r")])), ["noise", "frame a"]);
  assert.deepEqual(told(read([bytes("\u000bab\u000bc\u001c\r")])), ["abandoned", "frame c"]);
  assert.deepEqual(told(read([bytes("\u000babc"), bytes("def\u001c\r")], 5)).slice(0, 1), ["too-large abc"]);
});
