import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { canonicalAddress } from "#trust/access";

/** A label of letters, digits, hyphens and underscores; names in other scripts come as A-labels (RFC 5890). */
const namePattern =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/**
 * One text for one host: lower case, no dot at the end, addresses in their canonical form without brackets. Undefined when it is no
 * host name or address.
 */
export function canonicalHost(text: string): string | undefined {
  const bracketed = /^\[([0-9a-f:.]+)\]$/i.exec(text)?.[1];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? canonicalAddress(bracketed) : undefined;
  if (isIP(text) !== 0) return text.includes("%") ? undefined : canonicalAddress(text);
  const name = text.toLowerCase().replace(/\.$/, "");
  return namePattern.test(name) && !/(^|\.)\d+$/.test(name) ? name : undefined;
}

/** The host of `host:port` in a request (RFC 9110 §7.2): an IPv6 address is in brackets there. */
function hostOfAuthority(authority: string): string | undefined {
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{0,5}))?$/.exec(authority) ?? [];
  return Number(port ?? 0) > 65_535 ? undefined : canonicalHost(host);
}

/**
 * The host that a request names; undefined for one that names none (HTTP/1.0). `malformed` when it names several, or something that is no
 * host (RFC 9112 §3.2): who else reads the request may then read another. `Forwarded` and the like are not looked at: anyone can send them.
 */
export function requestedHost({ url = "", rawHeaders }: IncomingMessage): string | undefined | "malformed" {
  const named = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === "host");
  if (named.length > 1) return "malformed";
  const [authority] = named;
  const host = authority === undefined ? undefined : hostOfAuthority(authority);
  if (authority !== undefined && host === undefined) return "malformed";
  if (url.startsWith("/") || url === "*") return host;
  // RFC 9112 §3.2.2: a target in absolute form names the host too. Who sends both sends the same.
  const target = /^https:\/\/([^/?#]+)\//i.exec(url)?.[1];
  return target !== undefined && host !== undefined && hostOfAuthority(target) === host ? host : "malformed";
}
