import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import type {
  HeldReason,
  RoutingRuleRequest,
  RoutingRuleView,
  RoutingTrial,
  RoutingTrialView,
  RoutingView,
} from "#formats/api";
import type { ArrivingInstance, HeldInstance } from "#radiology/archive";
import { type Actor, type Gate, system } from "#trust/access";
import type { Records, Vault } from "#trust/vault";
import { type Batch, type Closing, createBatches } from "./batches.ts";
import { type Changed, createChanging, type Outgoing } from "./changing.ts";
import type { Decision, RoutingFacts } from "./decide.ts";
import { openHeldList } from "./held-list.ts";
import type { Changes, RoutingRule } from "./rule.ts";
import { openRuleTable } from "./rule-table.ts";

export interface RoutingParts {
  readonly records: Records;
  readonly vault: Pick<Vault, "derive">;
  readonly gate: Gate;
  /** The machines that take images, by id. */
  readonly destinations: () => Promise<readonly string[]>;
  /** Whether what is kept here alone stays until somebody deletes it: else a rule must send what it keeps to the cloud too. */
  readonly keepsForGood: () => boolean;
  /** Whether there is a cloud that what comes here goes on to. */
  readonly hasCloud: () => boolean;
  /** AE title of this home. */
  readonly ownTitle: string;
  readonly clock: Clock;
  /** What arrivals are stamped with, epoch milliseconds. */
  readonly stamp: () => number;
  readonly random: Random;
  readonly log: Log;
}

/** Puts a batch where it is sent from; resolves when it rests there. Problem `busy` when too much waits. */
export type Forward = (batch: Batch, changes: Changes | undefined) => Promise<void>;

/** Where instances go when they have come. Every call of a person names its actor and goes through the gate. */
export interface Routing extends RoutingActs {
  /** What the rules say of an instance of which so much is known, counted: for who receives, before or while its data set comes. */
  decide(facts: RoutingFacts): Decision;
  /** A whole data set as it may leave, its pixels untouched. Problem `invalid` for what is no data set. */
  change(dataSet: Uint8Array, transferSyntaxUid: string, changes: Changes): Changed;

  /** For the archive: resolves when what is to be sent on is queued, which is before the instance is acknowledged. */
  arriving(instance: ArrivingInstance): Promise<() => void>;
  /** From now on batches go there. Before, and where nobody says, what comes is kept and goes to no machine. */
  forwardBy(forward: Forward): void;
  /** For who sends a batch: how far it reaches, or when to ask again. */
  close(batch: Batch): Closing;
  outgoing(instance: HeldInstance, changes: Changes | undefined): Outgoing;
  /** Says what became of a batch. */
  note(batch: Batch, became: { readonly sent: number; readonly held: ReadonlyMap<HeldReason, number> }): Promise<void>;
  end(): Promise<void>;
}

export interface RoutingActs {
  view(actor: Actor): Promise<RoutingView>;
  add(actor: Actor, rule: RoutingRuleRequest): Promise<RoutingRuleView>;
  /** Problem `absent` without such a rule. */
  put(actor: Actor, id: string, rule: RoutingRuleRequest): Promise<RoutingRuleView>;
  remove(actor: Actor, id: string): Promise<void>;
  order(actor: Actor, ids: readonly string[]): Promise<RoutingView>;
  /** What would happen to an instance; nothing does. */
  tryOut(actor: Actor, trial: RoutingTrial): Promise<RoutingTrialView>;
  /** What was held back is not shown any more. */
  forget(actor: Actor, heldId: string): Promise<void>;
}

export async function createRouting(parts: RoutingParts): Promise<Routing> {
  const { records, vault, clock, stamp, log, hasCloud, ownTitle } = parts;
  const table = await openRuleTable(parts);
  const held = await openHeldList(records);
  const changing = createChanging({ key: vault.derive("routing pseudonyms", 32), clock });
  let unmatched = 0;
  let forward: Forward | undefined;

  /** Where there is no cloud nothing goes there, and all is kept. */
  const narrowed = (decision: Decision): Decision =>
    hasCloud() ? decision : { ...decision, cloud: false, keep: true };
  const decide = (facts: RoutingFacts): Decision => {
    const decision = narrowed(table.decide(facts, clock.now()));
    if (decision.rule === undefined) unmatched++;
    else table.count(decision.rule, { matched: 1 });
    return decision;
  };

  /** Changes of what is queued now hold for it, whatever becomes of the rule. */
  const queue = async (batch: Batch): Promise<void> => {
    const changes = table.rules().find(({ id }) => id === batch.rule)?.changes;
    try {
      await forward?.(batch, changes);
    } catch (error) {
      if (!isProblem(error, "busy")) throw error;
      // A machine that is gone for weeks does not keep others from sending to us: it is shown what it has missed.
      log.error("what a rule sends on finds no room in the queue", { rule: batch.rule }, error);
      await note(batch, { sent: 0, held: new Map([["queue", 1]]) });
    }
  };
  const batches = createBatches({ clock, stamp, queue });

  const note: Routing["note"] = async ({ rule, to, studyToken: study }, became) => {
    for (const [reason, count] of became.held) await held.note({ rule, to, study, reason }, count, clock.now());
    const heldAll = [...became.held.values()].reduce((sum, count) => sum + count, 0);
    table.count(rule, { sent: became.sent, held: heldAll });
  };

  return {
    decide,
    change: changing.change,
    async arriving(instance) {
      // What the server brought here itself is for who looks at it here.
      if (instance.record.receivedFrom === system.id) return () => {};
      const facts = factsOf(instance, ownTitle);
      // On an edge it was decided, and counted, when it began to come.
      const { rule, machines } = hasCloud() ? table.decide(facts, clock.now()) : decide(facts);
      if (rule === undefined || forward === undefined) return () => {};
      const { studyToken, record } = instance;
      // Not back to where it came from.
      const to = machines.filter((id) => record.receivedFrom !== `device:${id}`);
      const joined = await Promise.allSettled(
        to.map((id) => batches.join({ rule, to: id, studyToken, seriesUid: record.seriesUid }, record.receivedAt)),
      );
      const leave = () => {
        for (const one of joined) if (one.status === "fulfilled") one.value();
      };
      const failed = joined.find((one) => one.status === "rejected");
      if (failed === undefined) return leave;
      leave();
      throw failed.reason;
    },
    forwardBy(given) {
      forward = given;
    },
    close: batches.close,
    outgoing: changing.outgoing,
    note,
    end: table.close,
    ...actsOf(parts, table, { held, narrowed, unmatched: () => unmatched }),
  };
}

