import { abortReason, type Pdu, PduError, pduType } from "./pdu.ts";
import { decodePduBody } from "./pdu-decode.ts";

/** Any PDU that is decoded whole. */
export type WholePdu = Exclude<Pdu, { type: "p-data-tf" }>;

/** Where the reader hands events to. A method that answers `false` stops the reader right after that event. */
export interface PduSink {
  pdu(pdu: WholePdu): boolean;
  /** A P-DATA-TF begins. */
  dataBegins(): boolean;
  /**
   * A piece of a fragment: a view of the chunk that was read, valid for the time of the call. `last` marks the last
   * piece of the last fragment of a command set or data set; such a piece may be empty.
   */
  data(contextId: number, command: boolean, last: boolean, bytes: Uint8Array): boolean;
}

export interface PduReader {
  /**
   * Reads from `chunk` at `from`, until its end or until the sink answers `false`; returns where it stopped.
   * Throws `PduError` when the bytes are no PDU; framing is lost then and the reader must not be used again.
   */
  read(chunk: Uint8Array, from: number): number;
  /** Whether the stream stands between two PDUs. */
  between(): boolean;
}

export interface PduReaderLimits {
  /** Largest variable field of a P-DATA-TF, tolerance included. Nothing of this size is ever allocated. */
  readonly dataPduBytesMax: number;
  /** Largest A-ASSOCIATE-RQ or -AC. They are the only PDUs that are collected; memory grows as bytes arrive. */
  readonly associatePduBytesMax: number;
}

const headerBytes = 6;
const valueHeaderBytes = 6;

/** Where the reader stands in the stream. */
interface Position {
  mode: "header" | "collect" | "value-header" | "value";
  readonly header: Buffer;
  headerFilled: number;
  type: number;
  /** Bytes of the current PDU that are still to come; of the current fragment. */
  pduLeft: number;
  valueLeft: number;
  contextId: number;
  control: number;
  collected: Buffer;
  collectedFilled: number;
}

const nothing = Buffer.alloc(0);

/** An incremental reader of PDUs from chunks of any size. P-DATA is passed on as it comes, never copied or awaited. */
export function createPduReader(sink: PduSink, limits: PduReaderLimits): PduReader {
  const position: Position = {
    mode: "header",
    header: Buffer.alloc(headerBytes),
    headerFilled: 0,
    type: 0,
    pduLeft: 0,
    valueLeft: 0,
    contextId: 0,
    control: 0,
    collected: nothing,
    collectedFilled: 0,
  };
  return {
    read(chunk, from) {
      let at = from;
      let on = true;
      while (on && at < chunk.length) {
        const piece = chunk.subarray(at, at + wanted(position));
        at += piece.length;
        if (position.mode === "value") on = readValue(position, piece, sink);
        else if (position.mode === "collect") on = readBody(position, piece, sink);
        else on = readHeader(position, piece, sink, limits);
      }
      return at;
    },
    between: () => position.mode === "header" && position.headerFilled === 0,
  };
}

/** How many bytes the next step can use. */
function wanted(position: Position): number {
  if (position.mode === "value") return position.valueLeft;
  if (position.mode === "collect") return position.pduLeft;
  return headerBytes - position.headerFilled;
}

function readHeader(position: Position, piece: Uint8Array, sink: PduSink, limits: PduReaderLimits): boolean {
  position.header.set(piece, position.headerFilled);
  position.headerFilled += piece.length;
  if (position.headerFilled < headerBytes) return true;
  position.headerFilled = 0;
  return position.mode === "header" ? beginPdu(position, sink, limits) : beginValue(position, sink);
}

function beginPdu(position: Position, sink: PduSink, limits: PduReaderLimits): boolean {
  position.type = position.header[0] ?? 0;
  position.pduLeft = position.header.readUInt32BE(2);
  checkLength(position.type, position.pduLeft, limits);
  if (position.type === pduType.dataTransfer) {
    position.mode = "value-header";
    return sink.dataBegins();
  }
  position.mode = "collect";
  position.collectedFilled = 0;
  return true;
}

function beginValue(position: Position, sink: PduSink): boolean {
  const length = position.header.readUInt32BE(0);
  position.contextId = position.header[4] ?? 0;
  position.control = position.header[5] ?? 0;
  // Compared without sums that could wrap: `length` may be anything up to 2^32 - 1 (PS3.8 §9.3.5.1).
  if (length < 2 || length > position.pduLeft - 4) {
    throw new PduError(abortReason.invalidParameter, "a presentation data value does not fit its PDU");
  }
  position.valueLeft = length - 2;
  position.pduLeft -= 4 + length;
  if (position.pduLeft > 0 && position.pduLeft < valueHeaderBytes) {
    throw new PduError(abortReason.invalidParameter, "bytes left over at the end of a P-DATA-TF");
  }
  position.mode = "value";
  return position.valueLeft > 0 || readValue(position, nothing, sink);
}

function readValue(position: Position, piece: Uint8Array, sink: PduSink): boolean {
  position.valueLeft -= piece.length;
  const ends = position.valueLeft === 0;
  if (ends) position.mode = position.pduLeft === 0 ? "header" : "value-header";
  const { contextId, control } = position;
  return sink.data(contextId, (control & 1) === 1, ends && (control & 2) === 2, piece);
}

function readBody(position: Position, piece: Uint8Array, sink: PduSink): boolean {
  position.pduLeft -= piece.length;
  if (position.pduLeft > 0 || position.collectedFilled > 0) {
    position.collected = appended(position.collected, position.collectedFilled, piece);
    position.collectedFilled += piece.length;
  }
  if (position.pduLeft > 0) return true;
  const { collected, collectedFilled, type } = position;
  const body = collectedFilled > 0 ? collected.subarray(0, collectedFilled) : asBuffer(piece);
  position.mode = "header";
  position.collected = nothing;
  return sink.pdu(decodePduBody(type, body));
}

/** Refuses a length before anything is done on its word. */
function checkLength(type: number, length: number, limits: PduReaderLimits): void {
  const { dataPduBytesMax, associatePduBytesMax } = limits;
  switch (type) {
    case pduType.associateRequest:
    case pduType.associateAccept:
      if (length >= 68 && length <= associatePduBytesMax) return;
      break;
    case pduType.dataTransfer:
      if (length >= valueHeaderBytes && length <= dataPduBytesMax) return;
      break;
    case pduType.associateReject:
    case pduType.releaseRequest:
    case pduType.releaseReply:
    case pduType.abort:
      if (length === 4) return;
      break;
    default:
      throw new PduError(abortReason.unrecognizedPdu, `no PDU has type ${type}`);
  }
  throw new PduError(abortReason.invalidParameter, `a PDU of type ${type} cannot have length ${length}`);
}

/** `piece` behind the first `filled` bytes; the buffer doubles, so memory follows the bytes that came. */
function appended(buffer: Buffer, filled: number, piece: Uint8Array): Buffer {
  let into = buffer;
  if (filled + piece.length > into.length) {
    into = Buffer.alloc(Math.max(1024, 2 * into.length, filled + piece.length));
    buffer.copy(into, 0, 0, filled);
  }
  into.set(piece, filled);
  return into;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
