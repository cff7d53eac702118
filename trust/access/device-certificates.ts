import { createHash, type KeyObject, X509Certificate } from "node:crypto";
import { Problem } from "#base/problem";

/** What a caller has proven of itself in a TLS handshake. */
export interface DeviceProof {
  /** Of the key that it holds, as `keyDigestOf` gives it. */
  readonly keyDigest: string;
  /** The name that one of this home's own authorities vouches for, as `canonicalName` gives it; undefined: none does. */
  readonly name: string | undefined;
}

const nameMark = "name ";

/** SHA-256 of the public key (SPKI), lower-case hex: a certificate that is renewed with its key stays the same. */
export function keyDigestOf({ publicKey }: Pick<X509Certificate, "publicKey">): string {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/** What a machine is bound to that shows this certificate (PEM). Problem `invalid` when it is none, or its key is weak (PS3.15 §B.13). */
export function boundToKey(pem: string): string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw new Problem("invalid", "not a certificate in PEM", { cause });
  }
  if (isStrong(certificate.publicKey)) return keyDigestOf(certificate);
  const remedy = "RSA of 2048 bits or more, or an elliptic curve of 256 or more";
  throw new Problem("invalid", "the key of that certificate is too weak", { remedy });
}

/** What a machine is bound to that shows a certificate of this name from an authority of the customer. */
export function boundToName(name: string): string {
  return nameMark + canonicalName(name);
}

/** Whether that is what a machine is bound to; nothing is shown by who is bound to nothing. */
export function isProven(bound: string, { keyDigest, name }: DeviceProof): boolean {
  if (bound === "") return false;
  return bound.startsWith(nameMark) ? name !== undefined && bound === nameMark + name : bound === keyDigest;
}

/**
 * A distinguished name in one text, however it is written: its parts sorted, `CN=CT1,O=Example`. It takes RFC 4514 (`CN=CT1,O=Example`) and
 * what Node shows of a certificate (a line each), both with their escapes. Problem `invalid` for what is no name.
 */
export function canonicalName(text: string): string {
  const parts = (text.match(/(?:\\.|[^\\,\n])+/g) ?? [""]).map((part) => {
    const [, type, value] = /^\s*([A-Za-z][A-Za-z0-9]*|\d+(?:\.\d+)+)\s*=\s*(.*\S)\s*$/s.exec(part) ?? [];
    if (type !== undefined && value !== undefined) return `${type.toUpperCase()}=${value}`;
    throw new Problem("invalid", "not a distinguished name", { remedy: "such as CN=CT1,O=Example Clinic,C=DE" });
  });
  return parts.sort().join(",");
}

function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType === "rsa" || asymmetricKeyType === "rsa-pss") {
    return (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
  }
  if (asymmetricKeyType === "ec") {
    return ["prime256v1", "secp384r1", "secp521r1"].includes(asymmetricKeyDetails?.namedCurve ?? "");
  }
  return asymmetricKeyType === "ed25519" || asymmetricKeyType === "ed448";
}
