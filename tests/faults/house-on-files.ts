import type { VirtualClock } from "#base/clock";
import type { Random } from "#base/id";
import type { Files } from "#base/io";
import type { Log } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import {
  type Archive,
  type BlindStore,
  type CompactedStore,
  createArchive,
  createBlindIndex,
  createCompaction,
  createRetention,
  createShredding,
  createStudyFates,
  openFactFiles,
  type Shredding,
  type StudyFates,
  type StudyIndex,
} from "#radiology/archive";
import { createFileKeyStore } from "#stores/keys";
import { openEntryFiles } from "#stores/log";
import { createPacks } from "#stores/packs";
import { createGate, type Gate } from "#trust/access";
import { type AuditLog, createAuditLog, type EntryStore } from "#trust/audit";
import {
  createKeyRotation,
  createKeyring,
  createReveal,
  createVault,
  type Half,
  type HalfStores,
  type KeyRotation,
  type Keyring,
  openKeyring,
  type Vault,
} from "#trust/vault";
import { pathsOf } from "../../apps/home/index.ts";
import { createBackups } from "../../apps/server/index.ts";
import { policyWhere } from "../../trust/access/grants.fixture.ts";

/** A house as apps/server puts it together, on any files; its index, which SQL keeps there, is given. */
export interface HouseOnFiles {
  readonly keyring: Keyring;
  readonly vault: Vault;
  readonly stores: Readonly<Record<Half, HalfStores>>;
  readonly entryStore: EntryStore;
  readonly audit: AuditLog;
  readonly gate: Gate;
  readonly index: StudyIndex;
  readonly archive: Archive;
  readonly keyRotation: KeyRotation;
  readonly fates: StudyFates;
  readonly shredding: Shredding;
  readonly backups: ReturnType<typeof createBackups>;
  /** A study whose time is over: out of the index, its keys destroyed, its objects discarded. */
  remove(studyToken: string): Promise<void>;
  /** Every pack in which something was discarded. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

export interface HousePlace {
  readonly files: Files;
  readonly blindStore: BlindStore;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly log: Log;
  /** The first opens a new home. The others are tried where it does not open one. */
  readonly passphrases: readonly string[];
}

export const cost = { memoryKiB: 64, passes: 1, lanes: 1 };
export const home = "/faults/home";
export const backupFolder = "/faults/backup";
const paths = pathsOf(home);
/** Small, so that packs come to their end all the time. */
const packBytesMax = 12_000;
const lanesMax = 3;

