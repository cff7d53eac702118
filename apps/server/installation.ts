import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createLog, type Log } from "#base/log";
import { Problem } from "#base/problem";
import { createTenantsDoor } from "#doors/api";
import type { DimseDoor, DimseListener, Incoming } from "#doors/dimse";
import { createHl7Door, type Hl7Door, type Hl7Listener } from "#doors/hl7";
import { anyAddress, canonicalAddress, type Device } from "#trust/access";
import { mainHomeOf } from "../home/index.ts";
import type { Configuration } from "./configuration.ts";
import { createDicomDoor } from "./dicom.ts";
import { machineEntrance } from "./dicom-tls.ts";
import { createFairQueue } from "./fair-queue.ts";
import type { Hl7Side } from "./hl7.ts";
import type { Route } from "./http.ts";
import { type HttpsListener, listenHttps, type Sites } from "./https.ts";
import { type ServedHome, serveHome } from "./server.ts";
import { createTenants, readTenants, type Tenants, type TenantsParts } from "./tenants.ts";

export interface RunningServer {
  /** Ports; null when that listener is off. */
  readonly https: number | null;
  readonly dicom: number | null;
  readonly dicomTls: number | null;
  readonly hl7: number | null;
  readonly hl7Tls: number | null;
  readonly dicomHost: string;
  readonly aeTitle: string;
  readonly url: string;
  /** Path of the authority's certificate. */
  readonly ca: string;
  /** The same of the authority that machines trust. */
  readonly dicomCa: string;
  /** SHA-256 of the server certificate. */
  readonly fingerprint: string;
  /** What the main home answers; a further tenant the same, but for the routes of tenants. */
  readonly routes: readonly Route[];
  /** The one-use link that makes the administrator; undefined when there is one. */
  setupLink(): Promise<string | undefined>;
  /** Finishes what was begun and acknowledged, then lets go of everything. */
  close(): Promise<void>;
}

export interface StartOptions {
  /** `control`: nothing listens but the control socket of the home, for one command. */
  readonly listen: "all" | "control";
  readonly logLine: (line: string) => void;
  /** What stands in the home of a further tenant. */
  readonly configurationOf: (home: string) => Configuration;
}

interface Listening {
  https?: HttpsListener;
  dicom?: DimseListener;
  dicomTls?: DimseListener;
  hl7?: Hl7Listener;
  hl7Tls?: Hl7Listener;
}

/** What a machine that was removed may still finish in: its message is answered, as refused. */
const endingMs = 1_000;

/**
 * Serves a home and the further tenants in it, each a home for itself, behind one HTTPS and one DICOM listener. With `control` the home
 * alone is opened: its tenants may be open in other processes.
 */
