import { Problem } from "#base/problem";
import { attributeOf, type DicomJson, isUid, type JsonElement, tagOf } from "#formats/dicom";
import { itemsOf, keyOf, textAt, textsOf } from "#radiology/schedule";
import { type AttributeRule, attributeRules, enumerations } from "./attribute-table.ts";
import { dateTimeOf, element, isFinal, key, progressOf, type WorkItemState } from "./attributes.ts";
import { refusalOf } from "./transitions.ts";

/** A work item as it is after what was asked, and whether it is not quite as it was asked. */
export interface Checked {
  readonly attributes: DicomJson;
  readonly isModified: boolean;
}

const ours = [key.sopClassUid, key.sopInstanceUid, key.modifiedAt];

/**
 * A new work item (PS3.4 §CC.2.5). What a sender left out of type 2 is taken as there and empty.
 *
 * @throws Problem `invalid`, naming what is missing or wrong.
 */
export function checkedForCreate(given: DicomJson): Checked {
  const attributes = { ...given };
  for (const at of ours) delete attributes[at];
  if (textAt(attributes, key.state) !== "SCHEDULED") throw refusalOf(0xc309);
  checkAll(attributes, attributeRules, "create");
  delete attributes[key.transactionUid];
  const missing = attributeRules.filter(
    ({ create, at }) => /^(2|empty)/.test(create) && at !== key.transactionUid && attributes[at] === undefined,
  );
  for (const { keyword, at } of missing) attributes[at] = element(vrOf(keyword));
  const hasLabel = textAt(attributes, key.worklistLabel) !== "";
  if (!hasLabel) attributes[key.worklistLabel] = element("LO", "DEFAULT");
  return { attributes, isModified: missing.length > 0 || !hasLabel };
}

/**
 * The work item with these attributes instead of its own; a sequence comes whole (PS3.4 §CC.2.6.2). What may not be set is passed over where it
 * is what it is already: who sends a whole item back changes nothing by that.
 *
 * @throws Problem `invalid`, naming what is wrong.
 */
export function checkedForUpdate(held: DicomJson, given: DicomJson): Checked {
  const changes = { ...given };
  for (const at of [...ours, key.transactionUid, key.characterSet]) delete changes[at];
  for (const { at, set } of attributeRules) if (set === "-" && isSame(changes[at], held[at])) delete changes[at];
  checkAll(changes, attributeRules, "set");
  return {
    attributes: { ...held, ...changes },
    isModified: ours.some((at) => given[at] !== undefined && !isSame(given[at], held[at])),
  };
}

/**
 * The work item as it ends. A canceled one gets the time of that where it has none (PS3.4 Table CC.2.5-3), and as reason that none is known:
 * a scheduled one can be canceled without more (§CC.2.5.1.3.2).
 *
 * @throws Problem `conflict` (C304) when it lacks what the state requires.
 */
export function checkedForState(held: DicomJson, state: WorkItemState, now: number): DicomJson {
  const attributes: DicomJson = { ...held, [key.state]: element("CS", state) };
  if (state === "CANCELED") {
    const progress = {
      [key.canceledAt]: element("DT", dateTimeOf(now)),
      [key.reasonCodes]: unspecified,
      ...progressOf(held),
    };
    attributes[key.progress] = element("SQ", progress);
  }
  if (isFinal(state)) requireFinal(attributes, attributeRules, state === "COMPLETED" ? /^[RP]$/ : /^[RX]$/);
  return attributes;
}

const unspecified: JsonElement = element("SQ", {
  [keyOf("CodeValue")]: element("SH", "110513"),
  [keyOf("CodingSchemeDesignator")]: element("SH", "DCM"),
  [keyOf("CodeMeaning")]: element("LO", "Discontinued for unspecified reason"),
});

const isSame = (a: JsonElement | undefined, b: JsonElement | undefined) => JSON.stringify(a) === JSON.stringify(b);

const vrOf = (keyword: string): JsonElement["vr"] => attributeOf(tagOf(keyword))?.vrs[0] ?? "UN";

const hasValue = (held: JsonElement | undefined): boolean =>
  held?.vr === "SQ" ? itemsOf(held).length > 0 : held?.InlineBinary !== undefined || textsOf(held).length > 0;

function checkAll(item: DicomJson, rules: readonly AttributeRule[], by: "create" | "set"): void {
  for (const rule of rules) {
    const { keyword, at, items } = rule;
    const given = item[at];
    const requirement = rule[by];
    if (given !== undefined && given.vr !== vrOf(keyword)) throw invalid(keyword, "has another value representation");
    if (requirement === "-" && given !== undefined) throw invalid(keyword, "may not be set so");
    if (requirement === "empty" && hasValue(given)) throw invalid(keyword, "is empty in a new work item");
    const needsValue =
      requirement.startsWith("1") ||
      (given !== undefined && requirement.endsWith("/1") && !requirement.startsWith("2"));
    if (needsValue && !hasValue(given)) throw invalid(keyword, "has no value");
    checkValues(keyword, given);
    for (const each of itemsOf(given)) checkAll(each, items, by);
  }
}

function checkValues(keyword: string, given: JsonElement | undefined): void {
  const values = textsOf(given);
  const allowed = enumerations[keyword];
  if (allowed !== undefined && values.some((value) => !allowed.includes(value)))
    throw invalid(keyword, "has a value that there is not");
  if (keyword.endsWith("UID") && values.some((value) => !isUid(value))) throw invalid(keyword, "is no UID");
  if (keyword.endsWith("CodeSequence") && !itemsOf(given).every(isCode))
    throw invalid(keyword, "has an item that is no code");
}

/** PS3.4 Table CC.2.5-2a. */
function isCode(item: DicomJson): boolean {
  const has = (keyword: string) => textAt(item, keyOf(keyword)) !== "";
  const isCoded = (has("CodeValue") || has("LongCodeValue")) && has("CodingSchemeDesignator");
  return (isCoded || has("URNCodeValue")) && has("CodeMeaning");
}

function requireFinal(item: DicomJson, rules: readonly AttributeRule[], required: RegExp): void {
  for (const { keyword, at, final, items } of rules) {
    if (required.test(final) && !hasValue(item[at])) throw refusalOf(0xc304, { remedy: `set ${keyword} first` });
    if (required.test(final)) for (const each of itemsOf(item[at])) requireFinal(each, items, required);
  }
}

function invalid(keyword: string, what: string): Problem {
  return new Problem("invalid", `${keyword} ${what}`, { remedy: "see PS3.4 Table CC.2.5-3" });
}
