/** Bytes as they can be moved from one thread to another. What shares its memory with others is copied before. */
export function movable(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? buffer : Uint8Array.from(bytes).buffer;
}
