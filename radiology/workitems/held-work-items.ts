import type { Clock } from "#base/clock";
import { isProblem, Problem } from "#base/problem";
import type { DicomJson } from "#formats/dicom";
import { covers, type Reach, type StudyFacts } from "#trust/access";
import { type HeldValue, openHeldShelf, type Records } from "#trust/vault";
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

/** With those that are gone. */
const usualItemsMax = 10_000;
/** So many that are gone are forgotten at once when there is no room. */
const forgottenAtOnce = 200;
const charactersMax = 96 * 1024 * 1024;
const itemCharactersMax = 256 * 1024;
const globalsMax = 64;
const globalCharactersMax = 4 * 1024 * 1024;
const dayMs = 24 * 60 * 60 * 1000;
/** An ended item is kept for so long; while somebody locks it, for so long at most; then it is gone for so long. */
const keptMs = { ended: 7 * dayMs, locked: 30 * dayMs, gone: 30 * dayMs };

/** Work items and who follows all of them, sealed on disk and open in memory. */
export interface HeldWorkItems {
  get(uid: string): WorkItem | GoneWorkItem | undefined;
  all(): WorkItem[];
  /** All or none. Problem `no-room` when there are too many, `too-large` for one that is. */
  put(...items: readonly WorkItem[]): Promise<void>;
  globals(): GlobalSubscriber[];
  putGlobal(subscriber: GlobalSubscriber): Promise<void>;
  removeGlobal(ae: string): Promise<void>;
  /** One after the other: whatever reads before it changes. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

type StoredItem = WorkItem | GoneWorkItem;

export async function openHeldWorkItems(
  records: Records,
  clock: Clock,
  itemsMax = usualItemsMax,
): Promise<HeldWorkItems> {
  const items = await openHeldShelf<StoredItem>({
    ...{ records, kind: "work-item", recordsMax: itemsMax, charactersMax },
    full: () => new Problem("no-room", "there are too many work items", { remedy: "end some of them" }),
  });
  const globals = await openHeldShelf<GlobalSubscriber>({
    ...{ records, kind: "work-item-subscriber", recordsMax: globalsMax, charactersMax: globalCharactersMax },
    full: () =>
      new Problem("no-room", "too many follow all work items", { remedy: "unsubscribe one that no longer does" }),
  });
  const idOf = (uid: string) => records.idOf("work-item", uid);
  const globalIdOf = (ae: string) => records.idOf("work-item-subscriber", ae);
  /** What is due is gone, and what has been gone for long is forgotten. */
  const sweep = (now: number) =>
    items.sweep(now, (value) => (isGone(value) ? undefined : stored({ facts: value.facts, goneAt: now })));
  /** False when there are none. */
  const forgetLongestGone = async (): Promise<boolean> => {
    const gone = items.all().flatMap(({ id, value }) => (isGone(value) ? [{ id, goneAt: value.goneAt }] : []));
    const longest = gone.sort((a, b) => a.goneAt - b.goneAt).slice(0, forgottenAtOnce);
    await items.change(new Map(longest.map(({ id }) => [id, undefined])));
    return longest.length > 0;
  };

  return {
    get: (uid) => items.get(idOf(uid))?.value,
    all: () => items.all().flatMap(({ value }) => (isGone(value) ? [] : [value])),
    async put(...all) {
      if (all.some((item) => JSON.stringify(item).length > itemCharactersMax))
        throw new Problem("too-large", `a work item has more than ${itemCharactersMax} characters`);
      const changes = new Map(all.map((item) => [idOf(item.uid), stored(item)]));
      const isNew = (id: string) => {
        const known = items.get(id);
        return known === undefined || isGone(known.value);
      };
      if ([...changes.keys()].some(isNew)) await sweep(clock.now());
      try {
        await items.change(changes);
      } catch (error) {
        if (!isProblem(error, "no-room") || !(await forgetLongestGone())) throw error;
        await items.change(changes);
      }
    },
    globals: () => globals.all().map(({ value }) => value),
    putGlobal: (subscriber) => globals.change(new Map([[globalIdOf(subscriber.ae), { value: subscriber }]])),
    removeGlobal: (ae) => globals.change(new Map([[globalIdOf(ae), undefined]])),
    inTurn: (work) => items.inTurn(() => globals.inTurn(work)),
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

/** With when it is due: to be gone, or forgotten. */
function stored(value: StoredItem): HeldValue<StoredItem> {
  if (isGone(value)) return { value, dueAt: value.goneAt + keptMs.gone };
  if (value.endedAt === undefined) return { value };
  const isLocked = Object.values(value.subscribers).includes("locked");
  return { value, dueAt: value.endedAt + (isLocked ? keptMs.locked : keptMs.ended) };
}
