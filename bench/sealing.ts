import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "#base/clock";
import { newToken, systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { createFileKeyStore } from "#stores/keys";
import { createPacks } from "#stores/packs";
import { newParcelKey, openParcel, sealParcel } from "#trust/parcels";
import {
  createKeyring,
  createPassphrase,
  createVault,
  type Half,
  passphraseRoot,
  type SealedPlace,
  type Vault,
} from "#trust/vault";
import { machine, percentile, print } from "./report.ts";

/*
 * What the vault costs: npm run bench -- sealing [--folder DIR] [--objects N]. The folder must lie on a real disk. Objects are sent as
 * C-STORE sends them: pieces of 16 KiB, the loop yielding between, `finish` once all are there.
 */
const ctBytes = 526 * 1024;
const pieceBytes = 16 * 1024;

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function sendOne(
  vault: Vault,
  studyToken: string,
  image: Buffer,
): Promise<{ place: SealedPlace; lastMs: number }> {
  const sealing = vault.seal({ studyToken, half: "image" });
  for (let at = 0; at < image.length; at += pieceBytes) {
    const wait = sealing.write(image.subarray(at, at + pieceBytes));
    if (wait !== undefined) await wait;
    else if (at % (4 * pieceBytes) === 0) await nextTurn();
  }
  const begun = performance.now();
  const { place } = await sealing.finish(image.subarray(0, 900));
  return { place, lastMs: performance.now() - begun };
}

async function measureSealing(vault: Vault, image: Buffer, count: number, inFlight: number): Promise<SealedPlace[]> {
  const studyToken = await vault.studyToken("1.2.3");
  const places: SealedPlace[] = [];
  const latencies: number[] = [];
  let left = count;
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) {
        const { place, lastMs } = await sendOne(vault, studyToken, image);
        places.push(place);
        latencies.push(lastMs);
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const perObject = (micros: number) => (micros / 1000 / count).toFixed(2);
  print(
    `seal  ${(image.length / 1024).toFixed(0)} KiB × ${count}, ${inFlight} in flight: ${(count / seconds).toFixed(0)} objects/s, ` +
      `${((count * image.length) / 1e6 / seconds).toFixed(0)} MB/s, CPU ${perObject(user + system)} ms each ` +
      `(${perObject(user)} user), finish to durable p50 ${percentile(latencies, 50).toFixed(2)} ` +
      `p95 ${percentile(latencies, 95).toFixed(2)} ms`,
  );
  return places;
}

async function measureReading(vault: Vault, places: readonly SealedPlace[]): Promise<void> {
  let bytes = 0;
  const begun = performance.now();
  for (const place of places) {
    const object = await vault.open(place);
    bytes += (await object.read(0, object.sizeBytes)).length;
  }
  print(`read  whole objects: ${(bytes / 1e3 / (performance.now() - begun)).toFixed(0)} MB/s`);
  const latencies: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const place = places[(i * 7919) % places.length] as SealedPlace;
    const at = (i * 104729) % (ctBytes - 65536);
    const start = performance.now();
    await (await vault.open(place)).read(at, at + 65536);
    latencies.push(performance.now() - start);
  }
  print(
    `range 64 KiB, open included: p50 ${percentile(latencies, 50).toFixed(2)} p95 ${percentile(latencies, 95).toFixed(2)} ms`,
  );
}

async function measureStart(open: () => Promise<Vault>): Promise<void> {
  const begun = performance.now();
  const started = await open();
  const ready = performance.now();
  let objects = 0;
  for await (const _ of started.recover(new Map())) objects++;
  const took = performance.now() - ready;
  print(`start ${(ready - begun).toFixed(1)} ms; recovery of ${objects} objects from nothing ${took.toFixed(0)} ms`);
  await started.close();
}

async function measureKeys(folder: string): Promise<void> {
  const filled = await createFileKeyStore({ files: systemFiles, folder });
  const key = (i: number) => ({ studyToken: newToken(systemRandom), wrappedKey: Buffer.alloc(62, i) });
  const digests = Array.from({ length: 50_000 }, () => systemRandom(new Uint8Array(32)));
  await Promise.all(digests.map((digest, i) => filled.putIfAbsent(digest, key(i))));
  await filled.close();
  const begun = performance.now();
  const loaded = await createFileKeyStore({ files: systemFiles, folder });
  const ready = performance.now();
  for (const digest of digests.slice(0, 1000)) await loaded.get(digest);
  const each = (performance.now() - ready) / 1000;
  print(
    `keys  ${loaded.count()} studies loaded in ${(ready - begun).toFixed(0)} ms, found in ${each.toFixed(3)} ms each`,
  );
  await loaded.close();
}

/** What an edge pays to seal to its cloud, and the cloud to open it; the hash of the sealed bytes is in it. */
async function measureParcels(content: Buffer, count: number): Promise<void> {
  const key = await newParcelKey();
  const took = { seal: 0, open: 0 };
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    const parts: Buffer[] = [];
    const sealer = await sealParcel(key, content.subarray(0, 900), (part) => parts.push(part));
    for (let at = 0; at < content.length; at += pieceBytes) sealer.update(content.subarray(at, at + pieceBytes));
    sealer.end(content.subarray(0, 200));
    const opened = performance.now();
    const opener = openParcel(() => key, { head: () => {}, content: () => {} });
    for (const part of parts) await opener.write(part);
    await opener.end();
    took.seal += opened - begun;
    took.open += performance.now() - opened;
  }
  const each = (ms: number) =>
    `${(ms / count).toFixed(2)} ms, ${((count * content.length) / 1e3 / ms).toFixed(0)} MB/s`;
  print(
    `parcel ${(content.length / 1024).toFixed(0)} KiB × ${count}: seal ${each(took.seal)}; open ${each(took.open)}`,
  );
}

/** `words`: [--folder DIR] [--objects N]. */
export async function sealing(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: { folder: { type: "string", default: "." }, objects: { type: "string", default: "600" } },
  });
  const folder = await mkdtemp(join(values.folder, "bench-vault-"));
  const count = Number(values.objects);
  const passphrase = createPassphrase(systemRandom);
  const root = passphraseRoot({ passphrase: async () => passphrase, random: systemRandom });
  const place = { files: systemFiles, folder, root, random: systemRandom, tenants: ["main"] };
  try {
    const keyring = await createKeyring(place);
    const storesIn = async (half: Half) => ({
      keyStore: await createFileKeyStore({ files: systemFiles, folder: join(folder, `${half}-keys`) }),
      objects: createPacks({
        files: systemFiles,
        folder: join(folder, `${half}-packs`),
        clock: systemClock,
        random: systemRandom,
      }),
    });
    const open = async () => {
      const stores = { image: await storesIn("image"), identity: await storesIn("identity") };
      return createVault({ keyring, tenant: "main", stores, random: systemRandom });
    };
    const opened = await open();
    const image = Buffer.from(systemRandom(Buffer.alloc(ctBytes)));
    print(machine());
    await measureSealing(opened, image, Math.min(200, count), 1); // warms up
    const places = await measureSealing(opened, image, count, 1);
    await measureSealing(opened, image, count, 4);
    await measureSealing(opened, image.subarray(0, 130 * 1024), count, 4);
    await measureSealing(opened, Buffer.concat(Array.from({ length: 20 }, () => image)), 20, 1);
    await measureReading(opened, places);
    for (const times of [1, 20])
      await measureParcels(Buffer.concat(Array.from({ length: times }, () => image)), 200 / times);
    await opened.close();
    await measureStart(open);
    await measureKeys(join(folder, "more-keys"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
