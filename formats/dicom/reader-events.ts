import type { Vr } from "./vr.ts";

/**
 * What a reader tells, in the order of the stream. Offsets count from the first byte received; in the deflated transfer
 * syntax the data set counts as if it had been received inflated, right after the file meta information. `length` is
 * `undefinedLength` where a delimiter ends the thing. `depth` is the number of items around an element. The functions are
 * called without `this`.
 */
export interface ReaderEvents {
  /** The bytes in front of the prefix of a file, 128 of them, hold something (PS3.10 §7.1). */
  preamble?(length: number): void;
  /** The data set begins (at once for a bare data set, after the file meta information for a file). */
  dataSetStart?(transferSyntaxUid: string, offset: number): void;
  /** An element with a value, of the file meta information too. The VR is UN where the letters are no VR. */
  element?(tag: number, vr: Vr, offset: number, length: number, depth: number): void;
  /** The value of the element before, if it was captured. The bytes are only lent: copy what must outlive the call. */
  value?(bytes: Uint8Array, from: number, to: number): void;
  /** `vr` is SQ, or UN for a private sequence of unknown VR (PS3.5 §6.2.2). */
  sequenceStart?(tag: number, vr: Vr, offset: number, length: number): void;
  itemStart?(index: number, offset: number, length: number): void;
  itemEnd?(offset: number): void;
  sequenceEnd?(offset: number): void;
  encapsulatedStart?(tag: number, vr: Vr, offset: number): void;
  /** Index 0 is the Basic Offset Table (PS3.5 §A.4). */
  fragment?(index: number, offset: number, length: number): void;
  encapsulatedEnd?(offset: number): void;
  /** The reading stops here, at a Problem or at an element to stop at: of nothing from `offset` on is told. */
  unread?(offset: number): void;
}

/** The element a reader stopped in front of. */
export interface StopPoint {
  readonly tag: number;
  readonly vr: Vr;
  readonly headOffset: number;
  readonly valueOffset: number;
  readonly length: number;
}
