import {
  type CoercionView,
  type DeidentifyOption,
  type RoutingRuleRequest,
  type RoutingText,
  routingTexts,
  type TextCondition,
} from "#formats/api";
import { minuteOf, timeOf } from "../../words/routing-words.ts";

/** A condition as it is typed: texts with commas between. */
export interface TextDraft {
  readonly typed: string;
  readonly not: boolean;
}

/** A rule as it is typed. */
export interface RuleDraft extends Pick<RoutingRuleRequest, "name" | "isPaused" | "cloud" | "keep" | "machines"> {
  readonly texts: Readonly<Partial<Record<RoutingText, TextDraft>>>;
  readonly from: string;
  readonly to: string;
  readonly weekdays: readonly number[];
  readonly isOutsideHours: boolean;
  readonly deidentify: boolean;
  readonly options: readonly DeidentifyOption[];
  readonly project: string;
  readonly coercions: readonly CoercionDraft[];
}

/** `more` is the value, the attribute that is copied, or the table; `pattern` only of what is rewritten. */
export interface CoercionDraft {
  readonly does: CoercionView["does"];
  readonly attribute: string;
  readonly pattern: string;
  readonly more: string;
}

const blank: RoutingRuleRequest = {
  ...{ name: "", isPaused: false, when: {}, cloud: false, keep: true, machines: [] },
};

export function draftOf(rule: RoutingRuleRequest = blank): RuleDraft {
  const { name, isPaused, when, cloud, keep, machines, changes } = rule;
  const { hours } = when;
  const texts = routingTexts.flatMap((text) => {
    const condition = when[text];
    return condition === undefined ? [] : [[text, { typed: condition.is.join(", "), not: condition.not === true }]];
  });
  return {
    ...{ name, isPaused, cloud, keep, machines, texts: Object.fromEntries(texts) },
    ...{ from: hours === undefined ? "" : timeOf(hours.from), to: hours === undefined ? "" : timeOf(hours.to) },
    ...{ weekdays: hours?.weekdays ?? [], isOutsideHours: hours?.not === true },
    ...{ deidentify: changes?.deidentify !== undefined, options: changes?.deidentify?.options ?? [] },
    ...{ project: changes?.deidentify?.project ?? "", coercions: (changes?.coercions ?? []).map(coercionDraft) },
  };
}

export function ruleOf(draft: RuleDraft): RoutingRuleRequest {
  const { name, isPaused, cloud, keep, machines, deidentify, options, project } = draft;
  const texts = Object.entries(draft.texts).flatMap(([text, { typed, not }]) => {
    const is = typed
      .split(",")
      .map((each) => each.trim())
      .filter((each) => each !== "");
    const condition: TextCondition = { is, ...(not && { not }) };
    return is.length === 0 ? [] : [[text, condition]];
  });
  const coercions = draft.coercions.filter(({ attribute }) => attribute.trim() !== "").map(coercionOf);
  const pseudonyms = { options, ...(project.trim() !== "" && { project: project.trim() }) };
  return {
    ...{ name: name.trim(), isPaused, cloud, keep, machines },
    when: { ...Object.fromEntries(texts), ...hoursOf(draft) },
    ...((deidentify || coercions.length > 0) && {
      changes: { coercions, ...(deidentify && { deidentify: pseudonyms }) },
    }),
  };
}

function hoursOf({ from, to, weekdays, isOutsideHours }: RuleDraft): Pick<RoutingRuleRequest["when"], "hours"> {
  if (from === "" && to === "" && weekdays.length === 0) return {};
  const hours = { from: minuteOf(from || "00:00"), to: minuteOf(to || "00:00"), weekdays };
  return { hours: { ...hours, ...(isOutsideHours && { not: true }) } };
}

function coercionDraft(coercion: CoercionView): CoercionDraft {
  const { does, attribute } = coercion;
  const pattern = coercion.does === "rewrite" ? coercion.pattern : "";
  const more = {
    set: () => ("value" in coercion ? coercion.value : ""),
    prefix: () => ("value" in coercion ? coercion.value : ""),
    rewrite: () => ("value" in coercion ? coercion.value : ""),
    copy: () => ("from" in coercion ? coercion.from : ""),
    map: () => ("table" in coercion ? coercion.table.map(([from, to]) => `${from} = ${to}`).join("\n") : ""),
    remove: () => "",
  }[does]();
  return { does, attribute, pattern, more };
}

function coercionOf({ does, attribute: typed, pattern, more }: CoercionDraft): CoercionView {
  const attribute = typed.trim();
  switch (does) {
    case "remove":
      return { does, attribute };
    case "copy":
      return { does, attribute, from: more.trim() };
    case "map":
      return { does, attribute, table: more.split("\n").flatMap(rowOf) };
    case "rewrite":
      return { does, attribute, pattern, value: more };
    default:
      return { does, attribute, value: more };
  }
}

function rowOf(line: string): (readonly [string, string])[] {
  const at = line.indexOf("=");
  return at < 0 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()]];
}
