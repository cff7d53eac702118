// Rows 93 and 95 of the attack table, by somebody who can write to the packs and to the index and has no key. What can be done to the
// bytes of one object is tried in trust/vault/manipulations.test.ts; here the archive reads what such hands have left behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { isProblem } from "#base/problem";
import { readFile, Tag } from "#formats/dicom";
import { phantomFiles } from "#imaging/phantoms";
import { operator } from "#trust/access";
import { openArchive } from "../../radiology/archive/archive.fixture.ts";

const footerBytes = 164;

/** Stores instances of one size, of two studies, and says where each image half lies. */
async function stolenArchive() {
  const opened = await openArchive();
  const { archive, stores } = opened;
  const store = async (file: Uint8Array) => {
    const from = stores.image.objects.bytes().length;
    const receiving = archive.receiveFile(operator);
    await receiving.write(file);
    await receiving.finish();
    const { dataSet } = readFile(file);
    const target = {
      studyUid: dataSet.text(Tag.StudyInstanceUID) ?? "",
      seriesUid: dataSet.text(Tag.SeriesInstanceUID) ?? "",
      sopUid: dataSet.text(Tag.SOPInstanceUID) ?? "",
    };
    return { target, file: Buffer.from(file), from, to: stores.image.objects.bytes().length };
  };
  const [one = fail(), two = fail()] = phantomFiles({ kind: "ct-head", slices: 2, size: 64, seed: 1 });
  const [first, second, other] = [await store(one), await store(two), await store(stranger(one))];
  await archive.settled();
  return { ...opened, first, second, other };
}

type Stored = Awaited<ReturnType<typeof stolenArchive>>["first"];

function fail(): never {
  assert.fail("the phantom has too few slices");
}

/** Another patient's image of the same length: other UIDs and other pixels in the same places. */
function stranger(file: Uint8Array): Uint8Array {
  const other = Buffer.from(file);
  const { dataSet } = readFile(file);
  for (const tag of [Tag.StudyInstanceUID, Tag.SeriesInstanceUID, Tag.SOPInstanceUID]) {
    const uid = dataSet.text(tag) ?? "";
    const last = uid.length - 1;
    for (let at = other.indexOf(uid); at >= 0; at = other.indexOf(uid, at + 1)) {
      other.write(String((Number(uid[last]) + 1) % 10), at + last, "latin1");
    }
  }
  for (let at = other.length - 2 * 64 * 64; at < other.length; at++) other[at] = (other[at] ?? 0) ^ 0x01;
  return other;
}

/** Everything that is given out of an instance's pixels: for whoever looks, and for whoever reads the whole. */
async function pixelsOf(archive: Awaited<ReturnType<typeof openArchive>>["archive"], { target }: Stored) {
  const given: Buffer[] = [];
  for (const held of [...(await archive.images(operator, target)), ...(await archive.read(operator, target))]) {
    try {
      const object = await held.open();
      given.push(await object.read(held.pixelOffset ?? 0, object.sizeBytes));
    } catch (error) {
      assert.ok(isProblem(error, "damaged"), String(error));
    }
  }
  return given;
}

const ownPixels = ({ file }: Stored, length: number) => file.subarray(file.length - length);

test("attack 93: pixels that were changed at rest are not served, and check tells of them", async () => {
  const { archive, stores, first } = await stolenArchive();
  const [before] = await pixelsOf(archive, first);
  assert.ok(before?.equals(ownPixels(first, before.length)));
  const at = first.to - footerBytes - 100;
  const bytes = stores.image.objects.bytes();
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  assert.deepEqual(await pixelsOf(archive, first), []);
  assert.equal((await archive.check(operator, () => {})).length, 1);
});

for (const what of ["second", "other"] as const) {
  const whose = what === "second" ? "the same study" : "another patient";
  test(`attack 95: the whole sealed object of an image of ${whose} is not served in another's place`, async () => {
    const { archive, stores, first, [what]: taken } = await stolenArchive();
    const bytes = stores.image.objects.bytes();
    assert.equal(taken.to - taken.from, first.to - first.from, "the attack wants objects of one length");
    bytes.copy(bytes, first.from, taken.from, taken.to);
    // What its header says of the old place, no key protects.
    bytes.writeBigUInt64BE(0n, first.from + 112);
    bytes.writeUInt32BE(crc32(bytes.subarray(first.from, first.from + 124)), first.from + 124);
    for (const given of await pixelsOf(archive, first)) {
      assert.ok(given.equals(ownPixels(first, given.length)), "another image's pixels were served");
    }
  });
}
