import { join } from "node:path";
import type { Clock } from "#base/clock";
import type { Files } from "#base/io";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { CareView, ScrubView } from "#formats/api";
import {
  type Archive,
  type CompactedStore,
  type Compaction,
  createCompaction,
  createConflictDiscard,
  createRetention,
  createScrub,
  createStudyFates,
  createWitnessedTime,
  type DiscardConflict,
  type FactFiles,
  openFactFiles,
  type RetainedStudy,
  type Retention,
  type Scrub,
  type StudyFates,
  type StudyIndex,
  type WitnessedTime,
} from "#radiology/archive";
import { type Gate, system } from "#trust/access";
import type { Half, HalfStores, ObjectMove, Reveal, Vault } from "#trust/vault";
import type { HomePaths } from "../home/index.ts";
import type { Backups } from "./backups.ts";
import type { Configuration } from "./configuration.ts";
import { repeat } from "./repeat.ts";

/** What is done for stored objects without anybody asking: proven, mended, moved together, deleted when their time is over. */
export interface Care {
  readonly fates: StudyFates;
  readonly retention: Retention;
  readonly scrub: Scrub;
  readonly compaction: Compaction;
  readonly discardConflict: DiscardConflict;
  /** Begins what goes on in the background, first with what the last process left half done. */
  start(): Promise<void>;
  hold(studyToken: string): Promise<void>;
  release(studyToken: string): Promise<void>;
  /** By how much witnessed time lagged. What is due by the wall clock is deleted from now on. */
  confirmClock(): Promise<number | null>;
  scrubView(): Promise<ScrubView>;
  view(): Promise<CareView>;
  close(): Promise<void>;
}

export interface CareParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly paths: HomePaths;
  readonly configuration: Pick<Configuration, "objects" | "scrubBytesPerSecond" | "retention">;
  readonly time: WitnessedTime;
  readonly vault: Vault;
  readonly stores: Readonly<Record<Half, HalfStores>>;
  readonly index: StudyIndex;
  readonly archive: Pick<Archive, "settled" | "takenIn" | "faultIn">;
  readonly gate: Gate;
  readonly reveal: Reveal;
  readonly backups: Backups;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const compactEveryMs = 5 * minuteMs;
const compactBytesPerSecond = 50_000_000;
const studiesAtOnce = 500;
const halves = ["image", "identity"] as const;

/** Time that arrivals are stamped with and retention counts by; loaded before anything arrives. */
export async function openWitnessedTime(parts: {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly folder: string;
}): Promise<WitnessedTime> {
  const time = createWitnessedTime(parts);
  await time.load();
  return time;
}

/** To be called when the index has taken in what it lacked. */
export async function openCare(parts: CareParts): Promise<Care> {
  const { clock, log, stores, index, archive, time, configuration, vault } = parts;
  const facts = await openFacts(parts);
  const fates = createStudyFates({ facts, now: clock.now });
  await fates.load();
  const { retention, retain } = createRetaining(parts, fates);
  const scrub = createScrub({
    ...parts,
    stores: halves.map((half) => ({
      half,
      objects: stores[half].objects,
      prove: (found, readAt) => vault.prove(half, found, readAt, archive.faultIn),
    })),
    folder: parts.paths.objects,
    bytesPerSecond: configuration.scrubBytesPerSecond,
  });
  const compaction = createCompaction({
    stores: halves.map((half) => compactedStore(half, parts, fates)),
    clock,
    log,
    bytesPerSecond: compactBytesPerSecond,
  });
  const isScrubOn = configuration.scrubBytesPerSecond > 0;
  const timers: { stop(): void }[] = [];
  const scrubView = async (): Promise<ScrubView> => viewOfScrub(await scrub.status(), isScrubOn);
  return {
    ...{ fates, retention, scrub, compaction, scrubView },
    discardConflict: createConflictDiscard({
      index,
      fates,
      stores: { image: stores.image.objects, identity: stores.identity.objects },
      settled: archive.settled,
    }),
    async start() {
      if (isScrubOn) await scrub.start();
      timers.push(
        repeat({ clock, log, what: "keeping the witnessed time", everyMs: hourMs, work: time.keep }),
        repeat({ clock, log, what: "compaction", everyMs: compactEveryMs, work: compaction.run }),
        repeat({ clock, log, what: "retention", firstMs: 0, everyMs: 24 * hourMs, work: retain }),
      );
    },
    async hold(studyToken) {
      await archive.settled();
      if ((await index.studyOfToken(studyToken)) === undefined) throw noSuchStudy();
      await fates.hold(studyToken);
    },
    release: (studyToken) => fates.release(studyToken),
    async confirmClock() {
      const behindMs = time.behindMs();
      await time.confirmWallClock();
      // Without timers there is no server that stays for it.
      if (timers.length > 0) retain().catch((error) => log.warn("retention failed", {}, error));
      return finite(behindMs);
    },
    scrubView,
    view: async () => ({
      scrub: await scrubView(),
      replica: viewOfReplica(stores),
      clockBehindMs: finite(time.behindMs()),
      holds: fates.held().length,
    }),
    async close() {
      for (const timer of timers.splice(0)) timer.stop();
      await compaction.close();
      await retention.close();
      await scrub.close();
      await facts.close();
    },
  };
}

