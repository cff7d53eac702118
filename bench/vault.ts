import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "#base/clock";
import { seededRandom, systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { createFileKeyStore } from "#stores/keys";
import { createPacks } from "#stores/packs";
import { createKeyring, createPassphrase, createVault, type SealedPlace, type Vault } from "#trust/vault";

/*
 * What the vault costs: node bench/vault.ts [--folder DIR] [--objects N]. The folder must lie on a real disk. Objects are sent as
 * C-STORE sends them: pieces of 16 KiB, the loop yielding between, `finish` once all are there.
 */
const ctBytes = 526 * 1024;
const pieceBytes = 16 * 1024;
const say = (line: string) => void process.stdout.write(`${line}\n`);
const quantile = (values: readonly number[], at: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * at))] ?? 0;
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function sendOne(
  vault: Vault,
  studyToken: string,
  image: Buffer,
): Promise<{ place: SealedPlace; lastMs: number }> {
  const sealing = vault.seal({ studyToken });
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
  say(
    `seal  ${(image.length / 1024).toFixed(0)} KiB × ${count}, ${inFlight} in flight: ${(count / seconds).toFixed(0)} objects/s, ` +
      `${((count * image.length) / 1e6 / seconds).toFixed(0)} MB/s, CPU ${perObject(user + system)} ms each ` +
      `(${perObject(user)} user), finish to durable p50 ${quantile(latencies, 0.5).toFixed(2)} ` +
      `p95 ${quantile(latencies, 0.95).toFixed(2)} ms`,
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
  say(`read  whole objects: ${(bytes / 1e3 / (performance.now() - begun)).toFixed(0)} MB/s`);
  const latencies: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const place = places[(i * 7919) % places.length] as SealedPlace;
    const at = (i * 104729) % (ctBytes - 65536);
    const start = performance.now();
    await (await vault.open(place)).read(at, at + 65536);
    latencies.push(performance.now() - start);
  }
  say(
    `range 64 KiB, open included: p50 ${quantile(latencies, 0.5).toFixed(2)} p95 ${quantile(latencies, 0.95).toFixed(2)} ms`,
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { folder: { type: "string", default: "." }, objects: { type: "string", default: "600" } },
  });
  const folder = await mkdtemp(join(values.folder, "bench-vault-"));
  const count = Number(values.objects);
  const open = async () => {
    const keyStore = await createFileKeyStore({ files: systemFiles, folder: join(folder, "keys") });
    const packs = { files: systemFiles, folder: join(folder, "packs"), clock: systemClock, random: systemRandom };
    return createVault({ keyring, tenant: "main", keyStore, objects: createPacks(packs), random: systemRandom });
  };
  const place = { files: systemFiles, folder, passphrase: createPassphrase(systemRandom), random: systemRandom };
  const keyring = await createKeyring(place);
  try {
    let vault = await open();
    const image = Buffer.from(seededRandom(1)(Buffer.alloc(ctBytes)));
    await measureSealing(vault, image, Math.min(100, count), 1);
    const places = await measureSealing(vault, image, count, 1);
    await measureSealing(vault, image, count, 4);
    await measureSealing(vault, image.subarray(0, 130 * 1024), count, 4);
    await measureSealing(vault, Buffer.concat(Array.from({ length: 20 }, () => image)), 20, 1);
    await measureReading(vault, places);
    await vault.close();
    const begun = performance.now();
    vault = await open();
    const opened = performance.now();
    let recovered = 0;
    for await (const _ of vault.recover(new Map())) recovered++;
    say(
      `start ${(opened - begun).toFixed(1)} ms; recovery of ${recovered} objects ${(performance.now() - opened).toFixed(0)} ms`,
    );
    await vault.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
