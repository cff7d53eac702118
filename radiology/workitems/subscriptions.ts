import type { DicomJson } from "#formats/dicom";
import { allAreKeys, itemQuery } from "#radiology/schedule";
import type { GlobalSubscriber, Lock, WorkItem } from "./held-work-items.ts";

/** The well-known UIDs that stand for all work items, and for those that match a filter (PS3.4 §CC.2.3.2). */
export const allItems = "1.2.840.10008.5.1.4.34.5";
export const filteredItems = "1.2.840.10008.5.1.4.34.5.1";

const subscribersMax = 64;

/** Whether an item is matched by each of these identifiers. */
export function matcherOf(identifiers: readonly DicomJson[]): (attributes: DicomJson) => boolean {
  const queries = identifiers.map((identifier) => itemQuery(identifier, allAreKeys));
  return (attributes) => queries.every((query) => query.matches(attributes));
}

/** Who is subscribed to a new item because of following all, or those like it (PS3.4 Table CC.2.3-2). */
export function subscribersOfNew(attributes: DicomJson, globals: readonly GlobalSubscriber[]): WorkItem["subscribers"] {
  const following = globals.filter(({ filter }) => filter === undefined || matcherOf(filter)(attributes));
  return Object.fromEntries(following.map(({ ae, lock }) => [ae, lock]));
}

/** How an AE is subscribed to an item; undefined: it is not. Of its own properties: every object has others, `constructor` is an AE title too. */
export function lockOf({ subscribers }: WorkItem, ae: string): Lock | undefined {
  return Object.hasOwn(subscribers, ae) ? subscribers[ae] : undefined;
}

/** The item with one more subscriber; undefined when it has as many as it may, or is so already. */
export function subscribed(item: WorkItem, ae: string, lock: Lock): WorkItem | undefined {
  const { subscribers } = item;
  const before = lockOf(item, ae);
  if (before === lock) return undefined;
  const isFull = before === undefined && Object.keys(subscribers).length >= subscribersMax;
  return isFull ? undefined : { ...item, subscribers: { ...subscribers, [ae]: lock } };
}

export function unsubscribed(item: WorkItem, ae: string): WorkItem {
  const { [ae]: _removed, ...subscribers } = item.subscribers;
  return { ...item, subscribers };
}