function openFacts({ files, paths, configuration, vault, log }: CareParts): Promise<FactFiles> {
  const { replica } = configuration.objects;
  const folders = [paths.identity, ...(replica === undefined ? [] : [join(replica, "identity")])];
  return openFactFiles({ files, folders, box: vault.secrets, log });
}

/** `retain`: what the last process left half done, then what is due, once. */
function createRetaining(parts: CareParts, fates: StudyFates) {
  const { time, log, stores, index, archive, gate, reveal, vault, backups } = parts;
  const policy = parts.configuration.retention;
  const places = { image: stores.image.objects, identity: stores.identity.objects };
  const retention = createRetention({
    ...{ policy, time, fates, log },
    studies: () => everyStudy(index),
    studyDate: (studyToken) =>
      gate.pass(system, "study.retain", { kind: "study", id: studyToken }, async (pass) => {
        const study = await index.studyOfToken(studyToken);
        if (study === undefined) return undefined;
        const { rows } = await reveal(pass, { rows: [study.identity] }, "deletion");
        return rows[0]?.values.StudyDate;
      }),
    async removeFromIndex(studyToken) {
      await archive.takenIn();
      const removed = await index.removeStudy(studyToken);
      return removed.flatMap((lies) => halves.map((half) => ({ objects: places[half], place: lies[half] })));
    },
    shred: (studyToken) =>
      gate.pass(system, "study.delete", { kind: "study", id: studyToken }, async () => {
        await vault.shred({ studyTokens: [studyToken] });
      }),
    stores: Object.values(places),
  });
  const retain = async (): Promise<void> => {
    const begunBefore = fates.unfinished().length;
    const { deleted } =
      policy.rules.length > 0 ? await retention.run() : await retention.resume().then(() => ({ deleted: 0 }));
    if (deleted + begunBefore === 0) return;
    for (const { folder, kept } of await backups.purgeKeys()) {
      if (kept !== undefined)
        log.warn("a backup keeps the keys of deleted studies until its next run", { folder, kept });
    }
  };
  return { retention, retain };
}

async function* everyStudy(index: StudyIndex): AsyncGenerator<RetainedStudy> {
  for (let after = 0; ; ) {
    const page = await index.studiesAfter(after, studiesAtOnce);
    for (const { studyToken, modalities, conflictCount, changedAt } of page) {
      yield { studyToken, modalities, state: conflictCount > 0 ? "conflict" : "settled", changedAt };
    }
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

function compactedStore(half: Half, { stores, index, archive, vault }: CareParts, fates: StudyFates): CompactedStore {
  return {
    half,
    objects: stores[half].objects,
    async keeps(found) {
      if (fates.isDeleted(found.studyToken)) return false;
      const what = await vault.prove(half, found);
      if (what !== undefined) throw new Problem("damaged", what);
      return true;
    },
    async moved(moves: readonly ObjectMove[], into) {
      // Nothing of the old pack may come into the index behind this, with the place that it had.
      await archive.takenIn();
      await index.relocate(half, moves);
      if (half === "identity" && into !== undefined) await index.add([], [into]);
    },
    async isTakenIn() {
      await archive.takenIn();
      return true;
    },
  };
}

function viewOfScrub(status: Awaited<ReturnType<Scrub["status"]>>, isOn: boolean): ScrubView {
  const { state, bytesDone, bytesTotal, lastFullPass, damaged } = status;
  return {
    state: isOn ? state : "off",
    bytesDone,
    bytesTotal,
    lastFullPass: lastFullPass ?? null,
    damaged: damaged.length,
  };
}

function viewOfReplica(stores: CareParts["stores"]): CareView["replica"] {
  const seen = halves.map((half) => stores[half].objects.replica?.status()).filter((each) => each !== undefined);
  if (seen.length === 0) return null;
  const since = seen.map((each) => each.since ?? Number.POSITIVE_INFINITY);
  return {
    laggingBytes: seen.reduce((sum, each) => sum + each.laggingBytes, 0),
    since: finite(Math.min(...since)),
    strangePacks: seen.reduce((sum, each) => sum + each.strangePacks, 0),
  };
}

const finite = (number: number): number | null => (Number.isFinite(number) ? number : null);

function noSuchStudy(): Problem {
  return new Problem("absent", "there is no study of that token", {
    remedy: "32 hexadecimal digits, as in the study's address",
  });
}
