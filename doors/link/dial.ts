import { X509Certificate } from "node:crypto";
import { connect, isIP } from "node:net";
import { type ConnectionOptions, type DetailedPeerCertificate, type TLSSocket, connect as tlsConnect } from "node:tls";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import { type EnrolmentCode, isPinned } from "./enrolment-code.ts";
import { connectThrough, type OutboundProxy, type Target } from "./proxy.ts";

/** A way out to the cloud. */
export interface WayOut {
  readonly cloud: Target;
  readonly proxy?: OutboundProxy;
  readonly clock: Clock;
}

export interface Dialling extends WayOut {
  /** One of `linkProtocols`. */
  readonly protocol: string;
  /** The pinned authority, PEM: nobody else is believed to be the cloud. */
  readonly authority: string;
  /** What we show, PEM; none before the first was issued. */
  readonly own?: { readonly certificate: string; readonly key: string };
}

const withinMs = 15_000;
const chainMost = 4;

/** Where a cloud's pages are: `https://` with a host and perhaps a port. Problem `invalid` for anything else. */
export function cloudAt(text: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && url.username === "" && url.password === "" && url.search === "";
  if (url?.protocol !== "https:" || !isPlain || url.hostname === "") {
    throw new Problem("invalid", "not the address of a cloud", {
      remedy: "https://HOST, as the cloud's page shows it",
    });
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 443) };
}

/**
 * A connection to the cloud over TLS 1.3, mutually authenticated where we show something. Problem `unavailable` when it cannot be reached,
 * `denied` when who answers is not the pinned cloud; each with words for who looks after the network.
 */
export function dialCloud({ authority, own, ...dialling }: Dialling): Promise<TLSSocket> {
  return shakeHands(dialling, {
    ca: [authority],
    ...(own !== undefined && { cert: own.certificate, key: own.key }),
  });
}

/** The certificate, PEM, of the authority that a code names, as the cloud shows it: nothing is said to who answers, and nobody is believed yet. */
export async function readAuthority(way: WayOut, protocol: string, code: Pick<EnrolmentCode, "pin">): Promise<string> {
  const socket = await shakeHands({ ...way, protocol }, { rejectUnauthorized: false });
  const found = chainOf(socket).find((certificate) => isPinned(code, certificate.raw));
  // With the rest of the handshake, which else the cloud would count among broken ones.
  socket.destroySoon();
  if (found?.ca) return found.toString();
  throw notTheCloud();
}

/** Up to so many of the certificates that were shown, the peer's own first. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && chain.length < chainMost) {
    chain.push(new X509Certificate(next.raw));
    // Of itself a root is the issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

async function shakeHands(
  { cloud, proxy, clock, protocol }: WayOut & { readonly protocol: string },
  options: ConnectionOptions,
): Promise<TLSSocket> {
  const below =
    proxy === undefined
      ? connect({ ...cloud, noDelay: true })
      : await connectThrough(proxy, cloud, { clock, withinMs });
  const socket = tlsConnect({
    ...options,
    socket: below,
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
    ALPNProtocols: [protocol],
    ...(isIP(cloud.host) === 0 && { servername: cloud.host }),
    // The pinned authority certifies no other server: what name it is reached by says nothing more.
    checkServerIdentity: () => undefined,
  });
  const late = clock.after(withinMs, () => below.destroy(timedOut()));
  try {
    await isSecure(socket);
    if (socket.alpnProtocol === protocol) return socket;
    throw noCloud();
  } catch (error) {
    socket.destroy();
    below.destroy();
    throw error;
  } finally {
    late.stop();
  }
}

function isSecure(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.on("error", (error) => reject(problemOf(error)));
    socket.once("close", () => reject(problemOf({ code: "ECONNRESET" })));
  });
}

function timedOut(): NodeJS.ErrnoException {
  return Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" });
}

function problemOf(cause: NodeJS.ErrnoException | { readonly code: string }): Problem {
  const { code = "" } = cause;
  const because = cause instanceof Error ? { cause } : {};
  const unavailable = (message: string, remedy: string) => new Problem("unavailable", message, { remedy, ...because });
  if (/ENOTFOUND|EAI_AGAIN/.test(code)) {
    return unavailable("the cloud's name is not found", "check the address, and which DNS server this machine asks");
  }
  if (code === "ECONNREFUSED") {
    return unavailable("nothing listens at the cloud's address", "check the address and port, and that the cloud runs");
  }
  if (/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/.test(code)) {
    const remedy =
      "check that this machine may go out to that host and port; --proxy goes through the proxy that it has to use";
    return unavailable("the cloud does not answer", remedy);
  }
  if (/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/.test(code)) {
    return unavailable(
      "the cloud's certificate is out of its time by this machine's clock",
      "set this machine's clock",
    );
  }
  if (/CERT|ISSUER|SIGNATURE|INVALID_PURPOSE/.test(code)) return notTheCloud(cause);
  if (/NO_APPLICATION_PROTOCOL/.test(code)) return noCloud(cause);
  if (code === "ECONNRESET") {
    const remedy = "a firewall or proxy between may cut it off: it has to let TLS 1.3 to that host through as it is";
    return unavailable("the connection was cut off while TLS was agreed on", remedy);
  }
  return unavailable("no TLS 1.3 connection to the cloud came about", "is that the address of a Leadglass cloud?");
}

function notTheCloud(cause?: unknown): Problem {
  const remedy =
    "what answers is not that cloud: is the address right? A proxy that opens TLS has to let that host through as it is";
  return new Problem("denied", "the certificate that was shown is not of the cloud that was pinned", { remedy, cause });
}

function noCloud(cause?: unknown): Problem {
  const remedy = "is that the address of the cloud, and was an edge added in it?";
  return new Problem("unavailable", "what answers at that address takes no edges", { remedy, cause });
}
