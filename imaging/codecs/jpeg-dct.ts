import { invalid, unsupported } from "./frame.ts";
import type { EntropyReader, HuffmanTable } from "./jpeg-entropy.ts";
import { entropyReader, readHuffmanTables } from "./jpeg-entropy.ts";
import type { JpegHeader } from "./jpeg-header.ts";
import { readSegment } from "./jpeg-header.ts";
import { inverseTransform, zigzag } from "./jpeg-transform.ts";

/** A progressive frame may hold any number of scans, each a walk over all blocks; real ones have some ten. */
const scansMax = 100;

interface Plane {
  id: number;
  horizontal: number;
  vertical: number;
  quantization: number;
  /** Blocks that hold pixels. */
  blocksWide: number;
  blocksHigh: number;
  /** Blocks of whole interleaved units. */
  stride: number;
  coefficients: Int16Array;
  predicted: number;
}

interface Scan {
  parts: { plane: Plane; dc: HuffmanTable | undefined; ac: HuffmanTable | undefined }[];
  first: number;
  last: number;
  high: number;
  low: number;
}

type BlockReader = (reader: EntropyReader, part: Scan["parts"][number], at: number) => void;

function makePlanes(header: JpegHeader): { planes: Plane[]; unitsWide: number; unitsHigh: number } {
  const across = Math.max(...header.components.map((each) => each.horizontal));
  const down = Math.max(...header.components.map((each) => each.vertical));
  const unitsWide = Math.ceil(header.columns / (8 * across));
  const unitsHigh = Math.ceil(header.rows / (8 * down));
  const planes = header.components.map((each) => ({
    ...each,
    blocksWide: Math.ceil(Math.ceil((header.columns * each.horizontal) / across) / 8),
    blocksHigh: Math.ceil(Math.ceil((header.rows * each.vertical) / down) / 8),
    stride: unitsWide * each.horizontal,
    coefficients: new Int16Array(unitsWide * each.horizontal * unitsHigh * each.vertical * 64),
    predicted: 0,
  }));
  return { planes, unitsWide, unitsHigh };
}

function readScan(payload: Uint8Array, planes: Plane[], tables: (HuffmanTable | undefined)[], process: number): Scan {
  const count = payload[0] ?? 0;
  if (count < 1 || count > planes.length || payload.length < 4 + count * 2) {
    throw invalid("a JPEG scan header that is cut short");
  }
  const parts: Scan["parts"] = [];
  for (let i = 0; i < count; i++) {
    const plane = planes.find((each) => each.id === payload[1 + i * 2]);
    const pick = payload[2 + i * 2] as number;
    if (plane === undefined || pick >> 4 > 3 || (pick & 15) > 3)
      throw invalid("a JPEG scan of a component that is not there");
    parts.push({ plane, dc: tables[pick >> 4], ac: tables[4 + (pick & 15)] });
  }
  const successive = payload[3 + count * 2] as number;
  const scan = {
    parts,
    first: payload[1 + count * 2] as number,
    last: payload[2 + count * 2] as number,
    high: successive >> 4,
    low: successive & 15,
  };
  if (process !== 0xc2) return { ...scan, first: 0, last: 63, high: 0, low: 0 };
  if (scan.last > 63 || scan.first > scan.last || (scan.first === 0 && scan.last !== 0) || scan.low > 13) {
    throw invalid("a JPEG scan outside its block");
  }
  if (scan.first > 0 && count !== 1) throw invalid("a JPEG scan of interleaved frequencies");
  return scan;
}

function need(table: HuffmanTable | undefined): HuffmanTable {
  if (table === undefined) throw invalid("a JPEG scan without its Huffman table");
  return table;
}

function readDc(reader: EntropyReader, part: Scan["parts"][number]): number {
  const category = reader.symbol(need(part.dc));
  if (category > 15) throw invalid("a JPEG difference of more than 15 bits");
  if (category > 0) part.plane.predicted += reader.difference(category);
  return part.plane.predicted;
}

