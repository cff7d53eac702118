import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import type { FastifyInstance } from "fastify";
import type { Clock } from "#base/clock";
import { listenAt } from "#base/io";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { linkProtocols } from "#doors/link";
import { canonicalHost, requestedHost } from "./hosts.ts";
import { answerHeaders } from "./http.ts";
import type { Links } from "./links.ts";
import { limitListener, listenerOptions } from "./listener-limits.ts";

/** What answers for the hosts of one home. */
export interface Site {
  readonly answer: RequestListener;
  takesUpgrades(): boolean;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly certificate: SecureContext;
  readonly links: Pick<Links, "context" | "takesTransfers" | "take">;
}

/** Which site answers for which host. It is asked anew for each request: sites come and go while the listener stays. */
export interface Sites {
  /** `out-of-service` for a host whose home did not open, undefined for one that nobody has. No host: a request that names none. */
  of(host: string | undefined): Site | "out-of-service" | undefined;
  /** Whether the name decides anything: with one site that has every host, it need not be the one that the certificate was asked for. */
  readonly isShared: boolean;
}

export interface HttpsListener {
  readonly port: number;
  /** Ends what is under way for that site. */
  drop(site: Site): void;
  close(): Promise<void>;
}

type KeyAndCertificate = { readonly key: string; readonly cert: string };

/**
 * Programs may prove who they are by a certificate of their own (RFC 8705); whose it is is compared by who looks at it, and nobody needs one.
 * The only issuer that is named is ourselves, who issue none: a browser then finds nothing to choose from, and asks its user nothing.
 */
const askForCertificates = (cert: string) => ({ requestCert: true, rejectUnauthorized: false, ca: cert });

/** A server that is ready, under its certificate. */
export function siteOf(
  { routing, server }: FastifyInstance,
  { key, cert }: KeyAndCertificate,
  links: Site["links"],
): Site {
  return {
    links,
    answer: routing,
    takesUpgrades: () => server.listenerCount("upgrade") > 0,
    upgrade: (request, socket, head) => void server.emit("upgrade", request, socket, head),
    certificate: createSecureContext({ key, cert, ca: cert, minVersion: listenerOptions.minVersion }),
  };
}

/**
 * The one TLS listener of an installation. The name that a client asks a certificate for (SNI) chooses the certificate, the host of each
 * request the site, and both must be one: what a site's cookies and tokens go to is what its certificate vouches for.
 */
