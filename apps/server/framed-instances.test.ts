import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { framedEnd, framedPiece, unframed } from "./framed-instances.ts";

async function* cut(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function read(chunks: AsyncIterable<Buffer>) {
  const instances: { bytes: Buffer; isWhole: boolean }[] = [];
  const pieces: Buffer[] = [];
  for await (const part of unframed(chunks)) {
    if (part.kind === "piece") pieces.push(part.bytes);
    else instances.push({ bytes: Buffer.concat(pieces.splice(0)), isWhole: part.isWhole });
  }
  return instances;
}

const instances = fc.array(
  fc.record({
    pieces: fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 }),
    isWhole: fc.boolean(),
  }),
  { maxLength: 5 },
);

test("instances come as they were sent, however the wire cuts them, and what was cut short is told", async () => {
  await fc.assert(
    fc.asyncProperty(instances, fc.integer({ min: 1, max: 9 }), fc.nat(), async (given, size, cutAt) => {
      const sent = given.map(({ pieces, isWhole }) => {
        const bytes = Buffer.concat(pieces);
        return { bytes, isWhole: isWhole && bytes.length > 0, pieces };
      });
      const framed = sent.map(({ pieces, isWhole }) =>
        Buffer.concat([...pieces.flatMap((piece) => framedPiece(Buffer.from(piece))), framedEnd(isWhole)]),
      );
      const wire = Buffer.concat(framed);
      assert.deepEqual(
        await read(cut(wire, size)),
        sent.map(({ bytes, isWhole }) => ({ bytes, isWhole })),
      );
      const ends = framed.map((_, at) => Buffer.concat(framed.slice(0, at + 1)).length);
      const short = cutAt % (wire.length + 1);
      if (short > 0 && !ends.includes(short))
        await assert.rejects(read(cut(wire.subarray(0, short), size)), { code: "unavailable" });
    }),
    { seed: 14, numRuns: 200 },
  );
});

test("a piece beyond all measure, and an instance of no bytes that is called whole, are refused", async () => {
  for (const wire of [Buffer.from([0xff, 0, 0, 0]), framedEnd(true)])
    await assert.rejects(read(cut(wire, 2)), { code: "unavailable" });
});
