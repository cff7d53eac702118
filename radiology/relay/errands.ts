import type { Clock } from "#base/clock";
import { newUid, type Random } from "#base/id";
import { isProblem, Problem } from "#base/problem";
import type { HeldReason } from "#formats/api";
import type { Archive, HeldInstance } from "#radiology/archive";
import type { Batch, Changes, Routing } from "#radiology/routing";
import { type Actor, type ActorKind, type Gate, type Pass, system } from "#trust/access";
import type { InstanceReference, JudgeKept } from "./commitment.ts";
import type { Attempt, NewTransfer, Perform } from "./outbox.ts";
import type { Peers } from "./peers.ts";

/** What there is to do with another machine. */
export type Errand =
  | {
      readonly does: "send";
      readonly studyToken: string;
      /** Only these series. */
      readonly seriesUids?: readonly string[];
      /** Ask whether they are kept, when all were taken. */
      readonly commit: boolean;
      /** Ids of the instances that were taken. */
      readonly sent: readonly string[];
    }
  | { readonly does: "fetch"; readonly studyUid: string }
  /** What a routing rule sends on: changed as the rule had it when the first of the batch came. */
  | {
      readonly does: "route";
      readonly batch: Batch;
      readonly changes?: Changes;
      /** How far the batch reaches, once that is known. */
      readonly until?: number;
      /** Ids of the instances that were taken, or held back. */
      readonly sent: readonly string[];
    }
  /** Say what of these is kept here. */
  | { readonly does: "report"; readonly transactionUid: string; readonly references: References }
  /** Ask what of these is kept there, and hear the answer. */
  | {
      readonly does: "ask";
      readonly transactionUid: string;
      readonly references: References;
      readonly isAsked: boolean;
      /** How many the machine does not keep, once it has said. */
      readonly notKept?: number;
    }
  | { readonly does: "announce"; readonly studyToken: string };

/** Instances by SOP class: a record holds 10,000 of them. */
export type References = readonly { readonly sopClassUid: string; readonly sopInstanceUids: readonly string[] }[];

export function referencesOf(instances: Iterable<InstanceReference>): References {
  const classes = new Map<string, Set<string>>();
  for (const { sopClassUid, sopInstanceUid } of instances) {
    const of = classes.get(sopClassUid);
    if (of) of.add(sopInstanceUid);
    else classes.set(sopClassUid, new Set([sopInstanceUid]));
  }
  return [...classes].map(([sopClassUid, uids]) => ({ sopClassUid, sopInstanceUids: [...uids] }));
}

export function instancesOf(references: References): InstanceReference[] {
  return references.flatMap(({ sopClassUid, sopInstanceUids }) =>
    sopInstanceUids.map((sopInstanceUid) => ({ sopClassUid, sopInstanceUid })),
  );
}

export interface ErrandParts {
  readonly archive: Pick<Archive, "heldOf" | "subjectOf">;
  readonly gate: Gate;
  readonly judge: JudgeKept;
  readonly peers: Peers;
  readonly routing: Pick<Routing, "close" | "outgoing" | "note">;
  readonly clock: Clock;
  readonly random: Random;
  /** Queues what follows from an errand. */
  readonly add: (transfer: NewTransfer<Errand>) => Promise<unknown>;
}

/** A pass of the gate ends after an hour: a long sending asks it again. */
const roundMs = 30 * 60_000;
/** What was taken is remembered for so many instances; of a larger study a lost sending begins anew. */
const sentMost = 20_000;
/** In one storage commitment. */
const askedMost = 5_000;
/** A study has come to rest when nothing of it has come for so long. */
const restMs = 120_000;

type Of<Does extends Errand["does"]> = Extract<Errand, { does: Does }>;
type Doing = Attempt<Errand>;

export function performErrands(parts: ErrandParts): Perform<Errand> {
  return (errand, attempt) => {
    switch (errand.does) {
      case "send":
        return send(parts, errand, attempt);
      case "fetch":
        return parts.peers.fetch(attempt.transfer.to, errand.studyUid, attempt.note, attempt.signal);
      case "route":
        return route(parts, errand, attempt);
      case "report":
        return report(parts, errand, attempt);
      case "ask":
        return ask(parts, errand, attempt);
      case "announce":
        return announce(parts, errand, attempt);
    }
  };
}

/** Who asked for it, as long as their grants last. */
function asker({ transfer: { by } }: Doing): Actor {
  return { kind: by.replace(/:.*$/, "") as ActorKind, id: by };
}

