import assert from "node:assert/strict";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { crashState, createTracedFiles, type DiskImage, type Files } from "#base/io";
import { restoreBackup, waitingFolder } from "#stores/backup";
import { openEntryFiles } from "#stores/log";
import { backupKeyBytes, backupKeyPurpose, createBackupBox, openKeyring } from "#trust/vault";
import { backupFolder, home } from "./house-on-files.ts";

const restored = "/faults/restored";

/** The disk of a machine on which the newest point of the backup was restored, with nothing else on it. */
export async function restoredDisk(disk: DiskImage, passphrase: string): Promise<DiskImage> {
  const saved = new Map([...disk].filter(([path]) => path.startsWith(`${backupFolder}/`)));
  const traced = createTracedFiles(saved);
  const { losses } = await restore(traced.files, passphrase);
  assert.deepEqual(losses, []);
  const { disk: after } = crashState(traced.trace, traced.trace.length, "dropped", () => 0);
  return new Map(
    [...after].flatMap(([path, bytes]) => {
      const isOfHome = path.startsWith(`${restored}/`) && !path.startsWith(`${restored}/${waitingFolder}/`);
      return isOfHome ? [[path.replace(restored, home), bytes] as const] : [];
    }),
  );
}

function restore(files: Files, passphrase: string) {
  const random = systemRandom;
  return restoreBackup({
    ...{ files, random, clock: createVirtualClock(), folder: backupFolder, home: restored },
    settings: ["keys/keyring.json"],
    async openBox(folder) {
      const keyring = await openKeyring({ files, folder: `${folder}/keys`, passphrase, random });
      const key = keyring.tenant("main").key(backupKeyPurpose, backupKeyBytes);
      keyring.wipe();
      return createBackupBox(key, random);
    },
    openLog: () => openEntryFiles({ files, folder: `${restored}/audit`, aheadBytes: 4096 }),
    takeState: (name) => (name === "access database" ? Promise.resolve() : undefined),
    acceptLoss: false,
    tell: () => {},
  });
}
