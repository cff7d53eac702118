import { asProblem, Problem } from "#base/problem";
import { parseHead, viewOf } from "./element-head.ts";
import { encodingFound, type FileStart, readFileStart } from "./file-start.ts";
import { createInflater } from "./inflate.ts";
import type { ReaderEvents, StopPoint } from "./reader-events.ts";
import { passUsualElements, takeHead } from "./reader-heads.ts";
import { type ReaderLimits, readerLimits } from "./reader-limits.ts";
import { fail, failWith, Inside, pathOf, popFrame, type ReaderState, Status } from "./reader-state.ts";
import { encodingOf } from "./transfer-syntaxes.ts";
import type { Vr } from "./vr.ts";

export interface ReaderOptions {
  /** Transfer syntax of a bare data set, as DIMSE sends it. Left out, a file is read, and what lacks is found out. */
  readonly transferSyntaxUid?: string;
  /** Offset that the first byte of a bare data set has for the caller; 0 if left out. */
  readonly dataSetOffset?: number;
  readonly events?: ReaderEvents;
  /**
   * Says whether `value` is wanted for an element whose head was just read; asked for the Basic Offset Table too, as
   * the encapsulated element's tag with VR UL. Values are collected only as their bytes arrive.
   */
  readonly capture?: ((tag: number, vr: Vr, length: number, depth: number) => boolean) | undefined;
  /** Deflated transfer syntax: gets the inflated data set, piece by piece. The bytes are only lent. */
  readonly onInflated?: ((bytes: Uint8Array) => void) | undefined;
  /** Stop in front of any of these at the top level, before its value is needed. */
  readonly stopBefore?: readonly number[];
  /** Stop in front of the first element at the top level with a larger tag (PS3.5 §7.1: they ascend). */
  readonly stopBeyond?: number;
  readonly limits?: Partial<ReaderLimits>;
}

export interface ReadResult {
  /** The data set was read to its end, or to the element asked for. */
  readonly complete: boolean;
  /** Why not. What the events told before stays true. */
  readonly problem: Problem | undefined;
  readonly stoppedAt: StopPoint | undefined;
  readonly transferSyntaxUid: string;
  readonly dataSetOffset: number;
  readonly bytesReceived: number;
}

export interface Reader {
  /** Takes the next piece, of any size; it is only borrowed for the call. False when nothing more is wanted: stopped or failed. Never throws. */
  write(chunk: Uint8Array): boolean;
  /** No more will come. */
  end(): ReadResult;
  /** How far it is; `complete` only says that nothing went wrong so far. */
  progress(): ReadResult;
}

const nothing = () => {};
/**
 * Reads a DICOM file or data set that arrives in pieces, and tells where everything is without copying it. Iterative,
 * within `limits`; an input that breaks a rule ends the reading with a Problem that names the place, never a value.
 */
export function createReader(options: ReaderOptions = {}): Reader {
  const s = initialState(options);
  if (options.transferSyntaxUid !== undefined) startDataSet(s, options.transferSyntaxUid, options.dataSetOffset ?? 0);
  return {
    write(chunk) {
      if (s.status !== Status.reading) return false;
      s.received += chunk.length;
      if (s.received > s.limits.bytesMax) {
        fail(s, "too-large", `more than ${s.limits.bytesMax} bytes`, s.base);
        return false;
      }
      if (s.lead === undefined) feed(s, chunk);
      else collectStart(s, chunk);
      return s.status === Status.reading;
    },
    end() {
      if (s.status === Status.reading) finish(s);
      return resultOf(s);
    },
    progress: () => resultOf(s),
  };
}

function resultOf(s: ReaderState): ReadResult {
  return {
    complete: s.problem === undefined,
    problem: s.problem,
    stoppedAt: s.stop,
    transferSyntaxUid: s.transferSyntaxUid,
    dataSetOffset: s.dataSetOffset,
    bytesReceived: s.received,
  };
}

