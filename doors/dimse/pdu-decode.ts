import {
  type Abort,
  type AnsweredContext,
  type AssociateAccept,
  type AssociateReject,
  type AssociateRequest,
  abortReason,
  type CommonExtendedNegotiation,
  type ExtendedNegotiation,
  PduError,
  type ProposedContext,
  pduType,
  type RoleSelection,
  type UserIdentity,
  type UserInformation,
} from "./pdu.ts";

/** Every PDU but P-DATA-TF, from the bytes after its six-byte header. Throws `PduError`. */
export function decodePduBody(
  type: number,
  body: Buffer,
): AssociateRequest | AssociateAccept | AssociateReject | Abort | { type: "release-rq" } | { type: "release-rp" } {
  switch (type) {
    case pduType.associateRequest:
      return associateRequest(body);
    case pduType.associateAccept:
      return associateAccept(body);
    case pduType.associateReject:
      return { type: "associate-rj", result: byte(body, 1), source: byte(body, 2), reason: byte(body, 3) };
    case pduType.releaseRequest:
      return { type: "release-rq" };
    case pduType.releaseReply:
      return { type: "release-rp" };
    case pduType.abort:
      return { type: "abort", source: byte(body, 2), reason: byte(body, 3) };
    default:
      throw new PduError(abortReason.unrecognizedPdu, `no PDU has type ${type}`);
  }
}

function associateRequest(body: Buffer): AssociateRequest {
  const items = associateItems(body, 0x20);
  return { type: "associate-rq", ...items.fixed, contexts: items.contexts.map(proposedContext), user: items.user };
}

function associateAccept(body: Buffer): AssociateAccept {
  const items = associateItems(body, 0x21);
  return { type: "associate-ac", ...items.fixed, contexts: items.contexts.map(answeredContext), user: items.user };
}

/** The variable field common to A-ASSOCIATE-RQ and -AC. Items of unknown type are skipped (PS3.8 §9.3.1). */
function associateItems(body: Buffer, contextType: number) {
  if (body.length < 68) throw malformed("an A-ASSOCIATE PDU is shorter than its fixed fields");
  let applicationContext: string | undefined;
  let user: UserInformation | undefined;
  const contexts: Buffer[] = [];
  forEachItem(body.subarray(68), (type, value) => {
    if (type === 0x10) applicationContext = once(applicationContext, uid(value));
    else if (type === contextType) contexts.push(value);
    else if (type === 0x50) user = once(user, userInformation(value));
  });
  if (applicationContext === undefined) throw malformed("no application context item");
  if (user === undefined) throw malformed("no user information item");
  const fixed = {
    protocolVersion: body.readUInt16BE(0),
    calledAe: body.toString("latin1", 4, 20).trim(),
    callingAe: body.toString("latin1", 20, 36).trim(),
    applicationContext,
  };
  return { fixed, contexts, user };
}

function proposedContext(value: Buffer): ProposedContext {
  let abstractSyntax: string | undefined;
  const transferSyntaxes: string[] = [];
  forEachItem(value.subarray(4), (type, syntax) => {
    if (type === 0x30) abstractSyntax = once(abstractSyntax, uid(syntax));
    else if (type === 0x40) transferSyntaxes.push(uid(syntax));
  });
  if (abstractSyntax === undefined) throw malformed("a presentation context without abstract syntax");
  if (transferSyntaxes.length === 0) throw malformed("a presentation context without transfer syntax");
  return { id: byte(value, 0), abstractSyntax, transferSyntaxes };
}