/** Opens a home, made when it is new, and takes in what the last process left. Whatever fails, nothing of it stays open. */
export async function openHouseOnFiles(place: HousePlace): Promise<HouseOnFiles> {
  const { files, clock, random, log } = place;
  const keyring = await openOrMake(place);
  const storesIn = async (keys: string, packs: string): Promise<HalfStores> => ({
    keyStore: await createFileKeyStore({ files, folder: keys, recordsPerFile: 8 }),
    objects: createPacks({ files, clock, random, log, packBytesMax, lanesMax, folder: packs, reserveBytes: 0 }),
  });
  const stores = {
    image: await storesIn(paths.keys, paths.packs),
    identity: await storesIn(paths.identityKeys, paths.identityPacks),
  };
  const vault = await createVault({ keyring, tenant: "main", stores, random });
  const index = createBlindIndex({ store: place.blindStore, box: vault.indexBox, clock });
  const entryStore = await openEntryFiles({ files, folder: paths.audit, aheadBytes: 4096 });
  const signingSeed = vault.derive("audit signing key", 32);
  const audit = await createAuditLog({ store: entryStore, signingSeed, origin: "leadglass.log/faults", clock });
  const gate = createGate({ policy: policyWhere({ "client:web": ["service"] }), audit, clock });
  const { reveal } = createReveal({ vault, gate, audit, clock, log, studiesPerMinuteMax: 1_000_000 });
  const archive = createArchive({
    ...{ vault, reveal, index, gate, audit, clock, random, log },
    implementation: { classUid: "2.25.1", version: "TEST" },
    bulkDataRoot: "/dicom-web",
    signingKeysOf: async () => [],
  });
  const keyRotation = createKeyRotation({ keyring, tenant: "main", stores, vault, gate, random, log });
  await archive.recover();
  keyRotation.resume();
  const box = vault.secrets;
  const facts = await openFactFiles({ files, folders: [paths.identity], box, log });
  const fates = createStudyFates({ facts, now: clock.now });
  await fates.load();
  const copyAccess = async () => Buffer.from("accounts");
  const backups = createBackups({ files, clock, random, paths, keyring, vault, stores, audit, entryStore, copyAccess });
  const opened = { keyring, vault, stores, entryStore, audit, gate, index, archive, keyRotation, fates, backups };
  const retention = removalOf(opened, place);
  await passing(clock, retention.resume());
  const shredding = createShredding({
    ...{ vault, index, audit },
    isHeld: fates.isHeld,
    remove: retention.remove,
    purgeBackups: backups.purgeKeys,
  });
  const compaction = createCompaction({
    stores: (["identity", "image"] as const).map((half) => compactedStore(half, opened)),
    ...{ clock, log, bytesPerSecond: 1e12, discardedBytesMin: 1, discardedShareMin: 0, quietMs: 0 },
  });
  return {
    ...{ ...opened, shredding },
    remove: (studyToken) => passing(clock, retention.remove(studyToken)),
    async compact() {
      await passing(clock, compaction.run());
    },
    async close() {
      await compaction.close();
      await retention.close();
      await keyRotation.close();
      await archive.close();
      await audit.close();
      await index.close();
      await facts.close();
      await vault.close();
      keyring.wipe();
    },
  };
}

/** Lets time go on while work is under way that waits for it. */
export async function passing<Result>(clock: VirtualClock, work: Promise<Result>): Promise<Result> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  while (!isOver) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    clock.advance(10);
  }
  return over;
}

async function openOrMake({ files, random, passphrases }: HousePlace): Promise<Keyring> {
  const place = { files, folder: paths.keys, random };
  const [first = ""] = passphrases;
  for (const passphrase of passphrases) {
    try {
      return await openKeyring({ ...place, passphrase });
    } catch (error) {
      if (isProblem(error, "absent")) return createKeyring({ ...place, passphrase: first, cost });
      if (!isProblem(error, "denied")) throw error;
    }
  }
  throw new Problem("denied", "no passphrase opens the keyring");
}

type Opened = Pick<HouseOnFiles, "vault" | "stores" | "index" | "archive" | "fates">;

function removalOf({ vault, stores, index, archive, fates }: Opened, { clock, log }: HousePlace) {
  return createRetention({
    policy: { rules: [], afterArrivalDays: 0 },
    time: {
      now: clock.now,
      stamp: clock.now,
      behindMs: () => 0,
      load: async () => {},
      keep: async () => {},
      confirmWallClock: async () => {},
    },
    ...{ fates, log },
    async *studies() {},
    studyDate: async () => undefined,
    stores: [stores.image.objects, stores.identity.objects],
    async removeFromIndex(studyToken) {
      await archive.takenIn();
      const places = await index.removeStudy(studyToken);
      return places.flatMap(({ image, identity }) => [
        { objects: stores.image.objects, place: image },
        { objects: stores.identity.objects, place: identity },
      ]);
    },
    shred: async (studyToken) => void (await vault.shred({ studyTokens: [studyToken] })),
  });
}

function compactedStore(half: Half, { vault, stores, index, archive, fates }: Opened): CompactedStore {
  return {
    half,
    objects: stores[half].objects,
    async keeps(found) {
      if (fates.isDeleted(found.studyToken)) return false;
      const damage = await vault.prove(half, found);
      if (damage !== undefined) throw new Problem("damaged", damage);
      return true;
    },
    async moved(moves, into) {
      await archive.takenIn();
      await index.relocate(half, moves);
      if (half === "identity" && into !== undefined) await index.add([], [into]);
    },
    async isTakenIn() {
      await archive.takenIn();
      return true;
    },
  };
}
