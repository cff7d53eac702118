import "reflect-metadata";
import { createHash, type KeyObject, randomUUID } from "node:crypto";
import { PemConverter, X509CertificateGenerator } from "@peculiar/x509";
import { type JWTHeaderParameters, SignJWT } from "jose";

const now = () => Math.floor(Date.now() / 1000);

/** A client assertion (RFC 7523) that is right, with what a test changes of it. */
export function assertionOf(
  clientId: string,
  audience: string,
  key: KeyObject | Uint8Array,
  changes: { claims?: Record<string, unknown>; header?: Record<string, unknown> } = {},
): Promise<string> {
  const claims = {
    ...{ iss: clientId, sub: clientId, aud: audience, jti: randomUUID(), iat: now(), exp: now() + 60 },
    ...changes.claims,
  };
  const header = { alg: "ES256", kid: "one", ...changes.header } as JWTHeaderParameters;
  return new SignJWT(claims).setProtectedHeader(header).sign(key);
}

/** A DPoP proof (RFC 9449) that is right, with what a test changes of it. */
export function proofOf(
  { method = "GET", url, token }: { method?: string; url: string; token?: string },
  { jwk, privateKey }: { jwk: Record<string, unknown>; privateKey: KeyObject },
  changes: { claims?: Record<string, unknown>; header?: Record<string, unknown> } = {},
): Promise<string> {
  const { kty, crv, x, y } = jwk;
  const claims = {
    ...{ htm: method, htu: url, jti: randomUUID(), iat: now() },
    ...(token !== undefined && { ath: createHash("sha256").update(token).digest("base64url") }),
    ...changes.claims,
  };
  const header = { alg: "ES256", typ: "dpop+jwt", jwk: { kty, crv, x, y }, ...changes.header } as JWTHeaderParameters;
  return new SignJWT(claims).setProtectedHeader(header).sign(privateKey);
}

export const clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** A certificate that a machine made for itself, with its key. */
export async function selfSigned(name: string) {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
  const keys = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const made = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
  });
  const key = PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { key, cert: made.toString("pem") };
}
