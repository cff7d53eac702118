import { Problem } from "#base/problem";
import { type RoutingConditions, type RoutingRuleRequest, routingTexts, type TextCondition } from "#formats/api";
import { attributeOf, findTag, Tag, vrTable } from "#formats/dicom";
import { fitsVr } from "#radiology/archive";
import type { Changes, Coercion } from "./rule.ts";

/** A table is looked through for every instance. */
export const rulesMost = 100;
const valuesMost = 50;
const textCharactersMost = 64;
const nameCharactersMost = 100;
const machinesMost = 16;
const coercionsMost = 50;
const tableRowsMost = 200;
const minutesOfDay = 24 * 60;

/**
 * What a rule says, checked; machines are looked up by who adds it. Problem `invalid`, whose message names no value.
 */
export function checkRule(rule: RoutingRuleRequest): void {
  const { name, when, cloud, keep, machines, changes } = rule;
  if (name.trim() === "" || name.length > nameCharactersMost || hasControls(name)) {
    throw refused("a rule needs a name", `up to ${nameCharactersMost} characters that say what it is for`);
  }
  checkConditions(when);
  if (machines.length > machinesMost || new Set(machines).size !== machines.length) {
    throw refused("a rule names too many machines, or one twice", `${machinesMost} at most`);
  }
  if (!cloud && !keep) throw refused("a rule that sends nowhere would lose images", "keep them here, or send them on");
  if (!keep && machines.length > 0) {
    throw refused("what goes to machines is sent from here", "keep it here too");
  }
  if (changes === undefined) return;
  if (!cloud && machines.length === 0) {
    throw refused("what is kept here is kept as it came", "changes are made on the way to a machine or the cloud");
  }
  checkChanges(changes);
}

function checkConditions(when: RoutingConditions): void {
  for (const text of routingTexts) {
    const condition = when[text];
    if (condition !== undefined) checkTexts(condition);
  }
  if (when.hours === undefined) return;
  const { from, to, weekdays } = when.hours;
  const isMinute = (minute: number) => Number.isInteger(minute) && minute >= 0 && minute <= minutesOfDay;
  const areDays = weekdays.length <= 7 && weekdays.every((day) => Number.isInteger(day) && day >= 0 && day <= 6);
  if (!isMinute(from) || !isMinute(to) || !areDays) {
    throw refused("these are no hours of the day", "from and to in minutes since midnight, weekdays from 0, Sunday");
  }
}

function checkTexts({ is }: TextCondition): void {
  const isWrong = (value: string) => value.trim() === "" || value.length > textCharactersMost || hasControls(value);
  if (is.length === 0 || is.length > valuesMost || is.some(isWrong)) {
    const remedy = `1 to ${valuesMost} of up to ${textCharactersMost} characters; * and ? stand for others`;
    throw refused("a condition has no texts, or too many", remedy);
  }
}

/** Problem `invalid` for changes that no data set could be given, or that would make it another one. */
export function checkChanges({ coercions, deidentify }: Changes): void {
  if (coercions.length > coercionsMost) throw refused("too many coercions", `${coercionsMost} at most`);
  for (const coercion of coercions) checkCoercion(coercion);
  if (deidentify === undefined) {
    if (coercions.length === 0) throw refused("nothing is changed", "leave the changes out");
    return;
  }
  const { options, project = "" } = deidentify;
  if (options.includes("retain-full-dates") && options.includes("retain-modified-dates")) {
    throw refused("dates are kept as they are or moved, not both", "choose one of the two");
  }
  if (project.length > textCharactersMost || hasControls(project)) throw refused("that is no name of a project", "");
}

function checkCoercion(coercion: Coercion): void {
  const { attribute } = coercion;
  checkAttribute(attribute);
  if (coercion.does === "set") checkValue(attribute, coercion.value);
  if (coercion.does === "copy") checkAttribute(coercion.from);
  if (coercion.does === "prefix") checkText(coercion.value);
  if (coercion.does === "map") checkTable(attribute, coercion.table);
  if (coercion.does === "rewrite") {
    checkText(coercion.pattern);
    checkText(coercion.value);
    if (runsIn(coercion.value) > runsIn(coercion.pattern)) {
      throw refused("the new value has more * than the pattern", "each stands for what one of the pattern found");
    }
  }
}

function checkTable(attribute: string, table: readonly (readonly [string, string])[]): void {
  if (table.length === 0 || table.length > tableRowsMost) {
    throw refused("a table has no rows, or too many", `1 to ${tableRowsMost}`);
  }
  for (const [from, to] of table) {
    checkText(from);
    checkValue(attribute, to);
  }
}

const runsIn = (text: string) => text.split("*").length - 1;

/** Texts of the top level only: neither what the bytes are, nor which instance it is (PS3.3 §C.12.1), nor sequences. */
function checkAttribute(keyword: string): void {
  const tag = findTag(keyword);
  const vr = tag === undefined ? undefined : attributeOf(tag)?.vrs[0];
  const isText = vr !== undefined && (vrTable[vr].kind === "text" || vrTable[vr].kind === "words");
  if (tag === undefined || !isText || vr === "UI" || tag >>> 16 < 0x0008 || fixed.has(tag)) {
    throw refused("an attribute cannot be changed here", "a text attribute by its keyword, such as InstitutionName");
  }
}

/** What says how the rest is to be read. */
const fixed: ReadonlySet<number> = new Set([Tag.SpecificCharacterSet, Tag.Modality, Tag.PhotometricInterpretation]);

function checkValue(keyword: string, value: string): void {
  checkText(value);
  if (!fitsVr(keyword, value)) throw refused(`${keyword} cannot hold what is given`, "see PS3.5 §6.2");
}

function checkText(text: string): void {
  if (text.length > 1_024 || hasControls(text) || !text.isWellFormed()) {
    throw refused("a text is too long, or none", "one line of up to 1024 characters");
  }
}

const hasControls = (text: string) => /\p{Cc}/u.test(text);

function refused(message: string, remedy: string): Problem {
  return new Problem("invalid", message, { remedy });
}
