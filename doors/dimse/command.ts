/** Values of (0000,0100) of PS3.7 Annex E.1; a response is its request with bit 15 set. */
export const commandField = {
  cStoreRq: 0x0001,
  cGetRq: 0x0010,
  cFindRq: 0x0020,
  cMoveRq: 0x0021,
  cEchoRq: 0x0030,
  nEventReportRq: 0x0100,
  nGetRq: 0x0110,
  nSetRq: 0x0120,
  nActionRq: 0x0130,
  nCreateRq: 0x0140,
  nDeleteRq: 0x0150,
  cCancelRq: 0x0fff,
} as const;

export const responseBit = 0x8000;

/** (0000,0800) when no data set follows; any other value says that one does. */
export const noDataSet = 0x0101;

/** A command set: its elements by keyword (PS3.7 Annex E). AT elements are lists of tags as 32-bit numbers. */
export interface CommandSet {
  readonly CommandField: number;
  readonly CommandDataSetType: number;
  readonly AffectedSOPClassUID?: string | undefined;
  readonly RequestedSOPClassUID?: string | undefined;
  readonly MessageID?: number | undefined;
  readonly MessageIDBeingRespondedTo?: number | undefined;
  readonly MoveDestination?: string | undefined;
  readonly Priority?: number | undefined;
  readonly Status?: number | undefined;
  readonly OffendingElement?: readonly number[] | undefined;
  readonly ErrorComment?: string | undefined;
  readonly ErrorID?: number | undefined;
  readonly AffectedSOPInstanceUID?: string | undefined;
  readonly RequestedSOPInstanceUID?: string | undefined;
  readonly EventTypeID?: number | undefined;
  readonly AttributeIdentifierList?: readonly number[] | undefined;
  readonly ActionTypeID?: number | undefined;
  readonly NumberOfRemainingSuboperations?: number | undefined;
  readonly NumberOfCompletedSuboperations?: number | undefined;
  readonly NumberOfFailedSuboperations?: number | undefined;
  readonly NumberOfWarningSuboperations?: number | undefined;
  readonly MoveOriginatorApplicationEntityTitle?: string | undefined;
  readonly MoveOriginatorMessageID?: number | undefined;
}

type Kind = "UI" | "US" | "AE" | "LO" | "AT";

/** Ascending by element number, as they are written. */
const elements: readonly (readonly [number, keyof CommandSet, Kind])[] = [
  [0x0002, "AffectedSOPClassUID", "UI"],
  [0x0003, "RequestedSOPClassUID", "UI"],
  [0x0100, "CommandField", "US"],
  [0x0110, "MessageID", "US"],
  [0x0120, "MessageIDBeingRespondedTo", "US"],
  [0x0600, "MoveDestination", "AE"],
  [0x0700, "Priority", "US"],
  [0x0800, "CommandDataSetType", "US"],
  [0x0900, "Status", "US"],
  [0x0901, "OffendingElement", "AT"],
  [0x0902, "ErrorComment", "LO"],
  [0x0903, "ErrorID", "US"],
  [0x1000, "AffectedSOPInstanceUID", "UI"],
  [0x1001, "RequestedSOPInstanceUID", "UI"],
  [0x1002, "EventTypeID", "US"],
  [0x1005, "AttributeIdentifierList", "AT"],
  [0x1008, "ActionTypeID", "US"],
  [0x1020, "NumberOfRemainingSuboperations", "US"],
  [0x1021, "NumberOfCompletedSuboperations", "US"],
  [0x1022, "NumberOfFailedSuboperations", "US"],
  [0x1023, "NumberOfWarningSuboperations", "US"],
  [0x1030, "MoveOriginatorApplicationEntityTitle", "AE"],
  [0x1031, "MoveOriginatorMessageID", "US"],
];

const byElement = new Map(elements.map((row) => [row[0], row]));

/** A command set that cannot be answered, because it cannot be told what it asks. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

export interface DecodedCommand {
  readonly command: CommandSet;
  /** Tags of elements whose value does not fit its VR; they are left out of `command`. */
  readonly mistyped: readonly number[];
}

