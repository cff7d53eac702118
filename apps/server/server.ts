import { chmod, rm } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { isLoopback, systemFiles } from "#base/io";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { createApiDoor } from "#doors/api";
import { createAliases, createDicomwebDoor } from "#doors/dicomweb";
import { leadglass } from "#doors/dimse";
import { createFhirDoor } from "#doors/fhir";
import { createAssertionCheck, createOauth } from "#doors/oauth";
import type { SyslogSender } from "#doors/syslog";
import type { StatusView } from "#formats/api";
import { createTranscoder, type PixelWork, type Transcoder } from "#radiology/images";
import type { Migrations } from "#radiology/migration";
import type { Messages, Relay } from "#radiology/relay";
import { type HomeLock, lockHome } from "#stores/sql";
import { type Device, system } from "#trust/access";
import { type HomePaths, mainHomeOf, pathsOf } from "../home/index.ts";
import type { Configuration } from "./configuration.ts";
import { type DeviceAuthority, openOrMakeDeviceAuthority } from "./device-authority.ts";
import { createDeviceCalls, type DeviceCalls } from "./device-calls.ts";
import { openDeviceTrust } from "./device-trust.ts";
import { createDicomSide, type DicomSide } from "./dicom.ts";
import { createEdgeReading } from "./edge-reading.ts";
import { type EdgeSide, openEdgeSide } from "./edge-side.ts";
import type { FairQueue } from "./fair-queue.ts";
import type { Hl7Side } from "./hl7.ts";
import { type House, openHouse } from "./house.ts";
import { createHttp, type Http, type Route } from "./http.ts";
import { type Site, siteOf } from "./https.ts";
import { startLogCollector } from "./log-collector.ts";
import { type BoxHealth, createOwnHealth } from "./own-health.ts";
import { createPhantom } from "./phantom.ts";
import { createPixelProcesses } from "./pixel-processes.ts";
import { readPassphrase } from "./root-keys.ts";
import { openOrMakeCertificates } from "./secrets.ts";
import { openTraffic, type Traffic } from "./traffic.ts";
import { createUserIdentities } from "./user-identities.ts";

export const version = "0.1.0";

const refreshEveryMs = 1_000;
const webRoot = join(dirname(fileURLToPath(import.meta.url)), "..", "web", "dist");

/** What a home is told of the process that serves it. */
export interface Surroundings {
  readonly log: Log;
  /** Where every request of every home waits for its turn. */
  readonly queue: FairQueue;
  /** Null: that listener is off. */
  readonly ports: () => StatusView["ports"];
  /** Of the installation; undefined while no home of it is open but this one. */
  readonly deviceAuthority: () => Promise<DeviceAuthority> | undefined;
  /** How many associations are open that called this title. */
  readonly associations: (calledAe: string) => number;
  /** Ends those of a machine that was removed. */
  readonly endAssociations: (calledAe: string, device: Pick<Device, "ae" | "address">) => Promise<void>;
  /** More routes, over the same house. */
  readonly moreDoors?: (house: House, http: Http) => Promise<unknown>;
}

/** One home, open: its house, its control socket, and what it does for those whom the listeners send to it. */
export interface ServedHome {
  readonly configuration: Configuration;
  readonly paths: HomePaths;
  readonly house: House;
  readonly site: Site;
  readonly dicom: DicomSide;
  readonly hl7: Hl7Side;
  /** Who vouches for us towards machines, and certifies theirs: the main home's, for all. Problem `unavailable` when that is not open. */
  readonly deviceAuthority: () => Promise<DeviceAuthority>;
  readonly tls: { readonly key: string; readonly cert: string; readonly fingerprint: string };
  readonly routes: readonly Route[];
  /** Where its pages are; when nothing listens, where they will be. */
  pageUrl(): string;
  /** The one-use link that makes the administrator; undefined when there is one. */
  setupLink(): Promise<string | undefined>;
  /** Once the listeners are there: says so in the log, and goes on with what is done in the background. */
  begin(): Promise<void>;
  /** Finishes what was begun and acknowledged, then lets go of everything. */
  close(): Promise<void>;
}

