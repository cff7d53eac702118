import { singleValueHeaderBytes, writeSingleValueHeader } from "./pdu-encode.ts";
import type { UpperLayer } from "./upper-layer.ts";

/** A data set in pieces of any size. What was handed over must not change until the request is answered. */
export type DataSetSource = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Our own bound where the peer states none, or one beyond reason. */
const sendPduBytesMax = 131_072;

/** Smallest maximum length that can carry data: PDV header (6) and one pair of bytes; fragments are of even size. */
export const usablePduBytesMin = 8;

/** Data bytes a fragment may have so that its PDU is never longer than the peer takes (PS3.8 §D.1); 0 is no limit. */
export function fragmentBytesFor(peerPduBytesMax: number): number {
  const most = peerPduBytesMax === 0 ? sendPduBytesMax : Math.min(peerPduBytesMax, sendPduBytesMax);
  if (most < usablePduBytesMin) throw new RangeError("no data fits the peer's maximum length");
  return (most - 6) & ~1;
}

/** A whole command set or small data set as P-DATA-TF PDUs of one fragment each, in one buffer. */
export function encodeFragments(contextId: number, command: boolean, bytes: Uint8Array, fragmentBytes: number): Buffer {
  const count = Math.max(1, Math.ceil(bytes.length / fragmentBytes));
  const out = Buffer.alloc(bytes.length + count * singleValueHeaderBytes);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const fragment = bytes.subarray(i * fragmentBytes, (i + 1) * fragmentBytes);
    writeSingleValueHeader(out, at, { contextId, command, last: i === count - 1, fragmentBytes: fragment.length });
    out.set(fragment, at + singleValueHeaderBytes);
    at += singleValueHeaderBytes + fragment.length;
  }
  return out;
}

/** PDUs of a data set that leave together: peers that take 16 KiB at a time would cost a call of the system for each. */
const togetherBytes = 131_072;
/** Their headers lie in one buffer: a CT slice has 33 of them for a peer that takes 16 KiB, and as many buffers cost a tenth of sending. */
const headersTogether = 32;

/**
 * Sends a data set as it comes, no faster than the transport takes it; `head`, the PDUs of its command, leaves with the first
 * fragments. Bytes are not copied. Every fragment but the last is as long as the peer takes and so of even length, whatever
 * the lengths of the pieces (PS3.8 Annex E).
 */
export async function sendDataSet(
  layer: Pick<UpperLayer, "send" | "drained">,
  contextId: number,
  head: Uint8Array,
  source: DataSetSource,
  fragmentBytes: number,
  onSent: () => void,
): Promise<void> {
  let ready: Uint8Array[] = [head];
  let readyBytes = 0;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let headers = Buffer.alloc(0);
  const close = (last: boolean) => {
    if (headers.length === 0) headers = Buffer.alloc(headersTogether * singleValueHeaderBytes);
    writeSingleValueHeader(headers, 0, { contextId, command: false, last, fragmentBytes: heldBytes });
    ready.push(headers.subarray(0, singleValueHeaderBytes), ...held);
    headers = headers.subarray(singleValueHeaderBytes);
    readyBytes += heldBytes;
    held = [];
    heldBytes = 0;
  };
  const put = async () => {
    const pdus = ready;
    ready = [];
    readyBytes = 0;
    if (!layer.send(...pdus)) throw new Error("the association is over");
    await layer.drained();
    onSent();
  };
  for await (const piece of source) {
    for (let at = 0; at < piece.length; ) {
      if (heldBytes === fragmentBytes) close(false); // not before more comes: the last one is to be marked
      if (readyBytes >= togetherBytes) await put();
      const part = piece.subarray(at, at + fragmentBytes - heldBytes);
      held.push(part);
      heldBytes += part.length;
      at += part.length;
    }
  }
  close(true);
  await put();
}
