import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 86_400_000;

/** The installation's own authority and its server certificate, all PEM. */
export interface Certificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes an authority and one server certificate for this machine. The authority's key is used once and not kept: a new
 * server certificate comes with a new authority, so nobody can ever mint another one under it.
 */
export async function makeCertificates(names: readonly string[], clock: Clock, random: Random): Promise<Certificates> {
  const [caKeys, serverKeys] = [await newKeys(), await newKeys()];
  const notBefore = new Date(clock.now() - dayMs);
  const notAfter = new Date(clock.now() + 820 * dayMs);
  const caName = `CN=Leadglass ${newToken(random).slice(0, 8)}`;
  const ca = await X509CertificateGenerator.createSelfSigned({
    name: caName,
    serialNumber: newToken(random),
    notBefore,
    notAfter,
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const server = await X509CertificateGenerator.create({
    subject: "CN=Leadglass",
    issuer: caName,
    serialNumber: newToken(random),
    notBefore,
    notAfter,
    publicKey: serverKeys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((name) => ({ type: /^[\d.]+$|:/.test(name) ? ("ip" as const) : ("dns" as const), value: name })),
      ),
    ],
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", serverKeys.privateKey);
  return { ca: ca.toString("pem"), certificate: server.toString("pem"), key: PemConverter.encode(key, "PRIVATE KEY") };
}

function newKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}