/** Takes the home and puts its parts together. Problem `conflict` when another process has the home. */
export async function serveHome(configuration: Configuration, surroundings: Surroundings): Promise<ServedHome> {
  const paths = pathsOf(configuration.home, configuration.objects.first);
  await systemFiles.makeFolder(paths.folder);
  const lock = takeLock(paths);
  const undo: (() => Promise<unknown>)[] = [async () => lock.release()];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const house = await openHouse(configuration, paths, surroundings.log);
    undo.push(house.close);
    const served = await openDoors(configuration, paths, house, surroundings, undo);
    return { configuration, paths, house, ...served, close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

function takeLock(paths: HomePaths): HomeLock {
  const lock = lockHome(paths.lock);
  if (lock !== undefined) return lock;
  const remedy = "stop it first, or name another home with --home";
  throw new Problem("conflict", "another process has this home open", { remedy });
}

/** What more than one door does with pixels and with other machines. */
interface Images extends EdgeSide {
  readonly pixels: PixelWork;
  readonly transcoder: Transcoder;
  readonly deviceCalls: DeviceCalls;
  readonly intake: Traffic["intake"];
  readonly relay: Relay;
  readonly messages: Messages;
  readonly migrations: Migrations;
  readonly deviceAuthority: ServedHome["deviceAuthority"];
  readonly ownHealth: BoxHealth;
}

type Doors = Omit<ServedHome, "configuration" | "paths" | "house" | "close">;

async function openDoors(
  configuration: Configuration,
  paths: HomePaths,
  house: House,
  surroundings: Surroundings,
  undo: (() => Promise<unknown>)[],
): Promise<Doors> {
  const { archive, setup, gate } = house;
  const { log, ports } = surroundings;
  house.devices.watchChanged((device) => {
    surroundings
      .endAssociations(configuration.aeTitle, device)
      .catch((error) => log.warn("associations of a removed or changed machine were not ended", {}, error));
  });
  const trust = openDeviceTrust(configuration.dicomTls, { clock: systemClock, random: systemRandom, log });
  const deviceAuthority = deviceAuthorityOf(configuration, paths, house, surroundings);
  const tls = await openOrMakeCertificates(paths, certifiedHosts(configuration), {
    vault: house.vault,
    clock: systemClock,
    random: systemRandom,
  });
  const pixels = createPixelProcesses({ clock: systemClock, log });
  undo.push(() => pixels.close());
  const transcoder = createTranscoder({ pixels, implementation: leadglass });
  let syslog: SyslogSender | undefined;
  const { aeTitle: ownTitle } = configuration;
  const deviceCalls = createDeviceCalls({
    ...{ aeTitle: ownTitle, authority: deviceAuthority, trust },
    ...{ clock: systemClock, log },
  });
  const sharing = { clock: systemClock, random: systemRandom, log };
  const edgeSide = await openEdgeSide(paths, house, { log, software: version });
  const { links, cloudLink } = edgeSide;
  undo.push(async () => links.close(), cloudLink.close);
  const traffic = await openTraffic(
    {
      ...{ configuration, paths, house, edgeSide, pixels, transcoder },
      ...{ deviceCalls, deviceAuthority, trust, log },
    },
    undo,
  );
  const { uplink } = traffic;
  const own = { software: version, ...(uplink && { uplink }) };
  const ownHealth = createOwnHealth({ ...house, ...sharing, ...own, cloudLink, configuration, paths });
  const images = { pixels, transcoder, deviceCalls, deviceAuthority, ownHealth, ...traffic, ...edgeSide };
  const http = await createWeb(configuration, house, { ...surroundings, ...images, syslog: () => syslog }, undo);
  await listenForOwner(http, paths, undo);
  const pageUrl = () => pageUrlOf(configuration, ports().https);
  const programOfAssertion = createAssertionCheck({ ...house.oauth, pageUrl });
  const identities = createUserIdentities({ ...house, programOfAssertion });
  return {
    site: siteOf(http.server, tls, links),
    dicom: createDicomSide({ ...house, ...images, ownTitle, trust, identities, log, tally: ownHealth.tally }),
    hl7: traffic.hl7,
    deviceAuthority,
    tls,
    routes: http.routes,
    pageUrl,
    setupLink: async () => ((await setup.needed()) ? `${pageUrl()}#setup=${setup.secret}` : undefined),
    async begin() {
      await gate.pass(system, "system.start", undefined, async () => {});
      await house.audit.checkpoint();
      house.cosigning.start();
      await house.confirmations.resume();
      house.keyRotation.resume();
      await house.care.start();
      undo.push(() => gate.pass(system, "system.stop", undefined, async () => {}));
      undo.push(refreshBlobs(archive, log));
      undo.push(traffic.end);
      await traffic.begin();
      undo.push(ownHealth.close);
      ownHealth.begin();
      cloudLink.begin(ownHealth.report);
      const { syslog: settings, home, aeTitle } = configuration;
      if (settings === undefined) return;
      syslog = await startLogCollector({ ...house, settings, home, aeTitle, log });
      undo.push(syslog.close);
    },
  };
}

/** Opened, and in a new home made, when it is first asked for. */
function deviceAuthorityOf(
  configuration: Configuration,
  paths: HomePaths,
  { vault }: House,
  surroundings: Surroundings,
): () => Promise<DeviceAuthority> {
  const { home, dicomTlsHost } = configuration;
  let opened: Promise<DeviceAuthority> | undefined;
  return async () => {
    if (mainHomeOf(home) === undefined) {
      const isOne = dicomTlsHost !== "0.0.0.0" && dicomTlsHost !== "::";
      const hosts = [...new Set([...certifiedHosts(configuration), ...(isOne ? [dicomTlsHost] : [])])];
      opened ??= openOrMakeDeviceAuthority(paths, hosts, { vault, clock: systemClock, random: systemRandom });
      return opened;
    }
    const shared = surroundings.deviceAuthority();
    if (shared !== undefined) return shared;
    const remedy = "leadglass start, then try again";
    throw new Problem("unavailable", "the installation's authority for machines is not open", { remedy });
  };
}

/** A home for itself is reached from this machine by any of its names; a further tenant by its hosts alone. */
function certifiedHosts({ home, httpsHost, hosts }: Configuration): readonly string[] {
  if (mainHomeOf(home) !== undefined) return hosts;
  return [...new Set(["localhost", "127.0.0.1", "::1", httpsHost, ...hosts])];
}

/** Where the pages are; when nothing listens, where they will be. */
function pageUrlOf(configuration: Configuration, port: number | null): string {
  const host = hostOf(configuration);
  const { httpsPort } = configuration;
  return `https://${isIP(host) === 6 ? `[${host}]` : host}:${port ?? httpsPort}/`;
}

/** The name that the pages are reached by, or the first of several. */
function hostOf({ hosts: [named], httpsHost }: Configuration): string {
  return named ?? (isLoopback(httpsHost) ? "localhost" : httpsHost);
}

async function createWeb(
  configuration: Configuration,
  house: House,
  surroundings: Surroundings & Images & { readonly syslog: () => SyslogSender | undefined },
  undo: (() => Promise<unknown>)[],
): Promise<Http> {
  const { archive, index } = house;
  const { log, queue, ports, moreDoors, pixels, transcoder, deviceCalls, links, intake } = surroundings;
  const { aeTitle } = configuration;
  const startedAt = systemClock.now();
  const built = await systemFiles.exists(join(webRoot, "index.html"));
  const pageUrl = () => pageUrlOf(configuration, ports().https);
  const oauth = createOauth({ ...house.oauth, pageUrl });
  const http = await createHttp({
    tokenActorOf: oauth.tokenActorOf,
    edgeAt: links.actorAt,
    sessions: house.sessions,
    clientTokens: house.clientTokens,
    log,
    random: systemRandom,
    clock: systemClock,
    queue,
    webRoot: built ? webRoot : undefined,
    addressOf: createAliases({ root: house.dicomwebRoot, aeTitle }),
    ready: () => ports().https !== null,
  });
  const { actorOf, sessionOf, setSession, clearSession } = http;
  const dicom = () => ({ aeTitle, port: ports().dicom });
  const status = statusOf(configuration, house, { ...surroundings, startedAt });
  const phantom = createPhantom({ archive, index, clock: systemClock, log });
  const rootPassphrase = async () =>
    house.keyState().root === "passphrase" ? readPassphrase(configuration.passphraseFile) : undefined;
  const api = {
    ...house,
    ...surroundings,
    phantom,
    clock: systemClock,
    random: systemRandom,
    status,
    dicom,
    rootPassphrase,
    pageUrl,
    echoDevice: deviceCalls.echo,
    edgeReading: createEdgeReading(house),
  };
  await http.server.register(createApiDoor({ ...api, actorOf, sessionOf, setSession, clearSession }));
  await http.server.register(
    createDicomwebDoor({
      archive,
      intake,
      actorOf,
      clock: systemClock,
      log,
      pixels,
      transcoder,
      implementation: leadglass,
      root: house.dicomwebRoot,
      requireFacility: house.facilities.require,
      isAllowedOrigin: oauth.isClientOrigin,
      ...{ workItems: house.workItems, takeUpgrade: http.takeUpgrade, watchEnded: house.sessions.watchEnded },
    }),
  );
  const server = { log: house.logName, host: hostOf(configuration) };
  await http.server.register(createFhirDoor({ ...house, server, version, startedAt, actorOf }));
  await http.server.register(oauth.door({ actorOf, sessionOf, endSession: house.sessions.end }));
  await moreDoors?.(house, http);
  await http.server.ready();
  undo.push(() => http.server.close());
  return http;
}

interface StatusParts extends Pick<Surroundings, "ports" | "associations"> {
  readonly ownHealth: Pick<BoxHealth, "isEdge">;
  readonly syslog: () => SyslogSender | undefined;
  readonly startedAt: number;
}

function statusOf(configuration: Configuration, house: House, parts: StatusParts): () => Promise<StatusView> {
  const { index, audit } = house;
  const { ports, associations, ownHealth, syslog, startedAt } = parts;
  const { aeTitle } = configuration;
  return async () => ({
    version,
    startedAt,
    isEdge: ownHealth.isEdge(),
    ports: ports(),
    dicomAeTitle: aeTitle,
    studies: (await index.countStudies([])).count,
    associations: associations(aeTitle),
    disk: {
      freeBytes: await systemFiles.freeBytes(configuration.objects.first),
      reservedBytes: configuration.reserveBytes,
    },
    audit: {
      entries: audit.size(),
      checkpointAt: audit.latestCheckpoint()?.at ?? null,
      witnesses: house.cosigning.view(),
    },
    collector: syslog()?.state() ?? null,
    database: configuration.database === undefined ? "SQLite" : "PostgreSQL",
    stopped: house.breaker.stopped(),
    keys: house.keyState(),
    care: await house.care.view(),
  });
}

/** The control socket: only the owner of the home can reach it, and acts as the operator. */
async function listenForOwner(http: Http, paths: HomePaths, undo: (() => Promise<unknown>)[]): Promise<void> {
  const { localServer } = http;
  await rm(paths.controlSocket, { force: true });
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      localServer.once("error", reject);
      localServer.listen(paths.controlSocket, resolve);
    });
  } finally {
    process.umask(before);
  }
  await chmod(paths.controlSocket, 0o600);
  undo.push(async () => {
    localServer.closeAllConnections();
    await new Promise((resolve) => localServer.close(resolve));
    await rm(paths.controlSocket, { force: true });
  });
}

/** Computes series metadata in the quiet after a series has come. Returns how to stop. */
function refreshBlobs(archive: House["archive"], log: Log): () => Promise<void> {
  let stopped = false;
  let running = Promise.resolve();
  const run = () => {
    if (stopped) return;
    running = archive
      .refreshBlobs()
      .then(() => {})
      .catch((error) => log.warn("series metadata was not computed ahead", {}, error))
      .finally(() => systemClock.after(refreshEveryMs, run));
  };
  systemClock.after(refreshEveryMs, run);
  return async () => {
    stopped = true;
    await running;
  };
}
