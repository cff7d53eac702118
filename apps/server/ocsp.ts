import "reflect-metadata";
import { createHash, verify, X509Certificate } from "node:crypto";
import {
  BasicOCSPResponse,
  CertID,
  id_kp_OCSPSigning,
  id_pkix_ocsp_basic,
  id_pkix_ocsp_nonce,
  OCSPRequest,
  OCSPResponse,
  OCSPResponseStatus,
  Request,
  type SingleResponse,
  TBSRequest,
} from "@peculiar/asn1-ocsp";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, Certificate, Extension } from "@peculiar/asn1-x509";
import { AuthorityInfoAccessExtension, X509Certificate as Parsed } from "@peculiar/x509";
import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import { Problem } from "#base/problem";
import { fetchBytes } from "./fetch-bytes.ts";

/** Asks the responder that a certificate names whether it is revoked (RFC 6960, RFC 5019). */
export interface OcspClient {
  /**
   * Problem `denied` when the certificate is revoked or unknown to its authority, and, unless that is all the same, when nobody could be
   * asked. `isNamed` says that a certificate that names no responder is good.
   */
  check(certificate: X509Certificate, issuer: X509Certificate, isNamed: "required" | "when-named"): Promise<void>;
}

interface Known {
  readonly status: "good" | "revoked" | "unknown";
  readonly until: number;
}

const answerBytesMax = 65_536;
const rememberedMax = 10_000;
/** An answer that says not until when it holds is asked for again. */
const withoutEndMs = 300_000;
/** Clocks of two houses. */
const clockSkewMs = 300_000;
const oids = { sha1: "1.3.14.3.2.26", nonce: id_pkix_ocsp_nonce };
/** What an answer may be signed with; a key's own kind says whether it is RSA or ECDSA. */
const digests: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

export function createOcspClient({ clock, random }: { clock: Clock; random: Random }): OcspClient {
  /** Answers by issuer and serial number. */
  const known = new Map<string, Known>();
  const remember = (key: string, answer: Known) => {
    const oldest = known.keys().next().value;
    if (known.size >= rememberedMax && oldest !== undefined) known.delete(oldest);
    known.set(key, answer);
  };
  return {
    async check(certificate, issuer, isNamed) {
      const key = `${issuer.fingerprint256} ${certificate.serialNumber}`;
      let answer = known.get(key);
      if (answer === undefined || answer.until <= clock.now()) {
        const url = responderOf(certificate);
        if (url === undefined && isNamed === "when-named") return;
        if (url === undefined) throw new Problem("denied", "a certificate that names no OCSP responder");
        answer = await ask(url, certificate, issuer, { clock, random });
        remember(key, answer);
      }
      if (answer.status === "good") return;
      throw new Problem("denied", `a certificate that its authority calls ${answer.status}`);
    },
  };
}

/** The certificate comes from an authority that the configuration names: what it names is where that authority wants to be asked. */
function responderOf(certificate: X509Certificate): string | undefined {
  const access = new Parsed(certificate.raw).getExtension(AuthorityInfoAccessExtension);
  return access?.ocsp.map(({ value }) => value).find((url) => /^https?:\/\/[^@\s]+$/.test(url));
}

async function ask(
  url: string,
  certificate: X509Certificate,
  issuer: X509Certificate,
  { clock, random }: { clock: Clock; random: Random },
): Promise<Known> {
  const certId = certIdOf(certificate, issuer);
  const nonce = AsnConvert.serialize(new OctetString(random(new Uint8Array(32))));
  const request = new OCSPRequest({
    tbsRequest: new TBSRequest({
      requestList: [new Request({ reqCert: certId })],
      requestExtensions: [new Extension({ extnID: oids.nonce, extnValue: new OctetString(nonce) })],
    }),
  });
  const bytes = new Uint8Array(AsnConvert.serialize(request));
  const body = { bytes, type: "application/ocsp-request" };
  const answered = await fetchBytes(url, { clock, bytesMax: answerBytesMax, body });
  try {
    const basic = basicOf(answered);
    requireSignature(basic, issuer, clock);
    requireNonce(basic, nonce);
    return statusIn(basic, certId, clock);
  } catch (cause) {
    throw new Problem("denied", "a certificate whose OCSP responder gave no answer that can be believed", { cause });
  }
}

