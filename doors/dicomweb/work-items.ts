import type { FastifyReply, FastifyRequest } from "fastify";
import { isProblem, Problem } from "#base/problem";
import { isUid } from "#formats/dicom";
import { filteredItems, type WithGone, type WithUpsStatus } from "#radiology/workitems";
import { answerFormOf, sendDataSets } from "./data-set-answer.ts";
import type { DicomwebParts } from "./parts.ts";
import { publicRoot } from "./public-url.ts";
import { Refusal } from "./refusal.ts";
import { parametersOf } from "./request.ts";
import { isOn } from "./search-query.ts";
import { workItemIn } from "./work-item-body.ts";
import { filterOf, workItemQueryOf } from "./work-item-query.ts";

/** Texts of PS3.18 §11, for people and programs that know them. */
const text = {
  created: "The Workitem was created with modifications.",
  updated: "The Workitem was updated with modifications.",
  isCanceled: "The UPS is already in the requested state of CANCELED.",
  isCompleted: "The UPS is already in the requested state of COMPLETED.",
  uidMissing: "The Transaction UID is missing.",
  uidIncorrect: "The Transaction UID is incorrect.",
  notClaimed: "The target URI did not reference a claimed Workitem.",
  wrongState: "The submitted request is inconsistent with the state of the UPS Instance.",
  wrongItemState: "The submitted request is inconsistent with the current state of the Workitem.",
  more: "There are additional results that can be requested",
} as const;

const alreadySo: Readonly<Record<number, string>> = { 45828: text.isCanceled, 45830: text.isCompleted };
const stateFailures: ReadonlySet<number> = new Set([0xc300, 0xc302, 0xc303, 0xc304, 0xc310, 0xc311, 0xc312]);

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

const warn = (reply: FastifyReply, words: string | undefined) =>
  words === undefined ? reply : reply.header("warning", `299 leadglass "${words}"`);

/** The worklist service (PS3.18 §11), but for its WebSocket. */
export function workItemHandlers(parts: DicomwebParts) {
  const { workItems, actorOf, clock } = parts;
  const rootOf = (request: FastifyRequest) => publicRoot(request, parts.root, parts.trustForwarded ?? false);

  const create: Handler = async (request, reply) => {
    const parameters = parametersOf(request);
    const given = await workItemIn(request, clock);
    const named = uidOf(parameters, "workitem");
    const inside = given["00080018"]?.Value?.[0];
    if (typeof inside === "string" && !isUid(inside)) throw notUid();
    if (named !== undefined && inside !== undefined && inside !== named) {
      throw new Problem("invalid", "the address and the work item name two UIDs", { remedy: "name it in one of them" });
    }
    const facility = await parts.requireFacility(parameters.get("facility") ?? "");
    const asked = named ?? (typeof inside === "string" ? inside : undefined);
    const { uid, isModified } = await workItems.create(actorOf(request), facility, asked, given);
    warn(reply, isModified ? text.created : undefined);
    return reply
      .status(201)
      .header("location", `${rootOf(request)}/workitems/${uid}`)
      .send();
  };
  const search: Handler = async (request, reply) => {
    const form = answerFormOf(request);
    const { items, areMore } = await workItems.find(actorOf(request), workItemQueryOf(parametersOf(request)));
    if (items.length === 0) return reply.status(204).send();
    warn(reply, areMore ? text.more : undefined);
    return sendDataSets(request, reply.status(areMore ? 206 : 200), form, items, parts.log);
  };
  const retrieve: Handler = async (request, reply) => {
    const form = answerFormOf(request);
    const item = await workItems.read(actorOf(request), targetOf(request));
    return sendDataSets(request, reply, form, [item], parts.log);
  };
  const update: Handler = async (request, reply) => {
    const given = await workItemIn(request, clock);
    const transactionUid = uidOf(parametersOf(request), "transaction-uid");
    const { isModified } = await workItems.update(actorOf(request), targetOf(request), transactionUid, given);
    return warn(reply, isModified ? text.updated : undefined).send();
  };
  const changeState: Handler = async (request, reply) => {
    const status = await workItems.changeState(actorOf(request), targetOf(request), await workItemIn(request, clock));
    return warn(reply, alreadySo[status ?? 0]).send();
  };
  const requestCancel: Handler = async (request, reply) => {
    const asked = await workItemIn(request, clock, true);
    const status = await workItems.requestCancel(actorOf(request), targetOf(request), asked);
    return warn(reply.status(202), alreadySo[status ?? 0]).send();
  };
  const subscribe: Handler = async (request, reply) => {
    const parameters = parametersOf(request);
    const uid = targetOf(request);
    const filter = filterOf(parameters);
    if (uid === filteredItems && filter === undefined) {
      throw new Problem("invalid", "the subscription has no filter", {
        remedy: "?filter=keyword=value, see PS3.18 §11.10",
      });
    }
    const lock = isOn(parameters, "deletionlock") ? "locked" : "unlocked";
    await workItems.subscribe(actorOf(request), uid, subscriberOf(request), lock, filter);
    const channel = `${rootOf(request).replace(/^http/, "ws")}/subscribers/${encodeURIComponent(subscriberOf(request))}`;
    return reply.status(201).header("content-location", channel).send();
  };
  const unsubscribe: Handler = async (request, reply) => {
    await workItems.unsubscribe(actorOf(request), targetOf(request), subscriberOf(request));
    return reply.send();
  };
  const suspend: Handler = async (request, reply) => {
    await workItems.suspend(actorOf(request), targetOf(request), subscriberOf(request));
    return reply.send();
  };
  return {
    ...{ search, retrieve: known(retrieve), create, update: known(update, updateWords) },
    ...{ changeState: known(changeState, stateWords), requestCancel: known(requestCancel, stateWords) },
    ...{ subscribe: known(subscribe), unsubscribe: known(unsubscribe), suspend: known(suspend) },
  };
}