function initialState(options: ReaderOptions): ReaderState {
  const stops = options.stopBefore ?? [];
  const lastWanted = options.stopBeyond ?? Number.POSITIVE_INFINITY;
  return {
    explicitVr: true,
    bigEndian: false,
    tag: 0,
    vr: "UN",
    length: 0,
    events: withDefaults(options.events ?? {}),
    capture: options.capture,
    onInflated: options.onInflated,
    stops,
    lastWanted,
    stopMin: Math.min(lastWanted + 1, ...stops),
    limits: options.limits === undefined ? readerLimits : { ...readerLimits, ...options.limits },
    status: Status.reading,
    problem: undefined,
    stop: undefined,
    lead: [],
    leadBytes: 0,
    leadNeeds: 0,
    transferSyntaxUid: "",
    dataSetOffset: 0,
    inflater: undefined,
    received: 0,
    elements: 0,
    captured: 0,
    base: 0,
    left: 0,
    settled: false,
    carry: undefined,
    carried: 0,
    capturing: false,
    pieces: undefined,
    inside: Inside.dataSet,
    end: Number.POSITIVE_INFINITY,
    depth: 0,
    level: 0,
    frames: [],
  };
}

/** Fills in what the caller does not listen to. */
function withDefaults(on: ReaderEvents): Required<ReaderEvents> {
  return {
    preamble: on.preamble ?? nothing,
    dataSetStart: on.dataSetStart ?? nothing,
    element: on.element ?? nothing,
    value: on.value ?? nothing,
    sequenceStart: on.sequenceStart ?? nothing,
    itemStart: on.itemStart ?? nothing,
    itemEnd: on.itemEnd ?? nothing,
    sequenceEnd: on.sequenceEnd ?? nothing,
    encapsulatedStart: on.encapsulatedStart ?? nothing,
    fragment: on.fragment ?? nothing,
    encapsulatedEnd: on.encapsulatedEnd ?? nothing,
    unread: on.unread ?? nothing,
  };
}

function startDataSet(s: ReaderState, transferSyntaxUid: string, offset: number): void {
  const syntax = encodingOf(transferSyntaxUid);
  s.lead = undefined;
  s.transferSyntaxUid = transferSyntaxUid;
  s.dataSetOffset = offset;
  s.base = offset;
  s.explicitVr = syntax.explicitVr;
  s.bigEndian = syntax.bigEndian;
  if (syntax.deflated) {
    const { inflatedBytesMax, inflateRatioMax } = s.limits;
    const onOutput = (bytes: Uint8Array) => {
      s.onInflated?.(bytes);
      consume(s, bytes);
      if (s.status !== Status.reading) s.inflater?.stop();
    };
    s.inflater = createInflater({ inflatedBytesMax, inflateRatioMax, onOutput });
  }
  s.events.dataSetStart(transferSyntaxUid, offset);
}

/**
 * Collects pieces until the file meta information is whole. Joins them a logarithmic number of times. What outlives the call is
 * copied, and not by `slice`: of a Buffer that is a view.
 */
function collectStart(s: ReaderState, chunk: Uint8Array): void {
  s.lead!.push(chunk);
  s.leadBytes += chunk.length;
  if (s.leadBytes < s.leadNeeds) {
    s.lead![s.lead!.length - 1] = new Uint8Array(chunk);
    return;
  }
  tryStart(s, false);
}

