import { isProblem, type Problem } from "#base/problem";
import { type ByteRange, type DataElement, DataSet, type Source } from "./data-set.ts";
import { undefinedLength } from "./element-head.ts";
import { type Encoding, encodingFound, type FileStart, readFileStart } from "./file-start.ts";
import { createReader, joined } from "./reader.ts";
import type { ReaderEvents, StopPoint } from "./reader-events.ts";
import type { ReaderLimits } from "./reader-limits.ts";
import { encodingOf } from "./transfer-syntaxes.ts";
import type { Vr } from "./vr.ts";

export interface ReadOptions {
  readonly limits?: Partial<ReaderLimits>;
  /** Read up to any of these at the top level. */
  readonly stopBefore?: readonly number[];
  /** Give what could be read, and `problem`, where otherwise the Problem is thrown. */
  readonly partial?: boolean;
}

/** A data set and how its reading ended. */
export interface ReadDataSet {
  readonly dataSet: DataSet;
  readonly stoppedAt: StopPoint | undefined;
  /** Only with `partial`. */
  readonly problem: Problem | undefined;
}

export interface DicomFile extends ReadDataSet {
  /** Group 0002; empty when the file has none. */
  readonly meta: DataSet;
  readonly transferSyntaxUid: string;
  /** Where the data set begins in the file. */
  readonly dataSetOffset: number;
}

/** Reads a data set that is wholly in memory. Values stay views of `bytes`. */
export function readDataSet(bytes: Uint8Array, options: ReadOptions & { transferSyntaxUid: string }): DataSet {
  return parseDataSet(bytes, options).dataSet;
}

/** `readDataSet` with the place it stopped at and, if `partial` is set, the problem that ended it. */
export function parseDataSet(bytes: Uint8Array, options: ReadOptions & { transferSyntaxUid: string }): ReadDataSet {
  return readBody(bytes, options.transferSyntaxUid, 0, options);
}

/** Reads a DICOM file (PS3.10) that is wholly in memory, also without preamble or file meta information. */
export function readFile(bytes: Uint8Array, options: ReadOptions = {}): DicomFile {
  let start: FileStart;
  try {
    start = readFileStart(bytes, true) as FileStart; // a number only where more may come
  } catch (error) {
    if (options.partial !== true || !isProblem(error)) throw error;
    const empty = new DataSet({ bytes, shift: 0 }, [], littleEndian);
    return {
      meta: empty,
      dataSet: empty,
      transferSyntaxUid: "",
      dataSetOffset: 0,
      stoppedAt: undefined,
      problem: error,
    };
  }
  const { transferSyntaxUid, dataSetOffset } = start;
  const elements = start.elements.map(({ tag, vr, offset, length }) => valueElement(tag, vr, offset, length));
  const meta = new DataSet({ bytes, shift: 0 }, elements, littleEndian);
  const body = readBody(bytes.subarray(dataSetOffset), transferSyntaxUid, dataSetOffset, options);
  return { ...body, meta, transferSyntaxUid, dataSetOffset };
}

const littleEndian: Encoding = { explicitVr: true, bigEndian: false };

function valueElement(tag: number, vr: Vr, offset: number, length: number): DataElement {
  return { tag, vr, offset, length, items: undefined, fragments: undefined };
}

/** `parseDataSet` in steps of some bytes each: who reads a large one lets others have their turn between. */
export function parsingDataSet(
  bytes: Uint8Array,
  options: ReadOptions & { transferSyntaxUid: string },
): Generator<undefined, ReadDataSet> {
  return readingBody(bytes, options.transferSyntaxUid, 0, options);
}

function readBody(bytes: Uint8Array, transferSyntaxUid: string, shift: number, options: ReadOptions): ReadDataSet {
  const steps = readingBody(bytes, transferSyntaxUid, shift, options);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

const bytesAtOnce = 64 * 1024;

function* readingBody(
  bytes: Uint8Array,
  transferSyntaxUid: string,
  shift: number,
  options: ReadOptions,
): Generator<undefined, ReadDataSet> {
  const { deflated } = encodingOf(transferSyntaxUid);
  const source = { bytes, shift };
  const encoding = deflated ? littleEndian : encodingFound(transferSyntaxUid, bytes, 0);
  const tree = createTree(source, encoding);
  const inflated: Uint8Array[] = [];
  const reader = createReader({
    transferSyntaxUid,
    dataSetOffset: shift,
    events: tree.events,
    onInflated: (piece) => void inflated.push(piece.slice()),
    limits: { elementsMax: treeElementsMax, ...options.limits },
    ...(options.stopBefore && { stopBefore: options.stopBefore }),
  });
  for (let at = 0; at < bytes.length; at += bytesAtOnce) {
    if (!reader.write(bytes.subarray(at, at + bytesAtOnce))) break;
    yield;
  }
  const { problem, stoppedAt } = reader.end();
  if (problem !== undefined && options.partial !== true) throw problem;
  if (deflated) source.bytes = joined(inflated);
  return { dataSet: tree.finish(), stoppedAt, problem };
}

interface OpenSet {
  readonly dataSet: DataSet;
  readonly elements: DataElement[];
  sorted: boolean;
  last: number;
}

/** Unlike a reader, a data set keeps something for each element: some hundred bytes. */
const treeElementsMax = 1_000_000;

/** Builds data sets from a reader's events. `finish` closes what the end of the input left open. */
function createTree(source: Source, encoding: Encoding): { events: Required<ReaderEvents>; finish(): DataSet } {
  const root = openSet(source, encoding);
  const open: OpenSet[] = [root];
  let current = root;
  const sequences: { items: DataSet[]; vr: Vr }[] = [];
  let fragments: ByteRange[] = [];
  const add = (tag: number, vr: Vr, offset: number, length: number, items?: DataSet[], parts?: ByteRange[]) => {
    if (tag <= current.last) current.sorted = false;
    current.last = tag;
    current.elements.push({ tag, vr, offset, length, items, fragments: parts });
  };
  const close = () => {
    if (!current.sorted) current.elements.sort((a, b) => a.tag - b.tag);
    open.pop();
    current = open[open.length - 1] ?? root;
  };
  const events: Required<ReaderEvents> = {
    preamble: () => {},
    dataSetStart: () => {},
    element: (tag, vr, offset, length) => add(tag, vr, offset, length),
    value: () => {},
    sequenceStart(tag, vr, offset, length) {
      const items: DataSet[] = [];
      add(tag, vr, offset, length, items);
      sequences.push({ items, vr });
    },
    itemStart() {
      const { items, vr } = sequences[sequences.length - 1]!;
      const inherited = vr === "SQ" ? current.dataSet : { explicitVr: false, bigEndian: false };
      current = openSet(source, inherited, current.dataSet);
      open.push(current);
      items.push(current.dataSet);
    },
    itemEnd: close,
    sequenceEnd: () => void sequences.pop(),
    encapsulatedStart(tag, vr, offset) {
      fragments = [];
      add(tag, vr, offset, undefinedLength, undefined, fragments);
    },
    fragment: (_index, offset, length) => void fragments.push({ offset, length }),
    encapsulatedEnd: () => {},
    unread: () => {},
  };
  return {
    events,
    finish() {
      while (open.length > 0) close();
      return root.dataSet;
    },
  };
}

function openSet(source: Source, encoding: Encoding, parent?: DataSet): OpenSet {
  const elements: DataElement[] = [];
  return { dataSet: new DataSet(source, elements, encoding, parent), elements, sorted: true, last: -1 };
}