/** SHA-1 names the issuer here, it proves nothing; responders know no other (RFC 5019 §2.1.1). */
function certIdOf(certificate: X509Certificate, issuer: X509Certificate): CertID {
  const sha1 = (bytes: ArrayBuffer) => new OctetString(createHash("sha1").update(Buffer.from(bytes)).digest());
  const { tbsCertificate } = AsnConvert.parse(issuer.raw, Certificate);
  return new CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: oids.sha1, parameters: null }),
    issuerNameHash: sha1(AsnConvert.serialize(tbsCertificate.subject)),
    issuerKeyHash: sha1(tbsCertificate.subjectPublicKeyInfo.subjectPublicKey),
    serialNumber: AsnConvert.parse(certificate.raw, Certificate).tbsCertificate.serialNumber,
  });
}

function basicOf(answered: Uint8Array): BasicOCSPResponse {
  const { responseStatus, responseBytes } = AsnConvert.parse(answered, OCSPResponse);
  if (responseStatus !== OCSPResponseStatus.successful || responseBytes?.responseType !== id_pkix_ocsp_basic) {
    throw new Error(`response status ${responseStatus}`);
  }
  return AsnConvert.parse(responseBytes.response.buffer, BasicOCSPResponse);
}

/** By the issuer itself, or by who it let sign for it (RFC 6960 §4.2.2.2). */
function requireSignature(basic: BasicOCSPResponse, issuer: X509Certificate, clock: Clock): void {
  const { tbsResponseDataRaw, signatureAlgorithm, signature, certs = [] } = basic;
  const digest = digests[signatureAlgorithm.algorithm];
  if (digest === undefined || tbsResponseDataRaw === undefined) throw new Error("a signature of another kind");
  const delegates = certs
    .slice(0, 4)
    .map((each) => new X509Certificate(Buffer.from(AsnConvert.serialize(each))))
    .filter(
      (each) =>
        each.keyUsage?.includes(id_kp_OCSPSigning) === true &&
        each.checkIssued(issuer) &&
        each.verify(issuer.publicKey) &&
        Date.parse(each.validFrom) <= clock.now() &&
        clock.now() < Date.parse(each.validTo),
    );
  const signed = Buffer.from(tbsResponseDataRaw);
  const isBy = ({ publicKey }: X509Certificate) => verify(digest, signed, publicKey, Buffer.from(signature));
  if (![issuer, ...delegates].some(isBy)) throw new Error("not signed by the issuer or for it");
}

/** Responders that prepare their answers send none (RFC 5019 §4); one that is sent is ours. */
function requireNonce({ tbsResponseData }: BasicOCSPResponse, nonce: ArrayBuffer): void {
  const sent = tbsResponseData.responseExtensions?.find(({ extnID }) => extnID === oids.nonce);
  if (sent !== undefined && !Buffer.from(sent.extnValue.buffer).equals(Buffer.from(nonce))) {
    throw new Error("an answer to another question");
  }
}

function statusIn({ tbsResponseData }: BasicOCSPResponse, certId: CertID, clock: Clock): Known {
  const now = clock.now();
  const found = tbsResponseData.responses.find((each) => isSame(each.certID, certId));
  if (found === undefined) throw new Error("an answer about another certificate");
  const { thisUpdate, nextUpdate, certStatus } = found satisfies SingleResponse;
  const until = nextUpdate?.getTime() ?? now + withoutEndMs;
  if (thisUpdate.getTime() > now + clockSkewMs || until <= now) throw new Error("an answer that does not hold now");
  if (nextUpdate === undefined && thisUpdate.getTime() < now - clockSkewMs) throw new Error("an old answer");
  if (certStatus.revoked !== undefined) return { status: "revoked", until };
  return { status: certStatus.good === null ? "good" : "unknown", until };
}

function isSame(one: CertID, other: CertID): boolean {
  const bytes = ({ issuerNameHash, issuerKeyHash, serialNumber }: CertID) =>
    [issuerNameHash.buffer, issuerKeyHash.buffer, serialNumber].map((each) => Buffer.from(each).toString("hex")).join();
  return one.hashAlgorithm.algorithm === other.hashAlgorithm.algorithm && bytes(one) === bytes(other);
}
