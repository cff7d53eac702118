import assert from "node:assert/strict";
import { createVirtualClock, type VirtualClock } from "#base/clock";
import { seededRandom } from "#base/id";
import { crashState, createFaultyFiles, createTracedFiles, type DiskImage, type FileCall, type Files } from "#base/io";
import { createLog, silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { type BlindCommits, createBlindCommits } from "./blind-commits.ts";
import { checkCrashed } from "./crashed-house.ts";
import { openHouseOnFiles } from "./house-on-files.ts";
import { type Act, createLedger } from "./ledger.ts";
import { passphrases, type Recording } from "./recording.ts";
import { stow, type WorkloadName, workloadNames, workloadOf } from "./workloads.ts";

export interface CallSitesReport {
  readonly runs: number;
  /** Places in the code that call. */
  readonly sites: number;
  /** Calls that were made to fail, by what failed. */
  readonly failed: Readonly<Record<string, number>>;
  /** Acts of the workloads that were told of an error, and those that went on in spite of it. */
  readonly refused: number;
  readonly done: number;
  /** What was not as it must be. */
  readonly wrong: readonly Wrong[];
}

export interface Wrong {
  readonly where: string;
  readonly error: unknown;
}

const faultKinds = ["EIO", "ENOSPC", "EMFILE", "short"] as const;
type FaultKind = (typeof faultKinds)[number];

/** What each fault may meet: a full disk only what takes room, a table of files that is full only what opens one. */
const meets: Readonly<Record<FaultKind, (kind: FileCall["kind"]) => boolean>> = {
  EIO: () => true,
  ENOSPC: (kind) => ["open", "write", "sync", "truncate", "rename", "makeFolder", "syncFolder"].includes(kind),
  EMFILE: (kind) => ["open", "list", "syncFolder"].includes(kind),
  short: (kind) => kind === "write",
};

/**
 * Fails single I/O calls of each workload, one in a run, and looks at what was said, at what was done to the file that failed, and at
 * what a crash right after leaves. By `sites` each place in the code that calls, at its first and its last call; else each call.
 */
export async function failCalls(options: {
  readonly by: "sites" | "calls";
  readonly only?: WorkloadName | undefined;
  readonly seen?: (runs: number, where: string) => void;
}): Promise<CallSitesReport> {
  const report = {
    runs: 0,
    sites: new Set<string>(),
    failed: {} as Record<string, number>,
    refused: 0,
    done: 0,
    wrong: [] as Wrong[],
  };
  const met = {
    EIO: new Set<string>(),
    ENOSPC: new Set<string>(),
    EMFILE: new Set<string>(),
    short: new Set<string>(),
  };
  for (const workload of workloadNames) {
    if (options.only !== undefined && workload !== options.only) continue;
    const prepared = await prepare(workload);
    const calls = (await runFailing(prepared, () => undefined)).sites;
    for (const { site } of calls) report.sites.add(site);
    for (const kind of faultKinds) {
      for (const nth of chosen(calls, kind, options.by, met[kind])) {
        const ran = await runFailing(prepared, (index) => (index === nth ? kind : undefined)).catch(
          (error: unknown) => {
            report.wrong.push({ where: `${workload}, ${kind} at call ${nth}, ${calls[nth]?.site}`, error });
          },
        );
        if (ran?.broken === undefined) continue;
        const where = `${workload}, ${kind} at call ${nth}, ${ran.broken.kind}`;
        await checkRun(ran, nth).catch((error: unknown) => {
          report.wrong.push({ where: `${where}, ${ran.sites[nth]?.site}`, error });
        });
        report.failed[kind] = (report.failed[kind] ?? 0) + 1;
        report.refused += ran.recording.ledger.acts.filter(({ outcome }) => outcome === "failed").length;
        report.done += ran.recording.ledger.acts.filter(({ outcome }) => outcome === "done").length;
        report.runs++;
        options.seen?.(report.runs, where);
      }
    }
  }
  return { ...report, sites: report.sites.size };
}

interface Site {
  readonly kind: FileCall["kind"];
  readonly site: string;
}

/** Notes in `met` which sites an earlier workload came to. */
function chosen(calls: readonly Site[], kind: FaultKind, by: "sites" | "calls", met: Set<string>): number[] {
  const all = calls.flatMap((call, at) => (meets[kind](call.kind) ? [at] : []));
  if (by === "calls") return all;
  const ends = new Map<string, { readonly first: number; last: number }>();
  for (const at of all) {
    const { site } = calls[at] as Site;
    ends.set(site, { first: ends.get(site)?.first ?? at, last: at });
  }
  const isNew = ([site]: readonly [string, unknown]) => !met.has(site);
  const fresh = [...ends].filter(isNew).flatMap(([, { first, last }]) => [first, last]);
  const again = [...ends].filter((each) => !isNew(each)).flatMap(([, { last }], nth) => (nth % 2 === 0 ? [last] : []));
  for (const site of ends.keys()) met.add(site);
  return [...new Set([...fresh, ...again])].sort((one, other) => one - other);
}

/** Where in our code a call comes from. */
function siteNow(kind: string): string {
  const frames = (new Error("here").stack ?? "").split("\n").flatMap((line) => {
    const place = /\/((?:radiology|stores|trust|apps)\/[^)]*):\d+\)?$/.exec(line);
    return place?.[1] === undefined ? [] : [place[1]];
  });
  return `${kind} ${frames.slice(0, 3).join(" < ")}`;
}

interface Prepared {
  readonly name: WorkloadName;
  readonly disk: DiskImage;
  readonly commits: BlindCommits;
  readonly acts: readonly Act[];
}

const seed = 77;
const never = (): never => {
  throw new Error("nothing is left to chance");
};