/**
 * Reads a command set: implicit VR little endian, group 0000 only (PS3.7 §6.3.1). Unknown and retired elements are
 * skipped. Throws `CommandError` when it is cut off, holds an element twice or out of group 0000, or lacks
 * (0000,0100) or (0000,0800).
 */
export function decodeCommand(bytes: Uint8Array): DecodedCommand {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: Record<string, string | number | number[]> = {};
  const seen = new Set<number>();
  const mistyped: number[] = [];
  for (let at = 0; at < buffer.length; ) {
    if (buffer.length - at < 8) throw new CommandError("a command set is cut off");
    const group = buffer.readUInt16LE(at);
    const element = buffer.readUInt16LE(at + 2);
    const length = buffer.readUInt32LE(at + 4);
    at += 8;
    if (group !== 0) throw new CommandError("a command set holds an element outside group 0000");
    if (length > buffer.length - at) throw new CommandError("a command element is longer than its command set");
    if (seen.has(element)) throw new CommandError("a command set holds an element twice");
    seen.add(element);
    const row = byElement.get(element);
    if (row) {
      const value = decodeValue(row[2], buffer, at, length);
      if (value === undefined) mistyped.push(element);
      else values[row[1]] = value;
    }
    at += length;
  }
  const { CommandField, CommandDataSetType } = values;
  if (typeof CommandField !== "number" || typeof CommandDataSetType !== "number") {
    throw new CommandError("a command set without command field or data set type");
  }
  return { command: { ...values, CommandField, CommandDataSetType }, mistyped };
}

const textBytesMax = { UI: 64, AE: 16, LO: 64 } as const;

/** Undefined when the value does not fit: a number of another size, a text over its length. */
function decodeValue(kind: Kind, buffer: Buffer, at: number, length: number): string | number | number[] | undefined {
  if (kind === "US") return length === 2 ? buffer.readUInt16LE(at) : undefined;
  if (kind === "AT") {
    if (length % 4 !== 0) return undefined;
    const tags: number[] = [];
    for (let i = at; i < at + length; i += 4) tags.push(buffer.readUInt16LE(i) * 0x10000 + buffer.readUInt16LE(i + 2));
    return tags;
  }
  let end = at + length;
  while (end > at && (buffer[end - 1] === 0 || buffer[end - 1] === 0x20)) end--;
  if (end - at > textBytesMax[kind]) return undefined;
  const text = buffer.toString("latin1", at, end);
  if (kind === "UI") return /^[0-9.]*$/.test(text) ? text : undefined;
  return kind === "AE" ? text.trimStart() : text;
}

/** The bytes of a command set, group length first. */
export function encodeCommand(command: CommandSet): Buffer {
  const parts: Buffer[] = [];
  for (const [element, keyword, kind] of elements) {
    const value = command[keyword];
    if (value !== undefined) parts.push(encodeElement(element, kind, value));
  }
  const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const groupLength = Buffer.alloc(12);
  groupLength.writeUInt32LE(4, 4);
  groupLength.writeUInt32LE(bodyBytes, 8);
  return Buffer.concat([groupLength, ...parts]);
}

function encodeElement(element: number, kind: Kind, value: string | number | readonly number[]): Buffer {
  const bytes = encodeValue(kind, value);
  const out = Buffer.alloc(8 + bytes.length);
  out.writeUInt16LE(element, 2);
  out.writeUInt32LE(bytes.length, 4);
  out.set(bytes, 8);
  return out;
}

function encodeValue(kind: Kind, value: string | number | readonly number[]): Buffer {
  if (typeof value === "number") {
    const out = Buffer.alloc(2);
    out.writeUInt16LE(value);
    return out;
  }
  if (typeof value === "string") {
    const padded = value.length % 2 === 0 ? value : value + (kind === "UI" ? "\0" : " ");
    return Buffer.from(padded, "latin1");
  }
  const out = Buffer.alloc(4 * value.length);
  value.forEach((tag, i) => {
    out.writeUInt16LE(tag >>> 16, 4 * i);
    out.writeUInt16LE(tag & 0xffff, 4 * i + 2);
  });
  return out;
}
