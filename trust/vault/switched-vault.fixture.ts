// A vault whose bytes at rest can be exchanged under it: what a thief, a failing disk or a bad backup puts there.
import { randomBytes } from "node:crypto";
import { systemRandom } from "#base/id";
import { createTracedFiles } from "#base/io";
import { createMemoryKeyStore, createMemorySealedObjects } from "#stores/memory";
import { createKeyring, createVault, type SealedObjects, type Vault } from "./index.ts";

/** A sealed image half by itself. */
export interface SealedAlone {
  readonly id: string;
  readonly plain: Buffer;
  /** From header to footer. */
  readonly bytes: Buffer;
}

export interface SwitchedVault {
  readonly vault: Vault;
  readonly pack: string;
  /** From now on these bytes, in a row, are all that the pack holds. */
  hold(...bytes: readonly Buffer[]): Promise<void>;
  /** Seals random bytes, with a record of random bytes. The pack holds nothing else afterwards. */
  sealed(studyUid: string, sizeBytes: number, recordBytes?: number): Promise<SealedAlone>;
}

export async function createSwitchedVault(): Promise<SwitchedVault> {
  const keyring = await createKeyring({
    files: createTracedFiles().files,
    folder: "home",
    passphrase: "correct horse battery staple",
    tenants: ["main"],
    random: systemRandom,
    cost: { memoryKiB: 64, passes: 1, lanes: 1 },
  });
  let current = createMemorySealedObjects();
  const objects: SealedObjects = {
    ...current,
    begin: () => current.begin(),
    read: (...args) => current.read(...args),
    packs: () => current.packs(),
    scan: (...args) => current.scan(...args),
  };
  const vault = await createVault({
    keyring,
    tenant: "main",
    stores: {
      image: { objects, keyStore: createMemoryKeyStore() },
      identity: { objects: createMemorySealedObjects(), keyStore: createMemoryKeyStore() },
    },
    random: systemRandom,
  });
  const hold: SwitchedVault["hold"] = async (...bytes) => {
    current = createMemorySealedObjects();
    if (bytes.length > 0) await (await current.begin()).commit(bytes);
  };
  return {
    vault,
    pack: "00000001-00000000",
    hold,
    async sealed(studyUid, sizeBytes, recordBytes = 40) {
      await hold();
      const sealing = vault.seal({ studyToken: await vault.studyToken(studyUid), half: "image" });
      const plain = randomBytes(sizeBytes);
      await sealing.write(Buffer.from(plain));
      await sealing.finish(randomBytes(recordBytes));
      return { id: sealing.id, plain, bytes: Buffer.from(current.bytes()) };
    },
  };
}
