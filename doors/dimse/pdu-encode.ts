import {
  type AnsweredContext,
  type AssociateAccept,
  type AssociateRequest,
  type DataTransfer,
  type Pdu,
  type ProposedContext,
  pduType,
  type UserInformation,
} from "./pdu.ts";

/** The bytes of a PDU in one buffer, so that it leaves in one write: a peer's delayed ACK waits for nothing. */
export function encodePdu(pdu: Pdu): Buffer {
  switch (pdu.type) {
    case "associate-rq":
      return associate(pduType.associateRequest, pdu, pdu.contexts.map(proposedContext));
    case "associate-ac":
      return associate(pduType.associateAccept, pdu, pdu.contexts.map(answeredContext));
    case "associate-rj":
      return short(pduType.associateReject, pdu.result, pdu.source, pdu.reason);
    case "p-data-tf":
      return dataTransfer(pdu);
    case "release-rq":
      return short(pduType.releaseRequest, 0, 0, 0);
    case "release-rp":
      return short(pduType.releaseReply, 0, 0, 0);
    case "abort":
      return short(pduType.abort, 0, pdu.source, pdu.reason);
  }
}

/** Bytes before the first byte of a fragment that is alone in its PDU: PDU header, PDV length, context, control. */
export const singleValueHeaderBytes = 12;

/** Writes the header of a P-DATA-TF that carries one fragment of `fragmentBytes` bytes. */
export function writeSingleValueHeader(
  into: Buffer,
  at: number,
  value: { contextId: number; command: boolean; last: boolean; fragmentBytes: number },
): void {
  into[at] = pduType.dataTransfer;
  into[at + 1] = 0;
  into.writeUInt32BE(value.fragmentBytes + 6, at + 2);
  into.writeUInt32BE(value.fragmentBytes + 2, at + 6);
  into[at + 10] = value.contextId;
  into[at + 11] = (value.command ? 1 : 0) | (value.last ? 2 : 0);
}

function short(type: number, second: number, third: number, fourth: number): Buffer {
  return Buffer.from([type, 0, 0, 0, 0, 4, 0, second, third, fourth]);
}

function dataTransfer(pdu: DataTransfer): Buffer {
  const bodyBytes = pdu.values.reduce((sum, value) => sum + 6 + value.bytes.length, 0);
  const out = Buffer.alloc(6 + bodyBytes);
  out[0] = pduType.dataTransfer;
  out[1] = 0;
  out.writeUInt32BE(bodyBytes, 2);
  let at = 6;
  for (const { contextId, command, last, bytes } of pdu.values) {
    out.writeUInt32BE(bytes.length + 2, at);
    out[at + 4] = contextId;
    out[at + 5] = (command ? 1 : 0) | (last ? 2 : 0);
    out.set(bytes, at + 6);
    at += 6 + bytes.length;
  }
  return out;
}

function associate(type: number, pdu: AssociateRequest | AssociateAccept, contexts: Buffer[]): Buffer {
  const fixed = Buffer.alloc(74);
  fixed.writeUInt16BE(pdu.protocolVersion, 6);
  fixed.write(pdu.calledAe.padEnd(16).slice(0, 16), 10, "latin1");
  fixed.write(pdu.callingAe.padEnd(16).slice(0, 16), 26, "latin1");
  const all = Buffer.concat([fixed, item(0x10, text(pdu.applicationContext)), ...contexts, userInformation(pdu.user)]);
  all[0] = type;
  all.writeUInt32BE(all.length - 6, 2);
  return all;
}

function proposedContext(context: ProposedContext): Buffer {
  const syntaxes = context.transferSyntaxes.map((uid) => item(0x40, text(uid)));
  return item(0x20, Buffer.from([context.id, 0, 0, 0]), item(0x30, text(context.abstractSyntax)), ...syntaxes);
}

function answeredContext(context: AnsweredContext): Buffer {
  return item(0x21, Buffer.from([context.id, 0, context.result, 0]), item(0x40, text(context.transferSyntax)));
}

function userInformation(user: UserInformation): Buffer {
  const items = [item(0x51, uint32(user.pduBytesMax)), item(0x52, text(user.implementationClassUid))];
  const { asyncWindow, identity, identityReply, implementationVersion } = user;
  if (asyncWindow) items.push(item(0x53, uint16(asyncWindow.invoked), uint16(asyncWindow.performed)));
  for (const role of user.roles ?? []) {
    items.push(item(0x54, counted(text(role.sopClassUid)), Buffer.from([role.scu ? 1 : 0, role.scp ? 1 : 0])));
  }
  if (implementationVersion !== undefined) items.push(item(0x55, text(implementationVersion)));
  for (const { sopClassUid, information } of user.extended ?? []) {
    items.push(item(0x56, counted(text(sopClassUid)), information));
  }
  for (const { version, sopClassUid, serviceClassUid, relatedSopClassUids } of user.commonExtended ?? []) {
    const related = Buffer.concat(relatedSopClassUids.map((uid) => counted(text(uid))));
    const encoded = item(0x57, counted(text(sopClassUid)), counted(text(serviceClassUid)), counted(related));
    encoded[1] = version;
    items.push(encoded);
  }
  if (identity) {
    const head = Buffer.from([identity.kind, identity.replyWanted ? 1 : 0]);
    items.push(item(0x58, head, counted(identity.primary), counted(identity.secondary)));
  }
  if (identityReply) items.push(item(0x59, counted(identityReply)));
  return item(0x50, ...items);
}

function item(type: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type, 0]), counted(body)]);
}

/** A 16-bit length and the bytes. */
function counted(bytes: Uint8Array): Buffer {
  if (bytes.length > 0xffff) throw new RangeError("an item of an A-ASSOCIATE PDU holds at most 65,535 bytes");
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function text(value: string): Buffer {
  return Buffer.from(value, "latin1");
}

function uint16(value: number): Buffer {
  const out = Buffer.alloc(2);
  out.writeUInt16BE(value);
  return out;
}

function uint32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
}
