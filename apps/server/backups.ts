import { readFile } from "node:fs/promises";
import { basename, join, resolve, sep } from "node:path";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Files } from "#base/io";
import { asProblem, Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { BackupsView, BackupTaking } from "#formats/api";
import {
  type BackupParts,
  type BackupReport,
  type BackupSources,
  backupIdIn,
  createKnownBackups,
  type GrowingFolder,
  type KnownBackup,
  refreshBackupKeys,
  takeBackup,
} from "#stores/backup";
import { isKeyFile, keysIn } from "#stores/keys";
import { packsToSave } from "#stores/packs";
import type { AuditLog, EntryStore } from "#trust/audit";
import {
  backupKeyBytes,
  backupKeyPurpose,
  createBackupBox,
  type HalfStores,
  type Keyring,
  type SealedObjects,
  type Vault,
} from "#trust/vault";
import type { HomePaths } from "../home/index.ts";
import { deviceAuthorityFiles } from "./device-authority.ts";
import { newestInstanceAt } from "./newest-instance.ts";
import { parcelOfficeFile } from "./parcel-office.ts";

/** Backups of a running home. One at a time. */
export interface Backups {
  take(request: BackupTaking, tell: (progress: string) => void): Promise<BackupReport>;
  /**
   * Destroys in every backup that the home knows the keys that were destroyed here. One whose disk is not there keeps its copy until
   * its next run: it is told, with the reason. Never rejects.
   */
  purgeKeys(): Promise<readonly PurgedBackup[]>;
  view(): Promise<BackupsView>;
}

export interface PurgedBackup extends KnownBackup {
  /** Why its copies of destroyed keys are still there; undefined when they are gone. */
  readonly kept?: string;
}

export interface BackupsParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly paths: HomePaths;
  readonly keyring: Keyring;
  readonly vault: Vault;
  readonly stores: { readonly image: HalfStores; readonly identity: HalfStores };
  readonly audit: AuditLog;
  readonly entryStore: EntryStore;
  /** Accounts and devices, as `placeAccess` takes them. */
  readonly copyAccess: () => Promise<Buffer>;
}

/** The state that holds accounts and devices. */
export const accessState = "access database";
/** What opens the keys, below a home. */
export const keySettings = ["keys/keyring.json"];
/** Holds and deletions. */
const factsName = "identity/facts";
export const knownBackupsName = "backups.json";

export function createBackups(parts: BackupsParts): Backups {
  const { files, clock, random, paths, vault } = parts;
  const home = resolve(paths.folder);
  const known = createKnownBackups({ files, folder: home, name: knownBackupsName });
  const sources = sourcesOf(parts);
  const backupParts: BackupParts = {
    files,
    clock,
    random,
    box: createBackupBox(vault.derive(backupKeyPurpose, backupKeyBytes), random),
  };
  const turns = createTurns();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> =>
    turns.take(work).catch((error) => {
      throw asProblem(error, "backing up");
    });

  const checkFolder = async (folder: string, beginAnew: boolean) => {
    if (folder === home || folder.startsWith(home + sep)) {
      throw new Problem("invalid", "a backup inside the home is lost with it", {
        remedy: "name a folder on another disk",
      });
    }
    if (beginAnew || (await backupIdIn(files, folder)) !== undefined) return;
    if (!(await known.all()).some((each) => each.folder === folder)) return;
    throw new Problem("unavailable", "the backup that was made in this folder is not there", {
      remedy: "is its disk mounted? `--begin-anew` begins another backup there",
    });
  };
  const purge = async (backup: KnownBackup): Promise<PurgedBackup> => {
    try {
      if ((await backupIdIn(files, backup.folder)) !== backup.id) {
        return { ...backup, kept: "its disk is not there: the keys go with its next run" };
      }
      await refreshBackupKeys(backupParts, { folder: backup.folder, keys: sources.keys });
      return backup;
    } catch (error) {
      return { ...backup, kept: asProblem(error, "destroying keys in a backup").message };
    }
  };
  return {
    take: (request, tell) =>
      inTurn(async () => {
        const { folder, keepPoints, verify, beginAnew } = request;
        if (resolve(folder) !== folder) throw new Problem("invalid", "the path of a backup folder begins at the root");
        await checkFolder(folder, beginAnew);
        const report = await takeBackup(backupParts, { folder, sources, keepPoints, verify, tell });
        await known.note({ id: report.id, folder, point: report.point, takenAt: report.takenAt });
        return report;
      }),
    purgeKeys: () =>
      inTurn(async () => {
        const purged: PurgedBackup[] = [];
        for (const backup of await known.all()) purged.push(await purge(backup));
        return purged;
      }),
    async view() {
      const backups = (await known.all()).map(({ folder, point, takenAt }) => ({ folder, point, takenAt }));
      return { backups, newestInstanceAt: (await newestInstanceAt(parts.audit)) ?? null };
    },
  };
}

function sourcesOf(parts: BackupsParts): BackupSources {
  const { files, paths, keyring, vault, stores, audit, entryStore } = parts;
  return {
    // Identity halves name image halves: in this order none comes out of a backup without its other half. The two of one
    // instance are committed side by side, so those under way are waited for in between.
    growing: [
      packsOf(files, "identity/packs", paths.identityPacks, stores.identity.objects),
      packsOf(files, "packs", paths.packs, stores.image.objects, vault.settled),
    ],
    keys: {
      settings: keySettings.map((name) => ({ name, path: join(paths.folder, name) })),
      folders: [
        { name: "identity/keys", folder: paths.identityKeys },
        { name: "keys", folder: paths.keys },
      ],
      steadily: keyring.steadily,
      isKeyFile,
      records: keysIn,
    },
    states: [
      { name: accessState, read: parts.copyAccess },
      ...[
        "leadglass.json",
        factsName,
        "witnessed-time.json",
        ...deviceAuthorityFiles,
        parcelOfficeFile,
        ...[paths.ca, paths.certificate, paths.certificateKey].map((path) => basename(path)),
      ].map((name) => ({ name, read: () => wholeIfThere(join(paths.folder, name)) })),
    ],
    log: {
      size: () => entryStore.size(),
      read: (from, to) => entryStore.read(from, to),
      checkpointCount: () => entryStore.checkpointCount(),
      readCheckpoints: (from, to) => entryStore.readCheckpoints(from, to),
      checkpoint: () => audit.checkpoint(),
    },
  };
}

function packsOf(
  files: Files,
  name: string,
  folder: string,
  objects: SealedObjects,
  settled: () => Promise<void> = async () => {},
): GrowingFolder {
  return {
    name,
    async take() {
      await settled();
      return packsToSave(files, folder, await objects.packs());
    },
    read: (id, position, into) => objects.read(id, position, into),
    async countObjects(id, from, to) {
      let count = 0;
      for await (const found of objects.scan(id, from)) {
        if ("gapFrom" in found) continue;
        if (found.endPosition > to) break;
        count++;
      }
      return count;
    },
  };
}

async function wholeIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
}
