import { existsSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { systemRandom as random } from "#base/id";
import { systemFiles as files } from "#base/io";
import { silentLog } from "#base/log";
import { type BlindStore, createBlindIndex, type InstanceRecord } from "#radiology/archive";
import { createFileKeyStore } from "#stores/keys";
import { createPacks } from "#stores/packs";
import { openIndexDatabase } from "#stores/sql";
import { createVault, openKeyring, passphraseRoot, type Vault } from "#trust/vault";
import { pathsOf } from "../apps/home/index.ts";
import { readConfiguration } from "../apps/server/index.ts";
import { startHouse } from "../tests/house/index.ts";
import { kept } from "./data.ts";
import { loadNow } from "./processes.ts";
import { print } from "./report.ts";
import { patientIdOf, patientOf, tinyRecord } from "./studies.ts";

const marker = "generated.json";
const batchStudies = 500;
/** Long merges make few: the index ends the same, and a million studies take a part of the time. */
const mergedAtTerms = 8_000_000;
/** Studies that have so many terms, and more: after them a merge is waited for, or the log would grow faster than it is merged. */
const betweenMerges = 100_000;

/**
 * A home whose index holds so many studies, with their keys and without their images, as a server finds it that has received them. Made
 * through vault and index as they are; kept for the next run, and gone on with where a run was stopped.
 */
export async function generatedHome(studies: number): Promise<string> {
  const home = join(kept("generated"), `leadglass-${studies}`);
  if (existsSync(join(home, marker))) return home;
  if (!existsSync(home)) await (await startHouse({ home: kept(join("generated", `leadglass-${studies}`)) })).stop();
  const began = performance.now();
  await fill(home, studies);
  print(
    `  index of ${studies} studies made in ${((performance.now() - began) / 1_000).toFixed(0)} s, load ${loadNow()}`,
  );
  writeFileSync(join(home, marker), JSON.stringify({ studies }));
  return home;
}

export function forgetGenerated(studies: number): void {
  rmSync(join(kept("generated"), `leadglass-${studies}`), { recursive: true, force: true });
}

async function fill(home: string, studies: number): Promise<void> {
  const vault = await openVault(home);
  const { blindStore } = await openIndexDatabase({ path: pathsOf(home).indexDatabase, log: silentLog });
  const merges = countingMerges(blindStore);
  const parts = { store: merges.store, box: vault.indexBox, clock: systemClock };
  const index = createBlindIndex({ ...parts, mergedAtTerms });
  try {
    const began = performance.now();
    const first = (await index.countStudies([])).count;
    let next = recordsOf(vault, first, studies);
    for (let from = first; from < studies; from += batchStudies) {
      const records = await next;
      next = recordsOf(vault, from + batchStudies, studies);
      await index.add(records, []);
      if ((from - first) % betweenMerges === betweenMerges - batchStudies) await merges.idle();
      if (from % 10_000 < batchStudies) {
        const rate = ((from - first) * 1_000) / (performance.now() - began);
        print(`  ${from} studies, ${rate.toFixed(0)}/s, ${merges.done()} merges, load ${loadNow()}`);
      }
    }
    await merges.idle();
  } finally {
    await index.close();
  }
  await mergeRest(home, vault, studies);
  await vault.close();
}

/** What is left in the log goes into the lists too, or every start of the server would read it. */
async function mergeRest(home: string, vault: Vault, studies: number): Promise<void> {
  const { blindStore } = await openIndexDatabase({ path: pathsOf(home).indexDatabase, log: silentLog });
  const merges = countingMerges(blindStore);
  const index = createBlindIndex({ store: merges.store, box: vault.indexBox, clock: systemClock, mergedAtTerms: 1 });
  try {
    await index.add(await recordsOf(vault, studies - 1, studies), []);
    const before = merges.done();
    await index.add([], []);
    while (merges.done() === before && merges.isBusy()) await systemClock.sleep(200);
    await merges.idle();
  } finally {
    await index.close();
  }
}

async function openVault(home: string): Promise<Vault> {
  const { keys, packs, identityKeys, identityPacks } = pathsOf(home);
  const { passphraseFile } = readConfiguration({ home }, {});
  const root = passphraseRoot({ passphrase: async () => (await readFile(passphraseFile, "utf8")).trim(), random });
  const keyring = await openKeyring({ files, folder: keys, random, root });
  const storesIn = async (keyFolder: string, folder: string) => ({
    keyStore: await createFileKeyStore({ files, folder: keyFolder }),
    objects: createPacks({ files, folder, clock: systemClock, random }),
  });
  const stores = { image: await storesIn(keys, packs), identity: await storesIn(identityKeys, identityPacks) };
  return createVault({ keyring, tenant: "main", stores, random });
}

function recordsOf(vault: Vault, from: number, studies: number): Promise<InstanceRecord[]> {
  const count = Math.max(0, Math.min(batchStudies, studies - from));
  return Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const record = tinyRecord(from + at);
      const studyToken = await vault.studyToken(record.studyUid, patientIdOf(patientOf(from + at)));
      return { ...record, studyToken };
    }),
  );
}

/** A merge takes from the log at its end; while it goes on there are changes that nobody asked for. */
function countingMerges(store: BlindStore) {
  let done = 0;
  let lastChange = performance.now();
  const isBusy = () => performance.now() - lastChange < 2_000;
  return {
    done: () => done,
    isBusy,
    async idle() {
      while (isBusy()) await systemClock.sleep(200);
    },
    store: {
      ...store,
      change: <T>(work: Parameters<typeof store.change<T>>[0]) =>
        store.change<T>((rows) => {
          lastChange = performance.now();
          const removeBlocks: typeof rows.removeBlocks = async (name, below) => {
            await rows.removeBlocks(name, below);
            done++;
          };
          return work({ ...rows, removeBlocks });
        }),
    },
  };
}
