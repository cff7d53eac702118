import { Problem } from "#base/problem";
import { buildCodes, type Codes, decodeLong, fixedDistances, fixedLiterals, primaryBits } from "./inflate-codes.ts";

/** Inflates one raw deflate stream (RFC 1951) that arrives in pieces. */
export interface Inflater {
  /** Takes the next piece and calls `onOutput` with what it gave. Bytes after the end of the stream are ignored. */
  push(bytes: Uint8Array): void;
  /** The last block has been seen. */
  finished(): boolean;
  /** No more is wanted, not of what was pushed either: `onOutput`, from which this may be called, is not called again. */
  stop(): void;
}

export interface InflateOptions {
  /** The bytes belong to the inflater and are overwritten after the call. */
  onOutput(bytes: Uint8Array): void;
  readonly inflatedBytesMax: number;
  /** Most output for each byte of input, counted once the output passes `ratioFreeBytes`. */
  readonly inflateRatioMax: number;
}

/** Below this much output a high ratio is a blank image, not an attack. */
const ratioFreeBytes = 16 * 1024 * 1024;
const noBytes = new Uint8Array(0);
const historyBytes = 32768;
const freshBytes = 65536;
/** From here on one byte is repeated faster by `fill`: blank stretches, which are what swells most. */
const filledLengthMin = 64;

type Step = "start" | "head" | "stored" | "codes" | "done";

interface State {
  step: Step;
  input: Uint8Array;
  at: number;
  /** Bits not used yet, lowest first, and how many. */
  bits: number;
  count: number;
  lastBlock: boolean;
  storedLeft: number;
  literals: Codes;
  distances: Codes;
  /** History (32 KiB) and what has not been handed on. */
  readonly window: Uint8Array;
  to: number;
  handed: number;
  received: number;
  produced: number;
  stopped: boolean;
  readonly options: InflateOptions;
}

const lengthBase = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/**
 * A synchronous inflater without dependencies, so that the browser and the server read the deflated transfer syntax by
 * the same code. Each step that finds too little input goes back to where it began and waits for the next piece, so a
 * stream may be cut anywhere. Throws `invalid` for damaged input and `too-large` over its budgets.
 */
export function createInflater(options: InflateOptions): Inflater {
  const state: State = {
    step: "start",
    input: noBytes,
    at: 0,
    bits: 0,
    count: 0,
    lastBlock: false,
    storedLeft: 0,
    literals: fixedLiterals,
    distances: fixedDistances,
    window: new Uint8Array(historyBytes + freshBytes),
    to: 0,
    handed: 0,
    received: 0,
    produced: 0,
    stopped: false,
    options,
  };
  return {
    push(bytes) {
      if (state.stopped || state.step === "done" || bytes.length === 0) return;
      state.received += bytes.length;
      state.input = joined(state.input.subarray(state.at), bytes);
      state.at = 0;
      run(state);
      hand(state);
    },
    finished: () => state.step === "done",
    stop() {
      state.stopped = true;
      // Whatever step it is called from finds too little input, as at the end of a piece, and asks for none.
      state.input = noBytes;
      state.at = state.bits = state.count = 0;
    },
  };
}

function joined(rest: Uint8Array, more: Uint8Array): Uint8Array {
  if (rest.length === 0) return more;
  const all = new Uint8Array(rest.length + more.length);
  all.set(rest);
  all.set(more, rest.length);
  return all;
}

function damaged(what: string): Problem {
  return new Problem("invalid", `the deflated data set is damaged: ${what}`);
}

function run(s: State): void {
  for (;;) {
    if (s.step === "done") return;
    const { at, bits, count } = s;
    const step = s.step;
    const advanced =
      step === "start" ? skipWrapper(s) : step === "head" ? blockHead(s) : step === "stored" ? stored(s) : codes(s);
    if (advanced) continue;
    if (step === "head" || step === "start") Object.assign(s, { at, bits, count });
    return;
  }
}

/** Some writers put the two bytes of zlib (RFC 1950) in front, against PS3.5 §A.5; no stored block can begin so. */
function skipWrapper(s: State): boolean {
  if (s.input.length < 2) return false;
  const word = s.input[0]! * 256 + s.input[1]!;
  if ((s.input[0]! & 0x0f) === 8 && s.input[0]! >> 4 <= 7 && word % 31 === 0) s.at = 2;
  s.step = "head";
  return true;
}

/** At least `wanted` (up to 24) bits in hand, or false. */
function fill(s: State, wanted: number): boolean {
  while (s.count < wanted) {
    if (s.at >= s.input.length) return false;
    s.bits |= s.input[s.at++]! << s.count;
    s.count += 8;
  }
  return true;
}

function take(s: State, size: number): number {
  const value = s.bits & ((1 << size) - 1);
  s.bits >>>= size;
  s.count -= size;
  return value;
}

function blockHead(s: State): boolean {
  if (!fill(s, 3)) return false;
  const last = take(s, 1) === 1;
  const type = take(s, 2);
  if (type === 3) throw damaged("unknown block type");
  if (type === 0) {
    take(s, s.count & 7);
    if (!fill(s, 16)) return false;
    const length = take(s, 16);
    if (!fill(s, 16)) return false;
    if (take(s, 16) !== (length ^ 0xffff)) throw damaged("stored block without its length");
    s.storedLeft = length;
    s.step = "stored";
  } else {
    const pair = type === 1 ? { literals: fixedLiterals, distances: fixedDistances } : dynamicCodes(s);
    if (pair === undefined) return false;
    s.literals = pair.literals;
    s.distances = pair.distances;
    s.step = "codes";
  }
  s.lastBlock = last;
  return true;
}

