import { pixelsHere } from "./pixels-here.fixture.ts";
import type { Packed } from "./shrinking.ts";
import { createUnpacker } from "./unpacking.ts";

const unpacker = createUnpacker({ pixels: pixelsHere() });

/** What comes out of what was packed, given over in pieces of `pieceBytes`. */
export async function unpacked({ packing, parts }: Packed, sizeBytes: number, pieceBytes = 64 * 1024): Promise<Buffer> {
  const given: Uint8Array[] = [];
  const unpacking = unpacker.unpacking(packing, sizeBytes, (bytes) => void given.push(bytes));
  const all = Buffer.concat(parts);
  for (let at = 0; at < all.length; at += pieceBytes) await unpacking.write(all.subarray(at, at + pieceBytes));
  await unpacking.end();
  return Buffer.concat(given);
}
