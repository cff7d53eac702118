import { createCipheriv } from "node:crypto";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { createFileKeyStore } from "#stores/keys";
import { createPacks } from "#stores/packs";
import { createVault, openKeyring, type Vault } from "#trust/vault";

/*
 * The process that is killed: node writer.ts FOLDER SEED. Opens the vault of the folder, says `ready`, then seals objects of many
 * lengths, six at a time, until it is killed. Each acknowledgement is one line `SERIAL BYTES ID`, written before anything else is done.
 */
export const passphrase = "a phrase for homes that are killed";

/** What object `serial` of a run holds: anybody who knows its number and length can make it again. */
export function contentOf(serial: number, bytes: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeDoubleBE(serial);
  key.writeDoubleBE(bytes, 8);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

export async function openVault(folder: string): Promise<Vault> {
  const files = systemFiles;
  const keyring = await openKeyring({ files, folder, passphrase, random: systemRandom });
  const storesIn = async (place: string) => ({
    keyStore: await createFileKeyStore({ files, folder: join(place, "keys") }),
    objects: createPacks({
      files,
      folder: join(place, "packs"),
      clock: systemClock,
      random: systemRandom,
      // Small, so that packs fill up and are ended all the time.
      packBytesMax: 4 * 1024 * 1024,
      reserveBytes: 0,
    }),
  });
  const stores = { image: await storesIn(folder), identity: await storesIn(join(folder, "identity")) };
  return createVault({ keyring, tenant: "main", stores, random: systemRandom });
}

const lengths = [0, 100, 5000, 30_000, 130_000, 131_072, 270_000, 600_000];

async function writeForever(vault: Vault, nextSerial: () => number): Promise<never> {
  for (;;) {
    const serial = nextSerial();
    const bytes = lengths[serial % lengths.length] ?? 0;
    const studyToken = await vault.studyToken(`1.2.${serial % 50}.${Math.floor(serial / 200)}`);
    // What recovery gives back are objects of the identity store.
    const sealing = vault.seal({ studyToken, half: "identity" });
    const content = contentOf(serial, bytes);
    for (let at = 0; at < bytes; at += 16_384) {
      await sealing.write(content.subarray(at, at + 16_384));
      if (at % 65_536 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    if (serial % 11 === 0) await sealing.abort();
    else {
      await sealing.finish(Buffer.from(`${serial} ${bytes}`));
      writeSync(1, `${serial} ${bytes} ${sealing.id}\n`);
    }
  }
}

if (import.meta.main) {
  const [folder = "", first = "0"] = process.argv.slice(2);
  const vault = await openVault(folder);
  let serial = Number(first);
  writeSync(1, "ready\n");
  await Promise.all(Array.from({ length: 6 }, () => writeForever(vault, () => serial++)));
}
