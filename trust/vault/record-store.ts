/** A record as it rests. `kind` and `id` are in the clear: no value of a person's. */
export interface RecordRow {
  readonly kind: string;
  readonly id: string;
  /** From 1; each change counts it up. */
  readonly version: number;
  /** Epoch milliseconds from which `due` gives it; undefined: never. */
  readonly dueAt: number | undefined;
  readonly sealed: Uint8Array;
}

/** What a change makes of one record, if it is there in version `replaces`; 0: if it is not there. */
export type RecordChange = { readonly replaces: number } & (
  | { readonly put: RecordRow }
  | { readonly remove: Pick<RecordRow, "kind" | "id"> }
);

/** Port: where small sealed records rest (`records.ts`). */
export interface RecordStore {
  get(kind: string, id: string): Promise<RecordRow | undefined>;
  /** Those whose id comes behind `after`, in order of their ids. */
  list(kind: string, after: string, limit: number): Promise<RecordRow[]>;
  /** Those whose time has come, the longest due first, then by id. */
  due(kind: string, until: number, limit: number): Promise<RecordRow[]>;
  /** All of them in one transaction that survives a power cut; false, and nothing is changed, when one is not as it says. */
  change(changes: readonly RecordChange[]): Promise<boolean>;
}
