// Certificates that a peer must not be believed for, one row each, for tests of whoever checks certificates.
import "reflect-metadata";
import { createSign, type KeyObject, KeyObject as KeyObjects, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const dayMs = 86_400_000;
const rsa = (modulusLength: number, hash = "SHA-256") => ({
  ...{ name: "RSASSA-PKCS1-v1_5", hash, modulusLength },
  publicExponent: new Uint8Array([1, 0, 1]),
});

type Keys = CryptoKeyPair;
const newKeys = (modulusLength = 2_048, hash = "SHA-256") =>
  webcrypto.subtle.generateKey(rsa(modulusLength, hash), true, ["sign", "verify"]) as Promise<Keys>;

/** As `node:tls` takes them: PEM, the certificate with what is sent after it. */
export interface Presented {
  readonly key: string;
  readonly cert: string;
}

export interface BadCertificate extends Presented {
  /** What is wrong with it. */
  readonly what: string;
}

export interface Certificates {
  /** The one authority that is trusted. */
  readonly authority: string;
  /** Without fault: who refuses this refuses everything. */
  readonly good: Presented;
  readonly bad: readonly BadCertificate[];
}

interface Wanted {
  readonly subject?: string;
  readonly issuer?: string;
  readonly names?: readonly string[];
  readonly from?: number;
  readonly until?: number;
  readonly usage?: string;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  readonly keyUsage?: number;
  readonly more?: readonly Extension[];
  readonly hash?: string;
}

let serial = 0x1000;

async function issue(keys: Keys, by: Keys, wanted: Wanted = {}): Promise<X509Certificate> {
  const {
    subject = "CN=peer",
    issuer = "CN=Trusted",
    names = ["localhost"],
    from = -1,
    until = 30,
    isAuthority = false,
  } = wanted;
  const usual = isAuthority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature;
  const now = Date.now();
  return X509CertificateGenerator.create({
    ...{ subject, issuer, serialNumber: (serial++).toString(16) },
    ...{ notBefore: new Date(now + from * dayMs), notAfter: new Date(now + until * dayMs) },
    ...{ publicKey: keys.publicKey, signingKey: by.privateKey },
    signingAlgorithm: rsa(2_048, wanted.hash),
    extensions: [
      new BasicConstraintsExtension(isAuthority, isAuthority ? wanted.pathLength : undefined, true),
      new KeyUsagesExtension(wanted.keyUsage ?? usual, true),
      ...(isAuthority ? [] : [new ExtendedKeyUsageExtension([wanted.usage ?? ExtendedKeyUsage.serverAuth])]),
      ...(names.length > 0
        ? [new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value })))]
        : []),
      ...(wanted.more ?? []),
    ],
  });
}

const keyObjectOf = (keys: Keys): KeyObject => KeyObjects.from(keys.privateKey as webcrypto.CryptoKey);

/** The same certificate signed with MD5, which no library signs with any more. */
function signedWithMd5(certificate: X509Certificate, by: Keys): X509Certificate {
  const sha256 = Buffer.from("06092a864886f70d01010b", "hex");
  const der = Buffer.from(certificate.rawData);
  for (let at = der.indexOf(sha256); at >= 0; at = der.indexOf(sha256, at + 1)) der[at + sha256.length - 1] = 0x04;
  // Certificate ::= SEQUENCE { tbsCertificate, … }, both with lengths of two bytes.
  const tbs = der.subarray(4, 8 + der.readUInt16BE(6));
  const signature = createSign("md5").update(tbs).sign(keyObjectOf(by));
  signature.copy(der, der.length - signature.length);
  return new X509Certificate(der);
}

/** For a peer that is asked as `localhost`; `usage` is what its certificate is for. */
export async function makeBadCertificates(usage: "server" | "client" = "server"): Promise<Certificates> {
  const right = usage === "server" ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth;
  const other = usage === "server" ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth;
  const [root, stranger, middle, leaf, weak] = await Promise.all([
    newKeys(),
    newKeys(),
    newKeys(),
    newKeys(),
    newKeys(1_024),
  ]);
  const sha1 = { privateKey: await hashing(root.privateKey, "SHA-1"), publicKey: root.publicKey };
  const authority = await issue(root, root, { subject: "CN=Trusted", isAuthority: true, names: [], until: 365 });
  const of = (wanted: Wanted = {}, by: Keys = root, keys: Keys = leaf) => issue(keys, by, { usage: right, ...wanted });
  const between = (wanted: Wanted) =>
    issue(middle, root, { subject: "CN=Between", names: [], isAuthority: true, ...wanted });
  const below = await of({ issuer: "CN=Between" }, middle);
  const shown = (...chain: X509Certificate[]): Presented => ({
    key: String(keyObjectOf(leaf).export({ type: "pkcs8", format: "pem" })),
    cert: chain.map((each) => each.toString("pem")).join("\n"),
  });
  const flipped = Buffer.from((await of()).rawData);
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
  const rows: Record<string, Presented> = {
    "has expired": shown(await of({ from: -30, until: -1 })),
    "is not valid yet": shown(await of({ from: 1, until: 30 })),
    "is for another host": shown(await of({ names: ["other.example"] })),
    "names the host in its subject only": shown(await of({ subject: "CN=localhost", names: ["other.example"] })),
    "has a wildcard that reaches too far": shown(await of({ names: ["*", "*.com", "l*"] })),
    "has a NUL in its name": shown(await of({ names: ["localhost\0.evil.example"] })),
    "is signed by itself": shown(await of({ subject: "CN=peer", issuer: "CN=peer" }, leaf)),
    "is of an authority that nobody trusts": shown(await of({ issuer: "CN=Stranger" }, stranger)),
    "is of an authority that only has the name of ours": shown(await of({}, stranger)),
    "is for something else": shown(await of({ usage: other })),
    "was changed after it was signed": shown(new X509Certificate(flipped)),
    "comes without what is between it and the authority": shown(below),
    "was issued by a certificate that is no authority": shown(below, await between({ isAuthority: false })),
    "was issued by an authority that may sign none": shown(below, await between({ keyUsage: KeyUsageFlags.cRLSign })),
    "was issued by an authority that has expired": shown(below, await between({ from: -30, until: -1 })),
    "holds a critical extension that nobody knows": shown(
      await of({ more: [new Extension("1.3.6.1.4.1.99999.1", true, new Uint8Array([5, 0]))] }),
    ),
    "is signed with SHA-1": shown(await of({ hash: "SHA-1" }, sha1)),
    "is signed with MD5": shown(signedWithMd5(await of(), root)),
    "has a key of 1,024 bits": {
      ...shown(await of({}, root, weak)),
      key: String(keyObjectOf(weak).export({ type: "pkcs8", format: "pem" })),
    },
  };
  return {
    authority: authority.toString("pem"),
    good: shown(await of(), authority),
    bad: Object.entries(rows).map(([what, presented]) => ({ what, ...presented })),
  };
}

/** The same key, for signatures with another hash. */
async function hashing(key: CryptoKey, hash: string): Promise<CryptoKey> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", key as webcrypto.CryptoKey);
  return webcrypto.subtle.importKey("pkcs8", pkcs8, rsa(2_048, hash), true, ["sign"]) as Promise<CryptoKey>;
}
