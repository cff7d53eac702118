import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "#base/clock";
import { systemFiles } from "#base/io";
import { openEntryFiles } from "#stores/log";
import { type AuditLog, createAuditLog, verifyLog } from "#trust/audit";
import { machine, percentile, print } from "./report.ts";

const token = "0123456789abcdef0123456789abcdef";
const entry = {
  actor: `device:${token}`,
  act: "instance.store",
  on: { kind: "instance", id: token },
  outcome: "done",
  counts: { bytes: 526_000 },
} as const;

async function measureAlone(log: AuditLog): Promise<void> {
  const latencies: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const begun = performance.now();
    await log.append(entry);
    latencies.push(performance.now() - begun);
  }
  const at = (percent: number) => percentile(latencies, percent).toFixed(2);
  print(`append  alone: p50 ${at(50)} p95 ${at(95)} ms`);
}

async function measureTogether(log: AuditLog, inFlight: number, count: number): Promise<void> {
  let left = count;
  const begun = performance.now();
  const caller = async () => {
    while (left-- > 0) await log.append(entry);
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  print(`append  ${inFlight} in flight: ${((count / (performance.now() - begun)) * 1000).toFixed(0)} entries/s`);
}

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  print(`${name}: ${(performance.now() - begun).toFixed(1)} ms`);
  return result;
}

/** The audit log alone: appending, opening again, proving. `--folder` must lie on a real disk. */
export async function audit(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: { folder: { type: "string", default: process.cwd() }, entries: { type: "string", default: "100000" } },
  });
  const root = await mkdtemp(join(values.folder, ".bench-audit-"));
  const open = async () =>
    createAuditLog({
      store: await openEntryFiles({ files: systemFiles, folder: join(root, "audit") }),
      signingSeed: Buffer.alloc(32, 7),
      origin: "bench.leadglass/audit",
      clock: systemClock,
    });
  try {
    print(machine());
    const log = await open();
    await measureAlone(log);
    for (const inFlight of [16, 64, 256]) await measureTogether(log, inFlight, 20_000);
    const missing = Number(values.entries) - log.size();
    if (missing > 0) await measureTogether(log, 1024, missing);
    await timed("close   with a checkpoint", () => log.close());
    const again = await timed(`open    ${values.entries} entries`, open);
    await timed("prove   one entry", () => again.prove(777, again.size()));
    const notes: string[] = [];
    for await (const { note } of again.checkpoints()) notes.push(note);
    const entries = await timed("read    all entries", () => again.lines(0, again.size()));
    const verifierKey = again.verifierKey();
    const text = entries.flatMap((line) => [line, Buffer.from("\n")]);
    const verdict = await timed("verify  all entries", () => verifyLog({ text, checkpoints: notes, verifierKey }));
    print(`verdict ${verdict.ok ? "holds" : verdict.what} up to ${verdict.vouchedUntil}`);
    await again.close();
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
