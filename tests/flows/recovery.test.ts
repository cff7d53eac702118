import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { silentLog } from "#base/log";
import { createArchive, type StudyIndex } from "#radiology/archive";
import { createMemoryKeyStore, createMemorySealedObjects, createMemoryStudyIndex } from "#stores/memory";
import { actorOf, createGate, operator } from "#trust/access";
import type { AuditLog } from "#trust/audit";
import { createKeyring, createPassphrase, createVault } from "#trust/vault";
import { fileOf, type Slice, slicesOf } from "./modality.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "lg-recovery-"));
after(() => rmSync(folder, { recursive: true }));
const [slice] = slicesOf({ kind: "mr-brain", slices: 1, size: 64, seed: 71 }) as [Slice];

/** A vault whose archive can be made anew, as a start does. */
async function house() {
  const passphrase = createPassphrase(systemRandom);
  const keyring = await createKeyring({ files: systemFiles, folder, passphrase, random: systemRandom });
  const objects = createMemorySealedObjects();
  const keyStore = createMemoryKeyStore();
  const vault = await createVault({ keyring, tenant: "main", keyStore, objects, random: systemRandom });
  const audit = { append: async () => 0 } as Partial<AuditLog> as AuditLog;
  return (index: StudyIndex) =>
    createArchive({
      vault,
      index,
      gate: createGate({ audit, clock: systemClock }),
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      implementation: { classUid: "2.25.1", version: "TEST" },
      bulkDataRoot: "/dicom-web",
    });
}

test("a start takes in what the index lacks, metadata blobs too, and the next start finds nothing to do", async () => {
  const archiveWith = await house();
  const index = createMemoryStudyIndex();
  const first = archiveWith(index);
  const receiving = first.receiveFile(actorOf("device", "1"));
  await receiving.write(fileOf(slice));
  await receiving.finish();
  await first.seriesMetadata(operator, slice.studyUid, slice.seriesUid);
  await first.close();
  assert.deepEqual(await archiveWith(index).recover(), { objects: 1, instances: 0 });
  assert.deepEqual(await archiveWith(index).recover(), { objects: 0, instances: 0 });

  const empty = createMemoryStudyIndex();
  assert.deepEqual(await archiveWith(empty).recover(), { objects: 2, instances: 1 });
  assert.deepEqual(await archiveWith(empty).recover(), { objects: 0, instances: 0 });
  assert.equal((await empty.seriesBlob(slice.studyUid, slice.seriesUid))?.instanceCount, 1);
});
