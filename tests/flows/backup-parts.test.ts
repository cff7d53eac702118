import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#base/clock";
import { seededRandom, systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { restoreBackup } from "#stores/backup";
import { createFileKeyStore } from "#stores/keys";
import { openEntryFiles } from "#stores/log";
import { createPacks } from "#stores/packs";
import { createGate, operator } from "#trust/access";
import { createAuditLog } from "#trust/audit";
import {
  backupKeyBytes,
  backupKeyPurpose,
  createBackupBox,
  createKeyRotation,
  createKeyring,
  createVault,
  type Half,
  type HalfStores,
  type Keyring,
  openKeyring,
  recoverKeyring,
  type SealedPlace,
  type Vault,
} from "#trust/vault";
import { pathsOf } from "../../apps/home/index.ts";
import { createBackups } from "../../apps/server/index.ts";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { openIdentity } from "../../trust/vault/vault.fixture.ts";

const passphrase = "correct horse battery staple";
const cost = { memoryKiB: 64, passes: 1, lanes: 1 };
const [files, clock, random] = [systemFiles, systemClock, systemRandom];

async function storesOf(home: string): Promise<Record<Half, HalfStores>> {
  const paths = pathsOf(home);
  const half = async (keys: string, folder: string): Promise<HalfStores> => ({
    keyStore: await createFileKeyStore({ files, folder: keys, recordsPerFile: 64 }),
    objects: createPacks({ files, folder, clock, random, reserveBytes: 0, packBytesMax: 200_000 }),
  });
  return {
    image: await half(paths.keys, paths.packs),
    identity: await half(paths.identityKeys, paths.identityPacks),
  };
}

/** A home of real stores without its doors, and a backup of it. */
async function withParts(work: (parts: Awaited<ReturnType<typeof openParts>>) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lg-backup-parts-"));
  try {
    const parts = await openParts(folder);
    await work(parts);
    await parts.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openParts(folder: string) {
  const home = join(folder, "home");
  const paths = pathsOf(home);
  const keyring = await createKeyring({ files, folder: paths.keys, passphrase, random, cost });
  const stores = await storesOf(home);
  const vault = await createVault({ keyring, tenant: "main", stores, random });
  const entryStore = await openEntryFiles({ files, folder: paths.audit });
  const audit = await createAuditLog({ store: entryStore, signingSeed: Buffer.alloc(32, 1), origin: "log", clock });
  const copyAccess = async () => Buffer.from("accounts");
  const backups = createBackups({ files, clock, random, paths, keyring, vault, stores, audit, entryStore, copyAccess });
  const backup = join(folder, "backup");
  const taking = { folder: backup, keepPoints: 14, verify: false, beginAnew: false };
  return {
    folder,
    home,
    backup,
    keyring,
    stores,
    vault,
    audit,
    backups,
    take: () => backups.take(taking, () => {}),
    async close() {
      await audit.close();
      await vault.close();
    },
  };
}

interface Stored {
  readonly studyToken: string;
  readonly content: Buffer;
  readonly identity: SealedPlace;
}

/** An image half and the identity half that names it, committed side by side as intake does. */
async function store(vault: Vault, studyUid: string, patient: string, seed: number): Promise<Stored> {
  const studyToken = await vault.studyToken(studyUid, patient);
  const content = Buffer.from(seededRandom(seed)(Buffer.alloc(20_000 + (seed % 7) * 1_000)));
  const image = vault.seal({ studyToken, half: "image" });
  await image.write(content);
  const place = await image.end(Buffer.from("image"));
  const identity = vault.seal({ studyToken, half: "identity" });
  await identity.write(Buffer.from(JSON.stringify({ seed, imageId: image.id, place })));
  const identityPlace = await identity.end(Buffer.from(`${seed}`));
  await Promise.all([image.commit(), identity.commit()]);
  return { studyToken, content, identity: identityPlace };
}

/** A vault on what a point gives back. */
async function restored(
  parts: Awaited<ReturnType<typeof openParts>>,
  name: string,
  point?: number,
  open: (folder: string) => Promise<Keyring> = (folder) => openKeyring({ files, folder, passphrase, random }),
) {
  const home = join(parts.folder, name);
  let keyring: Keyring | undefined;
  const report = await restoreBackup({
    ...{ files, random, clock, folder: parts.backup, home, acceptLoss: false, tell: () => {} },
    ...(point !== undefined && { point }),
    settings: ["keys/keyring.json"],
    async openBox(folder) {
      keyring = await open(join(folder, "keys"));
      return createBackupBox(keyring.tenant("main").key(backupKeyPurpose, backupKeyBytes), random);
    },
    openLog: () => openEntryFiles({ files, folder: pathsOf(home).audit }),
    takeState: (state) => (state === "access database" ? Promise.resolve() : undefined),
  });
  assert.ok(keyring);
  const vault = await createVault({ keyring, tenant: "main", stores: await storesOf(home), random });
  return { vault, report };
}

/** Seeds of all instances that come back: each identity half once, its image half there and whole. */
async function instancesOf(vault: Vault, stored: ReadonlyMap<number, Stored>): Promise<Set<number>> {
  const images = new Map<string, SealedPlace>();
  for await (const { id, place } of vault.images()) images.set(id, place);
  const found = new Set<number>();
  for await (const { place, record } of vault.recover(new Map())) {
    const seed = Number(record.toString());
    assert.ok(!found.has(seed), `${seed} is there twice`);
    found.add(seed);
    const half = await openIdentity(vault, place);
    const { imageId } = JSON.parse((await half.read(0, half.sizeBytes)).toString()) as { imageId: string };
    const imagePlace = images.get(imageId);
    assert.ok(imagePlace, `the image half of ${seed} is not there`);
    const image = await vault.open(imagePlace);
    const content = await image.read(0, image.sizeBytes);
    const was = stored.get(seed);
    if (was !== undefined) assert.ok(content.equals(was.content));
  }
  return found;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const filesUnder = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });

const holds = (folder: string, bytes: Buffer) => filesUnder(folder).some((path) => readFileSync(path).includes(bytes));

test("a shredded study is gone from every point of the backup: no byte of its wrapped keys is left there", () =>
  withParts(async (parts) => {
    const { vault, stores, backup, backups } = parts;
    const gone = await store(vault, "1.2.3", "one", 1);
    await parts.take();
    const kept = await store(vault, "4.5.6", "two", 2);
    await parts.take();
    const wrapped = async (token: string) => {
      const keys = await Promise.all([stores.image, stores.identity].map(({ keyStore }) => keyStore.byToken(token)));
      return keys.map((key) => key?.wrappedKey ?? assert.fail("no key"));
    };
    const patientToken = (await vault.patientOf(gone.studyToken)) ?? assert.fail("no patient");
    const patientKey = (await stores.identity.keyStore.byToken(patientToken))?.wrappedKey ?? assert.fail("no key");
    const [goneKeys, keptKeys] = [[...(await wrapped(gone.studyToken)), patientKey], await wrapped(kept.studyToken)];
    for (const key of [...goneKeys, ...keptKeys]) assert.ok(holds(backup, key));

    await vault.shred({ studyTokens: [gone.studyToken], patientToken });
    for (const key of goneKeys) assert.ok(holds(backup, key), "not before it is told");
    const purged = await backups.purgeKeys();
    assert.deepEqual(
      purged.map(({ folder, kept: why }) => [folder, why]),
      [[backup, undefined]],
    );
    for (const key of goneKeys) assert.ok(!holds(backup, key));
    for (const key of keptKeys) assert.ok(holds(backup, key));
    for (const point of [1, 2]) {
      const { vault: again } = await restored(parts, `point ${point}`, point);
      const found = await instancesOf(again, new Map([[2, kept]]));
      assert.deepEqual([...found], point === 1 ? [] : [2]);
      await assert.rejects(openIdentity(again, gone.identity), (error) => isProblem(error, "absent"));
      await again.close();
    }
  }));

test("a backup whose disk is away when a study is shredded is told, and loses the keys with its next run", () =>
  withParts(async (parts) => {
    const { vault, stores, backup, backups, folder } = parts;
    const gone = await store(vault, "1.2.3", "one", 1);
    await parts.take();
    const key = (await stores.image.keyStore.byToken(gone.studyToken))?.wrappedKey ?? assert.fail("no key");
    renameSync(backup, join(folder, "taken out"));
    await vault.shred({ studyTokens: [gone.studyToken] });
    assert.match((await backups.purgeKeys())[0]?.kept ?? "", /not there/);
    renameSync(join(folder, "taken out"), backup);
    assert.ok(holds(backup, key));
    await parts.take();
    assert.ok(!holds(backup, key));
  }));

test("two shares of the recovery kit open a backup, and the home that comes of it has a new passphrase", () =>
  withParts(async (parts) => {
    const [one = "", , three = ""] = await parts.keyring.makeRecoveryKit();
    const stored = await store(parts.vault, "1.2.3", "one", 1);
    await parts.take();
    const fresh = "another horse battery staple";
    const { vault } = await restored(parts, "new", undefined, (folder) =>
      recoverKeyring({ files, folder, random, shares: [three, one], passphrase: fresh, cost }),
    );
    assert.deepEqual(await instancesOf(vault, new Map([[1, stored]])), new Set([1]));
    await vault.close();
    const folder = pathsOf(join(parts.folder, "new")).keys;
    (await openKeyring({ files, folder, random, passphrase: fresh })).wipe();
    await assert.rejects(openKeyring({ files, folder, random, passphrase }), (error) => isProblem(error, "denied"));
  }));

test("points that are taken while images arrive, keys rotate and packs are compacted each give back all that was acknowledged", () =>
  withParts(async (parts) => {
    const { vault, stores, keyring, audit } = parts;
    const gate = createGate({ policy: policyWhere(), audit, clock });
    const rotation = createKeyRotation({ keyring, tenant: "main", stores, vault, gate, random, log: silentLog });
    const stored = new Map<number, Stored>();
    let isOver = false;
    const arriveFrom = async (first: number) => {
      for (let seed = first; !isOver; seed += 2) {
        const study = `1.2.${seed % 40}`;
        stored.set(seed, await store(vault, study, `patient ${seed % 9}`, seed));
        await pause(5);
      }
    };
    const arriving = Promise.all([1, 2].map(arriveFrom));
    const rotating = (async () => {
      while (!isOver) {
        await rotation.rotateTenant(operator);
        await pause(20);
      }
    })();
    const compacting = (async () => {
      while (!isOver) {
        for (const { objects } of Object.values(stores)) {
          const ended = (await objects.packs()).find(({ isEnded }) => isEnded);
          if (ended !== undefined) await objects.compact(ended.pack, { keeps: () => true, moved: async () => {} });
        }
        await pause(100);
      }
    })();
    const points: { point: number; acknowledged: number[] }[] = [];
    try {
      for (let round = 0; round < 5; round++) {
        await pause(60);
        const acknowledged = [...stored.keys()];
        points.push({ point: (await parts.take()).point, acknowledged });
      }
    } finally {
      isOver = true;
    }
    await Promise.all([arriving, rotating, compacting]);
    await parts.take();
    for (const { point, acknowledged } of points) {
      const { vault: again, report } = await restored(parts, `point ${point}`, point);
      const found = await instancesOf(again, stored);
      for (const seed of acknowledged) assert.ok(found.has(seed), `${seed} is not in point ${point}`);
      const damaged: unknown[] = [];
      for await (const damage of again.check()) damaged.push(damage);
      assert.deepEqual(damaged, []);
      assert.ok(report.objects >= acknowledged.length * 2);
      await again.close();
    }
    await rotation.close();
  }));
