import type { FastifyRequest } from "fastify";

/** Host names, IPv4 and bracketed IPv6 addresses, with a port or without. */
const authorityPattern = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?$/;

/**
 * The root of this service as the client reaches it, for Retrieve URLs (0008,1190): `https://pacs.example/dicom-web`.
 * Forwarding headers (RFC 7239, X-Forwarded-*) count only where a proxy in front is known to set them: anyone can send them.
 */
export function publicRoot(request: FastifyRequest, root: string, trustForwarded: boolean): string {
  const forwarded = trustForwarded ? forwardedOf(request) : {};
  const host = [forwarded.host, request.headers.host].find((each) => each !== undefined && authorityPattern.test(each));
  const scheme = forwarded.proto === "http" || forwarded.proto === "https" ? forwarded.proto : request.protocol;
  return `${scheme}://${host ?? "localhost"}${root}`;
}

interface Forwarded {
  readonly host?: string | undefined;
  readonly proto?: string | undefined;
}

/** What the nearest client-facing proxy was asked: the first element of each header. */
function forwardedOf(request: FastifyRequest): Forwarded {
  const header = first(request.headers.forwarded);
  if (header !== undefined) {
    const pairs = header.split(";").map((pair) => {
      const [name = "", value = ""] = pair.split("=", 2);
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, "$1")] as const;
    });
    const found = new Map(pairs);
    return { host: found.get("host"), proto: found.get("proto")?.toLowerCase() };
  }
  return { host: first(request.headers["x-forwarded-host"]), proto: first(request.headers["x-forwarded-proto"]) };
}

function first(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  return text?.split(",")[0]?.trim();
}
