import { Problem } from "#base/problem";
import type { DicomJson } from "#formats/dicom";
import { type Actor, covers, type Gate, type Reach } from "#trust/access";
import type { AuditSubject } from "#trust/audit";
import { isAeTitle } from "./attributes.ts";
import type { Channels, Listener, Listening } from "./channels.ts";
import { restartedReport, stateReport } from "./event-reports.ts";
import { type HeldWorkItems, itemIn, type Lock, type WorkItem } from "./held-work-items.ts";
import { allItems, filteredItems, lockOf, matcherOf, subscribed, unsubscribed } from "./subscriptions.ts";
import { refusalOf } from "./transitions.ts";

/** Who is told of work items, by AE title. Anybody who may see items may have another told (PS3.4 §CC.2.3.3); each is told what it may see itself. */
export interface Subscribers {
  /** To one item, or by a well-known UID to all, or to those that match the filter: those that are there and those to come. */
  subscribe(actor: Actor, uid: string, ae: string, lock: Lock, filter: readonly DicomJson[] | undefined): Promise<void>;
  unsubscribe(actor: Actor, uid: string, ae: string): Promise<void>;
  /** No longer to new items; those that it is subscribed to stay (PS3.4 §CC.2.3.2). */
  suspend(actor: Actor, uid: string, ae: string): Promise<void>;
  /** Reports for this subscriber, as long as the actor may see work items. */
  listen(actor: Actor, ae: string, listener: Listener): Promise<Listening>;
}

/** Items changed together. */
const changedAtOnce = 50;

interface SubscribersParts {
  readonly gate: Gate;
  readonly held: () => Promise<HeldWorkItems>;
  readonly channels: Channels;
  readonly subject: (uid: string) => AuditSubject;
}

export function createSubscribers({ gate, held, channels, subject }: SubscribersParts): Subscribers {
  /** Subscribers that were there when we began, and have not been told so yet. */
  let untold: Promise<Set<string>> | undefined;
  const returned = () => (untold ??= held().then(subscribersIn));
  const isGlobal = (uid: string) => uid === allItems || uid === filteredItems;
  const pass = <T>(actor: Actor, uid: string, ae: string, work: (items: HeldWorkItems, reach: Reach) => Promise<T>) =>
    gate.pass(actor, "work-item.read", subject(uid), async ({ reach }) => {
      if (!isAeTitle(ae)) throw new Problem("invalid", "the path has no AE title", { remedy: "see PS3.5 Table 6.2-1" });
      const items = await held();
      await returned();
      return items.inTurn(() => work(items, reach));
    });
  const put = async (items: HeldWorkItems, changed: readonly WorkItem[]) => {
    for (let from = 0; from < changed.length; from += changedAtOnce) {
      await items.put(...changed.slice(from, from + changedAtOnce));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const tellState = (item: WorkItem, ae: string) =>
    channels.tell([ae], [stateReport(item.uid, item.attributes)], item.facts);

  return {
    subscribe: (actor, uid, ae, lock, filter) =>
      pass(actor, uid, ae, async (items, reach) => {
        if (!isGlobal(uid)) {
          const item = itemIn(items, uid, reach);
          if (lockOf(item, ae) !== lock) {
            const more = subscribed(item, ae, lock);
            if (more === undefined) throw new Problem("no-room", "too many are told of this work item");
            await items.put(more);
          }
          return tellState(item, ae);
        }
        const wanted = uid === filteredItems ? filter : undefined;
        const matches = matcherOf(wanted ?? []);
        await items.putGlobal({ ae, lock, ...(wanted !== undefined && { filter: wanted }) });
        const others = items
          .all()
          .filter((item) => lockOf(item, ae) === undefined && covers(reach, item.facts) && matches(item.attributes));
        const added = others.flatMap((item) => subscribed(item, ae, lock) ?? []);
        await put(items, added);
        // Table CC.2.3-2: only who locks them is told how all of them stand.
        if (lock === "locked") for (const item of added) tellState(item, ae);
      }),
    unsubscribe: (actor, uid, ae) =>
      pass(actor, uid, ae, async (items, reach) => {
        if (!isGlobal(uid)) {
          const item = itemIn(items, uid, reach);
          if (lockOf(item, ae) === undefined) throw notSubscribed();
          return items.put(unsubscribed(item, ae));
        }
        const its = items.all().filter((item) => lockOf(item, ae) !== undefined && covers(reach, item.facts));
        if (its.length === 0 && !items.globals().some((global) => global.ae === ae)) throw notSubscribed();
        await items.removeGlobal(ae);
        await put(
          items,
          its.map((item) => unsubscribed(item, ae)),
        );
      }),
    suspend: (actor, uid, ae) =>
      pass(actor, uid, ae, async (items) => {
        if (!isGlobal(uid)) throw refusalOf(0xc314);
        if (!items.globals().some((global) => global.ae === ae)) throw notSubscribed();
        await items.removeGlobal(ae);
      }),
    listen: (actor, ae, listener) =>
      pass(actor, allItems, ae, async () => {
        const listening = channels.open(actor, ae, listener);
        if ((await returned()).delete(ae)) channels.tell([ae], [restartedReport(allItems)], undefined);
        return listening;
      }),
  };
}

function subscribersIn(items: HeldWorkItems): Set<string> {
  const ofItems = items.all().flatMap(({ subscribers }) => Object.keys(subscribers));
  return new Set([...ofItems, ...items.globals().map(({ ae }) => ae)]);
}

const notSubscribed = () => new Problem("absent", "no such subscription");
