import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemClock as clock } from "#base/clock";
import { newToken, systemRandom as random } from "#base/id";
import { systemFiles as files } from "#base/io";
import type { Log } from "#base/log";
import { asProblem, Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { TenantKeeper } from "#doors/api";
import type { TenantRequest, TenantView } from "#formats/api";
import { lockHome } from "#stores/sql";
import { type Gate, operator } from "#trust/access";
import { isTenantName, pathsOf, tenantHomeOf, tenantsFolder } from "../home/index.ts";
import type { Configuration } from "./configuration.ts";
import { canonicalHost } from "./hosts.ts";
import { repeat } from "./repeat.ts";
import type { ServedHome } from "./server.ts";

const removedFolder = "tenants-removed";
const settingsFile = "leadglass.json";
/** In the home of a tenant: what the log of the main home calls it. */
const tokenFile = "tenant.token";
const retryEveryMs = 30_000;
/** So many are opened side by side. */
const openingMax = 3;

/** A tenant that this process serves, or would if its home opened. */
export interface Tenant {
  readonly name: string;
  readonly token: string;
  readonly configuration: Configuration;
  readonly home?: ServedHome | undefined;
}

/** The tenants of an installation beside its main home: each a home of its own in a folder of that one. */
export interface Tenants extends TenantKeeper {
  /** Whose host that is, whose AE title; also while its home is not open. */
  at(host: string): Tenant | undefined;
  called(aeTitle: string): Tenant | undefined;
  isAny(): boolean;
  /** The homes that are open. */
  served(): readonly ServedHome[];
  /** Opens all. Those that do not open are told of in the list, tried again, and stop nobody else. */
  open(): Promise<void>;
  close(): Promise<void>;
}

export interface TenantsParts {
  readonly main: Configuration;
  /** Undefined: no server runs, and none is opened to be served. */
  readonly found: readonly Tenant[] | undefined;
  readonly configurationOf: (home: string) => Configuration;
  readonly log: Log;
  /** Of the main home. */
  readonly gate: Gate;
  readonly serve: (configuration: Configuration, log: Log) => Promise<ServedHome>;
  /** Ends associations and requests under way. */
  readonly endTraffic: (home: ServedHome) => Promise<void>;
}

/** Without a configuration: its settings cannot be read. */
type Known = Omit<Tenant, "configuration"> & {
  readonly configuration?: Configuration;
  readonly problem?: Problem | undefined;
};

interface Slot extends Tenant {
  home: ServedHome | undefined;
  problem: Problem | undefined;
}

/** What lies in the folder of tenants. Throws Problem `invalid` when settings are wrong, or two homes would answer for the same. */
export async function readTenants(
  main: Configuration,
  configurationOf: TenantsParts["configurationOf"],
): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  for (const name of await namesIn(main.home)) tenants.push(await readTenant(main, name, configurationOf));
  checkApart(main, tenants);
  return tenants;
}

async function namesIn(mainHome: string): Promise<string[]> {
  const names = await readdir(join(mainHome, tenantsFolder)).catch(unlessAbsent);
  return (names ?? []).filter(isTenantName).sort();
}

async function readTenant(
  main: Configuration,
  name: string,
  configurationOf: TenantsParts["configurationOf"],
): Promise<Tenant> {
  const home = tenantHomeOf(main.home, name);
  const { role, httpsHost, httpsPort, dicomHost, dicomPort, dicomTlsHost, dicomTlsPort, associationsMax } = main;
  const shared = { role, httpsHost, httpsPort, dicomHost, dicomPort, dicomTlsHost, dicomTlsPort, associationsMax };
  const token = await tokenIn(home);
  try {
    const own = configurationOf(home);
    return { name, token, configuration: { ...own, ...shared } };
  } catch (error) {
    const { code, message, remedy } = asProblem(error, "reading a tenant's settings");
    throw new Problem(code, `tenant ${name}: ${message}`, { ...(remedy !== undefined && { remedy }), cause: error });
  }
}

async function notedToken(home: string): Promise<string | undefined> {
  const text = (await readFile(join(home, tokenFile), "utf8").catch(unlessAbsent))?.trim();
  return text !== undefined && /^[0-9a-f]{32}$/.test(text) ? text : undefined;
}

/** A home that was restored or put here has none yet. */
async function tokenIn(home: string, fresh = newToken(random)): Promise<string> {
  const noted = await notedToken(home);
  if (noted === undefined) await writeFile(join(home, tokenFile), `${fresh}\n`, { mode: 0o600, flush: true });
  return noted ?? fresh;
}