function tryStart(s: ReaderState, last: boolean): void {
  const bytes = s.lead!.length === 1 ? s.lead![0]! : joined(s.lead!);
  let start: FileStart | number;
  try {
    start = readFileStart(bytes, last);
  } catch (error) {
    failWith(s, asProblem(error, "reading a file"), 0);
    return;
  }
  if (typeof start === "number") {
    s.lead = [new Uint8Array(bytes)];
    s.leadNeeds = Math.max(start, Math.ceil(bytes.length * 1.5));
    return;
  }
  if (start.preambleBytes > 0) s.events.preamble(start.preambleBytes);
  for (const { tag, vr, offset, length } of start.elements) {
    s.events.element(tag, vr, offset, length, 0);
    if (s.capture?.(tag, vr, length, 0)) s.events.value(bytes, offset, offset + length);
  }
  startDataSet(s, start.transferSyntaxUid, start.dataSetOffset);
  feed(s, bytes.subarray(start.dataSetOffset));
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function feed(s: ReaderState, bytes: Uint8Array): void {
  if (s.inflater === undefined) {
    consume(s, bytes);
    return;
  }
  try {
    s.inflater.push(bytes);
  } catch (error) {
    failWith(s, asProblem(error, "inflating a data set"), s.dataSetOffset);
  }
}

/** The main loop: one head after the other, values passed over. */
function consume(s: ReaderState, bytes: Uint8Array): void {
  const view = viewOf(bytes);
  const end = bytes.length;
  let at = s.carried > 0 ? finishCarriedHead(s, bytes) : 0;
  while (s.status === Status.reading) {
    if (s.left > 0) {
      at = passValue(s, bytes, at);
      if (s.left > 0) break;
    }
    at = passUsualElements(s, bytes, view, at);
    if (s.status !== Status.reading) break;
    const position = s.base + at;
    while (position >= s.end) popFrame(s, position);
    const size = settledHead(s, bytes, view, at, end);
    if (size === 0) {
      if (at < end) stash(s, bytes, at);
      break;
    }
    at += size;
    takeHead(s, position + size, size);
  }
  s.base += end;
}

function settledHead(s: ReaderState, bytes: Uint8Array, view: DataView, at: number, end: number): number {
  if (!s.settled) {
    if (end - at < 8) return 0;
    s.settled = true;
    const { explicitVr, bigEndian } = encodingFound(s.transferSyntaxUid, bytes, at);
    s.explicitVr = explicitVr;
    s.bigEndian = bigEndian;
  }
  return parseHead(s, view, at, end);
}

function stash(s: ReaderState, bytes: Uint8Array, at: number): void {
  s.carry ??= new DataView(new ArrayBuffer(12));
  bytesOf(s.carry).set(bytes.subarray(at));
  s.carried = bytes.length - at;
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Completes a head that began in an earlier piece; returns how much of this piece belongs to it. */
function finishCarriedHead(s: ReaderState, bytes: Uint8Array): number {
  const carry = bytesOf(s.carry!);
  const before = s.carried;
  const more = Math.min(12 - before, bytes.length);
  carry.set(bytes.subarray(0, more), before);
  const size = settledHead(s, carry, s.carry!, 0, before + more);
  if (size === 0) {
    s.carried = before + more;
    return bytes.length;
  }
  s.carried = 0;
  const used = size - before;
  takeHead(s, s.base + used, size);
  return used;
}

function passValue(s: ReaderState, bytes: Uint8Array, at: number): number {
  const size = Math.min(s.left, bytes.length - at);
  s.left -= size;
  if (s.capturing) capturePart(s, bytes, at, at + size);
  return at + size;
}

function capturePart(s: ReaderState, bytes: Uint8Array, from: number, to: number): void {
  if (s.left === 0 && s.pieces === undefined) {
    s.capturing = false;
    s.events.value(bytes, from, to);
    return;
  }
  s.pieces ??= [];
  s.pieces.push(new Uint8Array(bytes.subarray(from, to)));
  if (s.left > 0) return;
  const whole = joined(s.pieces);
  s.pieces = undefined;
  s.capturing = false;
  s.events.value(whole, 0, whole.length);
}

function finish(s: ReaderState): void {
  if (s.lead !== undefined) tryStart(s, true);
  if (s.status !== Status.reading) return;
  const position = s.base;
  if (s.inflater !== undefined && !s.inflater.finished()) {
    fail(s, "invalid", "the deflated data set ends early", position);
    return;
  }
  if (s.left > 0) {
    fail(s, "invalid", `the input ends ${s.left} bytes before a value does`, position, s.tag);
    return;
  }
  while (position >= s.end) popFrame(s, position);
  if (s.carried > 0 && !isPadding(s)) {
    fail(s, "invalid", "the input ends inside the head of an element", position);
    return;
  }
  if (s.level > 0) {
    const problem = `the input ends inside ${pathOf(s)}, byte ${position}: its delimiter is missing`;
    failWith(s, new Problem("invalid", problem), position);
    return;
  }
  s.status = Status.ended;
}

/** A few zero bytes behind the last element, as media with even block sizes leave them. */
function isPadding(s: ReaderState): boolean {
  return (
    s.level === 0 &&
    bytesOf(s.carry!)
      .subarray(0, s.carried)
      .every((byte) => byte === 0)
  );
}