const sequentialBlock: BlockReader = (reader, part, at) => {
  const { coefficients } = part.plane;
  const ac = need(part.ac);
  coefficients[at] = readDc(reader, part);
  for (let k = 1; k < 64; k++) {
    const symbol = reader.symbol(ac);
    const size = symbol & 15;
    if (size === 0) {
      if (symbol !== 0xf0) return;
      k += 15;
      continue;
    }
    k += symbol >> 4;
    if (k > 63) throw invalid("a JPEG block of more than 64 coefficients");
    coefficients[at + (zigzag[k] as number)] = reader.difference(size);
  }
};

/** The four kinds of progressive scan (T.81 G.1.2). `run` counts blocks that an end-of-band run still covers. */
function progressiveBlock(scan: Scan, state: { run: number }): BlockReader {
  const { first, last, low } = scan;
  if (first === 0 && scan.high === 0) {
    return (reader, part, at) => {
      part.plane.coefficients[at] = readDc(reader, part) << low;
    };
  }
  if (first === 0) {
    return (reader, part, at) => {
      if (reader.bits(1) === 1) part.plane.coefficients[at] = (part.plane.coefficients[at] as number) | (1 << low);
    };
  }
  if (scan.high === 0) {
    return (reader, part, at) => {
      if (state.run > 0) {
        state.run--;
        return;
      }
      const ac = need(part.ac);
      for (let k = first; k <= last; k++) {
        const symbol = reader.symbol(ac);
        const size = symbol & 15;
        const zeros = symbol >> 4;
        if (size === 0 && zeros < 15) {
          state.run = (1 << zeros) + reader.bits(zeros) - 1;
          return;
        }
        k += zeros;
        if (size === 0) continue;
        if (k > last) throw invalid("a JPEG block of more coefficients than its band");
        part.plane.coefficients[at + (zigzag[k] as number)] = reader.difference(size) << low;
      }
    };
  }
  return (reader, part, at) => refineBlock(reader, need(part.ac), part.plane.coefficients, at, scan, state);
}

/** One more bit for the coefficients of a band (T.81 G.1.2.3). */
function refineBlock(
  reader: EntropyReader,
  ac: HuffmanTable,
  coefficients: Int16Array,
  at: number,
  { first, last, low }: Scan,
  state: { run: number },
): void {
  const bit = 1 << low;
  const refine = (place: number) => {
    const value = coefficients[place] as number;
    if (reader.bits(1) === 1 && (Math.abs(value) & bit) === 0) coefficients[place] = value + (value > 0 ? bit : -bit);
  };
  let k = first;
  while (state.run === 0 && k <= last) {
    const symbol = reader.symbol(ac);
    const size = symbol & 15;
    let zeros = symbol >> 4;
    let fresh = 0;
    if (size === 0 && zeros < 15) {
      state.run = (1 << zeros) + reader.bits(zeros);
      break;
    }
    if (size > 1) throw invalid("a JPEG refinement of more than one bit");
    if (size === 1) fresh = reader.bits(1) === 1 ? bit : -bit;
    for (; k <= last; k++) {
      const place = at + (zigzag[k] as number);
      if (coefficients[place] !== 0) refine(place);
      else if (zeros-- === 0) {
        coefficients[place] = fresh;
        break;
      }
    }
    k++;
  }
  if (state.run === 0) return;
  for (; k <= last; k++) {
    const place = at + (zigzag[k] as number);
    if (coefficients[place] !== 0) refine(place);
  }
  state.run--;
}

function decodeScan(
  reader: EntropyReader,
  scan: Scan,
  header: JpegHeader,
  units: [number, number],
  interval: number,
): void {
  const state = { run: 0 };
  const block = header.process === 0xc2 ? progressiveBlock(scan, state) : sequentialBlock;
  const alone = scan.parts.length === 1 ? scan.parts[0] : undefined;
  const wide = alone ? alone.plane.blocksWide : units[0];
  const total = wide * (alone ? alone.plane.blocksHigh : units[1]);
  for (const { plane } of scan.parts) plane.predicted = 0;
  for (let unit = 0; unit < total; unit++) {
    if (interval > 0 && unit > 0 && unit % interval === 0) {
      reader.restart();
      state.run = 0;
      for (const { plane } of scan.parts) plane.predicted = 0;
    }
    const x = unit % wide;
    const y = (unit - x) / wide;
    if (alone) {
      block(reader, alone, (y * alone.plane.stride + x) * 64);
    } else {
      for (const part of scan.parts) {
        const { horizontal, vertical, stride } = part.plane;
        for (let v = 0; v < vertical; v++) {
          for (let h = 0; h < horizontal; h++)
            block(reader, part, ((y * vertical + v) * stride + x * horizontal + h) * 64);
        }
      }
    }
    if (x === wide - 1) reader.assertWithin();
  }
}

