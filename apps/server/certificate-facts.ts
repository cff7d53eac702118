import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

/** SHA-256 of the certificate, as browsers show it. */
export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

/** Whether it vouches for that host name or address. */
export function certificateVouchesFor(pem: string, host: string): boolean {
  const certificate = new X509Certificate(pem);
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}

/** Epoch milliseconds. */
export function certificateEndsAt(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}
