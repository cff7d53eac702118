import { deflateRawSync } from "node:zlib";
import { Problem } from "#base/problem";
import { createInflater, encodingOf, readerLimits, TransferSyntaxUid } from "#formats/dicom";
import type { Correction, OpenedObject } from "#trust/vault";
import { type Edit, headerEdits } from "./corrected-header.ts";
import type { IndexedInstance } from "./study-index.ts";

/** Where what stands in the bytes of an instance. */
export type Layout = Pick<
  IndexedInstance,
  "transferSyntaxUid" | "sizeBytes" | "dataSetOffset" | "pixelOffset" | "pixelLength"
>;

/** An instance as it reads after the corrections of its study: made of the received bytes as they are read, kept nowhere. */
export interface CurrentBytes {
  readonly layout: Layout;
  readonly object: OpenedObject;
  /** All current bytes out of a stream of all received bytes: its last piece is asked for before the last of them is given. */
  spliced(received: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
}

/** What stands before the pixels, or all of what has none, is in memory while its changes are made. */
const headerBytesMax = 256 * 1024 * 1024;

export async function currentBytes(
  layout: Layout,
  received: OpenedObject,
  corrections: readonly Correction[],
): Promise<CurrentBytes> {
  if (corrections.length === 0) return { layout, object: received, spliced: (bytes) => bytes };
  return editedBytes(layout, received, (header, syntax) => headerEdits(header, syntax, corrections));
}

/** What to change in a data set, not deflated: up to its pixels, or all of what has none. */
export type HeaderEditing = (header: Uint8Array, transferSyntaxUid: string) => readonly Edit[];

/** Bytes with changes in front of the pixels; with `endsAtPixels` nothing that stands behind them stays. */
export async function editedBytes(
  layout: Layout,
  received: OpenedObject,
  editing: HeaderEditing,
  { endsAtPixels = false } = {},
): Promise<CurrentBytes> {
  const edits = await editsOf(layout, received, editing);
  const behind = endsAtPixels ? await behindPixels(layout, received) : undefined;
  if (behind !== undefined) edits.push(behind);
  if (edits.length === 0) return { layout, object: received, spliced: (bytes) => bytes };
  const shift = edits.reduce((sum, { removed, inserted }) => sum + inserted.length - removed, 0);
  const { pixelOffset, sizeBytes } = layout;
  const runs = runsOf(edits, sizeBytes);
  return {
    layout: {
      ...layout,
      sizeBytes: sizeBytes + shift,
      ...(pixelOffset !== undefined && { pixelOffset: pixelOffset + shift }),
    },
    object: editedObject(received, runs, sizeBytes + shift),
    spliced: (bytes) => spliced(edits, bytes),
  };
}

async function editsOf(layout: Layout, received: OpenedObject, editing: HeaderEditing): Promise<Edit[]> {
  const { transferSyntaxUid, dataSetOffset, pixelOffset, sizeBytes } = layout;
  const end = pixelOffset ?? sizeBytes;
  if (end - dataSetOffset > headerBytesMax) {
    throw new Problem("too-large", `an instance has more than ${headerBytesMax >> 20} MiB before its pixels`, {
      remedy: "it can be had as it was received",
    });
  }
  const bytes = await received.read(dataSetOffset, end);
  if (!encodingOf(transferSyntaxUid).deflated) {
    const edits = editing(bytes, transferSyntaxUid);
    return edits.map((edit) => ({ ...edit, at: edit.at + dataSetOffset }));
  }
  const inflated = inflatedOf(bytes);
  const edits = editing(inflated, TransferSyntaxUid.explicitLittleEndian);
  if (edits.length === 0) return [];
  return [{ at: dataSetOffset, removed: end - dataSetOffset, inserted: deflatedAgain(edited(inflated, edits)) }];
}

/** A whole data set with changes in it: what `editedBytes` does, for bytes that are there already. */
export function editedDataSet(bytes: Uint8Array, transferSyntaxUid: string, editing: HeaderEditing): Uint8Array {
  if (!encodingOf(transferSyntaxUid).deflated) return edited(bytes, editing(bytes, transferSyntaxUid));
  const inflated = inflatedOf(bytes);
  return deflatedAgain(edited(inflated, editing(inflated, TransferSyntaxUid.explicitLittleEndian)));
}

/** PS3.5 §A.5 pads the stream with a NUL. */
function deflatedAgain(bytes: Uint8Array): Buffer {
  const deflated = deflateRawSync(bytes);
  return Buffer.concat([deflated, Buffer.alloc(deflated.length % 2)]);
}

/** Everything behind the value of the pixel data. */
async function behindPixels(
  { pixelOffset, pixelLength, sizeBytes }: Layout,
  received: OpenedObject,
): Promise<Edit | undefined> {
  if (pixelOffset === undefined) return undefined;
  let at = pixelOffset + (pixelLength ?? 0);
  // Encapsulated (PS3.5 §A.4): items of a stated length, then the delimiter, of none.
  for (let isOver = pixelLength !== undefined; !isOver && at < sizeBytes; ) {
    const head = await received.read(at, Math.min(at + itemHeadBytes, sizeBytes));
    const length = head.length < itemHeadBytes ? itemHeadBytes : head.readUInt32LE(4);
    isOver = head.length < itemHeadBytes || head.readUInt16LE(2) !== itemElement;
    at = Math.min(at + itemHeadBytes + (isOver ? 0 : length), sizeBytes);
  }
  if (at >= sizeBytes) return undefined;
  return { at, removed: sizeBytes - at, inserted: new Uint8Array(0) };
}

const itemHeadBytes = 8;
/** Of (FFFE,E000). */
const itemElement = 0xe000;

function inflatedOf(bytes: Uint8Array): Buffer {
  const pieces: Buffer[] = [];
  const inflater = createInflater({
    inflatedBytesMax: Math.min(readerLimits.inflatedBytesMax, headerBytesMax),
    inflateRatioMax: readerLimits.inflateRatioMax,
    onOutput: (piece) => pieces.push(Buffer.from(piece)),
  });
  inflater.push(bytes);
  return Buffer.concat(pieces);
}

function edited(bytes: Uint8Array, edits: readonly Edit[]): Buffer {
  return Buffer.concat(
    runsOf(edits, bytes.length).map((run) =>
      "bytes" in run ? run.bytes : bytes.subarray(run.from, run.from + run.length),
    ),
  );
}

/** A stretch of the current bytes: new ones, or received ones from somewhere. */
type Run = { readonly at: number; readonly length: number } & (
  | { readonly bytes: Uint8Array }
  | { readonly from: number }
);

function runsOf(edits: readonly Edit[], sizeBytes: number): Run[] {
  const runs: Run[] = [];
  let at = 0;
  let from = 0;
  const keep = (to: number) => {
    if (to > from) runs.push({ at, length: to - from, from });
    at += Math.max(0, to - from);
    from = Math.max(from, to);
  };
  for (const edit of edits) {
    keep(edit.at);
    if (edit.inserted.length > 0) runs.push({ at, length: edit.inserted.length, bytes: edit.inserted });
    at += edit.inserted.length;
    from += edit.removed;
  }
  keep(sizeBytes);
  return runs;
}

function editedObject(received: OpenedObject, runs: readonly Run[], sizeBytes: number): OpenedObject {
  async function* stream(from = 0, to = sizeBytes): AsyncGenerator<Buffer> {
    for (const run of runs) {
      const [start, end] = [Math.max(from, run.at), Math.min(to, run.at + run.length)];
      if (start >= end) continue;
      if ("bytes" in run) yield Buffer.from(run.bytes.subarray(start - run.at, end - run.at));
      else yield* received.stream(run.from + start - run.at, run.from + end - run.at);
    }
  }
  return {
    id: received.id,
    studyToken: received.studyToken,
    sizeBytes,
    stream,
    async read(from, to) {
      if (!(from >= 0 && from <= to && to <= sizeBytes)) throw new RangeError("a range outside of the object");
      const pieces: Buffer[] = [];
      for await (const piece of stream(from, to)) pieces.push(piece);
      return Buffer.concat(pieces);
    },
  };
}

async function* spliced(edits: readonly Edit[], received: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const waiting = [...edits];
  let at = 0;
  /** New bytes stand behind what they take the place of, so that none of the last come before the last received ones. */
  function* due(): Generator<Buffer> {
    for (let edit = waiting[0]; edit !== undefined && at >= edit.at + edit.removed; edit = waiting[0]) {
      waiting.shift();
      if (edit.inserted.length > 0) yield Buffer.from(edit.inserted);
    }
  }
  for await (const piece of received) {
    for (let from = 0; from < piece.length; ) {
      yield* due();
      const edit = waiting[0];
      const inEdit = edit !== undefined && at >= edit.at;
      const until = edit === undefined ? Number.POSITIVE_INFINITY : inEdit ? edit.at + edit.removed : edit.at;
      const to = Math.min(piece.length, from + until - at);
      if (!inEdit) yield piece.subarray(from, to);
      at += to - from;
      from = to;
    }
  }
  yield* due();
}
