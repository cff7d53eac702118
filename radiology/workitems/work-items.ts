import type { Clock } from "#base/clock";
import { newUid, type Random } from "#base/id";
import { Problem } from "#base/problem";
import { type DicomJson, isUid } from "#formats/dicom";
import { textAt } from "#radiology/schedule";
import { type Actor, covers, type Gate, type Policy, type StudyFacts } from "#trust/access";
import type { Records } from "#trust/vault";
import { returnKeys } from "./attribute-table.ts";
import { dateTimeOf, element, isState, key, picked, stateOf, upsPush, type WorkItemState } from "./attributes.ts";
import { createChannels } from "./channels.ts";
import { cancelRequestedReport, changeReports, creationReports } from "./event-reports.ts";
import { endedAt, type HeldWorkItems, isGone, itemIn, openHeldWorkItems, type WorkItem } from "./held-work-items.ts";
import { checkedForCreate, checkedForState, checkedForUpdate } from "./requirements.ts";
import { createSubscribers, type Subscribers } from "./subscribers.ts";
import { matcherOf, subscribersOfNew } from "./subscriptions.ts";
import { outcomeOf, refusalOf } from "./transitions.ts";

/** What a search asks for (PS3.4 §CC.2.8). */
export interface WorkItemQuery {
  /** Each must match: keys of one sequence that must match within one item stand in one of them. */
  readonly identifiers: readonly DicomJson[];
  /** Attributes answered beside those that always are, by their places in the DICOM JSON model. */
  readonly include: readonly string[] | "all";
  readonly offset: number;
  readonly limit: number;
}

export interface FoundWorkItems {
  readonly items: readonly DicomJson[];
  readonly areMore: boolean;
}

/**
 * Unified Procedure Steps (PS3.4 Annex CC): what is to be done by whoever claims it. Problems are `absent`, `invalid` and `conflict`, with a
 * status code of that annex (`WithUpsStatus`) where it has one; an item that is gone is `absent` (`WithGone`).
 */
export interface WorkItems extends Subscribers {
  /** Makes one in a facility (its token; empty: where its study lies). Its UID, and whether it is not quite as it was given. */
  create(
    actor: Actor,
    facility: string,
    uid: string | undefined,
    given: DicomJson,
  ): Promise<{ readonly uid: string; readonly isModified: boolean }>;
  read(actor: Actor, uid: string): Promise<DicomJson>;
  update(
    actor: Actor,
    uid: string,
    transactionUid: string | undefined,
    given: DicomJson,
  ): Promise<{ readonly isModified: boolean }>;
  /** Resolves with a status code where it is so already. `request` has the state and the Transaction UID. */
  changeState(actor: Actor, uid: string, request: DicomJson): Promise<number | undefined>;
  /** Cancels what is scheduled, tells of it who does what is in progress. Resolves as `changeState`. */
  requestCancel(actor: Actor, uid: string, request: DicomJson): Promise<number | undefined>;
  /** In the order in which they are to begin. */
  find(actor: Actor, query: WorkItemQuery): Promise<FoundWorkItems>;
}

export interface WorkItemsParts {
  readonly records: Records;
  readonly gate: Gate;
  readonly policy: Pick<Policy, "decide">;
  readonly clock: Clock;
  readonly random: Random;
  /** AE title that we ask performers under, for who has none. */
  readonly ownTitle: string;
  /** Where a study lies that is here; undefined for one that is not. */
  readonly factsOfStudy: (studyUid: string) => Promise<StudyFacts | undefined>;
}

/** Items looked at in a row before others have their turn. */
const inARow = 500;

