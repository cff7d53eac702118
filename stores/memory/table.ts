/** Rows by key and by indexes over them, in memory. A fork is seen by its holder alone until it is settled. */
export interface Table<Row> {
  get(key: string): Row | undefined;
  /** Those that an index knows by this name. */
  by(index: string, name: string): Row[];
  all(): Row[];
  put(row: Row): void;
  remove(row: Row): void;
  clear(): void;
  fork(): Fork<Row>;
}

export interface Fork<Row> extends Table<Row> {
  /** Throws when a name of a unique index stands twice. */
  refuse(): void;
  /** Brings what was done into the table that it was made of. */
  settle(): void;
}

export interface TableShape<Row> {
  readonly key: (row: Row) => string;
  /** What each index names a row by. */
  readonly indexes: Readonly<Record<string, (row: Row) => string>>;
  /** Indexes in which a name stands once. */
  readonly unique: readonly string[];
}

export function createTable<Row>(shape: TableShape<Row>): Table<Row> {
  const rows = new Map<string, Row>();
  const indexed = new Map(Object.keys(shape.indexes).map((index) => [index, new Map<string, Set<string>>()]));
  const forget = (row: Row) => {
    for (const [index, keys] of indexed) keys.get(shape.indexes[index]?.(row) ?? "")?.delete(shape.key(row));
  };
  const table: Table<Row> = {
    get: (key) => rows.get(key),
    by: (index, name) =>
      [...(indexed.get(index)?.get(name) ?? [])].flatMap((key) => {
        const row = rows.get(key);
        return row === undefined ? [] : [row];
      }),
    all: () => [...rows.values()],
    put(row) {
      const key = shape.key(row);
      const before = rows.get(key);
      if (before !== undefined) forget(before);
      rows.set(key, row);
      for (const [index, keys] of indexed) {
        const name = shape.indexes[index]?.(row) ?? "";
        const standing = keys.get(name) ?? new Set();
        keys.set(name, standing.add(key));
      }
    },
    remove(row) {
      if (rows.delete(shape.key(row))) forget(row);
    },
    clear() {
      rows.clear();
      for (const keys of indexed.values()) keys.clear();
    },
    fork: () => forkOf(table, shape),
  };
  return table;
}

function forkOf<Row>(base: Table<Row>, shape: TableShape<Row>): Fork<Row> {
  const { key } = shape;
  /** Undefined: removed. */
  const changed = new Map<string, Row | undefined>();
  let isCleared = false;
  const below = (rows: Row[]) => (isCleared ? [] : rows.filter((row) => !changed.has(key(row))));
  const own = () => [...changed.values()].filter((row) => row !== undefined);
  const table: Fork<Row> = {
    get: (name) => (changed.has(name) || isCleared ? changed.get(name) : base.get(name)),
    by: (index, name) => [
      ...below(base.by(index, name)),
      ...own().filter((row) => shape.indexes[index]?.(row) === name),
    ],
    all: () => [...below(base.all()), ...own()],
    put: (row) => void changed.set(key(row), row),
    remove: (row) => void changed.set(key(row), undefined),
    clear() {
      changed.clear();
      isCleared = true;
    },
    fork: () => forkOf(table, shape),
    refuse() {
      for (const index of shape.unique) {
        const names = own().map((row) => shape.indexes[index]?.(row) ?? "");
        const isTaken = names.some((name) => below(base.by(index, name)).length > 0);
        if (isTaken || new Set(names).size < names.length) throw new Error(`there are two rows of one ${index}`);
      }
    },
    settle() {
      if (isCleared) base.clear();
      for (const [name, row] of changed) {
        const before = base.get(name);
        if (row !== undefined) base.put(row);
        else if (before !== undefined) base.remove(before);
      }
    },
  };
  return table;
}
