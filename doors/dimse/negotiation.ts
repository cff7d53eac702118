import { isStorageSopClass, TransferSyntaxUid } from "#formats/dicom";
import {
  type AnsweredContext,
  contextResult,
  type PresentationContext,
  type ProposedContext,
  type UserIdentity,
  verificationSopClass,
} from "./pdu.ts";
import type { DimseServices } from "./ports.ts";

/** Which presentation contexts are taken for verification and storage. */
export interface NegotiationPolicy {
  sopClass(uid: string): boolean;
  transferSyntax(uid: string): boolean;
}

/**
 * The policy of an archive: verification, the storage SOP classes of the standard, those that are newer than our table, and private ones
 * (any UID outside the DICOM root). Every transfer syntax is taken, since objects are kept as received.
 */
export const storagePolicy: NegotiationPolicy = {
  sopClass: (uid) => uid === verificationSopClass || isStorageSopClass(uid),
  transferSyntax: hasUidForm,
};

/** Identifiers and the data sets of N- services are never compressed as images are. */
const plainSyntaxes: ReadonlySet<string> = new Set([
  TransferSyntaxUid.implicitLittleEndian,
  TransferSyntaxUid.explicitLittleEndian,
  TransferSyntaxUid.deflatedExplicitLittleEndian,
  TransferSyntaxUid.explicitBigEndian,
]);

/**
 * Answers each proposed context on its own: of its transfer syntaxes the first, in the requestor's order, that is taken.
 * What the policy does not hold is taken where this caller has a service of that SOP class. A context that is refused
 * does not touch the others (PS3.8 §7.1.1.13).
 */
export function negotiate(
  proposed: readonly ProposedContext[],
  policy: NegotiationPolicy,
  { finds, retrieves, normalized }: Pick<DimseServices, "finds" | "retrieves" | "normalized">,
): { answers: AnsweredContext[]; accepted: Map<number, PresentationContext> } {
  const answers: AnsweredContext[] = [];
  const accepted = new Map<number, PresentationContext>();
  const refused = (id: number, result: number) => ({
    id,
    result,
    transferSyntax: TransferSyntaxUid.implicitLittleEndian,
  });
  for (const { id, abstractSyntax, transferSyntaxes } of proposed) {
    const served = finds?.has(abstractSyntax) || retrieves?.has(abstractSyntax) || normalized?.has(abstractSyntax);
    if (!served && !policy.sopClass(abstractSyntax)) {
      answers.push(refused(id, contextResult.abstractSyntaxNotSupported));
      continue;
    }
    const transferSyntax = transferSyntaxes.find((uid) =>
      served ? plainSyntaxes.has(uid) : policy.transferSyntax(uid),
    );
    if (transferSyntax === undefined) {
      answers.push(refused(id, contextResult.transferSyntaxesNotSupported));
      continue;
    }
    answers.push({ id, result: contextResult.accepted, transferSyntax });
    accepted.set(id, { id, sopClassUid: abstractSyntax, transferSyntaxUid: transferSyntax });
  }
  return { answers, accepted };
}

/** PS3.5 §9.1, lenient on leading zeros, which old senders write. */
export function hasUidForm(uid: string): boolean {
  return uid.length > 0 && uid.length <= 64 && /^[0-9]+(\.[0-9]+)*$/.test(uid);
}

/** PS3.5 Table 6.2-1, AE: 1 to 16 characters without backslash and control characters. */
export function isAeTitle(title: string): boolean {
  return /^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(title) && title.trim() !== "";
}

/** Largest primary and secondary field taken together; passwords and tokens are far smaller. */
const identityBytesMax = 16_384;

/** Whether a user identity has the form of its kind (PS3.7 §D.3.3.7.1). Says nothing of whether it is true. */
export function isIdentityOfSoundForm({ kind, primary, secondary }: UserIdentity): boolean {
  if (primary.length === 0 || primary.length + secondary.length > identityBytesMax) return false;
  if (kind !== 2 && secondary.length > 0) return false;
  if (kind === 1 || kind === 2) return !/[\p{Cc}\uFFFD]/u.test(Buffer.from(primary).toString("utf8"));
  if (kind === 5) return isJwtOfSoundForm(Buffer.from(primary).toString("latin1"));
  return kind === 3 || kind === 4;
}

/** RFC 7519 in compact JWS form (RFC 7515 §7.1): three base64url parts, a header that names a signature algorithm. */
function isJwtOfSoundForm(token: string): boolean {
  const parts = token.split(".");
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) return false;
  try {
    const header: unknown = JSON.parse(Buffer.from(parts[0] ?? "", "base64url").toString("utf8"));
    const payload: unknown = JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8"));
    if (typeof header !== "object" || header === null || typeof payload !== "object" || payload === null) return false;
    const { alg } = header as { alg?: unknown };
    return typeof alg === "string" && alg.toLowerCase() !== "none";
  } catch {
    return false;
  }
}
