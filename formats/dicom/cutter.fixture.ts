import assert from "node:assert/strict";
import { type CutTable, createMender, decodeCuts, encodeCuts } from "./cuts.ts";
import { createCutter } from "./cutter.ts";
import type { DataSet } from "./data-set.ts";
import { attributeOf } from "./dictionary.ts";
import { isIdentifying } from "./identifying.ts";
import type { DicomFile } from "./read-data-set.ts";
import { createReader, type ReaderOptions, type ReadResult } from "./reader.ts";
import { isPrivateTag } from "./tags.ts";

/** The two halves of an object. */
export interface Halves {
  readonly image: Uint8Array;
  readonly cuts: Uint8Array;
  readonly table: CutTable;
  readonly read: ReadResult;
}

/** Cuts as intake does: the start of a file waits until the data set begins, all else goes through at once. */
export function divide(
  bytes: Uint8Array,
  { sizes = [bytes.length], meta, reader: readerOptions = {} }: DivideOptions = {},
): Halves {
  const cuts: Uint8Array[] = [];
  const image: Uint8Array[] = [];
  const cutter = createCutter({ onCut: (piece) => void cuts.push(Buffer.from(piece)), meta });
  let begun = false;
  const { events, ...others } = readerOptions;
  const dataSetStart = () => {
    begun = true;
  };
  const reader = createReader(cutter.beside({ ...others, events: { ...events, dataSetStart } }));
  const held: Uint8Array[] = meta === undefined ? [] : [meta];
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    // A copy that is overwritten afterwards: pieces are only lent.
    const piece = Buffer.from(bytes.subarray(at, at + Math.max(1, sizes[i % sizes.length]!)));
    at += piece.length;
    const before = Buffer.from(piece);
    reader.write(piece);
    held.push(Uint8Array.from(piece));
    piece.fill(0xee);
    if (begun) for (const waiting of held.splice(0)) image.push(unchanged(waiting, cutter.cut));
    assert.equal(before.length, piece.length);
  }
  const read = reader.end();
  for (const waiting of held.splice(0)) image.push(unchanged(waiting, cutter.cut));
  return { image: Buffer.concat(image), cuts: Buffer.concat(cuts), table: cutter.table(), read };
}

interface DivideOptions {
  readonly sizes?: readonly number[] | undefined;
  readonly meta?: Uint8Array | undefined;
  readonly reader?: ReaderOptions;
}

function unchanged(bytes: Uint8Array, cut: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const before = Buffer.from(bytes);
  const half = cut(bytes);
  assert.ok(before.equals(bytes), "the caller's bytes were changed");
  assert.equal(half.length, bytes.length);
  return half;
}

/** The received bytes again, by way of the encoded table. */
export function together({ image, cuts, table }: Halves): Uint8Array {
  const mender = createMender(decodeCuts(encodeCuts(table)));
  const whole = Uint8Array.from(image);
  mender.mend(0, whole, cuts);
  return whole;
}

/** Fails when an element of the image half shows something that identifies. Says which, never what. */
export function assertNothingIdentifies(file: Pick<DicomFile, "dataSet"> & { meta?: DataSet }): void {
  const open: { dataSet: DataSet; cut: boolean; path: string }[] = [{ dataSet: file.dataSet, cut: false, path: "" }];
  if (file.meta !== undefined) open.push({ dataSet: file.meta, cut: false, path: "meta" });
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { dataSet, cut, path } = next;
    for (const element of dataSet) {
      const { tag, items, fragments } = element;
      const identifies = cut || isIdentifying(tag, creatorIn(dataSet, tag));
      const here = `${path}.${tag.toString(16).padStart(8, "0")}`;
      for (const item of items ?? []) open.push({ dataSet: item, cut: identifies, path: here });
      if (items !== undefined) continue;
      if (!identifies && attributeOf(tag)?.vrs[0] !== "SQ") continue;
      const values =
        fragments === undefined
          ? [dataSet.bytesOf(element) ?? new Uint8Array(0)]
          : fragments.map((f) => dataSet.range(f));
      for (const value of values)
        assert.ok(
          value.every((byte) => byte === 0),
          `${here} shows its value`,
        );
    }
  }
}

function creatorIn(dataSet: DataSet, tag: number): string {
  if (!isPrivateTag(tag)) return "";
  const block = tag & 0xff00 ? (tag >>> 8) & 0xff : tag & 0xff;
  const bytes = dataSet.bytes(((tag & 0xffff0000) | block) >>> 0) ?? new Uint8Array(0);
  return new TextDecoder("latin1").decode(bytes).replace(/[\0 ]+$/, "");
}