interface ActingParts {
  readonly held: Awaited<ReturnType<typeof openHeldList>>;
  readonly narrowed: (decision: Decision) => Decision;
  readonly unmatched: () => number;
}

function actsOf(
  { gate, destinations, hasCloud, keepsForGood, clock }: RoutingParts,
  table: Awaited<ReturnType<typeof openRuleTable>>,
  { held, narrowed, unmatched }: ActingParts,
): RoutingActs {
  const viewOf = (rule: RoutingRule): RoutingRuleView => ({ ...rule, counts: table.countsOf(rule.id) });
  const view = (): RoutingView => ({
    ...{ rules: table.rules().map(viewOf), held: held.list() },
    ...{ unmatched: unmatched(), hasCloud: hasCloud() },
  });
  const on = (id: string) => ({ kind: "rule", id: /^[0-9a-f]{32}$/.test(id) ? id : "unknown" }) as const;
  const requirePlace = ({ cloud }: RoutingRuleRequest): void => {
    if (cloud || keepsForGood()) return;
    const remedy =
      'send it to the cloud too, or write {"retention": {"rules": []}} (or rules of your own) into leadglass.json';
    throw new Problem(
      "invalid",
      "this box deletes what it keeps after some days: what goes to no cloud would be lost",
      { remedy },
    );
  };
  const requireMachines = async ({ machines }: RoutingRuleRequest): Promise<void> => {
    const known = machines.length === 0 ? [] : await destinations();
    if (machines.every((id) => known.includes(id))) return;
    throw new Problem("invalid", "a machine that takes no images", {
      remedy: "leadglass device add AE --address A --port P says where it takes them",
    });
  };

  return {
    view: (actor) => gate.pass(actor, "route.read", undefined, async () => view()),
    add: (actor, rule) =>
      gate.pass(actor, "route.write", undefined, async () => {
        requirePlace(rule);
        await requireMachines(rule);
        return viewOf(await table.add(rule));
      }),
    put: (actor, id, rule) =>
      gate.pass(actor, "route.write", on(id), async () => {
        requirePlace(rule);
        await requireMachines(rule);
        return viewOf(await table.change(id, rule));
      }),
    remove: (actor, id) => gate.pass(actor, "route.write", on(id), () => table.remove(id)),
    order: (actor, ids) =>
      gate.pass(actor, "route.write", undefined, async () => {
        await table.order(ids);
        return view();
      }),
    tryOut: (actor, { at, ...facts }) =>
      gate.pass(actor, "route.read", undefined, async () => {
        const { rule, changes, ...decision } = narrowed(table.decide(facts, at ?? clock.now()));
        const named = table.rules().find(({ id }) => id === rule);
        return {
          ...(named && { rule: { id: named.id, name: named.name } }),
          ...decision,
          isChanged: changes !== undefined,
        };
      }),
    forget: (actor, id) => gate.pass(actor, "route.write", on(id), () => held.forget(id)),
  };
}

function factsOf({ record, callingAe }: ArrivingInstance, calledAe: string): RoutingFacts {
  const { series, study, sopClassUid, receivedFrom } = record;
  const said = {
    ...{ modality: series.Modality, bodyPart: series.BodyPartExamined, stationName: series.StationName },
    ...{ description: study.StudyDescription, callingAe },
    machine: receivedFrom.startsWith("device:") ? receivedFrom.slice("device:".length) : undefined,
  };
  const known = Object.entries(said).flatMap(([text, value]) => (value === undefined ? [] : [[text, value]]));
  return { ...Object.fromEntries(known), sopClass: sopClassUid, ...(callingAe !== undefined && { calledAe }) };
}