export function createWorkItems(parts: WorkItemsParts): WorkItems {
  const { records, gate, clock, random, factsOfStudy } = parts;
  const channels = createChannels(parts.policy);
  let opening: Promise<HeldWorkItems> | undefined;
  /** Opened by the first who needs it; an opening that failed is tried again. */
  const held = (): Promise<HeldWorkItems> => {
    opening ??= openHeldWorkItems(records, clock).catch((error) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  const subject = (uid: string) => ({ kind: "step", id: records.idOf("work-item", uid) }) as const;
  const factsIn = async (attributes: DicomJson, facility: string): Promise<StudyFacts> => {
    const studyUid = textAt(attributes, key.studyUid);
    const facts = studyUid === "" ? undefined : await factsOfStudy(studyUid);
    return { patient: "", study: "", order: "", ...facts, facility: facility || (facts?.facility ?? "") };
  };
  const tellChange = (before: WorkItem, after: WorkItem) => {
    const reports = changeReports(after.uid, before.attributes, after.attributes);
    channels.tell(Object.keys(after.subscribers), reports, after.facts);
  };
  /** Puts the item as it is now, and tells of it. */
  const change = async (
    items: HeldWorkItems,
    before: WorkItem,
    attributes: DicomJson,
    more: Partial<WorkItem> = {},
  ) => {
    const after = endedAt({ ...before, ...more, attributes }, clock.now());
    await items.put(after);
    tellChange(before, after);
    return after;
  };

  return {
    ...createSubscribers({ ...parts, held, channels, subject }),
    create(actor, facility, given, attributes) {
      const uid = given ?? newUid(random);
      return gate.pass(actor, "work-item.write", subject(uid), async ({ reach }) => {
        const checked = checkedForCreate(attributes);
        const facts = await factsIn(attributes, facility);
        if (!covers(reach, facts))
          throw new Problem("absent", "not found", { remedy: "name a facility or a study of yours" });
        const items = await held();
        await items.inTurn(async () => {
          const known = items.get(uid);
          const outcome = outcomeOf(
            "create",
            known === undefined || isGone(known) ? "absent" : stateOf(known.attributes),
            true,
          );
          if (typeof outcome === "number") throw refusalOf(outcome);
          const made = withOurs(checked.attributes, uid, clock.now());
          const item = { uid, attributes: made, facts, subscribers: subscribersOfNew(made, items.globals()) };
          await items.put(item);
          channels.tell(Object.keys(item.subscribers), creationReports(uid, made), facts);
        });
        return { uid, isModified: checked.isModified };
      });
    },
    read: (actor, uid) =>
      gate.pass(
        actor,
        "work-item.read",
        subject(uid),
        async ({ reach }) => itemIn(await held(), uid, reach).attributes,
      ),
    update(actor, uid, transactionUid, given) {
      const act = transactionUid === undefined ? "work-item.write" : "work-item.perform";
      return gate.pass(actor, act, subject(uid), async ({ reach }) => {
        const items = await held();
        return items.inTurn(async () => {
          const item = itemIn(items, uid, reach);
          requireTurn(item, transactionUid);
          const { attributes, isModified } = checkedForUpdate(item.attributes, given);
          const isMoved = textAt(attributes, key.studyUid) !== textAt(item.attributes, key.studyUid);
          const facts = isMoved ? await factsIn(attributes, item.facts.facility) : item.facts;
          if (!covers(reach, facts)) throw new Problem("absent", "not found", { remedy: "name a study of yours" });
          await change(items, item, withOurs(attributes, uid, clock.now()), { facts });
          return { isModified };
        });
      });
    },
    changeState: (actor, uid, request) =>
      gate.pass(actor, "work-item.perform", subject(uid), async ({ reach }) => {
        const { state, transactionUid } = askedState(request);
        const items = await held();
        return items.inTurn(async () => {
          const item = itemIn(items, uid, reach);
          const isCorrect = transactionUid !== "" && (item.transactionUid ?? transactionUid) === transactionUid;
          const outcome = outcomeOf(state, stateOf(item.attributes), isCorrect);
          if (outcome === 0xc301)
            throw refusalOf(outcome, { transactionUid: transactionUid === "" ? "missing" : "incorrect" });
          if (typeof outcome === "number") return orRefuse(outcome);
          await change(items, item, checkedForState(item.attributes, state, clock.now()), { transactionUid });
          return undefined;
        });
      }),
    requestCancel: (actor, uid, request) =>
      gate.pass(actor, "work-item.write", subject(uid), async ({ reach }) => {
        const items = await held();
        return items.inTurn(async () => {
          const item = itemIn(items, uid, reach);
          const aes = Object.keys(item.subscribers);
          const outcome = outcomeOf("request cancel", stateOf(item.attributes), true);
          if (typeof outcome === "number") return orRefuse(outcome);
          if (outcome === "tell" && aes.length === 0) throw refusalOf(0xc312, { remedy: "ask them in another way" });
          const tellRequest = () =>
            channels.tell(aes, [cancelRequestedReport(uid, parts.ownTitle, request)], item.facts);
          if (outcome === "tell") {
            tellRequest();
            return undefined;
          }
          // §CC.2.2.3: first as if it had been claimed.
          const begun = checkedForState(item.attributes, "IN PROGRESS", clock.now());
          const why = picked(request, [key.reason, key.reasonCodes]);
          const explained = { ...begun, ...(Object.keys(why).length > 0 && { [key.progress]: element("SQ", why) }) };
          const started = { ...item, attributes: explained };
          const canceled = checkedForState(explained, "CANCELED", clock.now());
          await items.put(endedAt({ ...item, attributes: canceled }, clock.now()));
          tellRequest();
          tellChange(item, started);
          tellChange(started, { ...item, attributes: canceled });
          return undefined;
        });
      }),
    find: (actor, { identifiers, include, offset, limit }) =>
      gate.pass(actor, "work-item.read", undefined, async ({ reach }) => {
        const matches = matcherOf(identifiers);
        const found: WorkItem[] = [];
        for (const [at, item] of (await held()).all().entries()) {
          if (at % inARow === inARow - 1) await new Promise((resolve) => setImmediate(resolve));
          if (covers(reach, item.facts) && matches(item.attributes)) found.push(item);
        }
        const page = found.sort(byStart).slice(offset, offset + limit);
        const keys = include === "all" ? undefined : [...new Set([...returnKeys, ...include])].sort();
        const items = page.map(({ attributes }) => (keys === undefined ? attributes : picked(attributes, keys)));
        return { items, areMore: found.length > offset + limit };
      }),
  };
}

/** PS3.4 §CC.2.6.3: a scheduled item is changed by who brings no Transaction UID, one in progress by who has claimed it, an ended one by nobody. */
function requireTurn({ attributes, transactionUid }: WorkItem, given: string | undefined): void {
  const state = stateOf(attributes);
  if (state === "COMPLETED" || state === "CANCELED") throw refusalOf(0xc300);
  if (state === "SCHEDULED" && given !== undefined) throw refusalOf(0xc310);
  if (given === (state === "SCHEDULED" ? undefined : transactionUid)) return;
  throw refusalOf(0xc301, { transactionUid: given === undefined ? "missing" : "incorrect" });
}

function askedState(request: DicomJson): { readonly state: WorkItemState; readonly transactionUid: string } {
  const state = textAt(request, key.state);
  const transactionUid = textAt(request, key.transactionUid);
  if (!isState(state)) throw new Problem("invalid", "no state of a work item", { remedy: "see PS3.4 Table CC.1.1-1" });
  if (transactionUid !== "" && !isUid(transactionUid)) throw new Problem("invalid", "the Transaction UID is no UID");
  return { state, transactionUid };
}

function orRefuse(status: number): number {
  if (status >> 12 === 0xb) return status;
  throw refusalOf(status);
}

/** What we say of each item ourselves; in the order of tags. */
function withOurs(attributes: DicomJson, uid: string, now: number): DicomJson {
  const all = {
    ...attributes,
    [key.sopClassUid]: element("UI", upsPush),
    [key.sopInstanceUid]: element("UI", uid),
    [key.modifiedAt]: element("DT", dateTimeOf(now)),
  };
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const orderOf = ({ attributes, uid }: WorkItem) => `${textAt(attributes, key.startsAt)} ${uid}`;
const byStart = (a: WorkItem, b: WorkItem) => (orderOf(a) < orderOf(b) ? -1 : 1);
