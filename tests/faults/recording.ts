import { createVirtualClock, type VirtualClock } from "#base/clock";
import { type Random, seededRandom } from "#base/id";
import { crashState, createTracedFiles, type Files, type TracedFiles, type TraceStep } from "#base/io";
import { silentLog } from "#base/log";
import type { AuditLog } from "#trust/audit";
import { type BlindCommits, createBlindCommits } from "./blind-commits.ts";
import { openHouseOnFiles } from "./house-on-files.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { type Scene, type WorkloadName, workloadOf } from "./workloads.ts";

export const passphrases = ["the first of two phrases", "the second of two phrases"];

/** A workload as it ran: what it did to the disk and to the index, and who was told what at which step. */
export interface Recording {
  readonly name: WorkloadName;
  readonly trace: readonly TraceStep[];
  /** Steps that were there, and durable, when the workload began. */
  readonly begunAt: number;
  readonly ledger: Ledger;
  readonly commits: BlindCommits;
  /** Lines of the audit log, each with the step at which whoever wrote it was told. */
  readonly lines: readonly { readonly line: Buffer; readonly endedAt: number }[];
}

/** Runs a workload over files in memory. The same seed gives the same bytes. */
export async function record(name: WorkloadName, seed: number): Promise<Recording> {
  const random = seededRandom(seed);
  const clock = createVirtualClock();
  const pace = seededRandom(seed + 1);
  let traced: TracedFiles | undefined;
  const position = () => traced?.trace.length ?? 0;
  const commits = createBlindCommits(position);
  const ledger = createLedger(position);
  const open = (files: Files) =>
    openHouseOnFiles({
      files: slowly(files, clock, pace),
      blindStore: commits.store,
      ...{ clock, random, log: silentLog, passphrases },
    });
  const scene = (house: Scene["house"]): Scene => ({ house, ledger, clock, random });
  const workload = workloadOf(name);

  const before = createTracedFiles();
  const first = await open(before.files);
  await workload.prepare(scene(first));
  const preparedLines = first.audit.size();
  await first.close();

  traced = createTracedFiles(crashState(before.trace, before.trace.length, "kept", never).disk);
  const begunAt = position();
  const house = await open(traced.files);
  const told = noteAppends(house.audit, position);
  await workload.run(scene(house));
  const lines = await house.audit.lines(0, house.audit.size());
  await house.close();
  for (const act of ledger.acts) {
    if (act.outcome === "failed" && !(act.kind === "store" && act.copy.isRefused)) throw act.error;
  }
  return {
    ...{ name, trace: traced.trace, begunAt, ledger, commits },
    lines: lines.map((line, at) => ({
      line,
      endedAt: at < preparedLines ? 0 : (told[at] ?? Number.POSITIVE_INFINITY),
    })),
  };
}

const never = (): never => {
  throw new Error("nothing is left to chance");
};

const msPerCall = 40;

/** Time goes on with what is written, and calls take turns by the seed: who works at the same time meets in another order. */
function slowly(files: Files, clock: VirtualClock, pace: Random): Files {
  const pause = async () => {
    clock.advance(msPerCall);
    for (let turns = (pace(new Uint8Array(1))[0] ?? 0) % 4; turns > 0; turns--) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  };
  return {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode);
      return {
        ...file,
        write: (parts, at) => file.write(parts, at).then(pause),
        writeSynced: (parts, at) => file.writeSynced(parts, at).then(pause),
        sync: () => file.sync().then(pause),
      };
    },
    syncFolder: (folder) => files.syncFolder(folder).then(pause),
  };
}

/** By number of the entry, at which step its writer was told. */
function noteAppends(audit: AuditLog, position: () => number): number[] {
  const told: number[] = [];
  const { append } = audit;
  Object.assign(audit, {
    append: async (entry: Parameters<typeof append>[0]) => {
      const at = await append(entry);
      told[at] = position();
      return at;
    },
  });
  return told;
}