/** What homes of one installation must not share, and how each is told apart. */
function checkApart(main: Configuration, tenants: readonly Tenant[]): void {
  const homes = [
    { name: "the main home", configuration: main },
    ...tenants.map((each) => ({ ...each, name: `tenant ${each.name}` })),
  ];
  const owners = new Map<string, string>();
  const claim = (what: string, value: string | undefined, by: string) => {
    if (value === undefined) return;
    const other = owners.get(`${what} ${value}`);
    if (other !== undefined && other !== by) {
      const remedy = `change ${settingsFile} in one of the two homes`;
      throw new Problem("conflict", `${other} and ${by} have the same ${what}`, { remedy });
    }
    owners.set(`${what} ${value}`, by);
  };
  for (const { name, configuration } of homes) {
    const { hosts, aeTitle, database, identityDatabase, objects, passphraseFile } = configuration;
    if (configuration !== main && hosts.length === 0) {
      throw new Problem("invalid", `${name} has no host`, {
        remedy: `write "hosts": ["clinic.example.org"] in ${settingsFile} of its home`,
      });
    }
    for (const host of hosts) claim("host", host, name);
    claim("AE title", aeTitle, name);
    for (const url of [database, identityDatabase]) claim("database", url, name);
    for (const place of [objects.first, objects.replica]) claim("folder of objects", place, name);
    claim("passphrase file", passphraseFile, name);
  }
}

/** Those that are served, found by what they are asked for. */
function createSlots() {
  const byName = new Map<string, Slot>();
  const byHost = new Map<string, Slot>();
  const byTitle = new Map<string, Slot>();
  return {
    ...{ byName, byHost, byTitle },
    put(tenant: Tenant): Slot {
      const slot: Slot = { ...tenant, home: undefined, problem: undefined };
      byName.set(slot.name, slot);
      for (const host of slot.configuration.hosts) byHost.set(host, slot);
      byTitle.set(slot.configuration.aeTitle, slot);
      return slot;
    },
    drop({ name, configuration: { hosts, aeTitle } }: Slot): void {
      byName.delete(name);
      for (const host of hosts) byHost.delete(host);
      byTitle.delete(aeTitle);
    },
  };
}

export function createTenants(parts: TenantsParts): Tenants {
  const { main, found, configurationOf, log, gate, serve, endTraffic } = parts;
  const isServing = found !== undefined;
  const slots = createSlots();
  for (const tenant of found ?? []) slots.put(tenant);
  const turns = createTurns();
  const logOf = ({ token }: Tenant) => log.with({ tenant: token });

  /** Rejects with why it did not open, which the slot then tells. */
  const open = async (slot: Slot): Promise<ServedHome> => {
    let home: ServedHome | undefined;
    try {
      home = await serve(slot.configuration, logOf(slot));
      await home.begin();
      slot.home = home;
      slot.problem = undefined;
      return home;
    } catch (error) {
      await home?.close().catch(() => {});
      slot.problem = asProblem(error, "opening the home of a tenant");
      throw slot.problem;
    }
  };
  const openAll = async (waiting: readonly Slot[]) => {
    const left = [...waiting];
    const work = async () => {
      for (let slot = left.shift(); slot !== undefined; slot = left.shift()) {
        const { token } = slot;
        await open(slot).catch((error) => log.error("a tenant is out of service", { tenant: token }, error));
      }
    };
    await Promise.all(Array.from({ length: openingMax }, work));
  };
  const retry = () => turns.take(() => openAll([...slots.byName.values()].filter(({ home }) => home === undefined)));
  let retrying: { stop(): void } | undefined;

  const viewOf = async ({ name, token, configuration, home, problem }: Known): Promise<TenantView> => {
    const link = await home?.setupLink();
    const waiting = problem === undefined ? "opening" : "out-of-service";
    return {
      ...{ name, token, home: tenantHomeOf(main.home, name) },
      ...{ hosts: configuration?.hosts ?? [], aeTitle: configuration?.aeTitle ?? "" },
      state: !isServing ? "at-rest" : home !== undefined ? "in-service" : waiting,
      ...(problem && { problem: { message: problem.message, ...(problem.remedy && { remedy: problem.remedy }) } }),
      ...(link !== undefined && { setupLink: link }),
    };
  };
  const known = async (): Promise<readonly Known[]> => {
    if (isServing) return [...slots.byName.values()];
    const one = async (name: string): Promise<Known> => {
      try {
        return await readTenant(main, name, configurationOf);
      } catch (error) {
        return {
          name,
          token: await tokenIn(tenantHomeOf(main.home, name)),
          problem: asProblem(error, "reading a tenant"),
        };
      }
    };
    return Promise.all((await namesIn(main.home)).map(one));
  };

  /** Puts it into service, or opens and closes it where nothing is served: a new home is whole then. */
  const takeUp = async (tenant: Tenant): Promise<TenantView> => {
    const note = ({ house }: ServedHome) =>
      house.gate.pass(operator, "tenant.add", { kind: "tenant", id: tenant.token }, async () => {});
    if (isServing) {
      const slot = slots.put(tenant);
      await note(await open(slot));
      return viewOf(slot);
    }
    const home = await serve(tenant.configuration, logOf(tenant));
    try {
      await note(home);
    } finally {
      await home.close();
    }
    return viewOf(tenant);
  };

  const add = async (request: TenantRequest, token: string): Promise<TenantView> => {
    const { name } = request;
    const home = tenantHomeOf(main.home, name);
    if (slots.byName.has(name)) throw alreadyThere(name, "leadglass tenant list");
    const isThere = await files.exists(home);
    if (isThere === (request.hosts !== undefined)) {
      if (isThere) throw alreadyThere(name, `without --host it is taken into service as it is`);
      throw new Problem("invalid", "a new tenant needs a host", { remedy: `leadglass tenant add ${name} --host NAME` });
    }
    if (isThere) await tokenIn(home, token);
    else await makeHome(main.home, name, settingsOf(request), token);
    try {
      const tenant = await readTenant(main, name, configurationOf);
      const others = (await known()).filter((each): each is Tenant => each.configuration !== undefined);
      checkApart(main, [...others.filter((each) => each.name !== name), tenant]);
      return await takeUp(tenant);
    } catch (error) {
      if (!isThere && !slots.byName.has(name)) await rm(home, { recursive: true, force: true });
      throw error;
    }
  };

  const remove = async ({ name, token, configuration }: Known) => {
    const slot = slots.byName.get(name);
    // What does not open can be removed as well; then its own log does not tell of it.
    const opened = slot === undefined && configuration && (await serve(configuration, log).catch(() => undefined));
    const home = slot?.home ?? (opened || undefined);
    await home?.house.gate.pass(operator, "tenant.remove", { kind: "tenant", id: token }, async () => {});
    if (slot !== undefined) slots.drop(slot);
    if (home !== undefined) await endTraffic(home);
    await home?.close();
    return { name, token, movedTo: await moveAway(main.home, name) };
  };

  return {
    at: (host) => slots.byHost.get(host),
    called: (aeTitle) => slots.byTitle.get(aeTitle),
    isAny: () => slots.byName.size > 0,
    served: () => [...slots.byName.values()].flatMap(({ home }) => home ?? []),
    async open() {
      await retry();
      retrying = repeat({ clock, log, what: "opening tenants", everyMs: retryEveryMs, work: retry });
    },
    close: () =>
      turns.take(async () => {
        retrying?.stop();
        await Promise.all([...slots.byName.values()].map(({ home }) => home?.close()));
      }),
    list: (actor) => gate.pass(actor, "tenant.list", undefined, async () => Promise.all((await known()).map(viewOf))),
    add: (actor, request) =>
      turns.take(async () => {
        const { name } = request;
        const noted = isTenantName(name) ? await notedToken(tenantHomeOf(main.home, name)) : undefined;
        const token = noted ?? newToken(random);
        return gate.pass(actor, "tenant.add", { kind: "tenant", id: token }, () => add(request, token));
      }),
    remove: (actor, name) =>
      turns.take(async () => {
        const tenant = (await known()).find((each) => each.name === name);
        const on = tenant && ({ kind: "tenant", id: tenant.token } as const);
        return gate.pass(actor, "tenant.remove", on, async () => {
          if (tenant !== undefined) return remove(tenant);
          throw new Problem("absent", "no such tenant", { remedy: "leadglass tenant list shows those there are" });
        });
      }),
  };
}