/** Reads a DQT segment (T.81 B.2.4.1); the steps are kept in natural order. */
function readQuantization(payload: Uint8Array, tables: (Uint16Array | undefined)[]): void {
  let at = 0;
  while (at < payload.length) {
    const target = payload[at++] as number;
    const wide = target >> 4 !== 0;
    if ((target & 15) > 3 || at + (wide ? 128 : 64) > payload.length)
      throw invalid("a JPEG quantization table that is cut short");
    const table = new Uint16Array(64);
    for (let k = 0; k < 64; k++) {
      let step = payload[at++] as number;
      if (wide) step = (step << 8) | (payload[at++] as number);
      table[zigzag[k] as number] = step;
    }
    tables[target & 15] = table;
  }
}

/** Puts the planes together, colour by pixel; a subsampled plane repeats its samples. */
function weave(header: JpegHeader, planes: Plane[], samples: Uint16Array[]): Uint8Array | Uint16Array {
  const { rows, columns } = header;
  const step = planes.length;
  const out = header.precision <= 8 ? new Uint8Array(rows * columns * step) : new Uint16Array(rows * columns * step);
  const across = Math.max(...planes.map((each) => each.horizontal));
  const down = Math.max(...planes.map((each) => each.vertical));
  planes.forEach((plane, index) => {
    const source = samples[index] as Uint16Array;
    const width = plane.stride * 8;
    for (let y = 0; y < rows; y++) {
      const line = Math.floor((y * plane.vertical) / down) * width;
      let to = y * columns * step + index;
      for (let x = 0; x < columns; x++, to += step)
        out[to] = source[line + Math.floor((x * plane.horizontal) / across)] as number;
    }
  });
  return out;
}

/**
 * JPEG by cosine transform (T.81 processes 1, 2 and 4, and the progressive ones): 8 and 12 bits, Huffman coded, any
 * subsampling. Components come out as they are coded, without a colour transform, colour by pixel.
 */
export function decodeJpegDct(bytes: Uint8Array, header: JpegHeader): Uint8Array | Uint16Array {
  if (header.process > 0xc2) throw unsupported("a JPEG frame that is arithmetic or hierarchical");
  if (header.precision !== 8 && header.precision !== 12) throw invalid(`JPEG of ${header.precision} bits`);
  const { planes, unitsWide, unitsHigh } = makePlanes(header);
  const huffman: (HuffmanTable | undefined)[] = [];
  const steps: (Uint16Array | undefined)[] = [];
  const used = new Map<Plane, Uint16Array>();
  let interval = 0;
  let scans = 0;
  let at = 2;
  for (;;) {
    const { marker, payload, next } = readSegment(bytes, at);
    at = next;
    if (marker === 0xd9) break;
    if (marker === 0xc4) readHuffmanTables(payload, huffman);
    if (marker === 0xdb) readQuantization(payload, steps);
    if (marker === 0xdd && payload.length >= 2) interval = ((payload[0] as number) << 8) | (payload[1] as number);
    if (marker !== 0xda) continue;
    if (++scans > scansMax) throw invalid("a JPEG frame of too many scans");
    const scan = readScan(payload, planes, huffman, header.process);
    for (const { plane } of scan.parts) {
      const table = steps[plane.quantization];
      if (table !== undefined && !used.has(plane)) used.set(plane, table);
    }
    const reader = entropyReader(bytes, next);
    decodeScan(reader, scan, header, [unitsWide, unitsHigh], interval);
    at = reader.position();
    if (header.process !== 0xc2 && used.size === planes.length) break;
  }
  const samples = planes.map((plane) => {
    const table = used.get(plane);
    if (table === undefined) throw invalid("a JPEG component without scan or quantization table");
    return inverseTransform(plane.coefficients, table, plane.stride, header.precision);
  });
  return weave(header, planes, samples);
}
