import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packBits } from "#imaging/codecs";
import { createBitPacker } from "./bit-packer.ts";

test("frames of any size are packed as one run of bits", () => {
  const frames = fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(frames, (given) => {
      const packer = createBitPacker();
      const made = Buffer.concat([...given.map((frame) => packer.push(Uint8Array.from(frame))), packer.rest()]);
      assert.deepEqual([...made], [...packBits(Uint8Array.from(given.flat()))]);
      assert.equal(packer.size(), made.length);
    }),
  );
});
