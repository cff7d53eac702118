import { availableParallelism } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import type { Log } from "#base/log";
import { leadglass } from "#doors/dimse";
import type { OauthParts } from "#doors/oauth";
import type { StatusView } from "#formats/api";
import {
  type Archive,
  type ArchiveParts,
  createArchive,
  createBlindIndex,
  createExporting,
  createShredding,
  type Exporting,
  type RecoverySummary,
  type Shredding,
  type StudyIndex,
} from "#radiology/archive";
import { createNotices, type Notices, type Partner } from "#radiology/relay";
import { createRouting, type Routing } from "#radiology/routing";
import { createSchedule, type Schedule } from "#radiology/schedule";
import { createWorkItems, type WorkItems } from "#radiology/workitems";
import { createFileKeyStore } from "#stores/keys";
import { openEntryFiles } from "#stores/log";
import { createPacks } from "#stores/packs";
import { openAccessDatabase, openIndexDatabase } from "#stores/sql";
import {
  type AccessStore,
  type ConfirmationParts,
  type Confirmations,
  createConfirmations,
  createDevices,
  createEdges,
  createFacilities,
  createGate,
  createGrants,
  createOauthClients,
  createOauthKeys,
  createOauthRecords,
  createPeople,
  createPolicy,
  createWaysIn,
  type Devices,
  type Edges,
  type Facilities,
  type Gate,
  type Grants,
  openBreachedPasswords,
  type Pass,
  type People,
  type Policy,
  takesImages,
  type WaysIn,
} from "#trust/access";
import { type AuditLog, createAuditLog, type DetailStore } from "#trust/audit";
import {
  type Breaker,
  createKeyRotation,
  createRecords,
  createReveal,
  createVault,
  type HalfStores,
  type KeyRotation,
  type Records,
  type Vault,
} from "#trust/vault";
import type { HomePaths } from "../home/index.ts";
import { type Backups, createBackups } from "./backups.ts";
import { type Care, openCare, openWitnessedTime } from "./care.ts";
import type { Configuration } from "./configuration.ts";
import { asPartner } from "./messages.ts";
import { checkObjectsPlace } from "./objects-place.ts";
import { createOpeningThreads } from "./opening-threads.ts";
import { type Oversight, openOversight, openWatch, type Watching } from "./oversight.ts";
import { createRootCare, openOrMakeKeyring, tenantName } from "./root-keys.ts";
import { type Cosigning, createCosigning } from "./witnesses.ts";

/** Everything behind the doors, put together. */
export interface House extends WaysIn, Oversight {
  readonly care: Care;
  readonly vault: Vault;
  /** What the facility's work needs beside images. */
  readonly records: Records;
  readonly schedule: Schedule;
  readonly workItems: WorkItems;
  /** What partners are to be told of, and who they are. */
  readonly notices: Notices;
  readonly partners: () => Promise<readonly Partner[]>;
  readonly audit: AuditLog;
  readonly cosigning: Cosigning;
  /** Name of the log, as in its checkpoints. */
  readonly logName: string;
  readonly index: StudyIndex;
  readonly gate: Gate;
  readonly policy: Policy;
  readonly grants: Grants;
  readonly breaker: Breaker;
  readonly people: People;
  /** What the OAuth provider stands on; the server says where it answers. */
  readonly oauth: Omit<OauthParts, "pageUrl">;
  readonly confirmations: Confirmations;
  readonly facilities: Facilities;
  readonly devices: Devices;
  readonly edges: Edges;
  readonly archive: Archive;
  readonly routing: Routing;
  readonly exporting: Exporting;
  readonly backups: Backups;
  readonly shredding: Shredding;
  /** What the index did not know when the home was opened. */
  readonly recovered: RecoverySummary;
  /** Rotation of keys below the root. */
  readonly keyRotation: KeyRotation;
  keyState(): StatusView["keys"];
  readonly dicomwebRoot: string;
  /** In the order that keeps what was acknowledged: what was confirmed, archive, log, database, vault. */
  close(): Promise<void>;
}

const dicomwebRoot = "/dicom-web";

/** What closes what is open, the newest first. */
type Undo = (() => Promise<unknown>)[];

