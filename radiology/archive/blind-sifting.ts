import { Problem } from "#base/problem";
import type { IdentityValues, IndexBox } from "#trust/vault";
import type { FactsBox } from "./blind-facts.ts";
import { hex, type RowDigests } from "./blind-rows.ts";
import type { InstanceHeld, SeriesHeld, StudyHeld } from "./blind-store.ts";
import { type Condition, exactKey, type KeyValue, keyIn, type Leaf, placeOf, type SearchKey } from "./matching.ts";
import { judge, leavesOf, passes } from "./matching-judge.ts";
import type { Level } from "./study-index.ts";

/** How much one question may cost: beyond it the caller is told to ask a narrower one. */
export interface Budget {
  opened(rows: number): void;
  read(rows: number): void;
}

export function createBudget({ openedMost, readMost }: { openedMost: number; readMost: number }): Budget {
  let opened = 0;
  let read = 0;
  const check = () => {
    if (opened <= openedMost && read <= readMost) return;
    throw new Problem("too-large", "too much of the archive would have to be looked through for this search", {
      remedy: "narrow the search, for example by a date range, or by more letters of the name",
    });
  };
  return {
    opened(rows) {
      opened += rows;
      check();
    },
    read(rows) {
      read += rows;
      check();
    },
  };
}

/** What a level's rows show without being opened, and what only opened. */
interface Look<Row> {
  readonly level: Level;
  /** The key that the row's UID is, and its digest. */
  readonly uid: {
    readonly key: SearchKey;
    readonly of: (row: Row) => Uint8Array;
    readonly digest: (uid: string) => Buffer;
  };
  readonly clear: (row: Row, key: SearchKey) => KeyValue | readonly string[] | undefined;
}

export interface Looks {
  readonly study: Look<StudyHeld>;
  readonly series: Look<SeriesHeld>;
  readonly instance: Look<InstanceHeld>;
}

export function createLooks(digests: RowDigests, facts: FactsBox): Looks {
  return {
    study: {
      level: "study",
      uid: { key: "StudyInstanceUID", of: ({ uidDigest }) => uidDigest, digest: digests.study },
      clear(row, key) {
        const place = placeOf(key);
        if (place !== undefined) return facts.factsOf(row)[place];
        return key === "ModalitiesInStudy" ? row.modalities : key === "ArrivedAt" ? row.changedAt : undefined;
      },
    },
    series: {
      level: "series",
      uid: { key: "SeriesInstanceUID", of: ({ uidDigest }) => uidDigest, digest: digests.series },
      clear: (row, key) => (key === "Modality" ? row.modality : key === "SeriesNumber" ? row.seriesNumber : undefined),
    },
    instance: {
      level: "instance",
      uid: { key: "SOPInstanceUID", of: ({ sopDigest }) => sopDigest, digest: digests.sop },
      clear: (row, key) =>
        key === "SOPClassUID" ? exactKey(row.sopClassUid) : key === "InstanceNumber" ? row.instanceNumber : undefined,
    },
  };
}

type Decide = (leaf: Leaf) => boolean | undefined;

/** A row that may fulfil the condition, with what is known by now of its leaves and of the keys that it is sorted by. */
export interface Sifted<Row> {
  readonly row: Row;
  readonly decide: Decide;
  readonly sortKeys: readonly KeyValue[];
}

interface ToSift<Row> {
  readonly row: Row;
  readonly studyToken: string;
  readonly condition: Condition;
  readonly above: Decide;
  /** Keys of this level that the row is sorted by, where they are asked for. */
  readonly sortKeys: readonly SearchKey[];
}

/** Leaves out the rows that cannot fulfil their condition, opening only those that must be opened to tell. */
export async function sift<Row extends { readonly identity: Uint8Array }>(
  box: IndexBox,
  budget: Budget,
  look: Look<Row>,
  rows: readonly ToSift<Row>[],
): Promise<Sifted<Row>[]> {
  const digests = new Map<Leaf, Set<string>>();
  const leaves = new Map<Condition, Leaf[]>();
  const found: (Sifted<Row> | undefined)[] = [];
  const toOpen: { readonly at: number; readonly one: ToSift<Row>; readonly decide: Decide }[] = [];
  for (const [at, one] of rows.entries()) {
    const decide: Decide = (leaf) =>
      leaf.level === look.level ? decideClear(look, digests, one.row, leaf) : one.above(leaf);
    const verdict = judge(one.condition, decide);
    if (verdict === false) continue;
    const sortKeys = one.sortKeys.map((key) => look.clear(one.row, key) as KeyValue | undefined);
    const own = leaves.get(one.condition) ?? leavesOf(one.condition).filter(({ level }) => level === look.level);
    leaves.set(one.condition, own);
    const isOpenFor = verdict === undefined && own.some((leaf) => decide(leaf) === undefined);
    if (isOpenFor || sortKeys.includes(undefined)) toOpen.push({ at, one, decide });
    else found[at] = { row: one.row, decide, sortKeys: sortKeys as KeyValue[] };
  }
  budget.opened(toOpen.length);
  const identities = toOpen.map(({ one }) => ({ studyToken: one.studyToken, sealed: one.row.identity }));
  if (toOpen.length > 0) {
    await box.examine(identities, (values, place) => {
      const { at, one, decide } = toOpen[place] as (typeof toOpen)[number];
      const opened = openedDecide(look, values, decide);
      const verdict = judge(one.condition, opened.decide);
      // What is not asked now is not asked of what stands below either: that is judged in the same order, knowing more.
      opened.close();
      if (verdict === false) return false;
      const sortKeys = one.sortKeys.map((key) => sortKeyOf(look, one.row, values, key));
      found[at] = { row: one.row, decide: opened.decide, sortKeys };
      return true;
    });
  }
  return found.filter((one) => one !== undefined);
}

function decideClear<Row>(look: Look<Row>, digests: Map<Leaf, Set<string>>, row: Row, leaf: Leaf): boolean | undefined {
  const { key, test } = leaf;
  if (key === look.uid.key && test.is === "equal") {
    const wanted = digests.get(leaf) ?? new Set(test.keys.map((uid) => hex(look.uid.digest(String(uid)))));
    digests.set(leaf, wanted);
    return wanted.has(hex(look.uid.of(row)));
  }
  const clear = look.clear(row, key);
  return clear === undefined ? undefined : passes(test, clear);
}

/** Keeps which leaves the values fulfil, as far as they are asked for while the row is open; the values are let go. */
function openedDecide<Row>(look: Look<Row>, values: IdentityValues, decide: Decide): Opened {
  const decided = new Map<Leaf, boolean>();
  let open: IdentityValues | undefined = values;
  return {
    decide(leaf) {
      const known = decided.get(leaf) ?? decide(leaf);
      if (known !== undefined || leaf.level !== look.level || open === undefined) return known;
      const key = leaf.key === look.uid.key ? exactKey(open.uid) : keyIn(open.values, leaf.key);
      const isFulfilled = passes(leaf.test, key);
      decided.set(leaf, isFulfilled);
      return isFulfilled;
    },
    close() {
      open = undefined;
    },
  };
}

interface Opened {
  readonly decide: Decide;
  close(): void;
}

function sortKeyOf<Row>(look: Look<Row>, row: Row, { uid, values }: IdentityValues, key: SearchKey): KeyValue {
  const clear = look.clear(row, key) as KeyValue | undefined;
  return clear ?? (key === look.uid.key ? exactKey(uid) : keyIn(values, key));
}
