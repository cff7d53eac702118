import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { readFile } from "#formats/dicom";
import { createFrameCodecs } from "#imaging/codecs";
import { createPackingHere } from "./packing-here.ts";
import { pixelsHere } from "./pixels-here.fixture.ts";
import { createShrinker, type Packed } from "./shrinking.ts";
import { createUnpacker } from "./unpacking.ts";

const data = join(process.env.LEADGLASS_DATA ?? join(import.meta.dirname, "../../../shared/data"), "dicom");

const work = createPackingHere({ codecs: createFrameCodecs(), clock: systemClock });
const unpacker = createUnpacker({ pixels: pixelsHere() });

async function unpacked({ packing, parts }: Packed, sizeBytes: number): Promise<Buffer> {
  const given: Uint8Array[] = [];
  const unpacking = unpacker.unpacking(packing, sizeBytes, (bytes) => void given.push(bytes));
  for (const part of parts)
    for (let at = 0; at < part.length; at += 60_000) await unpacking.write(part.subarray(at, at + 60_000));
  await unpacking.end();
  return Buffer.concat(given);
}

test("every real data set comes back bit for bit", async (t) => {
  if (!existsSync(data)) return t.skip("needs the real data");
  const shrinker = createShrinker({ work, clock: systemClock });
  const counts: Record<string, number> = {};
  let [plain, sent] = [0, 0];
  for (const name of readdirSync(data, { recursive: true, encoding: "utf8" })) {
    let file: ReturnType<typeof readFile>;
    let bytes: Buffer;
    try {
      bytes = readFileSync(join(data, name));
      file = readFile(bytes, { partial: true });
    } catch {
      continue;
    }
    const dataSet = bytes.subarray(file.dataSetOffset);
    const packed = await shrinker.pack(dataSet, file.transferSyntaxUid);
    counts[packed.packing] = (counts[packed.packing] ?? 0) + 1;
    plain += dataSet.length;
    sent += packed.parts.reduce((sum, { length }) => sum + length, 0);
    assert.ok((await unpacked(packed, dataSet.length)).equals(dataSet), name);
  }
  t.diagnostic(`${JSON.stringify(counts)} ${plain} ${sent}`);
});
