import { Problem } from "#base/problem";
import { attributeOf, tagOf, type Vr, vrTable } from "#formats/dicom";
import type { Correction, IdentityValues } from "#trust/vault";
import { isIndexed } from "./received-values.ts";
import type { IndexedValues } from "./study-index.ts";

/*
 * What a correction is, without where it rests: it names attributes of a study and its patient, and what they say from now on.
 * An attribute says what the last correction that names it says, whatever order corrections are learnt in.
 */

/** New values by keyword; empty: the attribute says nothing any more. */
export type NewValues = Readonly<Record<string, string>>;

export interface Reason {
  /** PS3.3 §C.12.1.1.9: made to agree with the patient's record (COERCE), or wrong and put right (CORRECT). */
  readonly code: "COERCE" | "CORRECT";
  /** For whoever asks later; stands in no data set. */
  readonly text: string;
}

/** Who a patient is: the same ID of another issuer is another patient. */
export interface PatientRef {
  readonly PatientID: string;
  readonly IssuerOfPatientID?: string;
}

/** What says who the patient is: a study that is moved or merged takes these over. */
export const patientKeywords = [
  "PatientName",
  "PatientID",
  "IssuerOfPatientID",
  "PatientBirthDate",
  "PatientSex",
] as const;

/** What says more of a patient: of another patient it is not true. */
export const otherPatientKeywords = [
  "PatientBirthTime",
  "OtherPatientIDs",
  "OtherPatientNames",
  "OtherPatientIDsSequence",
  "PatientBirthName",
  "PatientMotherBirthName",
  "PatientAddress",
  "PatientTelephoneNumbers",
] as const;

const studyKeywords = [
  "StudyDate",
  "StudyTime",
  "AccessionNumber",
  "StudyID",
  "StudyDescription",
  "ReferringPhysicianName",
] as const;

const ofPatient: ReadonlySet<string> = new Set([...patientKeywords, ...otherPatientKeywords]);
const correctable: ReadonlySet<string> = new Set([...ofPatient, ...studyKeywords]);

/** A row of the index carries them all. */
export const correctionsMax = 200;
const reasonCharactersMax = 256;
const namePartCharactersMax = 64;
const valuesMax = 16;

/** Problem `invalid` for what may not be corrected, or values that their VR does not hold. The message names no value. */
export function checkChanges(changes: NewValues, what: "patient" | "study"): void {
  const keywords = Object.keys(changes);
  if (keywords.length === 0) throw refused("nothing is to be changed", "name an attribute and its value");
  for (const keyword of keywords) {
    if (!(what === "patient" ? ofPatient : correctable).has(keyword)) {
      const offered = [...(what === "patient" ? ofPatient : correctable)].join(", ");
      throw refused("an attribute cannot be corrected here", `these can: ${offered}`);
    }
    checkValue(keyword, changes[keyword] ?? "");
  }
}

export function checkPatient({ PatientID, IssuerOfPatientID = "" }: PatientRef): void {
  checkValue("PatientID", PatientID);
  checkValue("IssuerOfPatientID", IssuerOfPatientID);
}

export function checkReason({ code, text }: Reason): void {
  if (code !== "COERCE" && code !== "CORRECT") throw refused("the reason is neither COERCE nor CORRECT", "say which");
  if (text.length > reasonCharactersMax || hasControls(text)) {
    throw refused("the reason is too long", `one line of ${reasonCharactersMax} characters at most`);
  }
}

function checkValue(keyword: string, value: string): void {
  if (fitsVr(keyword, value) && (value !== "" || keyword !== "PatientID")) return;
  const [vr = "UN"] = attributeOf(tagOf(keyword))?.vrs ?? [];
  throw refused(`${keyword} cannot hold what is given`, `see PS3.5 §6.2, VR ${vr}`);
}

/** Whether an attribute of the dictionary can hold a text; of a sequence only none. */
export function fitsVr(keyword: string, value: string): boolean {
  const [vr = "UN"] = attributeOf(tagOf(keyword))?.vrs ?? [];
  const multiple = attributeOf(tagOf(keyword))?.vm !== "1";
  const values = value.split("\\");
  return (
    (value === "" || vr !== "SQ") &&
    values.length <= (multiple ? valuesMax : 1) &&
    !hasControls(value) &&
    value.isWellFormed() &&
    values.every((one) => isOfVr(one, vr))
  );
}

function isOfVr(value: string, vr: Vr): boolean {
  if (value === "") return true;
  const most = vrTable[vr].charactersMax ?? Number.POSITIVE_INFINITY;
  if (vr === "DA") return isDate(value);
  if (vr === "TM") return /^([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?$/.test(value);
  if (vr === "CS") return /^[A-Z0-9 _]{1,16}$/.test(value);
  if (vr === "DT") return /^\d{4,14}(\.\d{1,6})?([+-]\d{4})?$/.test(value);
  if (vr === "IS") return /^[+-]?\d{1,11}$/.test(value);
  if (vr === "DS") return value.length <= 16 && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value);
  if (vr === "AS") return /^\d{3}[DWMY]$/.test(value);
  if (vr === "AE") return /^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(value) && value.trim() !== "";
  if (value !== value.trim()) return false;
  if (vr !== "PN") return [...value].length <= most;
  const groups = value.split("=");
  const isGroup = (group: string) =>
    [...group].length <= namePartCharactersMax && group.split("^").length <= nameComponentsMax;
  return groups.length <= nameGroupsMax && groups.every(isGroup);
}

const nameComponentsMax = 5;
const nameGroupsMax = 3;

function isDate(value: string): boolean {
  const parts = /^(\d{4})(\d{2})(\d{2})$/.exec(value);
  if (parts === null) return false;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year);
  return month >= 1 && month <= 12 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

/** What of `to` is not said already by a correction of the study, as the changes of its next; undefined when there is nothing. */
export function changesFor(
  { values, corrections = [] }: IdentityValues,
  to: NewValues,
): Correction["changes"] | undefined {
  const said = new Map(
    corrections.flatMap(({ changes }) => Object.entries(changes).map(([key, each]) => [key, each.to])),
  );
  const changes = Object.entries(to)
    .filter(([keyword, value]) => said.get(keyword) !== value)
    .map(([keyword, value]) => {
      const from = said.get(keyword) ?? values[keyword];
      return [keyword, { ...(from !== undefined && { from }), to: value }] as const;
    });
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

/** A study's identity with a correction more, put in its place; the same when it is there already. */
export function withCorrection(held: IdentityValues, correction: Correction): IdentityValues {
  const others = (held.corrections ?? []).filter(({ version }) => version !== correction.version);
  const corrections = [...others, correction].sort((a, b) => a.version - b.version);
  return { ...held, corrections, values: valuesWith(held.values, corrections) };
}

function valuesWith(values: IndexedValues, corrections: readonly Correction[]): IndexedValues {
  const current: Record<string, string> = { ...values };
  for (const { changes } of corrections) {
    for (const [keyword, { to }] of Object.entries(changes)) {
      if (to === "" || !isIndexed(tagOf(keyword), 0)) delete current[keyword];
      else current[keyword] = to;
    }
  }
  return current;
}

/** Keywords on which an instance that arrives has no say any more. */
export function correctedKeywords({ corrections = [] }: IdentityValues): string[] {
  return corrections.flatMap(({ changes }) => Object.keys(changes));
}

function refused(message: string, remedy: string): Problem {
  return new Problem("invalid", message, { remedy });
}
