import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { isLoopback, isPrivate } from "#base/io";
import { Problem } from "#base/problem";
import type { HourlyLimit } from "#doors/link";
import { parseRetention, type RetentionPolicy } from "#radiology/archive";
import type { AwsCredentials } from "#stores/keys";
import {
  environmentFor,
  homeOf,
  mainHomeOf,
  type Options,
  ofInstallation,
  type Setting,
  settings,
} from "../home/index.ts";
import { type DeviceTrustSettings, parseDeviceTrust } from "./device-trust.ts";
import { canonicalHost } from "./hosts.ts";
import { parseLinkLimits } from "./link-limits.ts";
import { type CollectorSettings, parseCollector } from "./log-collector.ts";
import { parseWitnesses, type WitnessSetting } from "./witnesses.ts";

/**
 * - `all`    machines and people come here, and images stay here
 * - `cloud`  people and edges come here: no DICOM and no HL7 port is open
 * - `edge`   machines come here, and what they send goes to the cloud that this box is enrolled in
 */
export type Role = (typeof roles)[number];
const roles = ["all", "cloud", "edge"] as const;

/** What a start needs to know. From options, then environment, then `leadglass.json` in the home, then these defaults. */
export interface Configuration {
  readonly home: string;
  readonly role: Role;
  /** Names and addresses that its pages are asked for by, as `canonicalHost` has them. None: every one that no other home has. */
  readonly hosts: readonly string[];
  readonly httpsHost: string;
  /** 0 picks a free port. */
  readonly httpsPort: number;
  readonly dicomHost: string;
  /** Undefined: DICOM without TLS is off; the same below. */
  readonly dicomPort: number | undefined;
  readonly dicomTlsHost: string;
  readonly dicomTlsPort: number | undefined;
  readonly hl7Host: string;
  readonly hl7Port: number | undefined;
  readonly hl7TlsHost: string;
  readonly hl7TlsPort: number | undefined;
  /** How long messages that are over are kept to be looked at. */
  readonly messageDays: number;
  /** The customer's own authorities for machines. */
  readonly dicomTls: DeviceTrustSettings | undefined;
  readonly aeTitle: string;
  /** A `postgres://` URL, or undefined for SQLite in the home. */
  readonly database: string | undefined;
  /** The same for the index of studies: another database, so that what identifies rests apart. */
  readonly identityDatabase: string | undefined;
  readonly objects: ObjectPlaces;
  /** How fast everything at rest is read and proven; 0 is never. */
  readonly scrubBytesPerSecond: number;
  /** What is deleted by itself when its time is over: nothing, unless somebody wrote rules. */
  readonly retention: RetentionPolicy;
  /** On an edge without rules of retention copies go after some days. */
  readonly keepsForGood: boolean;
  /** Studies whose identity one actor may see in a minute before it is stopped. */
  readonly revealsPerMinute: number;
  /** From which hour of the day, here, to before which nobody is there at an unusual time. */
  readonly usualHours: readonly [number, number];
  /** How long a look in an emergency lasts. */
  readonly breakGlassMinutes: number;
  /** A file of passwords that were found in breaches, beside the list that comes with the program. */
  readonly breachedPasswords: string | undefined;
  readonly passphraseFile: string;
  /** `passphrase`, a pkcs11 URI, or `awskms:` and an ARN: what opens the keyring. */
  readonly rootKey: string;
  /** Where a change of the root goes, when not to a passphrase. */
  readonly nextRootKey: string | undefined;
  /** Of AWS KMS, when not the region's own. */
  readonly rootKeyEndpoint: string | undefined;
  /** From the environment, read each time: they do not lie in this object. */
  readonly awsCredentials: () => Promise<AwsCredentials>;
  /** Free disk space under which images are refused, so that the log and the database can still write. */
  readonly reserveBytes: number;
  /** On an edge: days for which what machines send is kept for reading here too, under the box's own key; 0 is not at all. */
  readonly keepDays: number;
  /** On an edge: what the link may use at which hour. */
  readonly linkLimits: readonly HourlyLimit[];
  /** Who signs the log's checkpoints too. */
  readonly witnesses: readonly WitnessSetting[];
  readonly associationsMax: number;
  /** The customer's log collector. */
  readonly syslog: CollectorSettings | undefined;
}

/** Folders that hold `packs` and `identity/packs`. */
export interface ObjectPlaces {
  /** The home, or a folder on another disk. */
  readonly first: string;
  /** The same again, kept in step: another disk, a NAS. */
  readonly replica: string | undefined;
}