function alreadyThere(name: string, remedy: string): Problem {
  return new Problem("conflict", `a tenant ${name} is there already`, { remedy });
}

/** Checked here as well as when it is read: an answer to who asks, before anything is written. */
function settingsOf({ name, hosts = [], aeTitle = name.toUpperCase() }: TenantRequest): object {
  const canonical = hosts.map(canonicalHost);
  if (canonical.includes(undefined)) {
    throw new Problem("invalid", "not a host name or address", { remedy: "--host clinic.example.org, without a port" });
  }
  if (!/^[\x21-\x5b\x5d-\x7e]{1,16}$/.test(aeTitle)) {
    throw new Problem("invalid", "not an AE title", { remedy: "--ae TITLE, 1 to 16 printable characters" });
  }
  return { hosts: canonical, aeTitle };
}

/** Under another name until its settings are in it: a crash leaves no tenant without them. Its keys are made when it is opened. */
async function makeHome(mainHome: string, name: string, settings: object, token: string): Promise<void> {
  const folder = join(mainHome, tenantsFolder);
  const part = join(folder, `.${name}.new`);
  await files.makeFolder(folder);
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { mode: 0o700 });
  await writeFile(join(part, settingsFile), `${JSON.stringify(settings, undefined, 2)}\n`, {
    mode: 0o600,
    flush: true,
  });
  await writeFile(join(part, tokenFile), `${token}\n`, { mode: 0o600, flush: true });
  await files.syncFolder(part);
  await rename(part, join(folder, name));
  await files.syncFolder(folder);
}

async function moveAway(mainHome: string, name: string): Promise<string> {
  const from = tenantHomeOf(mainHome, name);
  const time = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const to = join(mainHome, removedFolder, `${name}-${time}`);
  await files.makeFolder(dirname(to));
  if (await files.exists(to)) throw new Problem("conflict", "one of that name was removed this second");
  const lock = lockHome(pathsOf(from).lock);
  if (lock === undefined) throw new Problem("conflict", "another process has the tenant's home open");
  try {
    await rename(from, to);
  } finally {
    lock.release();
  }
  await files.syncFolder(dirname(to));
  await files.syncFolder(dirname(from));
  return to;
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
