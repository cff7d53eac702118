// A vault whose bytes at rest can be exchanged under it: what a thief, a failing disk or a bad backup puts there.
import { randomBytes } from "node:crypto";
import { createMemorySealedObjects, type MemorySealedObjects } from "#stores/memory";
import type { Vault } from "./index.ts";
import { memoryStores, openVault } from "./vault.fixture.ts";

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
  let current = createMemorySealedObjects();
  const objects: MemorySealedObjects = {
    ...current,
    begin: () => current.begin(),
    read: (...args) => current.read(...args),
    packs: () => current.packs(),
    scan: (...args) => current.scan(...args),
  };
  const stores = memoryStores();
  const { vault } = await openVault({ stores: { ...stores, image: { ...stores.image, objects } } });
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