/** A refused context may come without a transfer syntax; it would have no meaning (PS3.8 §9.3.3.2). */
function answeredContext(value: Buffer): AnsweredContext {
  let transferSyntax: string | undefined;
  forEachItem(value.subarray(4), (type, syntax) => {
    if (type === 0x40) transferSyntax = once(transferSyntax, uid(syntax));
  });
  return { id: byte(value, 0), result: byte(value, 2), transferSyntax: transferSyntax ?? "" };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function userInformation(body: Buffer): UserInformation {
  const user: Partial<Writable<UserInformation>> = {};
  const roles: RoleSelection[] = [];
  const extended: ExtendedNegotiation[] = [];
  const commonExtended: CommonExtendedNegotiation[] = [];
  forEachItem(body, (type, value, version) => {
    if (type === 0x51) user.pduBytesMax = once(user.pduBytesMax, sized(value, 4).readUInt32BE(0));
    else if (type === 0x52) user.implementationClassUid = once(user.implementationClassUid, uid(value));
    else if (type === 0x53) user.asyncWindow = once(user.asyncWindow, asyncWindow(sized(value, 4)));
    else if (type === 0x54) roles.push(roleSelection(value));
    else if (type === 0x55) user.implementationVersion = once(user.implementationVersion, text(value));
    else if (type === 0x56) extended.push(extendedNegotiation(value));
    else if (type === 0x57) commonExtended.push(commonExtendedNegotiation(value, version));
    else if (type === 0x58) user.identity = once(user.identity, userIdentity(value));
    else if (type === 0x59) user.identityReply = once(user.identityReply, ownBytes(counted(value, 0).value));
  });
  if (roles.length > 0) user.roles = roles;
  if (extended.length > 0) user.extended = extended;
  if (commonExtended.length > 0) user.commonExtended = commonExtended;
  // Both are mandatory; senders that leave one out are taken as saying "no limit" and "unknown implementation".
  return { ...user, pduBytesMax: user.pduBytesMax ?? 0, implementationClassUid: user.implementationClassUid ?? "" };
}

function asyncWindow(value: Buffer) {
  return { invoked: value.readUInt16BE(0), performed: value.readUInt16BE(2) };
}

function roleSelection(value: Buffer): RoleSelection {
  const { value: name, next } = counted(value, 0);
  return { sopClassUid: uid(name), scu: byte(value, next) === 1, scp: byte(value, next + 1) === 1 };
}

function extendedNegotiation(value: Buffer): ExtendedNegotiation {
  const { value: name, next } = counted(value, 0);
  return { sopClassUid: uid(name), information: ownBytes(value.subarray(next)) };
}

function commonExtendedNegotiation(value: Buffer, version: number): CommonExtendedNegotiation {
  const sopClass = counted(value, 0);
  const serviceClass = counted(value, sopClass.next);
  const related = counted(value, serviceClass.next).value;
  const relatedSopClassUids: string[] = [];
  for (let at = 0; at < related.length; ) {
    const one = counted(related, at);
    relatedSopClassUids.push(uid(one.value));
    at = one.next;
  }
  return { version, sopClassUid: uid(sopClass.value), serviceClassUid: uid(serviceClass.value), relatedSopClassUids };
}

function userIdentity(value: Buffer): UserIdentity {
  const primary = counted(value, 2);
  const secondary = counted(value, primary.next);
  return {
    kind: byte(value, 0),
    replyWanted: byte(value, 1) === 1,
    primary: ownBytes(primary.value),
    secondary: ownBytes(secondary.value),
  };
}

/** Walks items of type, reserved byte, 16-bit length, value. Every item lies within `body` or it throws. */
function forEachItem(body: Buffer, visit: (type: number, value: Buffer, reserved: number) => void): void {
  for (let at = 0; at < body.length; ) {
    const { value, next } = counted(body, at + 2);
    visit(byte(body, at), value, byte(body, at + 1));
    at = next;
  }
}

function counted(body: Buffer, at: number): { value: Buffer; next: number } {
  if (at + 2 > body.length) throw malformed("an item is cut off in its length");
  const next = at + 2 + body.readUInt16BE(at);
  if (next > body.length) throw malformed("an item is longer than what holds it");
  return { value: body.subarray(at + 2, next), next };
}

function byte(body: Buffer, at: number): number {
  const value = body[at];
  if (value === undefined) throw malformed("an item is shorter than its fixed fields");
  return value;
}

function sized(value: Buffer, bytes: number): Buffer {
  if (value.length !== bytes) throw malformed("an item of fixed size has another size");
  return value;
}

function once<T>(before: T | undefined, value: T): T {
  if (before !== undefined)
    throw new PduError(abortReason.unexpectedParameter, "an item that may come once came twice");
  return value;
}

/** UIDs in items are not padded (PS3.8 Annex F); some senders pad them all the same. */
function uid(value: Buffer): string {
  let end = value.length;
  while (end > 0 && (value[end - 1] === 0 || value[end - 1] === 0x20)) end--;
  return value.toString("latin1", 0, end);
}

function text(value: Buffer): string {
  return value.toString("latin1");
}

/** A copy: the association outlives the chunk that the PDU came in. */
function ownBytes(value: Buffer): Uint8Array {
  return new Uint8Array(value);
}

function malformed(message: string): PduError {
  return new PduError(abortReason.invalidParameter, message);
}
