import { invalid, unsupported } from "./frame.ts";
import type { EntropyReader, HuffmanTable } from "./jpeg-entropy.ts";
import { entropyReader, readHuffmanTables } from "./jpeg-entropy.ts";
import type { JpegHeader } from "./jpeg-header.ts";
import { readSegment } from "./jpeg-header.ts";

interface LosslessScan {
  /** Index of each component of the scan in the frame, with its table. */
  parts: { component: number; table: HuffmanTable }[];
  predictor: number;
  pointTransform: number;
}

function readScan(payload: Uint8Array, header: JpegHeader, tables: (HuffmanTable | undefined)[]): LosslessScan {
  const count = payload[0] ?? 0;
  if (count < 1 || count > header.components.length || payload.length < 4 + count * 2) {
    throw invalid("a JPEG scan header that is cut short");
  }
  const parts: LosslessScan["parts"] = [];
  for (let i = 0; i < count; i++) {
    const component = header.components.findIndex((each) => each.id === payload[1 + i * 2]);
    const table = tables[(payload[2 + i * 2] as number) >> 4];
    if (component < 0 || table === undefined) throw invalid("a JPEG scan of a component or table that is not there");
    parts.push({ component, table });
  }
  const predictor = payload[1 + count * 2] as number;
  const pointTransform = (payload[3 + count * 2] as number) & 15;
  if (predictor < 1 || predictor > 7) throw invalid(`JPEG predictor ${predictor}`);
  if (pointTransform >= header.precision) throw invalid("a JPEG point transform that leaves no bits");
  return { parts, predictor, pointTransform };
}

/** The predictors of T.81 Table H.1, from the samples left, above, and above left. */
function predict(predictor: number, a: number, b: number, c: number): number {
  switch (predictor) {
    case 1:
      return a;
    case 2:
      return b;
    case 3:
      return c;
    case 4:
      return a + b - c;
    case 5:
      return a + ((b - c) >> 1);
    case 6:
      return b + ((a - c) >> 1);
    default:
      return (a + b) >> 1;
  }
}

/** The next difference, T.81 H.1.2.2; category 16 stands for 32768 and has no further bits. */
function readDifference(reader: EntropyReader, table: HuffmanTable): number {
  const category = reader.symbol(table);
  if (category === 0) return 0;
  if (category < 16) return reader.difference(category);
  if (category > 16) throw invalid("a JPEG difference of more than 16 bits");
  return 32768;
}

function decodeScan(
  reader: EntropyReader,
  scan: LosslessScan,
  header: JpegHeader,
  restartInterval: number,
  out: Uint8Array | Uint16Array,
): void {
  const { rows, columns, precision } = header;
  const { predictor } = scan;
  if (restartInterval % columns !== 0) throw unsupported("a lossless JPEG frame with restarts inside a row");
  const rowsBetween = restartInterval / columns;
  const step = header.components.length;
  const stride = columns * step;
  const start = 1 << (precision - scan.pointTransform - 1);
  let firstRow = 0;
  for (let y = 0; y < rows; y++) {
    if (rowsBetween > 0 && y > 0 && y % rowsBetween === 0) {
      reader.restart();
      firstRow = y;
    }
    for (let x = 0; x < columns; x++) {
      for (const { component, table } of scan.parts) {
        const at = y * stride + x * step + component;
        let expected: number;
        if (y === firstRow) expected = x === 0 ? start : (out[at - step] as number);
        else if (x === 0) expected = out[at - stride] as number;
        else {
          const above = at - stride;
          expected = predict(predictor, out[at - step] as number, out[above] as number, out[above - step] as number);
        }
        out[at] = expected + readDifference(reader, table);
      }
    }
    // Once a row keeps a frame that is cut short from being padded out to the end.
    reader.assertWithin();
  }
}

function undoPointTransform(out: Uint8Array | Uint16Array, scan: LosslessScan, step: number): void {
  if (scan.pointTransform === 0) return;
  for (const { component } of scan.parts) {
    for (let i = component; i < out.length; i += step) out[i] = (out[i] as number) << scan.pointTransform;
  }
}

/**
 * JPEG Lossless (T.81 Annex H, processes 14 and 14 SV1): all predictors, point transform, restarts, components together or
 * in scans of their own. The result is colour by pixel, bytes up to 8 bits of precision.
 */
export function decodeJpegLossless(bytes: Uint8Array, header: JpegHeader): Uint8Array | Uint16Array {
  if (header.precision < 2 || header.precision > 16) throw invalid(`lossless JPEG of ${header.precision} bits`);
  if (header.components.some((each) => each.horizontal !== 1 || each.vertical !== 1)) {
    throw unsupported("a lossless JPEG frame with subsampled components");
  }
  const count = header.rows * header.columns * header.components.length;
  const out = header.precision <= 8 ? new Uint8Array(count) : new Uint16Array(count);
  const tables: (HuffmanTable | undefined)[] = [];
  const missing = new Set(header.components.keys());
  let restartInterval = 0;
  let at = 2;
  while (missing.size > 0) {
    const { marker, payload, next } = readSegment(bytes, at);
    at = next;
    if (marker === 0xd9) throw invalid("a JPEG frame without all of its components");
    if (marker === 0xc4) readHuffmanTables(payload, tables);
    if (marker === 0xdd && payload.length >= 2)
      restartInterval = ((payload[0] as number) << 8) | (payload[1] as number);
    if (marker !== 0xda) continue;
    const scan = readScan(payload, header, tables);
    for (const { component } of scan.parts) {
      if (!missing.delete(component)) throw invalid("a JPEG component that comes twice");
    }
    const reader = entropyReader(bytes, next);
    decodeScan(reader, scan, header, restartInterval, out);
    undoPointTransform(out, scan, header.components.length);
    at = reader.position();
  }
  return out;
}
