import { setImmediate as turn } from "node:timers/promises";
import { createVirtualClock } from "#base/clock";
import { seededRandom } from "#base/id";
import { silentLog } from "#base/log";
import { Problem } from "#base/problem";
import { createMemoryRecordStore } from "#stores/memory";
import { type Actor, actorOf, anonymous, type Policy } from "#trust/access";
import { createRecords, type RecordStore } from "#trust/vault";
import { policyWhere } from "../../trust/access/grants.fixture.ts";
import { openArchive } from "../archive/archive.fixture.ts";
import { imageFile, receive } from "../archive/corrections.fixture.ts";
import {
  type Contents,
  createMigrations,
  keysOf,
  type MigrationSpec,
  type MigrationStanding,
  type Migrations,
  type Source,
  type Wanted,
} from "./index.ts";
import { secondOf } from "./plan.ts";

export const pacs = "a".repeat(32);
export const scanner: Actor = actorOf("device", pacs);
export const administrator: Actor = actorOf("user", "administrator");
export const reader: Actor = actorOf("user", "reader");
export const uids = "1.2.826.0.1.3680043.10.1561.13";

export interface OldStudy {
  /** Its UID ends with it. */
  readonly name: string;
  readonly date?: string;
  readonly time?: string;
  readonly modality?: string;
  readonly instances: number;
}

/** How an archive behaves; each may be changed while it is asked. */
export interface Manners {
  /** Studies in one answer, and whether it says that there are more. */
  bound: number;
  saysSo: boolean;
  ignoresDates: boolean;
  repeats: boolean;
  lists: "instances" | "series" | "counts" | "nothing";
  /** Number of Study Related Instances is so much more than there is. */
  boasts: number;
  isAway: boolean;
  /** Of a study, by name: how many instances it sends before it hangs up. */
  readonly sends: Map<string, number>;
  /** Does not take less than a study. */
  onlyWhole: boolean;
  /** Called before each step, by its name; may throw. */
  step(what: string): Promise<void> | void;
}

const offline = () => new Problem("unavailable", "nobody answers");

/** An old archive that behaves as it is told, and remembers what it was asked for. */
export function oldArchive(studies: readonly OldStudy[], store: (file: Uint8Array) => Promise<unknown>) {
  const manners: Manners = {
    ...{ bound: 10_000, saysSo: false, ignoresDates: false, repeats: false, lists: "instances", boasts: 0 },
    ...{ isAway: false, sends: new Map(), onlyWhole: false, step: () => {} },
  };
  const asked = { windows: [] as Readonly<Record<string, string>>[], sent: [] as string[], wanted: [] as Wanted[] };
  const enter = async (what: string, signal?: AbortSignal) => {
    await turn();
    await manners.step(what);
    signal?.throwIfAborted();
    if (manners.isAway) throw offline();
  };
  const fileOf = ({ name, date = "", time = "", modality = "CT" }: OldStudy, number: number) =>
    imageFile(
      { StudyDate: date, StudyTime: time, Modality: modality, PatientID: `P-${name}` },
      { study: name, number },
    );
  const named = (studyUid: string): OldStudy => {
    const study = studies.find(({ name }) => studyUid === `${uids}.${name}`);
    if (study === undefined) throw new Problem("absent", "no such study");
    return study;
  };

  const source: Source = {
    async titleOf(at) {
      if (at !== pacs) throw new Problem("absent", "no such device");
      return "OLDPACS";
    },
    async answers() {
      await turn();
      return !manners.isAway;
    },
    async list(_at, window, take, signal) {
      await enter("list", signal);
      const keys = keysOf(window);
      asked.windows.push(keys);
      const found = studies.filter(
        ({ date = "", time = "", modality = "CT" }) =>
          (manners.ignoresDates || window.day === undefined || date === window.day) &&
          (keys.StudyTime === undefined || within(time, window)) &&
          (window.modality === undefined || modality === window.modality),
      );
      for (const study of found.slice(0, manners.bound).flatMap((one) => (manners.repeats ? [one, one] : [one]))) {
        const { name, date = "", time = "", modality = "CT" } = study;
        const identity = { patientId: `P-${name}`, patientName: `Doe^${name}`, accession: "" };
        await take({ studyUid: `${uids}.${name}`, date, time, modalities: [modality], ...identity });
      }
      return manners.saysSo && found.length > manners.bound;
    },
    async contents(_at, studyUid, signal): Promise<Contents> {
      await enter("contents", signal);
      const { name, modality = "CT", instances } = named(studyUid);
      const count = instances + manners.boasts;
      if (manners.lists === "nothing") return {};
      if (manners.lists === "counts") return { count };
      const each = Array.from({ length: instances }, (_, at) => ({
        sopUid: `${uids}.${name}.9.${at + 1}`,
        sopClassUid: "1.2.840.10008.5.1.4.1.1.7",
      }));
      const listed = manners.lists === "series" ? { count: instances } : { instances: each };
      return { count, series: [{ seriesUid: `${uids}.${name}.1`, modality, ...listed }] };
    },
    async fetch(_from, wanted, signal) {
      await enter("fetch", signal);
      asked.wanted.push(wanted);
      const study = named(wanted.studyUid);
      if (wanted.only && manners.onlyWhole) throw new Problem("invalid", "refused with status 0xa900");
      const only = wanted.only?.flatMap(({ sopUids }) => sopUids ?? []);
      const numbers = Array.from({ length: study.instances }, (_, at) => at + 1);
      let left = manners.sends.get(study.name) ?? Number.POSITIVE_INFINITY;
      for (const number of numbers) {
        const uid = `${uids}.${study.name}.9.${number}`;
        if (only && only.length > 0 && !only.includes(uid)) continue;
        if (left-- <= 0) throw new Problem("unavailable", "the association was lost");
        await enter("send", signal);
        await store(fileOf(study, number));
        asked.sent.push(uid);
      }
    },
  };
  return { source, manners, asked, fileOf };
}

