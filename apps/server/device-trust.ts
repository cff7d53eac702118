import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { ShownCertificates } from "#doors/dimse";
import { canonicalName, type DeviceProof, keyDigestOf } from "#trust/access";
import type { OcspClient } from "./ocsp.ts";
import type { RevocationLists } from "./revocation-lists.ts";

/** Which authorities of the customer's own vouch for machines, and how it is known what they revoked; `leadglass.json` says it. */
export interface DeviceTrustSettings {
  /** A file of their certificates, PEM. */
  readonly authorities: string;
  /** Files and http(s) URLs of revocation lists; none: none is looked at. */
  readonly crl: readonly string[];
  readonly ocsp: "required" | "when-named" | "off";
}

/** What a home thinks of certificates of machines. */
export interface DeviceTrust {
  /** The customer's own authorities, PEM. */
  readonly authorities: readonly string[];
  /** What the certificates prove. Problem `denied`, with the reason, when they prove nothing: out of their time, revoked, not to be examined. */
  proofOf(shown: ShownCertificates): Promise<DeviceProof>;
}

/** Problem `invalid`, naming the setting, for what says no such thing. */
export function parseDeviceTrust(setting: unknown, home: string): DeviceTrustSettings | undefined {
  if (setting === undefined) return undefined;
  if (typeof setting !== "object" || setting === null || Array.isArray(setting)) throw refused("must be an object");
  const { authorities, crl = [], ocsp = "when-named", ...rest } = setting as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw refused(`has an unknown setting ${unknown}`);
  if (typeof authorities !== "string" || authorities === "") throw refused("needs authorities: a file of certificates");
  if (ocsp !== "required" && ocsp !== "when-named" && ocsp !== "off") {
    throw refused("has an ocsp that is none of required, when-named, off");
  }
  const places: readonly unknown[] = Array.isArray(crl) ? crl : [crl];
  const named = places.filter((place) => typeof place === "string" && place !== "") as string[];
  if (named.length < places.length) throw refused("has a crl that is no file or URL, nor a list of them");
  const crls = named.map((place) => (/^https?:\/\//.test(place) ? place : resolve(home, place)));
  return { authorities: resolve(home, authorities), crl: crls, ocsp };
}

function refused(what: string, cause?: unknown): Problem {
  return new Problem("invalid", `refusing to start: dicomTls ${what}`, {
    remedy:
      'write "dicomTls": { "authorities": "clinic-ca.pem", "crl": "clinic.crl", "ocsp": "when-named" } in leadglass.json',
    cause,
  });
}

interface TrustParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Problem `invalid` when the authorities cannot be used. */
export function openDeviceTrust(settings: DeviceTrustSettings | undefined, parts: TrustParts): DeviceTrust {
  const { clock } = parts;
  const authorities = settings === undefined ? [] : readAuthorities(settings.authorities);
  const checks = settings && revocationChecks(settings, parts);
  const now = () => clock.now();
  return {
    authorities: authorities.map((each) => each.toString()),
    async proofOf(shown) {
      const { own, isVerified } = shown;
      const keyDigest = keyDigestOf(own);
      if (!holds(own, now())) throw new Problem("denied", "a certificate out of its time");
      const path = pathTo(authorities, shown, now());
      if (path === undefined) return { keyDigest, name: undefined };
      await checks?.(path);
      return { keyDigest, name: isVerified && own.subject ? canonicalName(own.subject) : undefined };
    },
  };
}

function readAuthorities(file: string): X509Certificate[] {
  let found: X509Certificate[];
  try {
    const pems = readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    found = pems.map((pem) => new X509Certificate(pem));
  } catch (error) {
    throw refused("names authorities that cannot be read", error);
  }
  if (found.length === 0) throw refused("names a file of authorities without a certificate");
  if (found.some(({ ca }) => !ca)) throw refused("names a certificate that is no authority's");
  return found;
}

/** What is loaded for it, only where there is something to check. */
function revocationChecks({ crl, ocsp }: DeviceTrustSettings, parts: TrustParts) {
  let lists: Promise<RevocationLists> | undefined;
  let client: Promise<OcspClient> | undefined;
  return async (path: readonly X509Certificate[]): Promise<void> => {
    for (const [index, issuer] of path.slice(1).entries()) {
      const certificate = path[index] as X509Certificate;
      if (crl.length > 0) {
        lists ??= import("./revocation-lists.ts").then((made) => made.createRevocationLists(crl, parts));
        await (await lists).check(certificate, issuer);
      }
      if (ocsp === "off") continue;
      client ??= import("./ocsp.ts").then((made) => made.createOcspClient(parts));
      // Authorities between are of the customer's hand and rarely have a responder: required is the machine's own.
      await (await client).check(certificate, issuer, index === 0 ? ocsp : "when-named");
    }
  };
}

const depthMax = 8;

/**
 * The certificates from the caller's own to one of these authorities, each signed by the next; undefined when none of them vouches for it.
 * Whether each may sign so is for TLS to have verified; this says under whose hand it is.
 */
function pathTo(
  authorities: readonly X509Certificate[],
  { own, sent }: ShownCertificates,
  now: number,
): X509Certificate[] | undefined {
  const path = [own];
  for (let last = own; path.length < depthMax; ) {
    const anchor = authorities.find((each) => isIssued(last, each));
    if (anchor !== undefined) return holds(anchor, now) ? [...path, anchor] : undefined;
    const next = sent.find((each) => each.ca && holds(each, now) && !path.includes(each) && isIssued(last, each));
    if (next === undefined) return undefined;
    path.push(next);
    last = next;
  }
  return undefined;
}

const isIssued = (certificate: X509Certificate, by: X509Certificate) =>
  certificate.checkIssued(by) && certificate.verify(by.publicKey);

const holds = ({ validFrom, validTo }: X509Certificate, now: number) =>
  Date.parse(validFrom) <= now && now < Date.parse(validTo);
