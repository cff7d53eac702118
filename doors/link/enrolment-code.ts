import { createHash } from "node:crypto";
import { Problem } from "#base/problem";
import { crockford } from "#trust/vault";

/** What is typed on a box: who it is, and by what it knows the cloud before it has ever spoken with it. */
export interface EnrolmentCode {
  /** 80 bits that the cloud told nobody else. */
  readonly secret: Buffer;
  /** The first 112 bits of SHA-256 of the certificate of the cloud's authority for edges. */
  readonly pin: Buffer;
}

const secretBytes = 10;
const pinBytes = 14;

/** Ten groups of four letters and digits. The last byte is a check of the others: who mistypes is told so. */
export function encodeEnrolmentCode(secret: Uint8Array, authorityDigest: Uint8Array): string {
  const content = Buffer.concat([secret.subarray(0, secretBytes), authorityDigest.subarray(0, pinBytes)]);
  return crockford.encode(Buffer.concat([content, checkOf(content)]));
}

/** Problem `invalid` for what is none, or was mistyped. */
export function decodeEnrolmentCode(typed: string): EnrolmentCode {
  const bytes = typed.length > 200 ? undefined : crockford.decode(typed);
  const content = bytes?.subarray(0, secretBytes + pinBytes);
  if (content?.length !== secretBytes + pinBytes || !bytes?.subarray(content.length).equals(checkOf(content))) {
    const remedy = "it has ten groups of four letters and digits: copy it as the cloud's page shows it";
    throw new Problem("invalid", "the code was mistyped", { remedy });
  }
  return { secret: content.subarray(0, secretBytes), pin: content.subarray(secretBytes) };
}

/** Whether a code names the authority of this certificate (DER). */
export function isPinned({ pin }: Pick<EnrolmentCode, "pin">, certificate: Uint8Array): boolean {
  return createHash("sha256").update(certificate).digest().subarray(0, pinBytes).equals(pin);
}

const checkOf = (content: Uint8Array) => createHash("sha256").update(content).digest().subarray(0, 1);
