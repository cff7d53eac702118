import { systemRandom } from "#base/id";
import { createTracedFiles } from "#base/io";
import { createMemoryKeyStore, createMemorySealedObjects } from "#stores/memory";
import { identityOpeningOf } from "./identity-opening.ts";
import { createKeyring, createVault, type Half, type SealedPlace, type Vault } from "./index.ts";

export const keyring = await createKeyring({
  files: createTracedFiles().files,
  folder: "home",
  passphrase: "correct horse battery staple",
  tenants: ["main", "other"],
  random: systemRandom,
  cost: { memoryKiB: 64, passes: 1, lanes: 1 },
});

export function memoryStores() {
  const half = () => ({ objects: createMemorySealedObjects(), keyStore: createMemoryKeyStore() });
  return { image: half(), identity: half() };
}

export type MemoryStores = ReturnType<typeof memoryStores>;

/** A vault over stores in memory, which the next may be opened on. */
export async function openVault(options: { tenant?: string; stores?: MemoryStores } = {}) {
  const { tenant = "main", stores = memoryStores() } = options;
  const vault = await createVault({ keyring, tenant, stores, random: systemRandom });
  return { vault, stores };
}

/** Seals bytes in pieces, each of which the caller's buffer loses at once. */
export async function put(
  vault: Vault,
  bytes: Buffer,
  options: { half?: Half; cuts?: readonly number[]; studyUid?: string; patient?: string } = {},
) {
  const { half = "image", cuts = [], studyUid = "1.2.3", patient } = options;
  const sealing = vault.seal({ studyToken: await vault.studyToken(studyUid, patient), half });
  let from = 0;
  for (const cut of [...cuts.map((part) => part % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    const piece = Buffer.from(bytes.subarray(from, cut));
    await sealing.write(piece);
    piece.fill(0xee); // the caller may use its buffer again at once
    from = cut;
  }
  return (await sealing.finish(Buffer.from(`record of ${bytes.length}`))).place;
}

/** Opens an object of the identity store as `reveal` does, without its rules. */
export const openIdentity = (vault: Vault, place: SealedPlace) => identityOpeningOf(vault).object(place);
