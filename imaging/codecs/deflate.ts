import { invalid } from "./frame.ts";

/** Inflates one deflated frame (PS3.5 A.4.13) and stops as soon as it would be longer than `bytesMax`. */
export async function inflateFrame(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  const out = new Uint8Array(bytesMax);
  // A deflated frame is padded to even length; the stream API calls a trailing byte an error, and it may come only after
  // all data was delivered, so what counts is whether the frame was filled.
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  let at = 0;
  try {
    while (at <= bytesMax) {
      const { done, value } = await reader.read();
      if (done) break;
      if (at + value.length > bytesMax + 1) throw invalid("a deflated frame longer than its header says");
      out.set(value.subarray(0, bytesMax - at), at);
      at += value.length;
    }
  } catch (error) {
    if (at < bytesMax) throw invalid("a deflated frame that does not inflate", error);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  if (at < bytesMax) throw invalid(`a deflated frame of ${at} bytes of ${bytesMax}`);
  return out;
}