export async function listenHttps(
  at: { readonly host: string; readonly port: number },
  sites: Sites,
  fallback: KeyAndCertificate,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<HttpsListener> {
  /** Answers and upgraded connections, by the site that they are of. */
  const underWay = new WeakMap<Site, Set<ServerResponse | Duplex>>();
  const hold = (site: Site, one: ServerResponse | Duplex) => {
    const all = underWay.get(site) ?? new Set();
    underWay.set(site, all.add(one));
    one.once("close", () => all.delete(one));
  };
  const certificates = chooseCertificates(sites);
  const server = createServer({
    ...{ key: fallback.key, cert: fallback.cert, ...listenerOptions, ...askForCertificates(fallback.cert) },
    ...certificates,
    // Else it is a request like any other, whatever its sender would rather speak (RFC 9110 §7.8).
    shouldUpgradeCallback(request) {
      if (request.method !== "GET" || request.headers.upgrade?.toLowerCase() !== "websocket") return false;
      const site = choose(request);
      return !("status" in site) && site.takesUpgrades();
    },
  });
  const { begin } = limitListener(server, parts);
  /** Connections that are no longer HTTP's. */
  const taken = new Set<Duplex>();
  const take = (socket: Duplex) => {
    taken.add(socket);
    socket.once("close", () => taken.delete(socket));
  };
  const [speakHttp] = server.listeners("secureConnection") as ((socket: TLSSocket) => void)[];
  server.removeAllListeners("secureConnection");
  server.on("secureConnection", (socket) => {
    const site = certificates.linkOf(socket);
    if (site === undefined || socket.alpnProtocol !== linkProtocols.transfer) return speakHttp?.call(server, socket);
    begin(socket);
    hold(site, socket);
    take(socket);
    site.links.take(socket);
  });
  const choose = (request: IncomingMessage): Site | Refusal => {
    const host = requestedHost(request);
    if (host === "malformed") return refusals.malformed;
    const asked = (request.socket as TLSSocket).servername;
    const isOther = typeof asked === "string" && asked !== "" && canonicalHost(asked) !== host;
    if (sites.isShared && isOther) return refusals.misdirected;
    const site = sites.of(host);
    if (site === "out-of-service") return refusals.outOfService;
    return site ?? refusals.misdirected;
  };
  server.on("request", (request, response) => {
    const site = choose(request);
    if ("status" in site) return refuse(response, site);
    hold(site, response);
    site.answer(request, response);
  });
  server.on("upgrade", (request, socket, head) => {
    take(socket);
    const site = choose(request);
    if ("status" in site) return void socket.destroy();
    hold(site, socket);
    site.upgrade(request, socket, head);
  });
  const port = await listenAt(server, at);
  return {
    port,
    drop(site) {
      for (const one of underWay.get(site) ?? []) one.destroy();
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      // Node does not count those among its connections any more, and waits for them all the same.
      for (const socket of taken) socket.destroy();
      await closed;
    },
  };
}

/**
 * Which certificate is shown: that of the site that the name in the hello is of (SNI), or, to who offers a protocol of edges (ALPN), the one
 * that these pin. OpenSSL asks for the protocol before the certificate where TLS 1.3 is spoken, and edges are not let in with less; a hello
 * without a name (an address in the URL) is asked for the protocol alone.
 */
function chooseCertificates(sites: Sites) {
  const linked = new WeakMap<TLSSocket, Site>();
  const siteNamed = (name: string): Site | undefined => {
    const site = sites.of(canonicalHost(name));
    return typeof site === "object" ? site : undefined;
  };
  return {
    /** The site that an edge has come to; undefined for who is none. */
    linkOf: (socket: TLSSocket) => linked.get(socket),
    ALPNCallback(this: TLSSocket, { servername, protocols }: { servername: string; protocols: string[] }) {
      const site = siteNamed(servername || "");
      const context = site?.links.context();
      const { calls, transfer } = linkProtocols;
      const chosen = protocols.find((one) => one === calls || (one === transfer && site?.links.takesTransfers()));
      if (site === undefined || context === undefined || chosen === undefined || this.getProtocol() !== "TLSv1.3") {
        return protocols.includes("http/1.1") ? "http/1.1" : undefined;
      }
      linked.set(this, site);
      this.setKeyCert(context);
      return chosen;
    },
    SNICallback(this: TLSSocket, name: string, done: (error: Error | null, context?: SecureContext) => void) {
      const site = linked.get(this);
      done(null, site === undefined ? siteNamed(name)?.certificate : site.links.context());
    },
  };
}

interface Refusal {
  readonly status: number;
  readonly problem: Problem;
}

const refusals = {
  malformed: { status: 400, problem: new Problem("invalid", "the request does not name one host") },
  /** RFC 9110 §15.5.20. */
  misdirected: { status: 421, problem: new Problem("invalid", "nothing answers for this host here") },
  outOfService: { status: 503, problem: new Problem("unavailable", "out of service") },
} as const satisfies Record<string, Refusal>;

/** The connection is closed with the answer: what follows on it is not read. */
function refuse(response: ServerResponse, { status, problem }: Refusal): void {
  const { code, message } = problem;
  response.writeHead(status, {
    ...answerHeaders,
    "content-type": "application/json; charset=utf-8",
    connection: "close",
    ...(status === 503 && { "retry-after": "30" }),
  });
  response.end(JSON.stringify({ code, message }));
}
