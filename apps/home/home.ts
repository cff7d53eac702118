import { createHash } from "node:crypto";
import { existsSync, lstatSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { Problem } from "#base/problem";

/** What lies where in a home. Everything in it is for its owner only (0700). */
export interface HomePaths {
  readonly folder: string;
  readonly lock: string;
  /** Accounts, sessions, devices. */
  readonly accessDatabase: string;
  /** Wrapped study keys and the keyring. */
  readonly keys: string;
  /** Holds `packs` and `identity/packs`. */
  readonly objects: string;
  /** Image halves. */
  readonly packs: string;
  /** What identifies rests apart from pictures, so that it can be put on another disk: a link or a mount. */
  readonly identity: string;
  readonly indexDatabase: string;
  readonly identityKeys: string;
  readonly identityPacks: string;
  readonly audit: string;
  /** On an edge: what waits for its cloud, sealed to that. */
  readonly spool: string;
  /** In a cloud: what has come of parcels in part. */
  readonly incoming: string;
  /** Which studies a bulk export that two people decided on gives out, sealed. */
  readonly exports: string;
  /** The authority's certificate: public, for who has to trust this server. */
  readonly ca: string;
  readonly certificate: string;
  /** The server certificate's key, sealed by the vault. */
  readonly certificateKey: string;
  /** The certificate of the authority that vouches for us towards machines: public, for them to trust. */
  readonly dicomCa: string;
  /** Where the owner's commands reach a running server. */
  readonly controlSocket: string;
}

/** `objects`: where sealed objects rest, if not in the home. */
export function pathsOf(folder: string, objects = folder): HomePaths {
  return {
    objects,
    folder,
    lock: join(folder, "lock"),
    accessDatabase: join(folder, "access.db"),
    keys: join(folder, "keys"),
    packs: join(objects, "packs"),
    identity: join(folder, "identity"),
    indexDatabase: join(folder, "identity", "index.db"),
    identityKeys: join(folder, "identity", "keys"),
    identityPacks: join(objects, "identity", "packs"),
    audit: join(folder, "audit"),
    spool: join(folder, "spool"),
    incoming: join(folder, "incoming"),
    exports: join(folder, "exports"),
    ca: join(folder, "ca.pem"),
    certificate: join(folder, "server.pem"),
    certificateKey: join(folder, "server.key.sealed"),
    dicomCa: join(folder, "dicom-ca.pem"),
    controlSocket: controlSocketOf(folder),
  };
}

/** In the main home of an installation: the homes of its other tenants, each under its name. */
export const tenantsFolder = "tenants";

export function isTenantName(name: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(name);
}

/** Throws Problem `invalid` for what cannot be the name of a tenant, so that no name leads anywhere else. */
export function tenantHomeOf(mainHome: string, name: string): string {
  if (mainHomeOf(mainHome) !== undefined) {
    throw new Problem("invalid", "a tenant has no tenants", { remedy: "name the main home with --home" });
  }
  if (isTenantName(name)) return join(mainHome, tenantsFolder, name);
  const remedy = "1 to 32 of a-z, 0-9 and -, not at the ends: leadglass tenant list";
  throw new Problem("invalid", "not a name of a tenant", { remedy });
}

/** The main home of the installation that this home is a further tenant of; undefined when it is one for itself. */
export function mainHomeOf(folder: string): string | undefined {
  const above = dirname(folder);
  const main = dirname(above);
  const isTenant = basename(above) === tenantsFolder && isTenantName(basename(folder));
  return isTenant && existsSync(join(main, "keys")) ? main : undefined;
}

/** A Unix socket's path holds 107 bytes: a home with a longer one has its socket under the user's temporary files. */
function controlSocketOf(folder: string): string {
  const within = join(folder, "control.sock");
  if (Buffer.byteLength(within) <= 100) return within;
  const digest = createHash("sha256").update(folder).digest("hex").slice(0, 24);
  return `/tmp/leadglass-${userInfo().uid}-${digest}.sock`;
}

/** Whether a server of ours listens there: a socket that another user made is none. */
export function isOwnSocket(path: string): boolean {
  try {
    const found = lstatSync(path);
    return found.isSocket() && found.uid === userInfo().uid;
  } catch {
    return false;
  }
}