export async function startServer(configuration: Configuration, options: StartOptions): Promise<RunningServer> {
  const { listen, logLine, configurationOf } = options;
  const isOpen = listen === "all";
  if (isOpen && mainHomeOf(configuration.home) !== undefined) {
    const remedy = "leadglass start --home MAIN serves its tenants too";
    throw new Problem("invalid", "refusing to start: this home is a tenant of another", { remedy });
  }
  // Also what SQLite makes is for the owner alone, and stays so in a copy.
  process.umask(0o077);
  const log = createLog({ sink: logLine, clock: systemClock });
  const listening: Listening = {};
  const undo: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  const door = createDicomDoor({
    sideOf(calledAe) {
      if (calledAe === configuration.aeTitle) return main?.dicom ?? "out-of-service";
      const tenant = tenants?.called(calledAe);
      return tenant && (tenant.home?.dicom ?? "out-of-service");
    },
    associationsMax: configuration.associationsMax,
    clock: systemClock,
    log,
  });
  const messages = createMessageDoor((receiver) => tenantOr(tenants, receiver, main)?.hl7, log);
  const ports = () => ({
    https: listening.https?.port ?? null,
    dicom: listening.dicom?.port ?? null,
    dicomTls: listening.dicomTls?.port ?? null,
    hl7: listening.hl7?.port ?? null,
    hl7Tls: listening.hl7Tls?.port ?? null,
  });
  const surroundings = {
    ports,
    deviceAuthority: () => main?.deviceAuthority(),
    queue: createFairQueue(systemClock),
    associations: (calledAe: string) => door.associations().filter((each) => each.calledAe === calledAe).length,
    endAssociations: (calledAe: string, device: Pick<Device, "ae" | "address">) =>
      door.end(
        (each) =>
          each.calledAe === calledAe &&
          each.callingAe === device.ae &&
          [anyAddress, canonicalAddress(each.address) ?? each.address].includes(device.address),
        endingMs,
      ),
  };
  const parts: Omit<TenantsParts, "gate"> = {
    main: configuration,
    found: isOpen ? await readTenants(configuration, configurationOf) : undefined,
    configurationOf,
    log,
    serve: (of, ofLog) => serveHome(of, { ...surroundings, log: ofLog }),
    async endTraffic({ site, configuration: { aeTitle } }) {
      await door.end(({ calledAe }) => calledAe === aeTitle);
      listening.https?.drop(site);
    },
  };
  let main: ServedHome | undefined;
  let tenants: Tenants | undefined;
  try {
    main = await serveHome(configuration, {
      ...{ ...surroundings, log },
      async moreDoors({ gate }, { server, actorOf }) {
        tenants = createTenants({ ...parts, gate });
        await server.register(createTenantsDoor({ tenants, actorOf }));
      },
    });
    undo.push(main.close);
    if (isOpen) {
      const { httpsHost, httpsPort } = configuration;
      const home = main;
      undo.push(async () => tenants?.close());
      const sites = sitesOf(main, () => tenants);
      listening.https = await listenHttps({ host: httpsHost, port: httpsPort }, sites, main.tls, {
        clock: systemClock,
        log,
      });
      undo.push(listening.https.close);
      const sides = () => [home, ...(tenants?.served() ?? [])].map(({ dicom }) => dicom);
      const entrance = () => machineEntrance({ authority: home.deviceAuthority, sides, clock: systemClock, log });
      await listenForMachines(configuration, { door, messages, entrance }, listening, undo);
      await main.begin();
      await tenants?.open();
    }
    return { ...viewOf(main), ...ports(), close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

/** Of whom a message names as its receiver, if that is a tenant's title; else of the main home, whatever that is called there. */
function tenantOr(tenants: Tenants | undefined, receiver: string, main: ServedHome | undefined) {
  const tenant = tenants?.called(receiver);
  return tenant === undefined ? main : tenant.home;
}

/** The one door for HL7 messages of an installation. */
function createMessageDoor(sideOf: (receiver: string) => Hl7Side | undefined, log: Log): Hl7Door {
  return createHl7Door({
    partners: {
      async admit(claim) {
        const side = sideOf(claim.receiver);
        if (side === undefined) throw new Problem("unavailable", "that home is out of service");
        return side.admit(claim);
      },
    },
    ...{ clock: systemClock, random: systemRandom, log },
  });
}

/** Machines come in plainly where that is on a named interface, and over TLS by their certificates. */
async function listenForMachines(
  configuration: Configuration,
  { door, messages, entrance }: { door: DimseDoor; messages: Hl7Door; entrance: () => Promise<Incoming> },
  listening: Listening,
  undo: (() => Promise<unknown>)[],
): Promise<void> {
  const { dicomHost, dicomPort, dicomTlsHost, dicomTlsPort, hl7Host, hl7Port, hl7TlsHost, hl7TlsPort } = configuration;
  if (dicomPort !== undefined) {
    listening.dicom = await door.listen({ host: dicomHost, port: dicomPort });
    undo.push(listening.dicom.close);
  }
  if (dicomTlsPort !== undefined) {
    listening.dicomTls = await door.listen({ host: dicomTlsHost, port: dicomTlsPort }, await entrance());
    undo.push(listening.dicomTls.close);
  }
  if (hl7Port !== undefined) {
    listening.hl7 = await messages.listen({ host: hl7Host, port: hl7Port });
    undo.push(listening.hl7.close);
  }
  if (hl7TlsPort !== undefined) {
    listening.hl7Tls = await messages.listen({ host: hl7TlsHost, port: hl7TlsPort }, await entrance());
    undo.push(listening.hl7Tls.close);
  }
}

/** A host that a tenant names is that tenant's, in service or not; the main home has those that it names, or every other one. */
function sitesOf(main: ServedHome, tenants: () => Tenants | undefined): Sites {
  const { hosts } = main.configuration;
  return {
    of(host) {
      const tenant = host === undefined ? undefined : tenants()?.at(host);
      if (tenant !== undefined) return tenant.home?.site ?? "out-of-service";
      return hosts.length === 0 || (host !== undefined && hosts.includes(host)) ? main.site : undefined;
    },
    get isShared() {
      return hosts.length > 0 || tenants()?.isAny() === true;
    },
  };
}

function viewOf({ configuration, paths, routes, tls, pageUrl, setupLink }: ServedHome) {
  const { dicomHost, aeTitle } = configuration;
  const { ca, dicomCa } = paths;
  return { dicomHost, aeTitle, url: pageUrl(), ca, dicomCa, fingerprint: tls.fingerprint, routes, setupLink };
}
