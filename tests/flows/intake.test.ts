import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { seededRandom } from "#base/id";
import { readFile, Tag } from "#formats/dicom";
import { phantomFiles } from "#imaging/phantoms";
import { actorOf, operator } from "#trust/access";
import { openArchive } from "../../radiology/archive/archive.fixture.ts";

const device = actorOf("device", "1");

const [file = new Uint8Array()] = phantomFiles({ kind: "ct-head", slices: 1, size: 64 });
const parsed = readFile(file);
const uids = {
  studyUid: parsed.dataSet.text(Tag.StudyInstanceUID) ?? "",
  seriesUid: parsed.dataSet.text(Tag.SeriesInstanceUID) ?? "",
  sopUid: parsed.dataSet.text(Tag.SOPInstanceUID) ?? "",
};
const dataSet = file.subarray(parsed.dataSetOffset);
const header = {
  sopClassUid: parsed.dataSet.text(Tag.SOPClassUID) ?? "",
  sopInstanceUid: uids.sopUid,
  transferSyntaxUid: parsed.transferSyntaxUid,
};

/** Hands pieces over in one buffer that is overwritten each time, as a socket's is. */
async function write(
  receiving: { write(bytes: Uint8Array): undefined | Promise<void> },
  bytes: Uint8Array,
  sizes: readonly number[],
) {
  const lent = Buffer.alloc(Math.max(...sizes, 1));
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.min(sizes[turn % sizes.length] ?? 1, bytes.length - at);
    lent.set(bytes.subarray(at, at + size));
    await receiving.write(lent.subarray(0, size));
    lent.fill(0xee);
    at += size;
  }
}

const read = async (archive: Awaited<ReturnType<typeof openArchive>>["archive"]) => {
  const [held] = await archive.read(operator, uids);
  assert.ok(held);
  const object = await held.open();
  return { held, bytes: await object.read(0, object.sizeBytes) };
};

test("a file comes back bit for bit however it was cut, out of a buffer that is reused", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 5 }), async (sizes) => {
      const { archive } = await openArchive();
      const receiving = archive.receiveFile(operator);
      await write(receiving, file, sizes);
      assert.equal((await receiving.finish()).sopUid, uids.sopUid);
      const { held, bytes } = await read(archive);
      assert.ok(bytes.equals(file));
      assert.equal(held.dataSetSha256, createHash("sha256").update(dataSet).digest("hex"));
      assert.equal(held.dataSetOffset, parsed.dataSetOffset);
      assert.equal(held.pixelOffset, file.length - 64 * 64 * 2);
    }),
    { numRuns: 30, seed: 11 },
  ));

test("a data set from an association comes back bit for bit behind file meta information of ours", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 5 }), async (sizes) => {
      const { archive, entries } = await openArchive();
      const receiving = archive.receiveDataSet(device, header);
      await write(receiving, dataSet, sizes);
      await receiving.finish();
      const { held, bytes } = await read(archive);
      assert.ok(bytes.subarray(held.dataSetOffset).equals(dataSet));
      assert.equal(readFile(bytes).transferSyntaxUid, parsed.transferSyntaxUid);
      assert.equal(held.values.InstanceNumber, "1");
      assert.deepEqual(entries.map(({ act, outcome }) => `${act} ${outcome}`).slice(0, 1), ["instance.store done"]);
    }),
    { numRuns: 30, seed: 12 },
  ));

test("a data set that contradicts its command, or lacks a UID, is refused and leaves nothing", async () => {
  const { archive, stores } = await openArchive();
  const cases = [
    { header: { ...header, sopInstanceUid: "1.2.3" }, bytes: dataSet, message: /SOP Instance UID differs/ },
    { header: { ...header, sopClassUid: "1.2.3" }, bytes: dataSet, message: /SOP Class UID differs/ },
    { header, bytes: dataSet.subarray(0, 200), message: /./ },
    { header, bytes: dataSet.subarray(0, dataSet.length - 10), message: /./ },
  ];
  for (const refused of cases) {
    const receiving = archive.receiveDataSet(device, refused.header);
    await assert.rejects(
      async () => {
        await write(receiving, refused.bytes, [4_000]);
        await receiving.finish();
      },
      { code: "invalid", message: refused.message },
    );
    await receiving.abort();
  }
  await assert.rejects(archive.read(operator, uids), { code: "absent" });
  for (const { objects } of Object.values(stores)) {
    for (const { pack } of await objects.packs()) {
      for await (const _object of objects.scan(pack, 0)) assert.fail("an object was left behind");
    }
  }
});

