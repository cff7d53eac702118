import type { Clock, Timer } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { RoutingCounts, RoutingRuleRequest } from "#formats/api";
import type { Kept, Records } from "#trust/vault";
import { checkRule, rulesMost } from "./check-rule.ts";
import { type Decide, deciderOf } from "./decide.ts";
import type { RoutingRule } from "./rule.ts";

/** The rules of a home in their order, and what each has done. */
export interface RuleTable {
  rules(): readonly RoutingRule[];
  readonly decide: Decide;
  countsOf(rule: string): RoutingCounts;
  count(rule: string, more: Partial<Record<"matched" | "sent" | "held", number>>): void;
  add(rule: RoutingRuleRequest): Promise<RoutingRule>;
  /** Problem `absent` without it. */
  change(id: string, rule: RoutingRuleRequest): Promise<RoutingRule>;
  remove(id: string): Promise<void>;
  /** Problem `invalid` when these are not just the rules that there are. */
  order(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface RuleTableParts {
  readonly records: Records;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Counts rest this long after the first that changed: a crash takes the last of them. */
const saveAfterMs = 60_000;
const none: RoutingCounts = { matched: 0, sent: 0, held: 0, lastAt: 0 };
const only = "0".repeat(32);

export async function openRuleTable({ records, clock, random, log }: RuleTableParts): Promise<RuleTable> {
  const shelf = records.shelf<readonly RoutingRule[]>("routing-rules");
  const countShelf = records.shelf<Readonly<Record<string, RoutingCounts>>>("routing-counts");
  const turns = createTurns();
  let kept = await shelf.get(only);
  let rules = kept?.value ?? [];
  let decide = deciderOf(rules);
  const counts = new Map(Object.entries((await countShelf.get(only))?.value ?? {}));
  let timer: Timer | undefined;

  const put = (become: (rules: readonly RoutingRule[]) => readonly RoutingRule[]) =>
    turns.take(async () => {
      const next = become(rules);
      if (!(await records.change(shelf.put(only, next, { known: kept })))) throw changedMeanwhile();
      kept = (await shelf.get(only)) as Kept<readonly RoutingRule[]>;
      rules = next;
      decide = deciderOf(next);
    });
  const named = (id: string): RoutingRule => {
    const found = rules.find((rule) => rule.id === id);
    if (found !== undefined) return found;
    throw new Problem("absent", "no such rule", { remedy: "leadglass route list shows those there are" });
  };
  const save = async (): Promise<void> => {
    timer?.stop();
    timer = undefined;
    const ids = new Set(rules.map(({ id }) => id));
    const value = Object.fromEntries([...counts].filter(([id]) => ids.has(id)));
    await records.change(countShelf.put(only, value, { known: await countShelf.get(only) }));
  };
  const saveSoon = () => {
    timer ??= clock.after(saveAfterMs, () => {
      save().catch((error) => log.warn("what routing rules have done was not kept", {}, error));
    });
  };

  return {
    rules: () => rules,
    decide: (facts, at) => decide(facts, at),
    countsOf: (id) => counts.get(id) ?? none,
    count(id, { matched = 0, sent = 0, held = 0 }) {
      const before = counts.get(id) ?? none;
      counts.set(id, {
        ...{ matched: before.matched + matched, sent: before.sent + sent, held: before.held + held },
        lastAt: clock.now(),
      });
      saveSoon();
    },
    async add(request) {
      checkRule(request);
      const rule = { ...request, id: newToken(random) };
      await put((before) => {
        if (before.length < rulesMost) return [...before, rule];
        throw new Problem("no-room", `there are ${rulesMost} rules`, { remedy: "remove one that is not needed" });
      });
      return rule;
    },
    async change(id, request) {
      checkRule(request);
      const rule = { ...request, id };
      named(id);
      await put((before) => before.map((one) => (one.id === id ? rule : one)));
      return rule;
    },
    async remove(id) {
      named(id);
      await put((before) => before.filter((one) => one.id !== id));
      counts.delete(id);
    },
    order: (ids) =>
      put((before) => {
        const isSame = ids.length === before.length && new Set(ids).size === ids.length;
        if (isSame && ids.every((id) => before.some((one) => one.id === id))) return ids.map(named);
        throw new Problem("invalid", "an order names each rule once", { remedy: "read the rules again" });
      }),
    async close() {
      if (timer !== undefined) await save();
    },
  };
}

function changedMeanwhile(): Problem {
  return new Problem("busy", "somebody else changed the rules", { remedy: "try again" });
}
