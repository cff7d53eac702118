/** What SQLite and PostgreSQL take and give for a column of ours. */
export type Value = number | string | Uint8Array | null;
export type Row = readonly Value[];

/**
 * Rows on their way to or from a thread, column by column: numbers in one array, all bytes of a column in one buffer that
 * is moved. Cloning a row at a time costs two to five times as much, moving each value's own buffer still more.
 */
export interface PackedRows {
  readonly count: number;
  readonly columns: readonly PackedColumn[];
}

type PackedColumn = Float64Array | PackedBytes | readonly Value[];

interface PackedBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each row's value ends. */
  readonly ends: Uint32Array;
}

/** Fewer rows are cheaper as they are. */
const packedRowsLeast = 4;

/** Adds to `moved` the buffers that `postMessage` shall move. All rows have as many values as the first. */
export function packRows(rows: readonly Row[], moved: ArrayBuffer[]): PackedRows {
  const columns: PackedColumn[] = [];
  for (let at = 0; at < (rows[0]?.length ?? 0); at++) columns.push(packColumn(rows, at, moved));
  return { count: rows.length, columns };
}

function packColumn(rows: readonly Row[], at: number, moved: ArrayBuffer[]): PackedColumn {
  if (rows.length >= packedRowsLeast) {
    if (rows.every((row) => typeof row[at] === "number")) return Float64Array.from(rows, (row) => row[at] as number);
    if (rows.every((row) => row[at] instanceof Uint8Array)) {
      const packed = packBytes(rows.map((row) => row[at] as Uint8Array));
      moved.push(packed.bytes.buffer);
      return packed;
    }
  }
  return rows.map((row) => withoutNeighbours(row[at] as Value));
}

/** Cloning a view clones all of its buffer. */
const withoutNeighbours = (value: Value): Value =>
  value instanceof Uint8Array && value.byteLength < value.buffer.byteLength ? new Uint8Array(value) : value;

function packBytes(values: readonly Uint8Array[]): PackedBytes {
  const ends = new Uint32Array(values.length);
  let end = 0;
  for (const [row, { byteLength }] of values.entries()) {
    end += byteLength;
    ends[row] = end;
  }
  const bytes = new Uint8Array(end);
  let at = 0;
  for (const value of values) {
    bytes.set(value, at);
    at += value.byteLength;
  }
  return { bytes, ends };
}

/** Values of bytes are views of one buffer. */
export function unpackRows({ count, columns }: PackedRows): Row[] {
  const rows: Row[] = [];
  for (let row = 0; row < count; row++) {
    const values: Value[] = [];
    for (const column of columns) values.push("ends" in column ? bytesAt(column, row) : (column[row] as Value));
    rows.push(values);
  }
  return rows;
}

const bytesAt = ({ bytes, ends }: PackedBytes, row: number): Uint8Array =>
  bytes.subarray(row === 0 ? 0 : ends[row - 1], ends[row]);
