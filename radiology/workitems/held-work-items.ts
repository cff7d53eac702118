import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { DicomJson } from "#formats/dicom";
import { covers, type Reach, type StudyFacts } from "#trust/access";
import type { Kept, Records, Shelf } from "#trust/vault";
import { isFinal, stateOf } from "./attributes.ts";
import { refusalOf } from "./transitions.ts";

/** Whether a subscriber wants the item kept when it has ended (PS3.4 §CC.2.3). */
export type Lock = "locked" | "unlocked";

/** What of a work item is kept, sealed. */
export interface WorkItem {
  readonly uid: string;
  /** In the DICOM JSON model, without the Transaction UID: nobody is told it. */
  readonly attributes: DicomJson;
  /** Of who claimed it. */
  readonly transactionUid?: string;
  /** Where it lies: what grants are compared with. */
  readonly facts: StudyFacts;
  /** Who is told of it, by AE title. */
  readonly subscribers: Readonly<Record<string, Lock>>;
  readonly endedAt?: number;
}

/** What is left of one that was removed: for some time it is said to be gone, to who could see it. */
export interface GoneWorkItem {
  readonly facts: StudyFacts;
  readonly goneAt: number;
}

/** An AE that is subscribed to all items, or to those that match one of each of these identifiers. */
export interface GlobalSubscriber {
  readonly ae: string;
  readonly lock: Lock;
  readonly filter?: readonly DicomJson[];
}

const itemsMax = 10_000;
const charactersMax = 96 * 1024 * 1024;
const itemCharactersMax = 256 * 1024;
const globalsMax = 64;
const sweptAtOnce = 200;
const dayMs = 24 * 60 * 60 * 1000;
/** An ended item is kept for so long; while somebody locks it, for so long at most; then it is gone for so long. */
const keptMs = { ended: 7 * dayMs, locked: 30 * dayMs, gone: 30 * dayMs };

/** Work items and who follows all of them, sealed on disk and open in memory. */
export interface HeldWorkItems {
  get(uid: string): WorkItem | GoneWorkItem | undefined;
  all(): WorkItem[];
  /** Problem `no-room` when there are too many, `too-large` for one that is. */
  put(item: WorkItem): Promise<void>;
  globals(): GlobalSubscriber[];
  putGlobal(subscriber: GlobalSubscriber): Promise<void>;
  removeGlobal(ae: string): Promise<void>;
  /** One after the other: whatever reads before it changes. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

type StoredItem = WorkItem | GoneWorkItem;
type KeptItem = Kept<StoredItem>;

export async function openHeldWorkItems(records: Records, clock: Clock): Promise<HeldWorkItems> {
  const shelf: Shelf<StoredItem> = records.shelf("work-item");
  const globalShelf: Shelf<GlobalSubscriber> = records.shelf("work-item-subscriber");
  const items = new Map<string, KeptItem>();
  const globals = new Map<string, Kept<GlobalSubscriber>>();
  let characters = 0;
  let running: Promise<unknown> = Promise.resolve();

  const drop = (id: string) => {
    const kept = items.get(id);
    items.delete(id);
    if (kept !== undefined) characters -= sizeOf(kept.value);
  };
  const hold = (kept: KeptItem) => {
    drop(kept.id);
    items.set(kept.id, kept);
    characters += sizeOf(kept.value);
  };
  for await (const kept of shelf.all()) hold(kept);
  for await (const kept of globalShelf.all()) globals.set(kept.id, kept);

  const store = async (id: string, value: StoredItem): Promise<void> => {
    const known = items.get(id);
    const dueAt = dueOf(value);
    if (!(await records.change(shelf.put(id, value, { known, ...(dueAt !== undefined && { dueAt }) }))))
      throw changedMeanwhile();
    hold({ id, version: (known?.version ?? 0) + 1, dueAt, value });
  };
  /** What is due is gone, and what has been gone for long is forgotten. */
  const sweep = async () => {
    const now = clock.now();
    for (const kept of await shelf.due(now, sweptAtOnce)) {
      if (!isGone(kept.value)) await store(kept.id, { facts: kept.value.facts, goneAt: now });
      else if (await records.change(shelf.remove(kept))) drop(kept.id);
    }
  };
  const idOf = (uid: string) => records.idOf("work-item", uid);

  return {
    get: (uid) => items.get(idOf(uid))?.value,
    all: () => [...items.values()].flatMap(({ value }) => (isGone(value) ? [] : [value])),
    async put(item) {
      const id = idOf(item.uid);
      const known = items.get(id);
      const size = sizeOf(item);
      if (size > itemCharactersMax)
        throw new Problem("too-large", `a work item has more than ${itemCharactersMax} characters`);
      const isNew = known === undefined || isGone(known.value);
      if (isNew) await sweep();
      const isFull = items.size >= itemsMax || characters + size > charactersMax;
      if (isNew && isFull)
        throw new Problem("no-room", "there are too many work items", { remedy: "end some of them" });
      await store(id, item);
    },
    globals: () => [...globals.values()].map(({ value }) => value),
    async putGlobal(subscriber) {
      const id = records.idOf("work-item-subscriber", subscriber.ae);
      const known = globals.get(id);
      if (known === undefined && globals.size >= globalsMax) {
        throw new Problem("no-room", "too many follow all work items", {
          remedy: "unsubscribe one that no longer does",
        });
      }
      if (!(await records.change(globalShelf.put(id, subscriber, { known })))) throw changedMeanwhile();
      globals.set(id, { id, version: (known?.version ?? 0) + 1, dueAt: undefined, value: subscriber });
    },
    async removeGlobal(ae) {
      const known = globals.get(records.idOf("work-item-subscriber", ae));
      if (known === undefined) return;
      if (!(await records.change(globalShelf.remove(known)))) throw changedMeanwhile();
      globals.delete(known.id);
    },
    inTurn(work) {
      const turn = running.then(work);
      running = turn.catch(() => {});
      return turn;
    },
  };
}

/** What a `Problem` about a work item may also say: that it was there. */
export interface WithGone {
  readonly isGone?: boolean;
}

/** The item, for who may see it. Problem `absent` (C307, `WithGone`). */
export function itemIn(items: HeldWorkItems, uid: string, reach: Reach): WorkItem {
  const item = items.get(uid);
  if (item === undefined || !covers(reach, item.facts)) throw refusalOf(0xc307);
  if (isGone(item)) throw Object.assign(refusalOf(0xc307), { isGone: true } satisfies WithGone);
  return item;
}

export const isGone = (value: WorkItem | GoneWorkItem): value is GoneWorkItem => "goneAt" in value;

/** The item ends now if it does. */
export function endedAt(item: WorkItem, now: number): WorkItem {
  return item.endedAt === undefined && isFinal(stateOf(item.attributes)) ? { ...item, endedAt: now } : item;
}

function dueOf(value: StoredItem): number | undefined {
  if (isGone(value)) return value.goneAt + keptMs.gone;
  if (value.endedAt === undefined) return undefined;
  const isLocked = Object.values(value.subscribers).includes("locked");
  return value.endedAt + (isLocked ? keptMs.locked : keptMs.ended);
}

const sizeOf = (value: StoredItem): number => JSON.stringify(value).length;

const changedMeanwhile = () => new Problem("busy", "somebody else changes this work item");
