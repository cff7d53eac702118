import { createHash, type X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";

/** The certificate that the peer of this connection has shown that it holds. Nobody vouches for it: what counts is that it is the same. */
export function peerCertificateOf({ socket }: IncomingMessage): X509Certificate | undefined {
  return (socket as Partial<TLSSocket>).getPeerX509Certificate?.();
}

/** `x5t#S256` (RFC 8705 §3.1). */
export function thumbprintOf(certificate: X509Certificate): string {
  return createHash("sha256").update(certificate.raw).digest("base64url");
}
