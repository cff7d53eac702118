import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { createKeyring, type RecoveredObject, type Vault } from "#trust/vault";
import { openIdentity } from "../../trust/vault/vault.fixture.ts";
import { contentOf, openVault, passphrase } from "./writer.ts";

export interface KillReport {
  readonly kills: number;
  readonly acknowledged: number;
  /** Finished when the kill came, not yet acknowledged: they may be there. */
  readonly found: number;
  readonly slowestReadyMs: number;
}

interface Acknowledged {
  readonly serial: number;
  readonly bytes: number;
}

/** What was found so far in one folder. */
interface Look {
  readonly acknowledged: Map<string, Acknowledged>;
  readonly found: Set<string>;
  readonly marks: Map<string, number>;
}

/** A folder is left after so many kills, so that it does not fill the disk. */
const killsInFolder = 25;

/**
 * Kills a writing process `times` times at random moments and looks, after each, whether everything acknowledged so far is there
 * exactly once: what came since the last look is opened and compared, and before a folder is left everything. Throws at the
 * first that is not.
 */
export async function killAgainAndAgain(options: {
  readonly times: number;
  readonly seen?: (kill: number, acknowledged: number) => void;
}): Promise<KillReport> {
  const report = { kills: 0, acknowledged: 0, found: 0, slowestReadyMs: 0 };
  while (report.kills < options.times) {
    const folder = await mkdtemp(join(tmpdir(), "leadglass-kill-"));
    const look: Look = { acknowledged: new Map(), found: new Set(), marks: new Map() };
    const before = report.acknowledged;
    try {
      const place = { files: systemFiles, folder, passphrase, random: systemRandom };
      (await createKeyring({ ...place, cost: { memoryKiB: 64, passes: 1, lanes: 1 } })).wipe();
      for (let i = 0; i < killsInFolder && report.kills < options.times; i++) {
        const readyMs = await runAndKill(folder, i * 1_000_000, look.acknowledged);
        report.slowestReadyMs = Math.max(report.slowestReadyMs, readyMs);
        report.kills++;
        const isLast = i === killsInFolder - 1 || report.kills === options.times;
        await lookAgain(folder, look, isLast);
        report.acknowledged = before + look.acknowledged.size;
        options.seen?.(report.kills, report.acknowledged);
      }
      report.found += look.found.size;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return report;
}

/** From 0 to 1. */
const chance = () => Buffer.from(systemRandom(new Uint8Array(4))).readUInt32BE() / 2 ** 32;

/** How long the writer took to be ready. It is killed at a random moment between its start and half a second of writing. */
async function runAndKill(
  folder: string,
  firstSerial: number,
  acknowledged: Map<string, Acknowledged>,
): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, "writer.ts"), folder, String(firstSerial)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once("exit", (_, signal) => resolve(signal)));
  let readyMs = Number.NaN;
  const kill = () => child.kill("SIGKILL");
  // One in eight dies while it starts, and so while it takes up what the one before left behind.
  let timer = chance() < 1 / 8 ? setTimeout(kill, 60 + chance() * 150) : setTimeout(kill, 20_000);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "ready") {
      readyMs = performance.now() - begun;
      clearTimeout(timer);
      timer = setTimeout(kill, chance() ** 2 * 500);
      continue;
    }
    const [serial = "", bytes = "", id] = line.split(" ");
    // The last line may be cut; a whole one is an acknowledgement.
    if (id?.length === 32) acknowledged.set(id, { serial: Number(serial), bytes: Number(bytes) });
  }
  clearTimeout(timer);
  const signal = await ended;
  if (signal !== "SIGKILL") throw new Error(`the writer ended by itself (${signal ?? "exit"})`);
  if (readyMs > 5000) throw new Error(`the writer was ready after ${Math.round(readyMs)} ms only`);
  return Number.isNaN(readyMs) ? 0 : readyMs;
}

async function lookAgain(folder: string, look: Look, isLast: boolean): Promise<void> {
  const vault = await openVault(folder);
  const { acknowledged, marks } = look;
  for await (const object of vault.recover(marks)) {
    if (look.found.has(object.id)) throw new Error(`object ${object.id} is there twice`);
    look.found.add(object.id);
    marks.set(object.place.pack, object.endPosition);
    await compare(vault, object);
  }
  for (const [id, { serial, bytes }] of acknowledged) {
    if (!look.found.has(id))
      throw new Error(`object ${id} (number ${serial}, ${bytes} bytes) was acknowledged and is lost`);
  }
  if (isLast) await lookAtAll(vault, look);
  await vault.close();
}

async function lookAtAll(vault: Vault, look: Look): Promise<void> {
  const all = new Set<string>();
  for await (const { id } of vault.recover(new Map())) {
    if (all.has(id)) throw new Error(`object ${id} is there twice`);
    all.add(id);
  }
  const gone = [...look.found].filter((id) => !all.has(id));
  if (gone.length > 0) throw new Error(`${gone.length} objects that were there are gone`);
  for await (const damage of vault.check()) throw new Error(`damage in ${damage.place.pack}: ${damage.what}`);
}

async function compare(vault: Vault, object: RecoveredObject): Promise<void> {
  const [serial, bytes] = object.record.toString().split(" ").map(Number);
  const opened = await openIdentity(vault, object.place);
  const content = await opened.read(0, opened.sizeBytes);
  if (!content.equals(contentOf(serial ?? -1, bytes ?? -1)))
    throw new Error(`object ${object.id} is not what was sent`);
}