/** Reads and checks. Throws Problem `invalid` naming the setting: a start that would open something it must not is refused. */
export function readConfiguration(options: Options, environment: NodeJS.ProcessEnv): Configuration {
  const home = homeOf(options, environment);
  const variables = environmentFor(home, environment);
  const { retention, witnesses, hosts, syslog, dicomTls, link, ...file } = readSettings(home);
  const said = (key: Setting): string | undefined => {
    const { option, variable } = settings[key];
    return options[option] ?? variables[variable] ?? file[key];
  };
  const value = (key: Setting): string => said(key) ?? settings[key].fallback;
  const whole = (key: Setting, from: number, to: number): number => {
    const number = Number(value(key));
    if (Number.isInteger(number) && number >= from && number <= to) return number;
    throw refused(key, `must be a whole number from ${from} to ${to}`);
  };
  const role = roles.find((each) => each === value("role"));
  if (role === undefined) throw refused("role", `must be one of ${roles.join(", ")}`);
  /** Machines speak to an edge; in the cloud no such port is open, and none can be opened. */
  const portOrOff = (key: "dicomPort" | "dicomTlsPort" | "hl7Port" | "hl7TlsPort"): number | undefined => {
    if (role !== "cloud") return value(key) === "off" ? undefined : whole(key, 0, 65_535);
    if ([undefined, "off"].includes(said(key))) return undefined;
    throw refused(key, "cannot be opened in the cloud: machines speak to an edge in their facility");
  };
  const aeTitle = value("aeTitle");
  const keepDays = whole("keepDays", 0, 3_650);
  if (!/^[\x21-\x5b\x5d-\x7e]{1,16}$/.test(aeTitle)) throw refused("aeTitle", "must be 1 to 16 printable characters");
  const postgres = (key: "database" | "identityDatabase"): string | undefined => {
    const url = value(key);
    if (url !== "" && !/^postgres(ql)?:\/\//.test(url)) throw refused(key, "must be a postgres:// URL");
    return url === "" ? undefined : url;
  };
  return {
    home,
    role,
    hosts: hostsOf(hosts),
    httpsHost: address(value("httpsHost"), "httpsHost"),
    httpsPort: whole("httpsPort", 0, 65_535),
    dicomHost: privateAddress(value("dicomHost"), "dicomHost", "plain DICOM"),
    dicomPort: portOrOff("dicomPort"),
    // Who calls over TLS has shown its certificate before a byte of DICOM: any interface may listen.
    dicomTlsHost: address(value("dicomTlsHost"), "dicomTlsHost"),
    dicomTlsPort: portOrOff("dicomTlsPort"),
    hl7Host: privateAddress(value("hl7Host"), "hl7Host", "HL7 without TLS"),
    hl7Port: portOrOff("hl7Port"),
    hl7TlsHost: address(value("hl7TlsHost"), "hl7TlsHost"),
    hl7TlsPort: portOrOff("hl7TlsPort"),
    messageDays: whole("messageDays", 1, 3_650),
    dicomTls: parseDeviceTrust(dicomTls, home),
    aeTitle,
    database: postgres("database"),
    identityDatabase: postgres("identityDatabase"),
    objects: objectPlaces(value("objects"), home),
    scrubBytesPerSecond: whole("scrubRate", 0, 100_000) * 1_000_000,
    keepsForGood: role !== "edge" || retention !== undefined,
    retention: retention === undefined ? usualRetention(role, keepDays) : parseRetention(retention),
    breachedPasswords: value("breachedPasswords") === "" ? undefined : resolve(home, value("breachedPasswords")),
    revealsPerMinute: whole("revealsPerMinute", 1, 100_000_000),
    usualHours: hoursOf(value("usualHours")),
    breakGlassMinutes: whole("breakGlassMinutes", 15, 240),
    passphraseFile: resolve(value("passphraseFile") || join(home, "root.passphrase")),
    rootKey: value("rootKey"),
    nextRootKey: value("nextRootKey") || undefined,
    rootKeyEndpoint: value("rootKeyEndpoint") || undefined,
    awsCredentials: async () => awsCredentials(environment),
    reserveBytes: whole("reserveMib", 1, 1_000_000) * 1024 * 1024,
    keepDays,
    linkLimits: parseLinkLimits(link),
    witnesses: parseWitnesses(witnesses, home),
    associationsMax: whole("associationsMax", 1, 10_000),
    syslog: parseCollector(syslog),
  };
}

/** Nothing is deleted by itself; on an edge what it holds are copies, also of what a machine had brought from the cloud. */
function usualRetention(role: Role, keepDays: number): RetentionPolicy {
  if (role !== "edge") return { rules: [], afterArrivalDays: 1 };
  const days = Math.max(keepDays, 1);
  return { rules: [{ days, from: "arrival", states: ["settled", "conflict"] }], afterArrivalDays: days };
}

/** `6-22`; `22-6` for a house that works at night. */
function hoursOf(text: string): readonly [number, number] {
  const [, from = "", to = ""] = /^(\d{1,2})-(\d{1,2})$/.exec(text) ?? [];
  if (from !== "" && Number(from) <= 24 && Number(to) <= 24) return [Number(from), Number(to)];
  throw refused("usualHours", "must be two hours of the day like 6-22");
}

function objectPlaces(text: string, home: string): ObjectPlaces {
  const [first = "", second = "", ...more] = text.split(",").map((each) => each.trim());
  if (more.length > 0) throw refused("objects", "must name one folder, or two with a comma between them");
  if ([first, second].some((each) => /^[a-z][a-z0-9+.-]*:\/\//i.test(each))) {
    throw new Problem("unsupported", "refusing to start: objects in a bucket are not built yet", {
      remedy: 'name a folder with --objects, LEADGLASS_OBJECTS or "objects" in leadglass.json',
    });
  }
  const places = { first: resolve(first || home), replica: second === "" ? undefined : resolve(second) };
  if (places.replica === places.first || places.replica === home) {
    throw refused("objects", "must name a replica that is another folder than the home and the first place");
  }
  return places;
}

function awsCredentials(environment: NodeJS.ProcessEnv): AwsCredentials {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: token,
  } = environment;
  if (!accessKeyId || !secretAccessKey) {
    const remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) in the environment";
    throw new Problem("absent", "there are no credentials for AWS KMS", { remedy });
  }
  return { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) };
}

