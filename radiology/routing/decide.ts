import {
  type HoursCondition,
  type RoutingConditions,
  type RoutingText,
  routingTexts,
  type TextCondition,
} from "#formats/api";
import { foldPattern, foldText, matchesPattern, patternOf } from "#formats/dicom";
import type { Changes, RoutingRule } from "./rule.ts";

/** What is known of an instance when it is decided where it goes; what is not known fits no condition but one with `not`. */
export type RoutingFacts = Partial<Readonly<Record<RoutingText, string>>>;

/** Where an instance goes. */
export interface Decision {
  /** Id of the rule that decided; undefined: none fitted. */
  readonly rule: string | undefined;
  readonly cloud: boolean;
  readonly keep: boolean;
  /** Ids of registered machines. */
  readonly machines: readonly string[];
  /** What is changed in what leaves for the cloud or for machines; what is kept here is kept as it came. */
  readonly changes: Changes | undefined;
}

export type Decide = (facts: RoutingFacts, at: number) => Decision;

/** Nobody has said anything else: it is kept, and goes to the cloud where there is one. */
const usual: Decision = { rule: undefined, cloud: true, keep: true, machines: [], changes: undefined };

/**
 * The first rule that fits decides, as in a firewall: what happens to an instance stands in one line, and who reads from the top knows why.
 * Hours are those of the place where the server stands.
 */
export function deciderOf(rules: readonly RoutingRule[]): Decide {
  const prepared = rules.filter(({ isPaused }) => !isPaused).map((rule) => ({ rule, fits: fitting(rule.when) }));
  return (facts, at) => {
    const folded = new Map(routingTexts.map((text) => [text, foldText(facts[text] ?? "")]));
    const found = prepared.find(({ fits }) => fits(folded, at))?.rule;
    if (found === undefined) return usual;
    const { id, cloud, keep, machines, changes } = found;
    return { rule: id, cloud, keep, machines, changes };
  };
}

export const decide = (rules: readonly RoutingRule[], facts: RoutingFacts, at: number): Decision =>
  deciderOf(rules)(facts, at);

type Fits = (folded: ReadonlyMap<RoutingText, string>, at: number) => boolean;

function fitting(when: RoutingConditions): Fits {
  const all: Fits[] = routingTexts.flatMap((text) => {
    const condition = when[text];
    return condition === undefined ? [] : [fittingText(text, condition)];
  });
  const { hours } = when;
  if (hours !== undefined) all.push((_folded, at) => isWithin(hours, at) !== (hours.not ?? false));
  return (folded, at) => all.every((fits) => fits(folded, at));
}

function fittingText(text: RoutingText, { is, not = false }: TextCondition): Fits {
  const patterns = is.map((pattern) => foldPattern(patternOf(pattern)));
  return (folded) => patterns.some((pattern) => matchesPattern(pattern, folded.get(text) ?? "")) !== not;
}

/** What lies behind midnight belongs to the day on which the hours began. */
function isWithin({ from, to, weekdays }: HoursCondition, at: number): boolean {
  const local = new Date(at);
  const minute = local.getHours() * 60 + local.getMinutes();
  const isOver = from >= to;
  if (!(isOver ? minute >= from || minute < to : minute >= from && minute < to)) return false;
  const day = isOver && minute < from ? (local.getDay() + 6) % 7 : local.getDay();
  return weekdays.length === 0 || weekdays.includes(day);
}
