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

/** An incremental reader of PDUs from chunks of any size. P-DATA is passed on as it comes, never copied or awaited. */
export function createPduReader(sink: PduSink, limits: PduReaderLimits): PduReader {
  const header = Buffer.alloc(headerBytes);
  let headerFilled = 0;
  let mode: "header" | "collect" | "value-header" | "value" = "header";
  let type = 0;
  /** Bytes of the current PDU that are still to come; of the current fragment. */
  let pduLeft = 0;
  let valueLeft = 0;
  let contextId = 0;
  let control = 0;
  let collected = Buffer.alloc(0);
  let collectedFilled = 0;

  /** Fills the small header buffer; true when it is complete. */
  const fillHeader = (chunk: Uint8Array, at: number): number => {
    const take = Math.min(headerBytes - headerFilled, chunk.length - at);
    for (let i = 0; i < take; i++) header[headerFilled + i] = chunk[at + i] ?? 0;
    headerFilled += take;
    return at + take;
  };

  const beginPdu = (): boolean => {
    headerFilled = 0;
    type = header[0] ?? 0;
    pduLeft = header.readUInt32BE(2);
    checkLength(type, pduLeft, limits);
    if (type === pduType.dataTransfer) {
      mode = "value-header";
      return sink.dataBegins();
    }
    mode = "collect";
    collectedFilled = 0;
    return true;
  };

  const beginValue = (): boolean => {
    headerFilled = 0;
    const length = header.readUInt32BE(0);
    contextId = header[4] ?? 0;
    control = header[5] ?? 0;
    // Compared without sums that could wrap: `length` may be anything up to 2^32 - 1 (PS3.8 §9.3.5.1).
    if (length < 2 || length > pduLeft - 4) {
      throw new PduError(abortReason.invalidParameter, "a presentation data value does not fit its PDU");
    }
    valueLeft = length - 2;
    pduLeft -= 4 + length;
    if (pduLeft > 0 && pduLeft < valueHeaderBytes) {
      throw new PduError(abortReason.invalidParameter, "bytes left over at the end of a P-DATA-TF");
    }
    mode = "value";
    return valueLeft > 0 || endValue(new Uint8Array(0));
  };

  /** Hands on the last piece of a fragment. */
  const endValue = (bytes: Uint8Array): boolean => {
    mode = pduLeft === 0 ? "header" : "value-header";
    return sink.data(contextId, (control & 1) === 1, (control & 2) === 2, bytes);
  };

  const readValue = (chunk: Uint8Array, at: number): { at: number; on: boolean } => {
    const take = Math.min(valueLeft, chunk.length - at);
    const bytes = chunk.subarray(at, at + take);
    valueLeft -= take;
    const on = valueLeft === 0 ? endValue(bytes) : sink.data(contextId, (control & 1) === 1, false, bytes);
    return { at: at + take, on };
  };

  const readBody = (chunk: Uint8Array, at: number): { at: number; on: boolean } => {
    const take = Math.min(pduLeft, chunk.length - at);
    const piece = chunk.subarray(at, at + take);
    pduLeft -= take;
    if (pduLeft > 0 || collectedFilled > 0) {
      collected = appended(collected, collectedFilled, piece);
      collectedFilled += take;
    }
    if (pduLeft > 0) return { at: at + take, on: true };
    const body = collectedFilled > 0 ? collected.subarray(0, collectedFilled) : asBuffer(piece);
    mode = "header";
    const pdu = decodePduBody(type, body);
    collected = Buffer.alloc(0);
    return { at: at + take, on: sink.pdu(pdu) };
  };

  const read = (chunk: Uint8Array, from: number): number => {
    let at = from;
    let on = true;
    while (on && at < chunk.length) {
      if (mode === "value") ({ at, on } = readValue(chunk, at));
      else if (mode === "collect") ({ at, on } = readBody(chunk, at));
      else {
        at = fillHeader(chunk, at);
        if (headerFilled === headerBytes) on = mode === "header" ? beginPdu() : beginValue();
      }
    }
    return at;
  };

  return { read, between: () => mode === "header" && headerFilled === 0 };
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
function appended(buffer: Buffer, filled: number, piece: Uint8Array): Buffer<ArrayBuffer> {
  let into = buffer as Buffer<ArrayBuffer>;
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
