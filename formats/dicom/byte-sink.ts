/** A buffer that grows by what is written to it. */
export interface ByteSink {
  readonly size: () => number;
  bytes(value: Uint8Array): void;
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  /** Writes over what is already there. */
  u32At(at: number, value: number): void;
  /** Makes room for `size` zero bytes and gives their place. */
  room(size: number): { view: DataView; at: number };
  setBigEndian(bigEndian: boolean): void;
  /** Everything written, as a view of the sink's own buffer: the sink is done with then. */
  take(): Uint8Array<ArrayBuffer>;
}

export function createByteSink(startBytes = 4096): ByteSink {
  let buffer = new Uint8Array(startBytes);
  let view = new DataView(buffer.buffer);
  let used = 0;
  let little = true;
  const room = (size: number) => {
    const at = used;
    used += size;
    if (used > buffer.length) {
      const larger = new Uint8Array(Math.max(used, buffer.length * 2));
      larger.set(buffer.subarray(0, at));
      buffer = larger;
      view = new DataView(buffer.buffer);
    }
    return at;
  };
  return {
    size: () => used,
    bytes(value) {
      const at = room(value.length);
      buffer.set(value, at);
    },
    u8(value) {
      const at = room(1); // first, since it may change the buffer
      buffer[at] = value;
    },
    u16(value) {
      const at = room(2);
      view.setUint16(at, value, little);
    },
    u32(value) {
      const at = room(4);
      view.setUint32(at, value, little);
    },
    u32At: (at, value) => view.setUint32(at, value, little),
    room(size) {
      const at = room(size);
      return { view, at };
    },
    setBigEndian(bigEndian) {
      little = !bigEndian;
    },
    take: () => buffer.subarray(0, used),
  };
}
