import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { systemClock } from "#base/clock";
import { seededRandom } from "#base/id";
import { type Files, type OpenFile, systemFiles } from "#base/io";
import type { ParcelNote, Spool } from "#radiology/uplink";
import { openSpool } from "#stores/spool";
import type { SpoolIndex } from "#stores/sql";
import { machine, print, table } from "./report.ts";

const parcelBytes = 512 * 1024;
const writeBytes = 128 * 1024;
const readBytes = 64 * 1024;
const inFlight = 64;

const content = Buffer.from(seededRandom(1)(Buffer.alloc(parcelBytes)));
const sha256 = Uint8Array.from(createHash("sha256").update(content).digest());

function noteOf(number: number, length: number): ParcelNote {
  const id = number.toString(16).padStart(32, "0");
  return { id, length, sha256, urgency: "routine", inOrder: false, subject: id, putAt: systemClock.now() };
}

async function put(spool: Spool, number: number, bytes: Buffer): Promise<void> {
  const writer = await spool.begin();
  for (let at = 0; at < bytes.length; at += writeBytes) await writer.write([bytes.subarray(at, at + writeBytes)]);
  await writer.commit(noteOf(number, bytes.length));
}

/** The spool beside plain appends that are synced, then as the link empties it, then with a long queue. */
export async function spool(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      folder: { type: "string", default: ".cache" },
      parcels: { type: "string", default: "512" },
      waiting: { type: "string", default: "1000000" },
      writers: { type: "string", default: "1,4,16" },
    },
  });
  await mkdir(values.folder, { recursive: true });
  const folder = await mkdtemp(join(values.folder, "spool-"));
  try {
    print(`${machine()}\n`);
    await measureRates(folder, Number(values.parcels), values.writers.split(",").map(Number));
    await measureWaiting(join(folder, "long"), Number(values.waiting));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureRates(folder: string, parcels: number, writers: readonly number[]): Promise<void> {
  const rows: string[][] = [];
  const row = (what: string, seconds: number) => {
    const [rate, bytes] = [parcels / seconds, (parcels * parcelBytes) / seconds / 1e6];
    rows.push([what, rate.toFixed(0), bytes.toFixed(0)]);
  };
  const opened = await openSpool({
    files: systemFiles,
    folder: join(folder, "rates"),
    clock: systemClock,
    reserveBytes: 0,
  });
  let next = 0;
  for (const count of writers) {
    row(`plain append, synced, ${count} at once`, await timed(() => appendPlainly(folder, parcels, count)));
    row(`put, ${count} at once`, await timed(() => each(parcels, count, () => put(opened, next++, content))));
  }
  const waiting = opened.state().parcels;
  const seconds = await timed(() => empty(opened));
  rows.push([
    "take, read, settle",
    (waiting / seconds).toFixed(0),
    ((waiting * parcelBytes) / seconds / 1e6).toFixed(0),
  ]);
  await opened.close();
  print(`${table([`parcels of ${parcelBytes / 1024} KiB`, "a second", "MB/s"], rows)}\n`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

async function each(count: number, atOnce: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const one = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

async function appendPlainly(folder: string, count: number, atOnce: number): Promise<void> {
  const files: OpenFile[] = [];
  for (let at = 0; at < atOnce; at++)
    files.push(await systemFiles.open(join(folder, `plain-${atOnce}-${at}`), "create"));
  const ends = files.map(() => 0);
  const free = files.map((_, at) => at);
  await each(count, atOnce, async () => {
    const at = free.pop() ?? 0;
    await files[at]?.write([content], ends[at] ?? 0);
    await files[at]?.sync();
    ends[at] = (ends[at] ?? 0) + content.length;
    free.push(at);
  });
  for (const file of files) await file.close();
}

/** As the link does: many in flight, in pieces, each settled with a receipt. */
async function empty(spool: Spool): Promise<void> {
  const receipt = Buffer.alloc(400, "receipt");
  const one = async ({ id, length }: { id: string; length: number }) => {
    for (let at = 0; at < length; at += readBytes) await spool.read(id, at, Math.min(length, at + readBytes));
    await spool.settle(id, receipt, systemClock.now());
  };
  for (let taken = await spool.take("routine", inFlight); taken.length > 0; ) {
    const [next] = await Promise.all([spool.take("routine", inFlight), ...taken.map(one)]);
    taken = [...next];
  }
}

/** Appends that reach the disk by the MiB and are never synced: how the long queue is made is not what is measured. */
const hasty: Files = {
  ...systemFiles,
  async open(path, mode) {
    const file = await systemFiles.open(path, mode);
    let kept: Uint8Array[] = [];
    let [keptBytes, keptFrom] = [0, 0];
    const flush = async () => {
      const parts = kept;
      const from = keptFrom;
      [kept, keptBytes, keptFrom] = [[], 0, keptFrom + keptBytes];
      await file.write(parts, from);
    };
    const write = async (parts: readonly Uint8Array[]) => {
      for (const part of parts) keptBytes += part.length;
      kept.push(...parts);
      if (keptBytes >= 1024 * 1024) await flush();
    };
    return { ...file, write, writeSynced: write, sync: async () => {}, close: () => flush().then(file.close) };
  },
};

/** Knows nothing: the segments tell it all afterwards. */
const noIndex = async (): Promise<SpoolIndex> => {
  const totals = { parcels: 0, bytes: 0, oldestAt: undefined, aside: 0, lastSeq: 0, empty: [] };
  return {
    apply: async () => ({ totals, changed: [] }),
    totals: async () => totals,
    take: async () => [],
    giveBack: async () => {},
    find: async () => undefined,
    asides: async () => [],
    standing: async () => ({ there: undefined, receipt: undefined }),
    forget: async () => 0,
    nextDue: async () => undefined,
    segments: async () => [],
    close: async () => {},
  };
};

async function measureWaiting(folder: string, waiting: number): Promise<void> {
  const bytes = content.subarray(0, 256);
  const how = { clock: systemClock, reserveBytes: 0, lanes: 16, openIndex: noIndex };
  const filling = await openSpool({ files: hasty, folder, ...how });
  let next = 0;
  await each(waiting, 16, () => put(filling, next++, bytes));
  await filling.close();
  const rows = [];
  for (const what of ["its index lost", "as it was left", "once more"]) {
    const child = [join(import.meta.dirname, "spool-waiting.ts"), folder];
    const { stdout } = await promisify(execFile)(process.execPath, child);
    const { openMs, takeMs, emptyMb, openMb, usedMb } = JSON.parse(stdout) as Record<string, number>;
    rows.push([what, ...[openMs, takeMs, emptyMb, openMb, usedMb].map((value) => (value ?? 0).toFixed(0))]);
  }
  const headings = [
    "start, ms",
    "first take of 256, ms",
    "memory before, MB",
    "open, MB",
    "5,000 taken, read, settled, MB",
  ];
  print(table([`${waiting} waiting`, ...headings], rows));
}
