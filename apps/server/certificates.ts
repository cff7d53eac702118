import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  type PublicKeyType,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";

const kinds = {
  ec: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  /** Of what is to last ten years. */
  lastingRsa: {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 3072,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
} as const;
type KeyKind = (typeof kinds)[keyof typeof kinds];

const dayMs = 86_400_000;
const serverDays = 820;
const authorityDays = 3_650;
const deviceDays = 1_095;
const edgeDays = 30;

/** The installation's own authority and its server certificate, all PEM. */
export interface Certificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

interface Parts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Makes an authority and one server certificate for this machine. The authority's key is used once and not kept: a new
 * server certificate comes with a new authority, so nobody can ever mint another one under it.
 */
export async function makeCertificates(names: readonly string[], clock: Clock, random: Random): Promise<Certificates> {
  const parts = { clock, random };
  const authority = await newAuthority("Leadglass", kinds.ec, serverDays, parts);
  const keys = await newKeys(kinds.ec);
  const asServer = { subject: [{ CN: ["Leadglass"] }], usages: [ExtendedKeyUsage.serverAuth], names, days: serverDays };
  const server = await certify(authority, { ...asServer, publicKey: keys.publicKey }, parts);
  return {
    ca: authority.certificate.toString("pem"),
    certificate: server.toString("pem"),
    key: await pemOf(keys.privateKey),
  };
}

/** What certificates of machines are issued with, PEM. */
export interface IssuingAuthority {
  readonly certificate: string;
  readonly key: string;
}

/** Under RSA: a peer that can verify no other signature is still met with. */
export async function makeIssuingAuthority(parts: Parts): Promise<IssuingAuthority> {
  const { certificate, keys } = await newAuthority("Leadglass DICOM", kinds.lastingRsa, authorityDays, parts);
  return { certificate: certificate.toString("pem"), key: await pemOf(keys.privateKey) };
}

/** The same for edges, which are programs of ours. */
export async function makeLinkAuthority(parts: Parts): Promise<IssuingAuthority> {
  const { certificate, keys } = await newAuthority("Leadglass link", kinds.ec, authorityDays, parts);
  return { certificate: certificate.toString("pem"), key: await pemOf(keys.privateKey) };
}

/** What we show to edges. They know its authority and no name: nobody else under that has the usage of a server. */
export async function makeLinkCertificate(issuing: IssuingAuthority, parts: Parts) {
  const keys = await newKeys(kinds.ec);
  const asServer = { subject: [{ CN: ["Leadglass"] }], usages: [ExtendedKeyUsage.serverAuth], names: [] };
  const wanted = { ...asServer, days: serverDays, publicKey: keys.publicKey };
  const certificate = await certify(await openAuthority(issuing), wanted, parts);
  return { certificate: certificate.toString("pem"), key: await pemOf(keys.privateKey) };
}

/**
 * Certifies the key of a request (PKCS #10, PEM) for the edge of this id, for 30 days and as a client alone; whatever else it asks for is
 * not looked at. Problem `invalid` for what is no request, or not of a key on P-256 or P-384.
 */
export async function certifyEdge(issuing: IssuingAuthority, request: string, id: string, parts: Parts) {
  const publicKey = await keyOfRequest(request);
  const { algorithm } = publicKey;
  if (algorithm.name !== "ECDSA" || !["P-256", "P-384"].includes((algorithm as EcKeyAlgorithm).namedCurve)) {
    throw new Problem("invalid", "the request is for another kind of key than P-256 or P-384");
  }
  const asClient = { subject: [{ CN: [id] }], usages: [ExtendedKeyUsage.clientAuth], names: [] };
  const wanted = { ...asClient, days: edgeDays, publicKey };
  return (await certify(await openAuthority(issuing), wanted, parts)).toString("pem");
}

/**
 * What we show to machines, both when they call and when we call them: one certificate for cipher suites with ECDSA, one for those with
 * RSA (PS3.15 §B.12 has both).
 */
export async function makeNodeCertificates(
  issuing: IssuingAuthority,
  names: readonly string[],
  parts: Parts,
): Promise<{ key: string[]; cert: string[] }> {
  const authority = await openAuthority(issuing);
  const own = { key: [] as string[], cert: [] as string[] };
  for (const keys of await Promise.all([newKeys(kinds.ec), newKeys(kinds.rsa)])) {
    const wanted = { ...asPeer("Leadglass"), names, days: serverDays, publicKey: keys.publicKey };
    own.key.push(await pemOf(keys.privateKey));
    own.cert.push((await certify(authority, wanted, parts)).toString("pem"));
  }
  return own;
}

/**
 * Certifies the key of a request (PKCS #10, PEM) under this name; whatever else it asks for is not looked at. Problem `invalid` for what
 * is no request, or one that its key did not sign.
 */
export async function certifyRequest(
  issuing: IssuingAuthority,
  request: string,
  name: string,
  parts: Parts,
): Promise<string> {
  const publicKey = await keyOfRequest(request);
  const wanted = { ...asPeer(name), names: [], days: deviceDays, publicKey };
  return (await certify(await openAuthority(issuing), wanted, parts)).toString("pem");
}

async function keyOfRequest(text: string): Promise<Pkcs10CertificateRequest["publicKey"]> {
  try {
    const request = new Pkcs10CertificateRequest(text);
    if (await request.verify()) return request.publicKey;
  } catch {
    // falls through: a request that cannot be read is none
  }
  const remedy = "openssl req -new -key key.pem -subj /CN=CT1 -out request.pem makes one";
  throw new Problem("invalid", "not a certificate request in PEM that its own key signed", { remedy });
}

/** A new key and a request for it, PEM: so that the key never leaves the machine that it is made on. */
export async function makeRequest(name: string): Promise<{ key: string; request: string }> {
  const keys = await newKeys(kinds.ec);
  const subject = [{ CN: [name] }];
  const request = await Pkcs10CertificateRequestGenerator.create({ name: subject, keys, signingAlgorithm: kinds.ec });
  return { key: await pemOf(keys.privateKey), request: request.toString("pem") };
}

const asPeer = (name: string) => ({
  subject: [{ CN: [name] }],
  usages: [ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth],
});

interface Authority {
  readonly certificate: X509Certificate;
  readonly keys: Pick<CryptoKeyPair, "privateKey">;
  readonly algorithm: KeyKind;
}

async function newAuthority(name: string, algorithm: KeyKind, days: number, parts: Parts): Promise<Authority> {
  const keys = await newKeys(algorithm);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name} ${newToken(parts.random).slice(0, 8)}`,
    serialNumber: newToken(parts.random),
    ...validFor(days, parts),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate, keys, algorithm };
}

async function openAuthority(issuing: IssuingAuthority): Promise<Authority> {
  const certificate = new X509Certificate(issuing.certificate);
  const algorithm = certificate.publicKey.algorithm.name === kinds.ec.name ? kinds.ec : kinds.lastingRsa;
  const bytes = PemConverter.decodeFirst(issuing.key);
  const privateKey = (await webcrypto.subtle.importKey("pkcs8", bytes, algorithm, false, ["sign"])) as CryptoKey;
  return { certificate, keys: { privateKey }, algorithm };
}

interface Wanted {
  readonly subject: JsonName;
  readonly publicKey: PublicKeyType;
  readonly usages: ExtendedKeyUsage[];
  /** Host names and addresses. */
  readonly names: readonly string[];
  readonly days: number;
}

function certify({ certificate, keys, algorithm }: Authority, wanted: Wanted, parts: Parts): Promise<X509Certificate> {
  const { subject, publicKey, usages, names, days } = wanted;
  return X509CertificateGenerator.create({
    subject,
    issuer: certificate.subject,
    serialNumber: newToken(parts.random),
    ...validFor(days, parts),
    publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(usages),
      ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names.map(alternativeName))]),
    ],
  });
}

const alternativeName = (value: string) => ({
  type: /^[\d.]+$|:/.test(value) ? ("ip" as const) : ("dns" as const),
  value,
});

/** From a day before: clocks of machines differ. */
const validFor = (days: number, { clock }: Parts) => ({
  notBefore: new Date(clock.now() - dayMs),
  notAfter: new Date(clock.now() + days * dayMs),
});

function newKeys(algorithm: KeyKind): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}

async function pemOf(key: CryptoKey): Promise<string> {
  return PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}
