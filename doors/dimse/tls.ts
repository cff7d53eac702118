import { constants, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type DetailedPeerCertificate, type TLSSocket, type TlsOptions } from "node:tls";
import type { Clock } from "#base/clock";
import { addressOf } from "#base/io";
import type { ShownCertificates } from "./ports.ts";
import type { Entrance, Incoming } from "./scp.ts";

/** Keys and certificates that we show, PEM: one pair or several of different kinds, of which the peer's cipher suites choose. */
export interface OwnCertificates {
  readonly key: readonly string[];
  readonly cert: readonly string[];
}

/**
 * The profiles of PS3.15 §B.12 and §B.13 (RFC 8996, RFC 9325): TLS 1.2 and 1.3 alone, forward secrecy and AEAD alone, nothing negotiated
 * anew. No session is taken up again: every connection shows its certificate, so that one that was revoked is at its end.
 */
export const bcp195 = {
  minVersion: "TLSv1.2",
  ciphers: [
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
  ].join(":"),
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
} as const satisfies TlsOptions;

export interface SecureEntranceOptions {
  readonly own: OwnCertificates;
  /**
   * PEM of who may vouch for callers, asked for each connection. None: no caller is verified by an authority, and each may show whatever
   * certificate it has; with some, they are named to the caller, which chooses by them.
   */
  authorities(): readonly string[];
  /** Why nobody here can be this caller; undefined when somebody may. Asked before a byte of DICOM is read. */
  objection(shown: ShownCertificates): Promise<string | undefined>;
  /** Told of connections that end before they are one. */
  refused(reason: string, address: string): void;
  readonly clock: Clock;
  readonly handshakeMs?: number;
  /** Connections whose handshake, or whose certificate's examination, is not over. */
  readonly handshakesMax?: number;
}

/** How connections come in over TLS: with a certificate that is known here, or not at all. */
export function secureEntrance(options: SecureEntranceOptions): Incoming {
  const { own, authorities, objection, refused, clock, handshakeMs = 10_000, handshakesMax = 128 } = options;
  return (take): Entrance => {
    /** By the peer's end: TLS hides the socket under it, both know the other end. */
    const unready = new Map<string, Socket>();
    let named = authorities();
    const context = () => ({ ...bcp195, key: [...own.key], cert: [...own.cert], ca: [...named] });
    const server = createServer({
      ...context(),
      requestCert: true,
      // Who is not verified may be known by its key: `examine` decides, and nobody comes in without it.
      rejectUnauthorized: false,
      handshakeTimeout: handshakeMs,
      noDelay: true,
    });
    const examine = async (socket: TLSSocket): Promise<string | undefined> => {
      const shown = shownBy(socket);
      return shown === undefined ? "a caller without a certificate" : objection(shown);
    };
    // Before Node begins the handshake of this connection.
    server.prependListener("connection", () => {
      const now = authorities();
      if (now.join() === named.join()) return;
      named = now;
      server.setSecureContext(context());
    });
    server.on("connection", (socket: Socket) => {
      const end = endOf(socket);
      unready.set(end, socket);
      socket.once("close", () => unready.delete(end));
      if (unready.size > handshakesMax) {
        const oldest = oldestOfMost(unready);
        refused("too many handshakes at once", addressOf(oldest));
        oldest.destroy();
      }
    });
    server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      refused(`a TLS handshake that failed (${error.code ?? "unknown"})`, addressOf(socket));
      socket.destroy();
    });
    server.on("secureConnection", (socket: TLSSocket) => {
      socket.on("error", () => {}); // 'close' follows
      const end = endOf(socket);
      const address = addressOf(socket);
      examine(socket)
        .catch(() => "a certificate that could not be examined")
        .then((reason) => {
          unready.delete(end);
          if (socket.destroyed) return;
          if (reason === undefined) return take(socket, shownBy(socket));
          refused(reason, address);
          socket.end();
          const late = clock.after(handshakeMs, () => socket.destroy());
          socket.once("close", () => late.stop());
        });
    });
    return {
      server,
      close() {
        server.close();
        for (const socket of unready.values()) socket.destroy();
      },
    };
  };
}

/** What the other end of a finished handshake showed; undefined when nothing. */
export function shownBy(socket: TLSSocket): ShownCertificates | undefined {
  const own = socket.getPeerX509Certificate();
  if (own === undefined) return undefined;
  const sent: X509Certificate[] = [];
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (at?.issuerCertificate !== undefined && at.issuerCertificate !== at && sent.length < sentMax) {
    at = at.issuerCertificate;
    if (at.raw !== undefined) sent.push(new X509Certificate(at.raw));
  }
  return { own, sent, isVerified: socket.authorized };
}

/** Longer chains of authorities are not met with. */
const sentMax = 8;

/** Of the address that holds the most, so that one that floods pushes out itself. */
function oldestOfMost(unready: ReadonlyMap<string, Socket>): Socket {
  const byAddress = Map.groupBy(unready.values(), addressOf);
  return [...byAddress.values()].reduce((most, of) => (of.length > most.length ? of : most))[0] as Socket;
}

const endOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
