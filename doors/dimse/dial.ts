import { connect } from "node:net";
import { type TLSSocket, connect as tlsConnect } from "node:tls";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { ShownCertificates } from "./ports.ts";
import { bcp195, type OwnCertificates, shownBy } from "./tls.ts";
import type { Connection } from "./upper-layer.ts";

interface Target {
  readonly host: string;
  readonly port: number;
}

export interface SecureDialing {
  /** What we show where the peer asks for it. */
  readonly own: OwnCertificates;
  /** PEM of who may vouch for peers. */
  readonly authorities: readonly string[];
  /** Whether this is the machine that was meant: asked before anything is sent. The name in a certificate says nothing of an AE title. */
  isMeant(shown: ShownCertificates): Promise<boolean>;
  readonly clock: Clock;
  readonly handshakeMs?: number;
}

/** Opens a transport connection to ask for an association on. */
export function dial({ host, port }: Target): Connection {
  return connect({ host, port, noDelay: true });
}

/**
 * The same over TLS, once the peer has shown that it is who is meant: Problem `denied` when it is another, `unavailable` when there is no
 * TLS to be had.
 */
export async function dialSecurely(to: Target, dialing: SecureDialing): Promise<Connection> {
  const { own, authorities, isMeant, clock, handshakeMs = 30_000 } = dialing;
  const socket = tlsConnect({
    host: to.host,
    port: to.port,
    ...bcp195,
    key: [...own.key],
    cert: [...own.cert],
    ca: [...authorities],
    rejectUnauthorized: false, // `isMeant` decides, and nothing is sent to who is not
    checkServerIdentity: () => undefined, // machines are not reached by the name in their certificate
  });
  socket.setNoDelay(true);
  const late = clock.after(handshakeMs, () => socket.destroy());
  try {
    await isSecure(socket);
    const shown = shownBy(socket);
    if (shown !== undefined && (await isMeant(shown)) && !socket.destroyed) return socket;
    throw new Problem("denied", "the peer's certificate is not that of the machine that was to be reached");
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    late.stop();
  }
}

function isSecure(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const lost = (cause?: Error) =>
      reject(new Problem("unavailable", "no TLS connection to the peer came about", { ...(cause && { cause }) }));
    socket.once("secureConnect", resolve);
    socket.on("error", lost);
    socket.once("close", () => lost());
  });
}