/** Opens the stores of a home, made when it is new, and takes in what the last process left unindexed. Nothing stays open when it fails. */
export async function openHouse(configuration: Configuration, paths: HomePaths, log: Log): Promise<House> {
  const undo: Undo = [];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const house = await openParts(configuration, paths, log, undo);
    return { ...house, close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

async function openParts(
  configuration: Configuration,
  paths: HomePaths,
  log: Log,
  undo: Undo,
): Promise<Omit<House, "close">> {
  const clock = systemClock;
  const random = systemRandom;
  const trust = await openTrust(configuration, paths, log, undo);
  const { keyring, stores, vault, access, index, entryStore, audit, cosigning, grants, policy, gate } = trust;
  const home = { files: systemFiles, clock, random, log, paths, vault, stores };
  const signingKeysOf = async (edge: string) =>
    (await access.accessStore.signingKeys(edge)).map(({ publicKey }) => publicKey);
  const watching = await openWatch({ ...home, configuration, store: access.accessStore, audit, gate });
  undo.push(watching.close);
  const records = createRecords({ store: access.recordStore, vault });
  const held = { records, store: access.accessStore };
  const images = await openArchive({ ...home, ...held, configuration, index, audit, gate, watching, signingKeysOf });
  const { archive, routing, reveal, breaker, time } = images;
  undo.push(routing.end, archive.close);
  const plans = { files: systemFiles, folder: paths.exports };
  const exporting = createExporting({ ...plans, archive, index, vault, gate, clock, random });
  const root = createRootCare(keyring, paths.keys, configuration);
  const perform = {
    "root.change": root.changeRoot,
    "recovery-kit.make": root.makeRecoveryKit,
    "archive.export": exporting.begin,
    "study.shred": (pass: Pass) => shredding.study(pass),
    "patient.shred": (pass: Pass) => shredding.patient(pass),
  };
  const given = { store: access.accessStore, grants, policy, vault, gate, index, log, perform };
  const callers = await createCallers({ ...given, breachedPasswords: configuration.breachedPasswords });
  const keyRotation = createKeyRotation({ keyring, tenant: tenantName, stores, vault, gate, random, log });
  undo.push(keyRotation.close);
  const partners = async () => (await callers.devices.list()).flatMap(asPartner);
  const notices = createNotices({ records, partners, clock, random });
  archive.beforeIndexed(notices.arriving);
  const recovered = await archive.recover();
  if (recovered.instances > 0) log.info("taken into the index after the last stop", { ...recovered });
  const backups = createBackups({ ...home, keyring, audit, entryStore, copyAccess: access.copy });
  const care = await openCare({ ...home, configuration, time, index, archive, gate, reveal, backups });
  undo.push(care.close);
  const { sessions } = callers;
  const overseen = { ...home, configuration, store: access.accessStore, gate, grants, policy, sessions };
  const oversight = await openOversight({ ...overseen, watching, archive, index });
  undo.push(oversight.shares.close);
  const destroying = { isHeld: care.fates.isHeld, remove: care.retention.remove, purgeBackups: backups.purgeKeys };
  const shredding = createShredding({ vault, index, audit, ...destroying });
  // What was confirmed is stopped first: it works with all of the others.
  undo.push(callers.confirmations.close);
  const factsOfStudy = async (studyUid: string) => {
    const study = await index.study(studyUid);
    return study && index.factsOf(study);
  };
  const working = { records, gate, policy, clock, random, factsOfStudy, ownTitle: configuration.aeTitle };
  return {
    ...{ records, notices, partners, workItems: createWorkItems(working) },
    schedule: createSchedule({ records, gate, clock, random, telling: notices.orders }),
    ...{ vault, audit, logName: originOf(vault), index, gate, policy, grants, breaker, archive, routing, shredding },
    ...callers,
    ...oversight,
    ...{ cosigning, exporting, care, backups, keyRotation, recovered, dicomwebRoot },
    keyState: () => ({
      root: keyring.rootKind(),
      hasRecoveryKit: keyring.hasRecoveryKit(),
      isRotating: keyring.tenant(tenantName).olderGenerations.length > 0,
    }),
  };
}

/** Keys, databases, log, and the gate over them. */
async function openTrust(configuration: Configuration, paths: HomePaths, log: Log, undo: Undo) {
  const clock = systemClock;
  const { keyring, homeId, stores, vault, threads } = await openVault(configuration, paths, log);
  undo.push(async () => keyring.wipe(), threads.close, vault.close);
  const shared = { home: homeId, log };
  const access = await openAccessDatabase({ ...placeOf(configuration.database, paths.accessDatabase), ...shared });
  undo.push(access.close);
  const indexPlace = placeOf(configuration.identityDatabase, paths.indexDatabase);
  const { blindStore } = await openIndexDatabase({ ...indexPlace, ...shared });
  const index = createBlindIndex({ store: blindStore, box: vault.indexBox, clock, log });
  undo.push(index.close);
  const { entryStore, audit } = await openAudit(paths, vault, access.detailStore);
  undo.push(audit.close);
  const cosigning = createCosigning({ audit, settings: configuration.witnesses, clock, log });
  undo.push(cosigning.stop);
  const grants = await createGrants({ store: access.accessStore, clock, random: systemRandom });
  const policy = createPolicy(grants);
  const gate = createGate({ policy, audit, clock });
  return { keyring, stores, vault, access, index, entryStore, audit, cosigning, grants, policy, gate };
}

interface ArchiveHome extends Pick<House, "vault" | "index" | "audit" | "gate">, Pick<ArchiveParts, "signingKeysOf"> {
  readonly configuration: Configuration;
  readonly paths: HomePaths;
  readonly watching: { readonly watch: Watching["watch"] };
  readonly records: Records;
  readonly store: Pick<AccessStore, "devices">;
  readonly log: Log;
}

/** Images, where they go when they have come, and the one way to what identifies. */
async function openArchive({ configuration, paths, watching, store, ...given }: ArchiveHome) {
  const shared = { ...given, clock: systemClock, random: systemRandom };
  const studiesPerMinuteMax = configuration.revealsPerMinute;
  const { reveal, breaker } = createReveal({ ...shared, watch: watching.watch, studiesPerMinuteMax });
  const time = await openWitnessedTime({ ...shared, files: systemFiles, folder: paths.folder });
  const served = { implementation: leadglass, bulkDataRoot: dicomwebRoot };
  const routing = await createRouting({
    ...{ ...shared, stamp: time.stamp, ownTitle: configuration.aeTitle },
    hasCloud: () => configuration.role === "edge",
    keepsForGood: () => configuration.keepsForGood,
    destinations: async () => (await store.devices()).filter(takesImages).map(({ id }) => id),
  });
  const archive = createArchive({ ...shared, ...served, reveal, stamp: time.stamp, arriving: routing.arriving });
  return { archive, routing, reveal, breaker, time };
}

async function openAudit(paths: HomePaths, vault: Vault, detailStore: DetailStore) {
  const entryStore = await openEntryFiles({ files: systemFiles, folder: paths.audit });
  const signingSeed = vault.derive("audit signing key", 32);
  const box = vault.secrets;
  const details = { store: detailStore, box, random: systemRandom };
  const named = { signingSeed, origin: originOf(vault) };
  const audit = await createAuditLog({ store: entryStore, details, ...named, clock: systemClock });
  return { entryStore, audit };
}

/** The keyring, the stores of both halves, and the vault over them. */
async function openVault(configuration: Configuration, paths: HomePaths, log: Log) {
  const clock = systemClock;
  const random = systemRandom;
  const keyring = await openOrMakeKeyring(paths.keys, configuration);
  const homeId = keyring.tenant(tenantName).key("place of objects", 8).toString("hex");
  await checkObjectsPlace(paths, homeId);
  const { replica } = configuration.objects;
  const storesIn = async (keys: string, packs: string, half: string): Promise<HalfStores> => ({
    keyStore: await createFileKeyStore({ files: systemFiles, folder: keys }),
    objects: createPacks({
      files: systemFiles,
      folder: packs,
      clock,
      random,
      log,
      reserveBytes: configuration.reserveBytes,
      ...(replica !== undefined && { replicaFolder: join(replica, half) }),
    }),
  });
  const stores = {
    image: await storesIn(paths.keys, paths.packs, "packs"),
    identity: await storesIn(paths.identityKeys, paths.identityPacks, "identity/packs"),
  };
  const threadsMax = Math.min(Math.max(availableParallelism() >> 1, 1), 4);
  const threads = createOpeningThreads({ clock, threadsMax });
  const vault = await createVault({ keyring, tenant: tenantName, stores, random, threads });
  return { keyring, homeId, stores, vault, threads };
}

interface CallerParts extends Pick<ConfirmationParts, "store" | "policy" | "gate" | "log" | "perform"> {
  readonly grants: Grants;
  readonly vault: Vault;
  readonly index: StudyIndex;
  readonly breachedPasswords: string | undefined;
}

/** Who may come in, and what two of them decide together. */
async function createCallers({ vault, index, breachedPasswords, ...given }: CallerParts) {
  const box = vault.secrets;
  const parts = { ...given, box, clock: systemClock, random: systemRandom };
  const people = createPeople(parts);
  const breached =
    breachedPasswords === undefined ? {} : { breached: await openBreachedPasswords(systemFiles, breachedPasswords) };
  const waysIn = await createWaysIn({ ...parts, ...breached, people });
  return {
    ...waysIn,
    people,
    facilities: createFacilities(parts),
    devices: createDevices(parts),
    edges: createEdges(parts),
    oauth: await openOauth({ ...parts, ...waysIn, vault, index }),
    confirmations: createConfirmations({ ...parts, signIn: waysIn.signIn }),
  };
}

/** Programs that ask for tokens, and what the provider remembers of them. */
async function openOauth(
  given: Pick<House, "gate" | "grants" | "index" | "recovery" | "sessions" | "vault"> & {
    readonly store: AccessStore;
    readonly log: Log;
  },
): Promise<House["oauth"]> {
  const { store, grants, gate, index, recovery, sessions, vault, log } = given;
  const shared = { store, grants, clock: systemClock, random: systemRandom };
  const records = await createOauthRecords({ ...shared, box: vault.secrets });
  return {
    ...{ records, grants, recovery, gate, log, clock: systemClock, random: systemRandom },
    clients: await createOauthClients(shared),
    keys: createOauthKeys({ ...shared, records }),
    isSessionLive: sessions.isLive,
    account: store.account,
    accountNamed: store.accountNamed,
    async factsOf(studyToken) {
      const study = await index.studyOfToken(studyToken);
      return study && index.factsOf(study);
    },
  };
}

/** A database by its URL, or the file that stands for it in a home. */
export function placeOf(url: string | undefined, path: string): { readonly url: string } | { readonly path: string } {
  return url === undefined ? { path } : { url };
}

/** Names the log in its checkpoints (C2SP tlog-checkpoint): the tenant's own random id, which says nothing. */
function originOf(vault: Vault): string {
  return `leadglass.log/${vault.derive("audit log name", 8).toString("hex")}`;
}
