import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { systemClock } from "#base/clock";
import { createKeptJson, systemFiles } from "#base/io";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { type Collector, type SyslogSender, startSyslogSender } from "#doors/syslog";
import type { AuditLog } from "#trust/audit";

/** Where the customer collects logs, as `leadglass.json` says it; paths from the home on. */
export interface CollectorSettings {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly identity?: { readonly cert: string; readonly key: string };
}

/** RFC 5425 §4.1. */
const syslogOverTls = 6514;

/** Problem "invalid", naming the setting, for what is no collector over TLS: there is no other. */
export function parseCollector(setting: unknown): CollectorSettings | undefined {
  if (setting === undefined) return undefined;
  if (typeof setting !== "object" || setting === null || Array.isArray(setting)) throw refused("must be an object");
  const { host, port = syslogOverTls, ca, cert, key, ...rest } = setting as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw refused(`has an unknown setting ${unknown}`);
  if (typeof host !== "string" || !/^([A-Za-z0-9]([A-Za-z0-9.-]{0,252})|[0-9A-Fa-f:.]{2,45})$/.test(host)) {
    throw refused("needs a host: a DNS name or an IP address");
  }
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw refused("has a port that is no number from 1 to 65535");
  }
  if (typeof ca !== "string" || ca === "") {
    throw refused("needs a ca: the file with the authority that the collector's certificate is from");
  }
  if (cert === undefined && key === undefined) return { host, port, ca };
  if (typeof cert !== "string" || typeof key !== "string") throw refused("needs cert and key together, or neither");
  return { host, port, ca, identity: { cert, key } };
}

function refused(what: string): Problem {
  return new Problem("invalid", `refusing to start: syslog ${what}`, {
    remedy: 'write "syslog": { "host": "logs.example.org", "ca": "collector-ca.pem" } in leadglass.json',
  });
}

export interface LogCollectorParts {
  readonly settings: CollectorSettings;
  readonly home: string;
  readonly audit: AuditLog;
  /** Name of the log. */
  readonly logName: string;
  readonly aeTitle: string;
  readonly log: Log;
}

/** Begins to send the log. Rejects with Problem "invalid" when a certificate or key cannot be used. */
export async function startLogCollector({
  settings,
  home,
  audit,
  logName,
  aeTitle,
  log,
}: LogCollectorParts): Promise<SyslogSender> {
  return startSyslogSender({
    audit,
    collector: await readCollector(settings, home),
    source: { log: logName, aeTitle },
    names: { hostname: hostname(), processId: process.pid },
    kept: createKeptJson(systemFiles, home, "syslog-position.json"),
    clock: systemClock,
    log,
  });
}

async function readCollector({ host, port, ca, identity }: CollectorSettings, home: string): Promise<Collector> {
  const read = async (name: "ca" | "cert" | "key", path: string): Promise<string> => {
    try {
      return await readFile(resolve(home, path), "utf8");
    } catch (cause) {
      throw new Problem("invalid", `refusing to start: ${name} of syslog cannot be read`, {
        remedy: "check its path in leadglass.json; a relative one is taken from the home on",
        cause,
      });
    }
  };
  const authorities = await read("ca", ca);
  certificateIn("ca", authorities);
  if (identity === undefined) return { host, port, ca: authorities };
  const [cert, key] = [await read("cert", identity.cert), await read("key", identity.key)];
  try {
    if (certificateIn("cert", cert).checkPrivateKey(createPrivateKey(key))) {
      return { host, port, ca: authorities, identity: { cert, key } };
    }
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
  }
  throw new Problem("invalid", "refusing to start: key of syslog is not the key of its cert", {
    remedy: "name the private key, as PEM without a passphrase, that the certificate was made for",
  });
}

function certificateIn(name: "ca" | "cert", pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Problem("invalid", `refusing to start: ${name} of syslog is no certificate`, {
      remedy: "a file of PEM is needed: -----BEGIN CERTIFICATE-----",
      cause,
    });
  }
}
