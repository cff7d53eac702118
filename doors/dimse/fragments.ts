import { singleValueHeaderBytes, writeSingleValueHeader } from "./pdu-encode.ts";
import type { UpperLayer } from "./upper-layer.ts";

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

/** Sends a data set as it comes, a fragment a PDU, no faster than the transport takes it. Bytes are not copied. */
export async function sendDataSet(
  layer: Pick<UpperLayer, "send" | "drained">,
  contextId: number,
  source: DataSetSource,
  fragmentBytes: number,
): Promise<void> {
  let held: Uint8Array | undefined; // one fragment behind, so that the last can be marked
  const put = async (fragment: Uint8Array, last: boolean) => {
    const header = Buffer.alloc(singleValueHeaderBytes);
    writeSingleValueHeader(header, 0, { contextId, command: false, last, fragmentBytes: fragment.length });
    if (!layer.send(header, fragment)) throw new Error("the association is over");
    await layer.drained();
  };
  for await (const piece of source) {
    for (let at = 0; at < piece.length; at += fragmentBytes) {
      if (held) await put(held, false);
      held = piece.subarray(at, at + fragmentBytes);
    }
  }
  await put(held ?? new Uint8Array(0), true);
}
