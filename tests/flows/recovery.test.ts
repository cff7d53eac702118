import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryBlindStore } from "#stores/memory";
import { actorOf, operator } from "#trust/access";
import { openArchive } from "../../radiology/archive/archive.fixture.ts";
import { fileOf, type Slice, slicesOf } from "./modality.fixture.ts";

const [slice] = slicesOf({ kind: "mr-brain", slices: 1, size: 64, seed: 71 }) as [Slice];

test("a start takes in what the index lacks, metadata blobs too, and the next start finds nothing to do", async () => {
  const { archive, stores, blindStore } = await openArchive();
  const receiving = archive.receiveFile(actorOf("device", "1"));
  await receiving.write(fileOf(slice));
  await receiving.finish();
  await archive.seriesMetadata(operator, slice.studyUid, slice.seriesUid);
  await archive.close();
  const started = async (kept: typeof blindStore) => openArchive({ stores, blindStore: kept });
  const recovered = async (kept: typeof blindStore) => (await started(kept)).archive.recover();
  assert.deepEqual(await recovered(blindStore), { objects: 1, instances: 0, withoutImage: 0 });
  assert.deepEqual(await recovered(blindStore), { objects: 0, instances: 0, withoutImage: 0 });

  const empty = createMemoryBlindStore();
  assert.deepEqual(await recovered(empty), { objects: 2, instances: 1, withoutImage: 0 });
  assert.deepEqual(await recovered(empty), { objects: 0, instances: 0, withoutImage: 0 });
  const { index } = await started(empty);
  assert.equal((await index.seriesBlob(slice.studyUid, slice.seriesUid))?.instanceCount, 1);
});
