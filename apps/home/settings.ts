import { homedir, platform } from "node:os";
import { join, resolve } from "node:path";
import { mainHomeOf } from "./home.ts";

/** Of a command line. */
export type Options = Readonly<Record<string, string | undefined>>;

interface Source {
  readonly option: string;
  readonly variable: string;
  readonly fallback: string;
}

export const settings = {
  role: { option: "role", variable: "LEADGLASS_ROLE", fallback: "all" },
  httpsHost: { option: "https-host", variable: "LEADGLASS_HTTPS_HOST", fallback: "127.0.0.1" },
  httpsPort: { option: "https-port", variable: "LEADGLASS_HTTPS_PORT", fallback: "8443" },
  dicomHost: { option: "dicom-host", variable: "LEADGLASS_DICOM_HOST", fallback: "127.0.0.1" },
  dicomPort: { option: "dicom-port", variable: "LEADGLASS_DICOM_PORT", fallback: "11112" },
  dicomTlsHost: { option: "dicom-tls-host", variable: "LEADGLASS_DICOM_TLS_HOST", fallback: "127.0.0.1" },
  dicomTlsPort: { option: "dicom-tls-port", variable: "LEADGLASS_DICOM_TLS_PORT", fallback: "2762" },
  hl7Host: { option: "hl7-host", variable: "LEADGLASS_HL7_HOST", fallback: "127.0.0.1" },
  hl7Port: { option: "hl7-port", variable: "LEADGLASS_HL7_PORT", fallback: "2575" },
  hl7TlsHost: { option: "hl7-tls-host", variable: "LEADGLASS_HL7_TLS_HOST", fallback: "127.0.0.1" },
  hl7TlsPort: { option: "hl7-tls-port", variable: "LEADGLASS_HL7_TLS_PORT", fallback: "off" },
  messageDays: { option: "message-days", variable: "LEADGLASS_MESSAGE_DAYS", fallback: "30" },
  aeTitle: { option: "ae-title", variable: "LEADGLASS_AE_TITLE", fallback: "LEADGLASS" },
  database: { option: "database", variable: "LEADGLASS_DATABASE", fallback: "" },
  identityDatabase: { option: "identity-database", variable: "LEADGLASS_IDENTITY_DATABASE", fallback: "" },
  objects: { option: "objects", variable: "LEADGLASS_OBJECTS", fallback: "" },
  scrubRate: { option: "scrub-rate", variable: "LEADGLASS_SCRUB_RATE", fallback: "20" },
  revealsPerMinute: { option: "reveals-per-minute", variable: "LEADGLASS_REVEALS_PER_MINUTE", fallback: "5000" },
  usualHours: { option: "usual-hours", variable: "LEADGLASS_USUAL_HOURS", fallback: "6-22" },
  breakGlassMinutes: { option: "break-glass-minutes", variable: "LEADGLASS_BREAK_GLASS_MINUTES", fallback: "60" },
  breachedPasswords: { option: "breached-passwords", variable: "LEADGLASS_BREACHED_PASSWORDS", fallback: "" },
  passphraseFile: { option: "passphrase-file", variable: "LEADGLASS_PASSPHRASE_FILE", fallback: "" },
  rootKey: { option: "root-key", variable: "LEADGLASS_ROOT_KEY", fallback: "passphrase" },
  nextRootKey: { option: "next-root-key", variable: "LEADGLASS_NEXT_ROOT_KEY", fallback: "" },
  rootKeyEndpoint: { option: "root-key-endpoint", variable: "LEADGLASS_ROOT_KEY_ENDPOINT", fallback: "" },
  reserveMib: { option: "reserve-mib", variable: "LEADGLASS_RESERVE_MIB", fallback: "512" },
  keepDays: { option: "keep-days", variable: "LEADGLASS_KEEP_DAYS", fallback: "0" },
  associationsMax: { option: "associations", variable: "LEADGLASS_ASSOCIATIONS", fallback: "64" },
} as const satisfies Record<string, Source>;

export type Setting = keyof typeof settings;

/** What all homes of an installation share, and the main home alone says. */
export const ofInstallation: ReadonlySet<Setting> = new Set([
  "role",
  "httpsHost",
  "httpsPort",
  "dicomHost",
  "dicomPort",
  "dicomTlsHost",
  "dicomTlsPort",
  "hl7Host",
  "hl7Port",
  "hl7TlsHost",
  "hl7TlsPort",
  "associationsMax",
]);

/** Options that `leadglass start` takes, for `--help`. */
export const startOptions = Object.values(settings).map(({ option, variable, fallback }) => ({
  option,
  variable,
  fallback,
}));

export function homeOf(options: Options, environment: NodeJS.ProcessEnv): string {
  const named = options.home ?? environment.LEADGLASS_HOME;
  if (named !== undefined && named !== "") return resolve(named);
  if (platform() === "darwin") return join(homedir(), "Library", "Application Support", "Leadglass");
  return join(environment.XDG_DATA_HOME || join(homedir(), ".local", "share"), "leadglass");
}

/**
 * What of the environment speaks of this home: variables name the database, the keys and the objects of the main home, and would lead a
 * further tenant to them. Its own stand in its `leadglass.json`.
 */
export function environmentFor(home: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (mainHomeOf(home) === undefined) return environment;
  const left = { ...environment };
  for (const [key, { variable }] of Object.entries(settings))
    if (!ofInstallation.has(key as Setting)) delete left[variable];
  return left;
}