/** Says in a Warning what a failure is about, and 410 of what is gone. */
function known(work: Handler, words: (failure: WithUpsStatus) => string | undefined = () => undefined): Handler {
  return async (request, reply) => {
    try {
      return await work(request, reply);
    } catch (error) {
      if (!isProblem(error)) throw error;
      const failure: WithUpsStatus & WithGone & Problem = error;
      if (failure.isGone) throw new Refusal(410, "the work item is gone", "it had ended some time before");
      warn(reply, words(failure));
      // §11.6.2: of one that has ended it is the request that is wrong.
      if (words === updateWords && failure.upsStatus === 0xc300) throw new Problem("invalid", failure.message);
      throw error;
    }
  };
}

function stateWords({ upsStatus = 0, transactionUid }: WithUpsStatus): string | undefined {
  if (transactionUid !== undefined) return transactionUid === "missing" ? text.uidMissing : text.uidIncorrect;
  return stateFailures.has(upsStatus) ? text.wrongState : undefined;
}

function updateWords({ upsStatus = 0, transactionUid }: WithUpsStatus): string | undefined {
  if (upsStatus === 0xc310) return text.notClaimed;
  return transactionUid !== undefined || stateFailures.has(upsStatus) ? text.wrongItemState : undefined;
}

const notUid = () => new Problem("invalid", "what should be a UID is none");

function targetOf(request: FastifyRequest): string {
  const { workitem = "" } = request.params as { workitem?: string };
  if (!isUid(workitem)) throw notUid();
  return workitem;
}

const subscriberOf = (request: FastifyRequest): string => (request.params as { aetitle?: string }).aetitle ?? "";

/** By its name, or by itself: earlier editions of the standard write `?1.2.3`. */
function uidOf(parameters: URLSearchParams, name: string): string | undefined {
  const uid = parameters.get(name) ?? [...parameters.keys()].find((key) => isUid(key));
  if (uid !== undefined && !isUid(uid)) throw notUid();
  return uid;
}
