import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { RecordChange } from "./record-store.ts";
import type { Kept, Records } from "./records.ts";

/** What a record is to be; without `dueAt` it is never due. */
export interface HeldValue<T> {
  readonly value: T;
  readonly dueAt?: number | undefined;
}

/**
 * All records of a kind, sealed on disk and open in memory, for what is searched too often to be opened each time. Nobody else changes them
 * meanwhile.
 */
export interface HeldShelf<T> {
  get(id: string): Kept<T> | undefined;
  all(): Kept<T>[];
  /**
   * Makes records what is said, undefined: removes them, and does what else belongs to the same change; all or nothing. To be called within
   * `inTurn`.
   *
   * @throws Problem `no-room`, of `full`, for what would grow beyond the bounds, `busy` when somebody else did change one.
   */
  change(changes: ReadonlyMap<string, HeldValue<T> | undefined>, ...more: readonly RecordChange[]): Promise<void>;
  /** Makes of those whose time has come, the longest due first and two hundred at once, what `become` says. As `change`. */
  sweep(now: number, become: (value: T) => HeldValue<T> | undefined): Promise<void>;
  /** One after the other, so that whoever looks before it changes sees what is there: also after a change of which nobody knows whether it was done. */
  inTurn<R>(work: () => Promise<R>): Promise<R>;
}

export interface HeldShelfParts<T> {
  readonly records: Records;
  /** As of `Records.shelf`. */
  readonly kind: string;
  readonly recordsMax: number;
  /** Of the JSON of all values. */
  readonly charactersMax: number;
  readonly full: () => Problem;
  /** Kept beside: told of each record that is held from now on, and of each that no longer is (before the one in its place). */
  readonly index?: { add(kept: Kept<T>): void; remove(kept: Kept<T>): void };
}

interface Held<T> {
  readonly kept: Kept<T>;
  readonly characters: number;
}

interface Planned<T> {
  readonly id: string;
  readonly known: Held<T> | undefined;
  /** Undefined: it is removed. */
  readonly next: Held<T> | undefined;
}

const sweptAtOnce = 200;

/** Opens all records of the kind. What is there already is held, however much it is. */
export async function openHeldShelf<T>(parts: HeldShelfParts<T>): Promise<HeldShelf<T>> {
  const { records, kind, recordsMax, charactersMax, full, index } = parts;
  const shelf = records.shelf<T>(kind);
  const held = new Map<string, Held<T>>();
  let characters = 0;
  const turns = createTurns();
  /** Were to be changed, and perhaps were. */
  const unsure = new Set<string>();

  const drop = (id: string) => {
    const known = held.get(id);
    if (known === undefined) return;
    held.delete(id);
    characters -= known.characters;
    index?.remove(known.kept);
  };
  const hold = (next: Held<T>) => {
    drop(next.kept.id);
    held.set(next.kept.id, next);
    characters += next.characters;
    index?.add(next.kept);
  };
  for await (const kept of shelf.all()) hold({ kept, characters: charactersOf(kept.value) });

  const lookAgain = async () => {
    for (const id of unsure) {
      const kept = await shelf.get(id);
      if (kept === undefined) drop(id);
      else hold({ kept, characters: charactersOf(kept.value) });
      unsure.delete(id);
    }
  };
  const requireRoom = (planned: readonly Planned<T>[]) => {
    let [moreRecords, moreCharacters] = [0, 0];
    for (const { known, next } of planned) {
      moreRecords += Number(next !== undefined) - Number(known !== undefined);
      moreCharacters += (next?.characters ?? 0) - (known?.characters ?? 0);
    }
    const isFull =
      (moreRecords > 0 && held.size + moreRecords > recordsMax) ||
      (moreCharacters > 0 && characters + moreCharacters > charactersMax);
    if (isFull) throw full();
  };
  const planOf = (id: string, wanted: HeldValue<T> | undefined): Planned<T> => {
    const known = held.get(id);
    if (wanted === undefined) return { id, known, next: undefined };
    const { value, dueAt } = wanted;
    const kept = { id, version: (known?.kept.version ?? 0) + 1, dueAt, value };
    return { id, known, next: { kept, characters: charactersOf(value) } };
  };
  const changeOf = ({ id, known, next }: Planned<T>): RecordChange[] => {
    if (next === undefined) return known === undefined ? [] : [shelf.remove(known.kept)];
    const { value, dueAt } = next.kept;
    return [shelf.put(id, value, { known: known?.kept, ...(dueAt !== undefined && { dueAt }) })];
  };
  const change: HeldShelf<T>["change"] = async (changes, ...more) => {
    const planned = Array.from(changes, ([id, wanted]) => planOf(id, wanted));
    requireRoom(planned);
    const all = [...planned.flatMap(changeOf), ...more];
    let isChanged = false;
    try {
      isChanged = await records.change(...all);
    } finally {
      if (!isChanged) {
        for (const { id } of planned) unsure.add(id);
        // What cannot be read now, the next turn begins with.
        await lookAgain().catch(() => {});
      }
    }
    if (!isChanged) throw new Problem("busy", "somebody else changed the same records", { remedy: "try again" });
    for (const { id, next } of planned) {
      if (next === undefined) drop(id);
      else hold(next);
    }
  };

  return {
    get: (id) => held.get(id)?.kept,
    all: () => Array.from(held.values(), ({ kept }) => kept),
    change,
    async sweep(now, become) {
      const due = await shelf.due(now, sweptAtOnce);
      if (due.length > 0) await change(new Map(due.map(({ id, value }) => [id, become(value)])));
    },
    inTurn: (work) =>
      turns.take(async () => {
        await lookAgain();
        return work();
      }),
  };
}

const charactersOf = (value: unknown): number => JSON.stringify(value).length;
