import assert from "node:assert/strict";
import { openSync, readdirSync, readSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Damage at rest: one bit of the first pack that is long enough. */
export function flipByteInFirstPack(folder: string, position: number): void {
  const name = readdirSync(folder)
    .sort()
    .find((each) => statSync(join(folder, each)).size > position);
  assert.ok(name !== undefined, "there is no pack of that size");
  const file = openSync(join(folder, name), "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, position);
  writeSync(file, Buffer.from([(byte[0] ?? 0) ^ 0x10]), 0, 1, position);
}
