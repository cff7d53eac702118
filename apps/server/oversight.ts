import { join } from "node:path";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import type { Log } from "#base/log";
import { type Archive, type AskedPatient, createDisclosures, patientsOf, type StudyIndex } from "#radiology/archive";
import { openLogIndex } from "#stores/sql";
import {
  type AccessStore,
  createBreakGlass,
  createReviews,
  createSavedViews,
  createShares,
  createUnusualAccess,
  createWatchedPeople,
  type Gate,
  type Grants,
  type Policy,
  type Sessions,
  usualLimits,
} from "#trust/access";
import { type AuditLog, createKeptFinder } from "#trust/audit";
import type { Vault } from "#trust/vault";
import type { HomePaths } from "../home/index.ts";
import type { Configuration } from "./configuration.ts";

interface WatchParts {
  readonly configuration: Configuration;
  readonly paths: HomePaths;
  readonly store: AccessStore;
  readonly audit: AuditLog;
  readonly gate: Gate;
  readonly vault: Vault;
  readonly log: Log;
}

/** Where the log is searched, and who judges what is unusual: there before anything that identifies is opened. */
export async function openWatch({ configuration, paths, store, audit, gate, vault, log }: WatchParts) {
  const [clock, random] = [systemClock, systemRandom];
  const box = vault.secrets;
  const index = await openLogIndex({ path: join(paths.folder, "log-index.db") });
  const finder = await createKeptFinder({ audit, index, clock, log });
  const reviews = createReviews({ store, gate, finder, audit, box, clock, random });
  const nameKey = vault.derive("names of people", 32);
  const watchedPeople = await createWatchedPeople({ store, gate, box, clock, nameKey });
  const unusual = createUnusualAccess({
    ...{ reviews, clock, log },
    people: watchedPeople,
    patientOf: vault.patientOf,
    hoursOf: finder.hoursOf,
    limits: { ...usualLimits, usualHours: configuration.usualHours },
  });
  return {
    ...{ finder, reviews, watchedPeople },
    watch: unusual.watch,
    async close() {
      await unusual.settled();
      await finder.close();
    },
  };
}

export type Watching = Awaited<ReturnType<typeof openWatch>>;

interface OversightParts extends Pick<WatchParts, "configuration" | "store" | "gate" | "vault" | "log"> {
  readonly watching: Watching;
  readonly grants: Grants;
  readonly policy: Policy;
  readonly sessions: Sessions;
  readonly archive: Archive;
  readonly index: StudyIndex;
}

/** Looks in an emergency, links for somebody outside, and who looked. */
export async function openOversight(parts: OversightParts) {
  const { watching, configuration, store, grants, policy, gate, sessions, vault, archive, index, log } = parts;
  const [clock, random] = [systemClock, systemRandom];
  const { finder, reviews, watchedPeople } = watching;
  const box = vault.secrets;
  const tokensOf = (asked: AskedPatient) => patientsOf(archive, index, asked);
  const access = { grants, policy, gate, clock };
  const shares = await createShares({ ...access, store, sessions, subjectOf: archive.subjectOf, box, random, log });
  const minutes = configuration.breakGlassMinutes;
  return {
    ...{ finder, reviews, watchedPeople, shares },
    patientsOf: tokensOf,
    savedViews: createSavedViews({ store, gate, box, clock, random }),
    breakGlass: createBreakGlass({ ...access, reviews, patientsOf: tokensOf, minutes }),
    disclosures: createDisclosures({ archive, index, finder, gate }),
  };
}

export type Oversight = Awaited<ReturnType<typeof openOversight>>;
