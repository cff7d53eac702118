/**
 * A hash table from the first 32 bits of a random value to record numbers: open addressing, eight bytes a record. Candidates
 * are verified by reading their record, so that a table of a million studies takes 16 MB and no keys.
 */
export interface Slots {
  add(hash: number, record: number): void;
  remove(hash: number, record: number): void;
  /** Record numbers that may be meant, latest first. */
  candidates(hash: number): number[];
  /** Every record number, in order. */
  records(): Uint32Array;
}

const empty = 0xffffffff;
const removed = 0xfffffffe;
/** Hash and record number side by side. */
const width = 2;

export function createSlots(): Slots {
  let table = new Uint32Array(1024 * width).fill(empty);
  let used = 0;

  const slotsOf = (cells: Uint32Array) => cells.length / width;
  const put = (cells: Uint32Array, hash: number, record: number) => {
    const mask = slotsOf(cells) - 1;
    let slot = hash & mask;
    while (cells[slot * width + 1] !== empty) slot = (slot + 1) & mask;
    cells[slot * width] = hash;
    cells[slot * width + 1] = record;
  };
  const holds = (at: number) => table[at + 1] !== empty && table[at + 1] !== removed;
  const grow = () => {
    let held = 0;
    for (let at = 0; at < table.length; at += width) if (holds(at)) held++;
    // After a rotation half of the cells are of records that were removed: then the same size does.
    const next = new Uint32Array(held * 4 > slotsOf(table) ? table.length * 2 : table.length).fill(empty);
    for (let at = 0; at < table.length; at += width) if (holds(at)) put(next, table[at] ?? 0, table[at + 1] ?? 0);
    table = next;
    used = held + 1;
  };
  /** Places of the cells with this hash. */
  const places = function* (hash: number): Generator<number> {
    const mask = slotsOf(table) - 1;
    for (let slot = hash & mask; table[slot * width + 1] !== empty; slot = (slot + 1) & mask) {
      if (table[slot * width] === hash && table[slot * width + 1] !== removed) yield slot * width;
    }
  };
  return {
    add(hash, record) {
      if (++used * 2 > slotsOf(table)) grow();
      put(table, hash, record);
    },
    remove(hash, record) {
      for (const at of places(hash)) if (table[at + 1] === record) table[at + 1] = removed;
    },
    records() {
      const found: number[] = [];
      for (let at = 0; at < table.length; at += width) if (holds(at)) found.push(table[at + 1] ?? 0);
      return Uint32Array.from(found).sort();
    },
    candidates: (hash) => [...places(hash)].map((at) => table[at + 1] ?? 0).sort((a, b) => b - a),
  };
}