async function send(parts: ErrandParts, errand: Of<"send">, attempt: Doing): Promise<void> {
  const { archive, gate } = parts;
  const sent = new Set(errand.sent);
  attempt.keep((same) => (same.does === "send" ? { ...same, sent: [...sent].slice(0, sentMost) } : same));
  let round: Round;
  do {
    const subject = await archive.subjectOf(errand.studyToken);
    round = await gate.pass(asker(attempt), "transfer.carry", subject, async (pass) => {
      const held = await archive.heldOf(pass, errand.studyToken, "read");
      const chosen = held.filter(({ seriesUid }) => errand.seriesUids?.includes(seriesUid) ?? true);
      if (chosen.length === 0) throw new Problem("absent", "nothing of what was to be sent is here any more");
      return sendRound(parts, chosen, sent, attempt);
    });
  } while (round.isCut);
  requireTaken(round);
  if (errand.commit) await askAbout(parts, round.references, attempt);
}

function requireTaken({ of, notNow, refused }: Round): void {
  if (notNow > 0) throw new Problem("unavailable", `${notNow} of ${of} instances were not taken for now`);
  if (refused > 0) throw new Problem("unsupported", `${refused} of ${of} instances were refused by the other machine`);
}

/** In the name of the server: whoever made the rule is not there when it is followed. */
async function route(parts: ErrandParts, errand: Of<"route">, attempt: Doing): Promise<void> {
  const { archive, gate, routing, peers } = parts;
  const { batch, changes } = errand;
  const closing = errand.until === undefined ? routing.close(batch) : { until: errand.until };
  if ("restsAt" in closing) {
    attempt.notBefore(closing.restsAt);
    throw new Problem("busy", "more of this series may be coming");
  }
  const { until } = closing;
  const sent = new Set(errand.sent);
  attempt.keep((same) => (same.does === "route" ? { ...same, until, sent: [...sent].slice(0, sentMost) } : same));
  const Destination = await peers.titleOf(attempt.transfer.to);
  const isOfBatch = ({ seriesUid, receivedAt }: HeldInstance) =>
    seriesUid === batch.seriesUid && receivedAt >= batch.since && receivedAt <= until;
  let round: Round | undefined;
  do {
    const subject = await archive.subjectOf(batch.studyToken);
    // Deleted meanwhile; or all of it was here before.
    if (subject === undefined) return;
    const work = async (pass: Pass) => {
      const held = (await archive.heldOf(pass, batch.studyToken, "read").catch(noneWhenAbsent)).filter(isOfBatch);
      return held.length === 0 ? undefined : routeRound(parts, held, { sent, batch, changes }, attempt);
    };
    round = await gate.pass(system, "study.route", subject, work, { Destination });
  } while (round?.isCut);
  if (round !== undefined) requireTaken(round);
}

function noneWhenAbsent(error: unknown): HeldInstance[] {
  if (isProblem(error, "absent")) return [];
  throw error;
}

interface Routed {
  readonly sent: Set<string>;
  readonly batch: Batch;
  readonly changes: Changes | undefined;
}

/** What is held back is as good as sent: it is not tried again. */
async function routeRound(
  parts: ErrandParts,
  held: readonly HeldInstance[],
  { sent, batch, changes }: Routed,
  attempt: Doing,
): Promise<Round> {
  const { routing } = parts;
  const before = sent.size;
  const heldBack = new Map<HeldReason, number>();
  const leaving = new Map(
    held.map((instance) => {
      const outgoing = routing.outgoing(instance, changes);
      return [outgoing.instance.sopUid, outgoing] as const;
    }),
  );
  const instances = Array.from(leaving.values(), ({ instance }) => instance);
  const isHeldBack = (sopUid: string) => {
    const reason = leaving.get(sopUid)?.heldBack();
    if (reason !== undefined) heldBack.set(reason, (heldBack.get(reason) ?? 0) + 1);
    return reason !== undefined;
  };
  try {
    return await sendRound(parts, instances, sent, attempt, isHeldBack);
  } finally {
    const countBack = [...heldBack.values()].reduce((sum, count) => sum + count, 0);
    await routing.note(batch, { sent: sent.size - before - countBack, held: heldBack });
  }
}

interface Round {
  readonly of: number;
  readonly notNow: number;
  readonly refused: number;
  /** The time was over before all were tried. */
  readonly isCut: boolean;
  readonly references: readonly InstanceReference[];
}

