import { chmod, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { createLog, type Log } from "#base/log";
import { Problem } from "#base/problem";
import { createApiDoor } from "#doors/api";
import { createDicomwebDoor } from "#doors/dicomweb";
import { type DimseDoor, type DimseListener, leadglass } from "#doors/dimse";
import type { StatusView } from "#formats/api";
import { type HomeLock, lockHome } from "#stores/sql";
import { system } from "#trust/access";
import { type Configuration, isLoopback } from "./configuration.ts";
import { createDicom } from "./dicom.ts";
import { createFairQueue } from "./fair-queue.ts";
import { type HomePaths, pathsOf } from "./home.ts";
import { type House, openHouse } from "./house.ts";
import { createHttp, type Http } from "./http.ts";
import { listenHttps, siteOf } from "./https.ts";
import { createPhantom } from "./phantom.ts";
import { createPixelWorkers } from "./pixel-workers.ts";
import { readPassphrase } from "./root-keys.ts";
import { openOrMakeCertificates } from "./secrets.ts";

export const version = "0.1.0";

const refreshEveryMs = 1_000;
const webRoot = join(dirname(fileURLToPath(import.meta.url)), "..", "web", "dist");

export interface RunningServer {
  /** Ports; null when that listener is off. */
  readonly https: number | null;
  readonly dicom: number | null;
  readonly dicomHost: string;
  readonly aeTitle: string;
  readonly url: string;
  /** Path of the authority's certificate. */
  readonly ca: string;
  /** SHA-256 of the server certificate. */
  readonly fingerprint: string;
  /** The one-use link that makes the administrator; undefined when there is one. */
  setupLink(): Promise<string | undefined>;
  /** Finishes what was begun and acknowledged, then lets go of everything. */
  close(): Promise<void>;
}

export interface StartOptions {
  /** `control`: nothing listens but the control socket of the home, for one command. */
  readonly listen: "all" | "control";
  readonly logLine: (line: string) => void;
}

/** Takes the home, puts the parts together and opens the doors. Problem `conflict` when another process has the home. */
export async function startServer(configuration: Configuration, options: StartOptions): Promise<RunningServer> {
  const paths = pathsOf(configuration.home, configuration.objects.first);
  const log = createLog({ sink: options.logLine, clock: systemClock });
  // Also what SQLite makes is for the owner alone, and stays so in a copy.
  process.umask(0o077);
  await systemFiles.makeFolder(paths.folder);
  const lock = takeLock(paths);
  const undo: (() => Promise<unknown>)[] = [async () => lock.release()];
  const closeAll = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const house = await openHouse(configuration, paths, log);
    undo.push(house.close);
    const served = await openDoors(configuration, paths, house, log, undo, options);
    return { ...served, close: closeAll };
  } catch (error) {
    await closeAll().catch(() => {});
    throw error;
  }
}

function takeLock(paths: HomePaths): HomeLock {
  const lock = lockHome(paths.lock);
  if (lock !== undefined) return lock;
  const remedy = "stop it first, or name another home with --home";
  throw new Problem("conflict", "another process has this home open", { remedy });
}

