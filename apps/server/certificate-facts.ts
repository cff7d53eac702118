import { X509Certificate } from "node:crypto";

/** SHA-256 of the certificate, as browsers show it. */
export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

/** Epoch milliseconds. */
export function certificateEndsAt(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}