test("random bytes are refused, never a crash", async () => {
  const { archive } = await openArchive();
  const random = seededRandom(5);
  for (let i = 0; i < 200; i++) {
    const receiving = i % 2 === 0 ? archive.receiveFile(operator) : archive.receiveDataSet(device, header);
    await assert.rejects(async () => {
      await write(receiving, random(new Uint8Array(1 + ((i * 37) % 3_000))), [97]);
      await receiving.finish();
    });
    await receiving.abort();
  }
});

test("the same bytes again are the same instance; other bytes under its UID are kept beside it and shown", async () => {
  const { archive } = await openArchive();
  const store = async (bytes: Uint8Array) => {
    const receiving = archive.receiveDataSet(device, header);
    await write(receiving, bytes, [50_000]);
    await receiving.finish();
  };
  await store(dataSet);
  await store(dataSet);
  const [study] = await archive.findStudies(operator, { matches: [], limit: 10, offset: 0 });
  assert.deepEqual([study?.instanceCount, study?.conflictCount], [1, 0]);
  const other = Uint8Array.from(dataSet);
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
  await store(other);
  const [after] = await archive.findStudies(operator, { matches: [], limit: 10, offset: 0 });
  assert.deepEqual([after?.instanceCount, after?.conflictCount], [1, 1]);
  assert.ok(
    (await read(archive)).bytes.subarray(-dataSet.length).equals(dataSet),
    "the first stays the one that is served",
  );
  assert.equal((await archive.conflicts(operator)).length, 2);
});

test("the pixels of an icon are not taken for those of the image", async () => {
  const { archive } = await openArchive();
  const element = (tag: number, vr: string, value: Buffer, length = value.length) => {
    const head = Buffer.alloc(/^(OB|SQ)$/.test(vr) ? 12 : 8);
    head.writeUInt16LE(tag >>> 16, 0);
    head.writeUInt16LE(tag & 0xffff, 2);
    head.write(vr, 4, "latin1");
    if (head.length === 12) head.writeUInt32LE(length, 8);
    else head.writeUInt16LE(length, 6);
    return Buffer.concat([head, value]);
  };
  const item = (tag: number, value: Buffer, length = value.length) => {
    const head = Buffer.alloc(8);
    head.writeUInt16LE(tag >>> 16, 0);
    head.writeUInt16LE(tag & 0xffff, 2);
    head.writeUInt32LE(length, 4);
    return Buffer.concat([head, value]);
  };
  const uid = (text: string) => Buffer.from(text.length % 2 === 0 ? text : `${text}\0`, "latin1");
  const none = Buffer.alloc(0);
  const iconPixels = Buffer.concat([
    item(0xfffee000, none),
    item(0xfffee000, Buffer.alloc(4, 1)),
    item(0xfffee0dd, none),
  ]);
  const icon = item(0xfffee000, element(0x7fe00010, "OB", iconPixels, 0xffffffff));
  const bytes = Buffer.concat([
    element(0x00080016, "UI", uid(header.sopClassUid)),
    element(0x00080018, "UI", uid("1.2.3.4")),
    element(0x0020000d, "UI", uid("1.2.3.1")),
    element(0x0020000e, "UI", uid("1.2.3.2")),
    element(0x00880200, "SQ", icon),
  ]);
  const transferSyntaxUid = "1.2.840.10008.1.2.4.50";
  const receiving = archive.receiveDataSet(device, { ...header, sopInstanceUid: "1.2.3.4", transferSyntaxUid });
  await receiving.write(bytes);
  await receiving.finish();
  await archive.settled();
  const [held] = await archive.read(operator, { studyUid: "1.2.3.1" });
  assert.equal(held?.pixelOffset, undefined);
});