/** The home as it stands before a workload, index and book with it. */
async function prepare(name: WorkloadName): Promise<Prepared> {
  const traced = createTracedFiles();
  const commits = createBlindCommits(() => 0);
  const ledger = createLedger(() => 0);
  const [clock, random] = [createVirtualClock(), seededRandom(seed)];
  const place = { files: traced.files, blindStore: commits.store, clock, random, log: silentLog, passphrases };
  const house = await openHouseOnFiles(place);
  await workloadOf(name).prepare({ house, ledger, clock, random });
  await house.close();
  const { disk } = crashState(traced.trace, traced.trace.length, "kept", never);
  return { name, disk, commits, acts: ledger.acts };
}

interface Ran {
  readonly recording: Recording;
  readonly calls: readonly FileCall[];
  readonly sites: readonly Site[];
  /** The call that failed; undefined when none did. */
  readonly broken: FileCall | undefined;
  /** Errors that belong to no act: of start, of reading, of close. */
  readonly loose: readonly unknown[];
  readonly told: readonly string[];
}

async function runFailing(prepared: Prepared, plan: (index: number) => FaultKind | undefined): Promise<Ran> {
  const { name } = prepared;
  const traced = createTracedFiles(prepared.disk);
  const position = () => traced.trace.length;
  const begunAt = position();
  const commits = createBlindCommits(position);
  await commits.store.change((rows) => prepared.commits.redo(rows));
  const ledger = createLedger(position);
  const random = seededRandom(seed + 1);
  const clock = createVirtualClock(1_750_000_000_000);
  const told: string[] = [];
  const loose: unknown[] = [];
  const sites: Site[] = [];
  const faulty = createFaultyFiles(traced.files, ({ kind }, index) => {
    sites.push({ kind, site: siteNow(kind) });
    const fault = plan(index);
    if (fault === "short") return { code: "ENOSPC", writtenBytes: Math.floor((random(new Uint8Array(1))[0] ?? 0) * 8) };
    return fault && { code: fault };
  });
  const place = {
    files: passingTime(faulty, clock),
    blindStore: commits.store,
    ...{ clock, random, passphrases, log: createLog({ clock, sink: (line) => told.push(line) }) },
  };
  const work = async () => {
    const house = await openHouseOnFiles(place).catch((error: unknown) => void loose.push(error));
    if (house === undefined) return;
    const scene = { house, ledger, clock, random };
    await workloadOf(name)
      .run(scene)
      .catch((error) => loose.push(error));
    await stow(scene, { study: 98, number: 1 });
    await house.close().catch((error) => loose.push(error));
  };
  await goingOn(clock, () => faulty.calls.length, work());
  const acts = [...prepared.acts, ...ledger.acts];
  return {
    recording: { ...{ name, trace: traced.trace, begunAt, commits, lines: [] }, ledger: { ...ledger, acts } },
    ...{ calls: faulty.calls, sites, loose, told },
    broken: faulty.calls.find(({ isFailed }) => isFailed),
  };
}

const lookEveryMs = 1_000;
const stillMost = 60;

/**
 * Lets time go on where nobody calls the disk any more: what failed, such as taking images into the index, waits to be tried again.
 * Rejects when that does not help.
 */
async function goingOn(clock: VirtualClock, calls: () => number, work: Promise<void>): Promise<void> {
  const stuck = Promise.withResolvers<never>();
  let [before, still] = [calls(), 0];
  const timer = setInterval(() => {
    still = calls() === before ? still + 1 : 0;
    before = calls();
    if (still > 0) clock.advance(lookEveryMs);
    if (still > stillMost) stuck.reject(new Error("work that met a fault does not come to its end"));
  }, lookEveryMs);
  try {
    await Promise.race([work, stuck.promise]);
  } finally {
    clearInterval(timer);
  }
}

function passingTime(files: Files, clock: VirtualClock): Files {
  const later = <Result>(result: Result) => {
    clock.advance(40);
    return result;
  };
  return {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode);
      return { ...file, write: (parts, at) => file.write(parts, at).then(later), sync: () => file.sync().then(later) };
    },
  };
}

const afterwards = ["dropped", "mixed", "kept"] as const;
const identifying = /Canary|PID-|ACC\d|1\.2\.826\.0\.1\.3680043/;

async function checkRun({ recording, calls, loose, told }: Ran, nth: number): Promise<void> {
  const errors = [...loose, ...recording.ledger.acts.flatMap(({ error }) => (error === undefined ? [] : [error]))];
  for (const error of errors) {
    if (!isProblem(error)) throw error;
    assert.doesNotMatch(`${error.message} ${error.remedy ?? ""}`, identifying);
  }
  for (const line of told) assert.doesNotMatch(line, identifying);
  checkNoSecondSync(calls);
  const random = seededRandom(nth + 1);
  const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;
  const { trace, commits } = recording;
  const unsynced = afterwards[nth % afterwards.length] ?? "dropped";
  const { disk } = crashState(trace, trace.length, unsynced, chance);
  await checkCrashed({
    ...{ recording, disk, steps: trace.length },
    blindStore: await commits.asOf(commits.standingAt(trace.length).least),
  });
}

/** A file whose sync failed is not synced again; one that was made anew under its name is another. */
function checkNoSecondSync(calls: readonly FileCall[]): void {
  const at = calls.findIndex(({ isFailed }) => isFailed);
  const broken = calls[at];
  if (broken?.kind !== "sync") return;
  for (const { kind, path } of calls.slice(at + 1)) {
    if (path !== broken.path) continue;
    if (kind === "open") return;
    assert.notEqual(kind, "sync", "a sync that failed is tried again");
  }
}
