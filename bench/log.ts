import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { systemClock } from "#base/clock";
import { systemFiles } from "#base/io";
import { exportedLogNames as exportNames } from "#formats/api";
import { openEntryFiles } from "#stores/log";
import { type AuditLog, createAuditLog } from "#trust/audit";
import { verifyExport } from "../apps/cli/index.ts";
import { machine, print } from "./report.ts";

const inFlight = 1024;
const exportedAtOnce = 10_000;

/** As a viewer's reads are logged: about 200 bytes a line, no two alike. */
const entryOf = (i: number) =>
  ({
    actor: `user:${(i % 997).toString(16).padStart(32, "0")}`,
    act: "study.view",
    on: { kind: "study", id: (i * 2_654_435_761).toString(16).padStart(32, "0") },
    purpose: "treatment",
    outcome: "done",
  }) as const;

async function append(log: AuditLog, count: number): Promise<void> {
  let next = log.size();
  const caller = async () => {
    while (next < count) await log.append(entryOf(next++));
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const begun = performance.now();
  const result = await work();
  return { ms: performance.now() - begun, result };
}

async function exportTo(folder: string, log: AuditLog): Promise<void> {
  await mkdir(folder);
  const size = log.size();
  const text = async function* () {
    for (let from = 0; from < size; from += exportedAtOnce) {
      const lines = await log.lines(from, Math.min(size, from + exportedAtOnce));
      yield lines.map((line) => `${line}\n`).join("");
    }
  };
  await pipeline(Readable.from(text(), { objectMode: false }), createWriteStream(join(folder, exportNames.entries)));
  let notes = "";
  for await (const { note } of log.checkpoints()) notes += note;
  await writeFile(join(folder, exportNames.checkpoints), notes);
  await writeFile(join(folder, exportNames.key), `${log.verifierKey()}\n`);
}

/** The log at its full size: a checkpoint, and proving an export. `--folder` must lie on a real disk. */
export async function log(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      folder: { type: "string", default: process.cwd() },
      entries: { type: "string", default: "10000000" },
      runs: { type: "string", default: "3" },
    },
  });
  const [entries, runs] = [Number(values.entries), Number(values.runs)];
  const root = await mkdtemp(join(values.folder, ".bench-log-"));
  const open = async () =>
    createAuditLog({
      store: await openEntryFiles({ files: systemFiles, folder: join(root, "audit") }),
      signingSeed: Buffer.alloc(32, 7),
      origin: "bench.leadglass/log",
      clock: systemClock,
    });
  try {
    print(machine());
    const filled = await open();
    const { ms } = await timed(() => append(filled, entries));
    print(`append      ${entries} entries, ${inFlight} callers: ${Math.round((entries / ms) * 1000)} entries/s`);
    const before = filled.latestCheckpoint()?.size ?? 0;
    const first = await timed(() => filled.checkpoint());
    print(`checkpoint  of ${entries} entries, ${entries - before} of them new: ${first.ms.toFixed(1)} ms`);
    for (let run = 1; run <= runs; run++) {
      await append(filled, filled.size() + 5_000);
      const size = filled.size();
      const signed = await timed(() => filled.checkpoint());
      print(`checkpoint  of ${size} entries, 5000 of them new: ${signed.ms.toFixed(1)} ms`);
    }
    await filled.close();
    const opened = await timed(open);
    print(`open        ${opened.ms.toFixed(0)} ms`);
    const exported = join(root, "export");
    await exportTo(exported, opened.result);
    await opened.result.close();
    for await (const _piece of createReadStream(join(exported, exportNames.entries)));
    for (let run = 1; run <= runs; run++) {
      const proven = await timed(() => verifyExport(exported));
      const { ok, size, what } = proven.result;
      print(`verify      ${ok ? "holds" : what}: ${Math.round((size / proven.ms) * 1000)} entries/s, ${size} entries`);
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
