import "reflect-metadata";
import type { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { X509Certificate as Parsed, X509Crl } from "@peculiar/x509";
import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { fetchBytes } from "./fetch-bytes.ts";

/** Certificate revocation lists (RFC 5280 §5) of a customer's own authorities. */
export interface RevocationLists {
  /** Problem `denied` when the certificate is revoked, and where no list of its issuer holds at this time. */
  check(certificate: X509Certificate, issuer: X509Certificate): Promise<void>;
}

/** A list of some hundred thousand certificates. */
const listBytesMax = 16 * 2 ** 20;
/** A list on a server is asked for again so often, a file whenever it has changed. */
const fetchEveryMs = 3_600_000;
const retryEveryMs = 60_000;

interface Held {
  /** What tells that the file is another one; the time of the fetch. */
  readonly stamp: string | number;
  readonly lists: readonly X509Crl[];
}

/** `places`: files with one or more lists in PEM, or one in DER, and http(s) URLs. What cannot be read is as good as not there. */
export function createRevocationLists(places: readonly string[], parts: { clock: Clock; log: Log }): RevocationLists {
  const { clock, log } = parts;
  const held = new Map<string, Held>();
  const read = async (place: string): Promise<Held> => {
    const before = held.get(place);
    if (/^https?:/.test(place)) {
      const everyMs = before?.lists.some((list) => holds(list, clock)) ? fetchEveryMs : retryEveryMs;
      if (before !== undefined && clock.now() - Number(before.stamp) < everyMs) return before;
      const lists = parse(await fetchBytes(place, { clock, bytesMax: listBytesMax }));
      return { stamp: clock.now(), lists };
    }
    const { mtimeMs, size } = await stat(place);
    const stamp = `${mtimeMs} ${size}`;
    if (before?.stamp === stamp) return before;
    if (size > listBytesMax) throw new Problem("too-large", "a revocation list over 16 MiB");
    return { stamp, lists: parse(await readFile(place)) };
  };
  const listsIn = async (place: string): Promise<readonly X509Crl[]> => {
    try {
      const now = await read(place);
      held.set(place, now);
      return now.lists;
    } catch (error) {
      log.warn("a revocation list cannot be read: what was read last counts until its end", {}, error);
      const lists = held.get(place)?.lists ?? [];
      held.set(place, { stamp: /^https?:/.test(place) ? clock.now() : "", lists });
      return lists;
    }
  };
  return {
    async check(certificate, issuer) {
      const parsed = new Parsed(certificate.raw);
      const by = new Parsed(issuer.raw);
      const issuerName = Buffer.from(parsed.issuerName.toArrayBuffer());
      const all = (await Promise.all(places.map(listsIn))).flat();
      let isCovered = false;
      for (const list of all) {
        const isOfIssuer = issuerName.equals(Buffer.from(list.issuerName.toArrayBuffer()));
        if (!isOfIssuer || !holds(list, clock) || !isWhole(list) || !(await list.verify({ publicKey: by }))) continue;
        if (list.findRevoked(parsed) !== null) throw new Problem("denied", "a certificate that its issuer revoked");
        isCovered = true;
      }
      if (isCovered) return;
      const remedy = "have the authority's newest list put where leadglass.json names it";
      throw new Problem("denied", "a certificate whose issuer has no revocation list that holds now", { remedy });
    },
  };
}

function holds({ thisUpdate, nextUpdate }: X509Crl, clock: Clock): boolean {
  const now = clock.now();
  return nextUpdate !== undefined && thisUpdate.getTime() <= now + clockSkewMs && now < nextUpdate.getTime();
}

/** Clocks of two houses. */
const clockSkewMs = 300_000;

/** A list of changes, or of a part, says so in a critical extension (RFC 5280 §5.2): it would pass for the whole one. */
function isWhole({ extensions }: X509Crl): boolean {
  return extensions.every(({ critical }) => !critical);
}

function parse(bytes: Uint8Array): X509Crl[] {
  const text = Buffer.from(bytes).toString("latin1");
  const pems = text.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g);
  return pems === null ? [new X509Crl(Buffer.from(bytes))] : pems.map((pem) => new X509Crl(pem));
}
