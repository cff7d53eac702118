/** What one reading may cost. Over a limit the reading ends with a `too-large` Problem. */
export interface ReaderLimits {
  /** Bytes received. */
  readonly bytesMax: number;
  /** Heads of elements, items and fragments. */
  readonly elementsMax: number;
  /** Sequences inside one another. */
  readonly depthMax: number;
  /** Bytes of captured values together, and what is buffered of the file meta information. */
  readonly capturedBytesMax: number;
  /** Deflated transfer syntax: bytes of the inflated data set, and inflated bytes for each one received. */
  readonly inflatedBytesMax: number;
  readonly inflateRatioMax: number;
}

export const readerLimits: ReaderLimits = {
  bytesMax: 16 * 1024 ** 3,
  elementsMax: 5_000_000,
  depthMax: 64,
  capturedBytesMax: 64 * 1024 ** 2,
  inflatedBytesMax: 2 * 1024 ** 3,
  inflateRatioMax: 250,
};
