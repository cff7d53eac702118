import type { Problem } from "#base/problem";
import { type DataElement, DataSet } from "./data-set.ts";
import { createReader } from "./reader.ts";
import type { ReaderLimits } from "./reader-limits.ts";
import { pixelDataTags } from "./tags.ts";
import { encodingOf } from "./transfer-syntaxes.ts";
import type { Vr } from "./vr.ts";

export interface HeaderReaderOptions {
  /** Top-level elements whose values are kept; sequences are passed over. */
  readonly wanted: readonly number[];
  /** Of a bare data set; left out for a file. */
  readonly transferSyntaxUid?: string;
  /** Offset that the first byte of a bare data set has for the caller; 0 if left out. */
  readonly dataSetOffset?: number;
  readonly limits?: Partial<ReaderLimits>;
}

export interface Header {
  /** The wanted elements that were there. Their offsets are within this data set's own bytes, not the stream's. */
  readonly dataSet: DataSet;
  readonly problem: Problem | undefined;
  readonly transferSyntaxUid: string;
  readonly dataSetOffset: number;
}

export interface HeaderReader {
  /** Takes the next piece. False when an element beyond all that is wanted was reached, or pixel data, or it is broken. Never throws. */
  write(chunk: Uint8Array): boolean;
  /** Whether the element has been read, or cannot come any more since a later one has begun. */
  passed(tag: number): boolean;
  /** What is known by now; final after `write` gave false or the last piece was written. */
  header(last?: boolean): Header;
}

/** Reads chosen values at the top level of an instance on its way in, and nothing behind the last of them. */
export function createHeaderReader(options: HeaderReaderOptions): HeaderReader {
  const wanted = [...options.wanted].sort((a, b) => a - b);
  const found: DataElement[] = [];
  let kept = new Uint8Array(2048);
  let used = 0;
  let next = 0;
  let newest = -1;
  let pendingTag = 0;
  let pendingVr: Vr = "UN";

  const capture = (tag: number, vr: Vr, _length: number, depth: number): boolean => {
    if (depth > 0) return false;
    if (tag < newest) next = 0;
    newest = tag;
    while (next < wanted.length && wanted[next]! < tag) next += 1;
    if (wanted[next] !== tag) return false;
    pendingTag = tag;
    pendingVr = vr;
    return true;
  };
  const value = (bytes: Uint8Array, from: number, to: number): void => {
    const length = to - from;
    if (used + length > kept.length) {
      const larger = new Uint8Array(Math.max(kept.length * 2, used + length));
      larger.set(kept.subarray(0, used));
      kept = larger;
    }
    for (let i = 0; i < length; i += 1) kept[used + i] = bytes[from + i]!;
    found.push({ tag: pendingTag, vr: pendingVr, offset: used, length, items: undefined, fragments: undefined });
    used += length;
  };
  const reader = createReader({
    ...(options.transferSyntaxUid === undefined ? {} : { transferSyntaxUid: options.transferSyntaxUid }),
    ...(options.dataSetOffset === undefined ? {} : { dataSetOffset: options.dataSetOffset }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    stopBefore: pixelDataTags,
    stopBeyond: wanted.at(-1) ?? -1,
    capture,
    events: { value },
  });
  return {
    write: (chunk) => reader.write(chunk),
    passed: (tag) =>
      Math.max(newest, reader.progress().stoppedAt?.tag ?? -1) > tag || found.some((element) => element.tag === tag),
    header(last = true) {
      const result = last ? reader.end() : reader.progress();
      const elements = [...found].sort((a, b) => a.tag - b.tag);
      const source = { bytes: kept.subarray(0, used), shift: 0 };
      const { problem, transferSyntaxUid, dataSetOffset } = result;
      const dataSet = new DataSet(source, elements, encodingOf(transferSyntaxUid));
      return { dataSet, problem, transferSyntaxUid, dataSetOffset };
    },
  };
}
