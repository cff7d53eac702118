import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { silentLog } from "#base/log";
import { createFileKeyStore } from "#stores/keys";
import { createMemoryKeyStore, createMemorySealedObjects } from "#stores/memory";
import { createPacks } from "#stores/packs";
import { operator } from "#trust/access";
import { createVault, type HalfStores, openKeyring, type Vault } from "#trust/vault";
import { pathsOf } from "../../apps/home/index.ts";
import { openHouse, readConfiguration } from "../../apps/server/index.ts";
import { type Slice, sha256, stow } from "../flows/modality.fixture.ts";
import { createCanaries } from "../flows/nothing-in-the-clear-canaries.fixture.ts";
import {
  documents,
  fullInstance,
  imageOf,
  namedAbroad,
  newPatient,
  writtenOtherwise,
} from "../flows/nothing-in-the-clear-instances.fixture.ts";
import { createSearch, wantedOf } from "../flows/nothing-in-the-clear-search.fixture.ts";
import { correctAll } from "../flows/nothing-in-the-clear-ways.fixture.ts";
import { newHome, startHouse } from "../house/index.ts";

const environment = { LEADGLASS_RESERVE_MIB: "1" };

/** A home that was used and stopped, its backup, and how to know anybody in it. */
export async function usedHome() {
  const home = newHome();
  const root = mkdtempSync(join(tmpdir(), "lg-thief-"));
  const backup = join(root, "backup");
  mkdirSync(backup);
  const canaries = createCanaries("thief");
  const patients = [newPatient(canaries), newPatient(canaries), newPatient(canaries)] as const;
  const images = patients.map((patient) => imageOf(canaries, patient));
  const full = fullInstance(canaries);
  const slices = [full, ...images, ...namedAbroad(canaries), ...writtenOtherwise(canaries), ...documents(canaries)];
  const house = await startHouse({ home, environment });
  try {
    const answer = await stow(house, slices);
    if (answer.status !== 200) throw new Error(await answer.text());
    correctAll(house, canaries, patients);
    await house.fetch(`/dicom-web/studies/${full.studyUid}/metadata`);
    house.command(["vault", "backup", backup]);
    await house.stop();
  } catch (error) {
    await house.remove();
    throw error;
  }
  const search = createSearch(wantedOf(canaries.all));
  return {
    ...{ home, backup, canaries, patients, slices, full, search },
    ...{ other: images[2] as Slice },
    passphrase: readFileSync(join(home, "root.passphrase"), "utf8").trim(),
    /** A folder of the thief's own, with what was taken out of a home in it. */
    taken(...names: readonly string[]): string {
      const loot = mkdtempSync(join(root, "loot-"));
      for (const name of names) cpSync(join(home, name), join(loot, name), { recursive: true });
      return loot;
    },
    /** Names of what the bytes of all files say of anybody. */
    namesIn: (folder: string) => filesUnder(folder).flatMap((path) => search.in(readFileSync(path))),
    remove() {
      for (const folder of [home, root]) rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type UsedHome = Awaited<ReturnType<typeof usedHome>>;

export function filesUnder(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** A vault that the thief puts together: what was not taken is empty. */
export async function vaultOf(
  loot: string,
  taken: {
    readonly keyring: string;
    readonly passphrase: string;
    readonly image?: boolean;
    readonly identity?: "all" | "objects";
  },
): Promise<Vault> {
  const paths = pathsOf(loot);
  const keyring = await openKeyring({
    files: systemFiles,
    folder: taken.keyring,
    passphrase: taken.passphrase,
    random: systemRandom,
  });
  const packs = (folder: string) =>
    createPacks({
      files: systemFiles,
      folder,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      reserveBytes: 0,
    });
  const keys = (folder: string) => createFileKeyStore({ files: systemFiles, folder });
  const nothing = (): HalfStores => ({ objects: createMemorySealedObjects(), keyStore: createMemoryKeyStore() });
  const image = taken.image === true ? { objects: packs(paths.packs), keyStore: await keys(paths.keys) } : nothing();
  const identity = nothing();
  const stores = {
    image,
    identity: {
      objects: taken.identity === undefined ? identity.objects : packs(paths.identityPacks),
      keyStore: taken.identity === "all" ? await keys(paths.identityKeys) : identity.keyStore,
    },
  };
  return createVault({ keyring, tenant: "main", stores, random: systemRandom });
}

/** Opens a home as the server does, and closes it. */
export async function inside<T>(
  home: string,
  work: (house: Awaited<ReturnType<typeof openHouse>>) => Promise<T>,
): Promise<T> {
  const house = await openHouse(readConfiguration({ home }, environment), pathsOf(home), silentLog);
  try {
    return await work(house);
  } finally {
    await house.close();
  }
}

/** What reading a study gives: the hash of each instance, or the code of the problem. */
export async function readingOf(house: Awaited<ReturnType<typeof openHouse>>, slice: Slice): Promise<string[]> {
  try {
    const held = await house.archive.read(operator, slice);
    return await Promise.all(
      held.map(async (one) => {
        const object = await one.open();
        const bytes = await object.read(one.dataSetOffset, object.sizeBytes);
        return sha256(bytes);
      }),
    );
  } catch (error) {
    return [String((error as { code?: unknown }).code)];
  }
}

export function write(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}
