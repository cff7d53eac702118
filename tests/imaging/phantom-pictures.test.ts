import assert from "node:assert/strict";
import { test } from "node:test";
import { readFile, transferSyntaxOf } from "#formats/dicom";
import { createFrameCodecs } from "#imaging/codecs";
import { compressedPhantomFiles, type PhantomOptions, phantomFiles } from "#imaging/phantoms";
import { renderFrame } from "#imaging/rendering";
import { displayOf } from "#radiology/images";
import { describeImage, storedFrames } from "../../imaging/codecs/described-image.fixture.ts";

const codecs = createFrameCodecs();

async function pictures(file: Uint8Array): Promise<Uint8Array[]> {
  const { dataSet, transferSyntaxUid } = readFile(file);
  const image = describeImage(dataSet, transferSyntaxUid);
  assert.ok(image);
  const out: Uint8Array[] = [];
  for (const [index, { bytes }] of storedFrames(dataSet).entries()) {
    const frame = await codecs.decodeFrame(bytes, image);
    out.push(renderFrame(frame, displayOf(dataSet, index, false)).pixels);
  }
  return out;
}

const studies: PhantomOptions[] = [
  { kind: "ct-head", slices: 2, size: 128 },
  { kind: "us-colour", frames: 2 },
  { kind: "xa-cine", frames: 3, size: 128 },
];

for (const uid of [".5", ".4.80", ".4.90", ".4.201", ".4.202"].map((end) => `1.2.840.10008.1.2${end}`)) {
  test(`phantoms compressed as ${transferSyntaxOf(uid)?.name} look as the uncompressed ones do`, async () => {
    for (const options of studies) {
      const plain = [...phantomFiles(options)];
      let index = 0;
      for await (const file of compressedPhantomFiles({
        ...options,
        transferSyntaxUid: uid,
        compress: codecs.encodeFrame,
      })) {
        const before = plain[index++] as Uint8Array;
        // Runs of equal bytes do not shorten noise.
        if (!uid.endsWith(".5")) assert.ok(file.length < before.length, `${options.kind}: smaller`);
        assert.deepEqual(await pictures(file), await pictures(before), options.kind);
      }
      assert.equal(index, plain.length);
    }
  });
}