async function openDoors(
  configuration: Configuration,
  paths: HomePaths,
  house: House,
  log: Log,
  undo: (() => Promise<unknown>)[],
  options: StartOptions,
): Promise<Omit<RunningServer, "close">> {
  const { archive, setup, gate } = house;
  const listening: { dicom?: DimseListener; https?: number } = {};
  const door = createDicom(configuration, { ...house, clock: systemClock, log });
  const tls = await openOrMakeCertificates(paths, [configuration.httpsHost], {
    vault: house.vault,
    clock: systemClock,
    random: systemRandom,
  });
  const http = await createWeb(configuration, house, { log, door, listening, undo });
  await listenForOwner(http, paths, undo);
  if (options.listen === "all") {
    const at = { host: configuration.httpsHost, port: configuration.httpsPort };
    const site = siteOf(http.server, tls);
    const listener = await listenHttps(at, { of: () => site, isShared: false }, tls, { clock: systemClock, log });
    listening.https = listener.port;
    undo.push(listener.close);
    listening.dicom = await door.listen({ host: configuration.dicomHost, port: configuration.dicomPort });
    undo.push(async () => listening.dicom?.close());
    await gate.pass(system, "system.start", undefined, async () => {});
    await house.audit.checkpoint();
    await house.confirmations.resume();
    house.keyRotation.resume();
    await house.care.start();
    undo.push(() => gate.pass(system, "system.stop", undefined, async () => {}));
    undo.push(refreshBlobs(archive, log));
  }
  const url = pageUrlOf(configuration, listening.https);
  return {
    https: listening.https ?? null,
    dicom: listening.dicom?.port ?? null,
    dicomHost: configuration.dicomHost,
    aeTitle: configuration.aeTitle,
    url,
    ca: paths.ca,
    fingerprint: tls.fingerprint,
    setupLink: async () => ((await setup.needed()) ? `${url}#setup=${setup.secret}` : undefined),
  };
}

/** Where the pages are; when nothing listens, where they will be. */
function pageUrlOf({ httpsHost, httpsPort }: Configuration, port: number | undefined): string {
  return `https://${isLoopback(httpsHost) ? "localhost" : httpsHost}:${port ?? httpsPort}/`;
}

interface WebParts {
  readonly log: Log;
  readonly door: DimseDoor;
  readonly listening: { readonly dicom?: DimseListener; readonly https?: number };
  readonly undo: (() => Promise<unknown>)[];
}

async function createWeb(configuration: Configuration, house: House, parts: WebParts): Promise<Http> {
  const { archive, index, audit } = house;
  const { log, door, listening, undo } = parts;
  const startedAt = systemClock.now();
  const built = await systemFiles.exists(join(webRoot, "index.html"));
  const http = await createHttp({
    signIn: house.signIn,
    log,
    random: systemRandom,
    clock: systemClock,
    queue: createFairQueue(systemClock),
    webRoot: built ? webRoot : undefined,
    ready: () => listening.https !== undefined,
  });
  const { actorOf, sessionSecretOf, setSession, clearSession } = http;
  const pixels = createPixelWorkers({ clock: systemClock, log });
  undo.push(() => pixels.close());
  const dicom = () => ({ aeTitle: configuration.aeTitle, port: listening.dicom?.port ?? null });
  const status = async (): Promise<StatusView> => ({
    version,
    startedAt,
    ports: { https: listening.https ?? null, dicom: listening.dicom?.port ?? null },
    dicomAeTitle: configuration.aeTitle,
    studies: (await index.countStudies([])).count,
    associations: door.associations().length,
    disk: {
      freeBytes: await systemFiles.freeBytes(configuration.objects.first),
      reservedBytes: configuration.reserveBytes,
    },
    audit: { entries: audit.size(), checkpointAt: audit.latestCheckpoint()?.at ?? null },
    database: configuration.database === undefined ? "SQLite" : "PostgreSQL",
    stopped: house.breaker.stopped(),
    keys: house.keyState(),
    care: await house.care.view(),
  });
  const phantom = createPhantom({ archive, index, clock: systemClock, log });
  const pageUrl = () => pageUrlOf(configuration, listening.https);
  const rootPassphrase = async () =>
    house.keyState().root === "passphrase" ? readPassphrase(configuration.passphraseFile) : undefined;
  const api = { ...house, phantom, clock: systemClock, log, status, dicom, rootPassphrase, pageUrl };
  await http.server.register(createApiDoor({ ...api, actorOf, sessionSecretOf, setSession, clearSession }));
  await http.server.register(
    createDicomwebDoor({
      archive,
      actorOf,
      clock: systemClock,
      log,
      pixels,
      implementation: leadglass,
      root: house.dicomwebRoot,
      allowedOrigins: [],
    }),
  );
  await http.server.ready();
  undo.push(() => http.server.close());
  return http;
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
