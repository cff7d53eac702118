import { type DataSet, type DicomJson, type JsonValue, temporalRange, toDicomJson } from "#formats/dicom";
import { itemsOf, key, stepOf, textAt, textsAt } from "./attributes.ts";
import { allAreKeys, type ItemQuery, itemQuery, type KnownKeys } from "./item-query.ts";
import { wholeTime } from "./value-matching.ts";
import { isConditional, isWorklistKey } from "./worklist-keys.ts";

/** What a console asks of the worklist, ready to be held against each step (PS3.4 §K.4.1). */
export interface WorklistQuery {
  /** It holds a key that is not matched by. */
  readonly keysIgnored: boolean;
  /** Terms that steps are kept by (`termsOf`): a group for each key that says exactly what it wants, of which a step has at least one. */
  readonly terms: readonly (readonly string[])[];
  matches(attributes: DicomJson): boolean;
  /** What of a step was asked for; a key of the model that it has no value of is there and empty. */
  answer(attributes: DicomJson): DicomJson;
}

/** @throws Problem `invalid` for an identifier that is none of this information model. */
export function worklistQuery(identifier: DataSet): WorklistQuery {
  const asked = toDicomJson(identifier);
  const { rest, test } = asMoments(asked);
  const query = itemQuery(rest, itemKeys);
  return {
    keysIgnored: query.keysIgnored,
    terms: wantedTerms(asked),
    matches: (attributes) => query.matches(attributes) && test(stepOf(attributes)),
    answer: (attributes) => answerOf(query, attributes),
  };
}

/** What the model has is known of an item and of its step; below them everything is. */
const stepKeys: KnownKeys = { isKey: (tag) => isWorklistKey(tag, "step"), below: () => allAreKeys };
const itemKeys: KnownKeys = {
  isKey: (tag) => isWorklistKey(tag, "item"),
  below: (at) => (at === key.steps ? stepKeys : allAreKeys),
};

function answerOf({ keys }: ItemQuery, held: DicomJson): DicomJson {
  const answer: DicomJson = {};
  for (const { at, vr, isKnown, item } of keys) {
    const element = held[at];
    if (element === undefined) {
      // §C.2.2.1.3: a key of which nothing is known is not returned, one of the model is there.
      if (isKnown && !isConditional(Number.parseInt(at, 16))) answer[at] = { vr };
    } else if (item === undefined) answer[at] = element;
    else {
      const items = itemsOf(element).filter(item.matches);
      const Value: JsonValue[] = items.map((one) => answerOf(item, one));
      answer[at] = Value.length === 0 ? { vr } : { vr, Value };
    }
  }
  return answer;
}

/**
 * Start date and start time, where both are ranges, ask for one range of moments: from the first day at the first time to the last day at the
 * last (PS3.4 Table K.6-1). `rest` asks for all the others.
 */
function asMoments(asked: DicomJson): { readonly rest: DicomJson; readonly test: (step: DicomJson) => boolean } {
  const step = stepOf(asked);
  const [day, hours] = [textAt(step, key.startDate), textAt(step, key.startTime)];
  const days = day.includes("-") ? temporalRange("DA", day) : undefined;
  const times = hours.includes("-") ? temporalRange("TM", hours) : undefined;
  if (days === undefined || times === undefined) return { rest: asked, test: () => true };
  const from = days.from === undefined ? "" : days.from + (times.from ?? "");
  const to = days.to === undefined ? "\uffff" : days.to + (times.to ?? "\uffff");
  const others: DicomJson = { ...step, [key.startDate]: { vr: "DA" }, [key.startTime]: { vr: "TM" } };
  return {
    rest: { ...asked, [key.steps]: { vr: "SQ", Value: [others, ...itemsOf(asked[key.steps]).slice(1)] } },
    test: (held) => {
      const moment = textAt(held, key.startDate) + wholeTime(textAt(held, key.startTime));
      return moment >= from && moment <= to;
    },
  };
}

const requestKeys = [key.accessionNumber, key.patientId, key.studyUid];
/** What nobody asks for in a query, and every amendment of an order does. */
const orderKeys = [key.placerNumber, key.fillerNumber];
const exactStepKeys = [key.stationAe, key.modality];
/** A range of so many days is looked up day by day. */
const daysMax = 31;

/** The terms that a step is found by without looking at the others. */
export function termsOf(attributes: DicomJson): string[] {
  const step = stepOf(attributes);
  const terms = (item: DicomJson, keys: readonly string[]) =>
    keys.flatMap((at) => textsAt(item, at).map((text) => `${at} ${text}`));
  return [...terms(attributes, [...requestKeys, ...orderKeys]), ...terms(step, [...exactStepKeys, key.startDate])];
}

function wantedTerms(asked: DicomJson): string[][] {
  const step = stepOf(asked);
  const exact = (item: DicomJson, at: string): string[] => {
    const texts = textsAt(item, at);
    return texts.some((text) => /[*?]/.test(text)) ? [] : texts.map((text) => `${at} ${text}`);
  };
  const groups = [...requestKeys.map((at) => exact(asked, at)), ...exactStepKeys.map((at) => exact(step, at))];
  const days = textsAt(step, key.startDate).map(daysOf);
  if (days.every((list) => list !== undefined)) groups.push(days.flat().map((day) => `${key.startDate} ${day}`));
  return groups.filter((group) => group.length > 0);
}

const dayMs = 86_400_000;

/** The days of a date or a short range; undefined for others. */
function daysOf(text: string): string[] | undefined {
  const { from, to } = temporalRange("DA", text.trim()) ?? {};
  if (from === undefined || to === undefined) return undefined;
  if (from === to) return [from];
  const [first, last] = [timeOf(from), timeOf(to)];
  if (!(last >= first) || last - first >= daysMax * dayMs) return undefined;
  const days: string[] = [];
  for (let at = first; at <= last; at += dayMs) days.push(new Date(at).toISOString().slice(0, 10).replaceAll("-", ""));
  return days;
}

const timeOf = (day: string): number => Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