function dynamicCodes(s: State): { literals: Codes; distances: Codes } | undefined {
  if (!fill(s, 14)) return undefined;
  const literalCount = take(s, 5) + 257;
  const distanceCount = take(s, 5) + 1;
  const codeCount = take(s, 4) + 4;
  if (literalCount > 286 || distanceCount > 30) throw damaged("too many codes");
  const sizes = new Uint8Array(19);
  for (let i = 0; i < codeCount; i += 1) {
    if (!fill(s, 3)) return undefined;
    sizes[codeLengthOrder[i]!] = take(s, 3);
  }
  const lengths = readLengths(s, buildCodes(sizes, false, damaged), literalCount + distanceCount);
  if (lengths === undefined) return undefined;
  if (lengths[256] === 0) throw damaged("no end of block");
  return {
    literals: buildCodes(lengths.subarray(0, literalCount), true, damaged),
    distances: buildCodes(lengths.subarray(literalCount), true, damaged),
  };
}

function readLengths(s: State, codeLengths: Codes, total: number): Uint8Array | undefined {
  const lengths = new Uint8Array(total);
  for (let i = 0; i < total; ) {
    const symbol = decode(s, codeLengths);
    if (symbol < 0) return undefined;
    if (symbol < 16) {
      lengths[i++] = symbol;
      continue;
    }
    const extra = symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
    if (!fill(s, extra)) return undefined;
    const repeat = take(s, extra) + (symbol === 18 ? 11 : 3);
    if ((symbol === 16 && i === 0) || i + repeat > total) throw damaged("bad run of code lengths");
    lengths.fill(symbol === 16 ? lengths[i - 1]! : 0, i, i + repeat);
    i += repeat;
  }
  return lengths;
}

/** The next symbol, or -1 when the input does not hold all of it; nothing is used up then. */
function decode(s: State, codes: Codes): number {
  fill(s, 15);
  const entry = codes.primary[s.bits & ((1 << primaryBits) - 1)]!;
  const found = entry !== 0 ? entry : decodeLong(codes, s.bits, s.count, damaged);
  const size = found & 15;
  if (found === 0 || size > s.count) return -1;
  s.bits >>>= size;
  s.count -= size;
  return found >>> 4;
}

function stored(s: State): boolean {
  while (s.storedLeft > 0 && s.count >= 8) {
    emit(s, take(s, 8));
    s.storedLeft -= 1;
  }
  while (s.storedLeft > 0) {
    if (s.to === s.window.length) hand(s);
    const size = Math.min(s.storedLeft, s.input.length - s.at, s.window.length - s.to);
    if (size === 0) return false;
    s.window.set(s.input.subarray(s.at, s.at + size), s.to);
    s.at += size;
    s.to += size;
    s.storedLeft -= size;
  }
  endBlock(s);
  return true;
}

function endBlock(s: State): void {
  s.step = s.lastBlock ? "done" : "head";
}

function emit(s: State, byte: number): void {
  if (s.to === s.window.length) hand(s);
  s.window[s.to++] = byte;
}

function codes(s: State): boolean {
  for (;;) {
    const { at, bits, count } = s;
    const symbol = decode(s, s.literals);
    if (symbol >= 0 && symbol < 256) {
      emit(s, symbol);
      continue;
    }
    if (symbol === 256) {
      endBlock(s);
      return true;
    }
    if (symbol > 285) throw damaged("unknown length");
    if (symbol < 0 || !match(s, symbol - 257)) {
      s.at = at;
      s.bits = bits;
      s.count = count;
      return false;
    }
  }
}

/** Copies from the history; false, with the input partly used, when the pair is not all there. */
function match(s: State, lengthSymbol: number): boolean {
  const extra = lengthExtra[lengthSymbol]!;
  if (!fill(s, extra)) return false;
  const length = lengthBase[lengthSymbol]! + take(s, extra);
  const symbol = decode(s, s.distances);
  if (symbol < 0) return false;
  if (symbol > 29) throw damaged("unknown distance");
  const distanceExtra = symbol < 2 ? 0 : (symbol >> 1) - 1;
  if (!fill(s, distanceExtra)) return false;
  const distance = distanceBase[symbol]! + take(s, distanceExtra);
  if (distance > s.produced + (s.to - s.handed)) throw damaged("distance before the beginning");
  if (s.to + length > s.window.length) hand(s);
  const window = s.window;
  const from = s.to;
  const end = from + length;
  if (distance === 1 && length >= filledLengthMin) window.fill(window[from - 1]!, from, end);
  else for (let to = from; to < end; to += 1) window[to] = window[to - distance]!;
  s.to = end;
  return true;
}

/** Passes new output on and keeps the last 32 KiB as history. */
function hand(s: State): void {
  const size = s.to - s.handed;
  if (size > 0 && !s.stopped) {
    s.produced += size;
    const { inflatedBytesMax, inflateRatioMax } = s.options;
    if (s.produced > inflatedBytesMax) {
      throw new Problem("too-large", `the deflated data set is larger than ${inflatedBytesMax} bytes`);
    }
    if (s.produced > ratioFreeBytes && s.produced > s.received * inflateRatioMax) {
      throw new Problem("too-large", `the deflated data set grows by more than ${inflateRatioMax} times`);
    }
    s.options.onOutput(s.window.subarray(s.handed, s.to));
  }
  if (s.to > s.window.length - historyBytes) {
    s.window.copyWithin(0, s.to - historyBytes, s.to);
    s.to = historyBytes;
  }
  s.handed = s.to;
}
