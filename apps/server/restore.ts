import { rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { type Log, silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { type RestoreReport, restoreBackup, waitingFolder } from "#stores/backup";
import { openEntryFiles } from "#stores/log";
import { lockHome, openAccessDatabase, openIndexDatabase } from "#stores/sql";
import { operator } from "#trust/access";
import { backupKeyBytes, backupKeyPurpose, createBackupBox, type Keyring } from "#trust/vault";
import { pathsOf } from "../home/index.ts";
import { accessState, keySettings } from "./backups.ts";
import type { Configuration } from "./configuration.ts";
import { type House, openHouse, placeOf } from "./house.ts";
import { tenantName } from "./root-keys.ts";

export interface Restoring {
  /** The backup. */
  readonly folder: string;
  /** Empty, or not there. */
  readonly home: string;
  readonly point?: number;
  readonly acceptLoss: boolean;
  /** Opens a keyring in a folder: by the passphrase file, or what else the home's root key is. */
  readonly openKeyring: (folder: string) => Promise<Keyring>;
  /** Of the new home. Read again when its settings are there. */
  readonly configuration: () => Configuration;
  readonly tell: (progress: string) => void;
}

export interface Restored extends RestoreReport {
  /** From the first byte until the index was made again. */
  readonly recoveryMs: number;
  readonly studies: number;
  readonly instances: number;
  /** Identity halves whose image half is not there: none when nothing is lost. */
  readonly withoutImage: number;
}

/** Makes a home from a backup, its index from the packs; `then` sees it open, behind the log entry that tells of it. */
export async function restoreHome<Result>(
  request: Restoring,
  then: (house: House, restored: Restored) => Promise<Result>,
): Promise<Result> {
  const { home, tell } = request;
  const beganMs = systemClock.monotonicMs();
  const report = await restoreBackup({
    ...request,
    files: systemFiles,
    random: systemRandom,
    clock: systemClock,
    settings: keySettings,
    async openBox(folder) {
      const keyring = await request.openKeyring(join(folder, "keys"));
      const key = keyring.tenant(tenantName).key(backupKeyPurpose, backupKeyBytes);
      keyring.wipe();
      return createBackupBox(key, systemRandom);
    },
    openLog: () => openEntryFiles({ files: systemFiles, folder: pathsOf(home).audit }),
    takeState: (name, content) => (name === accessState ? placeAccess(request, content) : undefined),
  });
  await rm(join(home, waitingFolder), { recursive: true });
  tell("making the index again from the packs");
  // Its packs are in the home, whatever the settings that came with it say of another folder, which may be in use.
  const configuration = { ...request.configuration(), objects: { first: home, replica: undefined } };
  await checkIndexEmpty(configuration, home);
  return inHouse(configuration, silentLog, async (house) => {
    const recoveryMs = systemClock.monotonicMs() - beganMs;
    await house.gate.pass(operator, "vault.restore", undefined, async () => {});
    const { instances, withoutImage } = house.recovered;
    const { count: studies } = await house.index.countStudies([]);
    return then(house, { ...report, recoveryMs, studies, instances, withoutImage });
  });
}

async function placeAccess({ configuration, home }: Restoring, content: Buffer): Promise<void> {
  const access = await openAccessDatabase({
    ...placeOf(configuration().database, pathsOf(home).accessDatabase),
    log: silentLog,
  });
  try {
    await access.place(content);
  } finally {
    await access.close();
  }
}

/** An index that knows packs already is another home's: it would be taken for this one's. */
async function checkIndexEmpty({ identityDatabase }: Configuration, home: string): Promise<void> {
  if (identityDatabase === undefined) return;
  const { blindStore } = await openIndexDatabase({ ...placeOf(identityDatabase, home), log: silentLog });
  try {
    if ((await blindStore.marks()).length === 0) return;
  } finally {
    await blindStore.close();
  }
  throw new Problem("conflict", "the identity database holds the index of a home already", {
    remedy: "name an empty one with --identity-database, then run `leadglass vault rebuild` on the restored home",
  });
}

async function inHouse<Result>(
  configuration: Configuration,
  log: Log,
  work: (house: House) => Promise<Result>,
): Promise<Result> {
  const paths = pathsOf(configuration.home);
  const lock = lockHome(paths.lock);
  if (lock === undefined) throw new Problem("conflict", "another process has this home open");
  try {
    const house = await openHouse(configuration, paths, log);
    try {
      return await work(house);
    } finally {
      await house.close();
    }
  } finally {
    lock.release();
  }
}