function within(time: string, { from, to }: { readonly from: number; readonly to: number }): boolean {
  const second = secondOf(time);
  return second !== undefined && second >= from && second <= to;
}

export const spec = (more: Partial<MigrationSpec> = {}): MigrationSpec => ({
  from: pacs,
  dates: { from: "20240101", to: "20240131", order: "newest", undated: true },
  ...{ modalities: [], checkOnly: false, associations: 1 },
  ...more,
});

export interface HouseOptions {
  readonly archive?: Awaited<ReturnType<typeof openArchive>>;
  readonly store?: RecordStore;
  /** UTC, epoch milliseconds. */
  readonly startMs?: number;
}

/** A house that takes an old archive over; what it leaves can be opened again. */
export async function openHouse(studies: readonly OldStudy[], options: HouseOptions = {}) {
  const clock = createVirtualClock(options.startMs);
  const granted = policyWhere({ "user:administrator": ["administrator"], "user:reader": ["radiologist"] });
  /** Ids of actors who had grants. */
  const ended = new Set<string>();
  const policy: Policy = {
    ...granted,
    decide: (actor, ...what) =>
      ended.has(actor.id) ? granted.decide(anonymous, ...what) : granted.decide(actor, ...what),
  };
  const archive = options.archive ?? (await openArchive({ clock, policy }));
  const { store = createMemoryRecordStore() } = options;
  const old = oldArchive(studies, (file) => receive(archive.archive, file, scanner));
  const open = () =>
    createMigrations({
      ...archive,
      ...{ source: old.source, records: createRecords({ store, vault: archive.vault }) },
      ...{ clock, random: seededRandom(6), log: silentLog, timeZone: "UTC" },
    });
  const migrations = open();
  await migrations.begin();

  /** Lets time pass until it is so: everything is in memory, so turns of the loop are all that it takes. */
  const until = async (fits: () => Promise<boolean>, stepMs = 1_000): Promise<void> => {
    for (let steps = 0; steps < 20_000; steps++) {
      if (await fits()) return;
      for (let turns = 0; turns < 10; turns++) await turn();
      clock.advance(stepMs);
    }
    throw new Error("it never came to that");
  };
  const standingOf = async (of: Migrations, id: string): Promise<MigrationStanding> => {
    const found = (await of.list(administrator)).find((one) => one.id === id);
    if (found === undefined) throw new Error("there is no such migration");
    return found;
  };
  const untilStill = async (id: string, of = migrations): Promise<MigrationStanding> => {
    await until(async () => (await standingOf(of, id)).state !== "running");
    return standingOf(of, id);
  };
  return { ...archive, ...old, clock, store, ended, migrations, open, until, untilStill, standingOf };
}