function hostsOf(setting: unknown): readonly string[] {
  if (setting === undefined) return [];
  const hosts = Array.isArray(setting)
    ? setting.map((each) => (typeof each === "string" ? canonicalHost(each) : undefined))
    : [];
  const named = hosts.filter((each) => each !== undefined);
  if (named.length > 0 && named.length === hosts.length) return [...new Set(named)];
  throw new Problem("invalid", "refusing to start: hosts must be a list of host names and addresses, without ports", {
    remedy: 'write "hosts": ["clinic.example.org"] in leadglass.json',
  });
}

type Settings = { readonly [Key in Setting]?: string } & {
  readonly retention?: unknown;
  readonly hosts?: unknown;
  readonly witnesses?: unknown;
  readonly syslog?: unknown;
  readonly dicomTls?: unknown;
  readonly link?: unknown;
};

/** Of the home's own file, and for what the installation shares of its main home's. */
function readSettings(home: string): Settings {
  const own = readFile(join(home, "leadglass.json"));
  const main = mainHomeOf(home);
  if (main === undefined) return own;
  const foreign = Object.keys(own).find((key) => ofInstallation.has(key as Setting));
  if (foreign !== undefined) {
    throw new Problem("invalid", `refusing to start: ${foreign} is a setting of the installation, not of one tenant`, {
      remedy: "write it into leadglass.json of the main home",
    });
  }
  const shared = Object.entries(readFile(join(main, "leadglass.json"))).filter(([key]) =>
    ofInstallation.has(key as Setting),
  );
  return { ...own, ...Object.fromEntries(shared) };
}

function readFile(path: string): Settings {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new Problem("fault", "leadglass.json in the home cannot be read", { cause: error });
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw new Error("not an object");
    const { retention, witnesses, hosts, syslog, dicomTls, link, ...rest } = parsed as Readonly<
      Record<string, unknown>
    >;
    const unknown = Object.keys(rest).find((key) => !(key in settings));
    if (unknown !== undefined) {
      const remedy = `settings are ${Object.keys(settings).join(", ")}, dicomTls, hosts, link, retention, syslog, witnesses`;
      throw new Problem("invalid", `leadglass.json has an unknown setting ${unknown}`, { remedy });
    }
    return {
      ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, String(value)])),
      retention,
      hosts,
      syslog,
      witnesses,
      dicomTls,
      link,
    };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem("invalid", "leadglass.json in the home is not a JSON object", { cause: error });
  }
}

function refused(key: Setting, must: string): Problem {
  const { option, variable } = settings[key];
  const remedy = `set --${option}, ${variable} or "${key}" in leadglass.json`;
  return new Problem("invalid", `refusing to start: ${key} ${must}`, { remedy });
}

type HostSetting = "httpsHost" | "dicomHost" | "dicomTlsHost" | "hl7Host" | "hl7TlsHost";

function address(host: string, key: HostSetting): string {
  if (isIP(host) === 0) throw refused(key, "must be an IP address of this machine");
  return host;
}

/** Without TLS there is no authentication and no secrecy: loopback or one named private interface, never all of them. */
function privateAddress(host: string, key: "dicomHost" | "hl7Host", what: string): string {
  const named = address(host, key);
  if (isLoopback(named) || isPrivate(named)) return named;
  throw refused(key, `is ${what}: only loopback or a private address of one interface may listen`);
}
