import assert from "node:assert/strict";
import { test } from "node:test";
import { scanObjects } from "./index.ts";
import { createSwitchedVault } from "./switched-vault.fixture.ts";

const { sealed, pack } = await createSwitchedVault();
const { bytes: object } = await sealed("1.2.3", 100);

/** Walks a pack of the same piece again and again; what was found, and how often each byte was read. */
async function walk(piece: Buffer, packBytes: number) {
  const content = Buffer.alloc(packBytes, piece);
  let bytesRead = 0;
  const read = async (position: number, into: Uint8Array) => {
    const part = content.subarray(position, position + into.length);
    into.set(part);
    bytesRead += part.length;
    return part.length;
  };
  let objects = 0;
  let gapBytes = 0;
  for await (const found of scanObjects(read, { pack, from: 0, to: packBytes })) {
    if ("gapFrom" in found) gapBytes += found.gapTo - found.gapFrom;
    else objects++;
  }
  return { objects, gapBytes, timesOver: bytesRead / packBytes };
}

const packBytes = 1024 * 1024;

for (const [what, piece] of [
  ["headers", object.subarray(0, 128)],
  ["headers each with a frame's head", object.subarray(0, 144)],
  ["magics of headers", object.subarray(0, 8)],
  ["footers", object.subarray(-164)],
] as const) {
  test(`a pack full of ${what} is walked to its end without reading it more than 100 times over`, async (t) => {
    const { objects, gapBytes, timesOver } = await walk(piece, packBytes);
    t.diagnostic(`${timesOver.toFixed(1)} times over, ${objects} objects`);
    assert.ok(timesOver < 100);
    assert.ok(objects > 0 || gapBytes === packBytes);
  });
}

test("a finished object behind any length of debris is found", async () => {
  for (const debris of [1, 127, 2040, 2041, 2048, 2049, 6000, 6144, 300_000, 700_001]) {
    const content = Buffer.concat([Buffer.alloc(debris, 0x8b), object]);
    const read = async (position: number, into: Uint8Array) => content.copy(into, 0, position, position + into.length);
    const found = [];
    for await (const each of scanObjects(read, { pack, from: 0, to: content.length })) found.push(each);
    assert.deepEqual(found[0], { pack, gapFrom: 0, gapTo: debris });
    assert.ok(found[1] !== undefined && "offset" in found[1] && found[1].start === debris);
  }
});