async function sendRound(
  { peers, clock }: ErrandParts,
  held: readonly HeldInstance[],
  sent: Set<string>,
  { transfer, signal, note }: Doing,
  isHeldBack: (sopInstanceUid: string) => boolean = () => false,
): Promise<Round> {
  const endsMs = clock.monotonicMs() + roundMs;
  const left = held.filter(({ id }) => !sent.has(id));
  const idOf = new Map(left.map(({ sopUid, id }) => [sopUid, id]));
  const failed = { "not-now": 0, refused: 0 };
  let answers = 0;
  note({ done: held.length - left.length, of: held.length });
  await peers.send(transfer.to, left, {
    signal,
    answered(sopInstanceUid, answer) {
      answers++;
      if (answer === "taken" || isHeldBack(sopInstanceUid)) sent.add(idOf.get(sopInstanceUid) ?? "");
      else failed[answer]++;
      note({ done: held.length - left.length + answers, of: held.length });
      return clock.monotonicMs() < endsMs;
    },
  });
  return {
    ...{ of: held.length, notNow: failed["not-now"], refused: failed.refused, isCut: answers < left.length },
    references: held.map(({ sopClassUid, sopUid }) => ({ sopClassUid, sopInstanceUid: sopUid })),
  };
}

/** One commitment for so many instances; each has a transaction of its own. */
async function askAbout(
  { add, random }: ErrandParts,
  instances: readonly InstanceReference[],
  { transfer: { to, by, study, priority } }: Doing,
): Promise<void> {
  for (let from = 0; from < instances.length; from += askedMost) {
    const transactionUid = newUid(random);
    const references = referencesOf(instances.slice(from, from + askedMost));
    await add({
      ...{ key: askKey(transactionUid), kind: "commitment-ask", to, by, priority, ...(study && { study }) },
      errand: { does: "ask", transactionUid, references, isAsked: false },
    });
  }
}

export const askKey = (transactionUid: string): string => `ask ${transactionUid}`;

async function ask({ peers }: ErrandParts, errand: Of<"ask">, { transfer, signal, keep }: Doing): Promise<void> {
  const { transactionUid, notKept, isAsked } = errand;
  const references = instancesOf(errand.references);
  if (notKept === 0) return;
  if (notKept !== undefined) {
    throw new Problem("conflict", `${notKept} of ${references.length} instances are not kept by the other machine`);
  }
  if (!isAsked) await peers.ask(transfer.to, { transactionUid, references }, signal);
  keep((same) => (same.does === "ask" ? { ...same, isAsked: true } : same));
  throw new Problem("unavailable", "the other machine has not said yet what it keeps");
}

function report({ gate, judge, peers }: ErrandParts, errand: Of<"report">, attempt: Doing): Promise<void> {
  const { to } = attempt.transfer;
  const { transactionUid } = errand;
  return gate.pass(system, "commitment.report", { kind: "device", id: to }, async () => {
    const judged = await judge(instancesOf(errand.references), attempt.signal);
    await peers.report(to, { transactionUid, ...judged }, attempt.signal);
  });
}

async function announce(parts: ErrandParts, errand: Of<"announce">, attempt: Doing): Promise<void> {
  const { archive, gate, peers, clock } = parts;
  const subject = await archive.subjectOf(errand.studyToken);
  const told = await gate.pass(system, "study.announce", subject, async (pass) => {
    const held = await archive.heldOf(pass, errand.studyToken, "read");
    const newest = held.reduce((latest, { receivedAt }) => Math.max(latest, receivedAt), 0);
    const restsAt = newest + restMs;
    if (restsAt <= clock.now()) return held;
    attempt.notBefore(restsAt);
    throw new Problem("busy", "more of this study may be coming");
  });
  const [{ studyUid }] = told as [HeldInstance, ...HeldInstance[]];
  const series = new Map<string, InstanceReference[]>();
  for (const { seriesUid, sopClassUid, sopUid: sopInstanceUid } of told) {
    const of = series.get(seriesUid) ?? [];
    if (of.length === 0) series.set(seriesUid, of);
    of.push({ sopClassUid, sopInstanceUid });
  }
  const named = [...series].map(([seriesUid, instances]) => ({ seriesUid, instances }));
  await peers.announce(attempt.transfer.to, { studyUid, series: named }, attempt.signal);
}
