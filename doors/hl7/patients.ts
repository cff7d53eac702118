import {
  type Fault,
  type Identifier,
  identifiersAt,
  isNull,
  type Message,
  momentOf,
  personNamesAt,
  rawAt,
  type Segment,
  segmentNamed,
  textAt,
} from "#formats/hl7";
import { type Deed, faultAt, type Meaning } from "./deeds.ts";
import { personName, valueText } from "./dicom-values.ts";
import type { OrderNumbers, PatientId } from "./ports.ts";

/** What a PID segment says of a patient. */
export interface Patient {
  readonly id: PatientId;
  /** By keyword: what is said, empty where it is said that there is none. */
  readonly values: Readonly<Record<string, string>>;
}

/** Empty where nobody is named. */
type OrderOwner = Pick<OrderNumbers, "patientId" | "issuer">;

const idCharactersMax = 64;

/** The patient of a PID segment; where a message has several, of the one that is named. */
export function patientOf(message: Message, pid = segmentNamed(message, "PID")): Patient | Fault {
  if (pid === undefined) return faultAt(message, "PID", undefined, "segmentSequence", "there is no patient");
  // PID-2 is the patient's id of versions before 2.3.1, where PID-3 stays empty.
  const id = chosen(identifiersAt(message, pid, 3)) ?? chosen(identifiersAt(message, pid, 2));
  if (id === undefined) return faultAt(message, pid, 3, "requiredField", "the patient has no identifier");
  if (!isSound(id))
    return faultAt(message, pid, 3, "dataType", "the patient's identifier is none of 64 characters on a line");
  const name = personName(personNamesAt(message, pid, 5));
  const born = momentOf(textAt(message, pid, 7));
  const [rawBorn, rawSex] = [rawAt(pid, 7), rawAt(pid, 8)];
  return {
    id,
    values: {
      ...(name !== "" && { PatientName: name }),
      ...(isNull(rawBorn) && { PatientBirthDate: "" }),
      ...(born?.date.length === 8 && { PatientBirthDate: born.date }),
      ...(rawSex !== "" && { PatientSex: sexes.get(textAt(message, pid, 8)) ?? "" }),
    },
  };
}

/** Who an order or an appointment is for, where its message names somebody: who is named has to be who it is. */
export function ownerOf(message: Message, patient = patientOf(message)): OrderOwner | Fault {
  if (!("condition" in patient)) return { patientId: patient.id.id, issuer: patient.id.authority };
  return segmentNamed(message, "PID") === undefined ? { patientId: "", issuer: "" } : patient;
}

/** Table 0001 in the words of PS3.3 §C.7.1.1: what is unknown is not said. */
const sexes: ReadonlyMap<string, string> = new Map([
  ["M", "M"],
  ["F", "F"],
  ...["O", "A", "N", "X"].map((code) => [code, "O"] as const),
]);

/** The medical record number where one is called so, else the first. */
function chosen(identifiers: readonly Identifier[]): PatientId | undefined {
  const one = identifiers.find(({ type }) => type === "MR") ?? identifiers[0];
  return one && { id: one.id, authority: one.authority };
}

const isSound = ({ id, authority }: PatientId) =>
  valueText(id, idCharactersMax) === id && valueText(authority, idCharactersMax) === authority;

/** Of ADT messages. Nothing for what says nothing new of who somebody is. */
export function patientDeeds(message: Message, event: string): Meaning | undefined {
  if (silent.has(event)) return [];
  if (changing.has(event)) {
    const patient = patientOf(message);
    if ("condition" in patient) return patient;
    return Object.keys(patient.values).length === 0
      ? []
      : [({ changePatient }) => changePatient(patient.id, patient.values)];
  }
  if (merging.has(event) || renaming.has(event)) return mergeDeeds(message, merging.has(event));
  return undefined;
}

/** Admissions, registrations, updates: each has the patient as the sender knows them. */
const changing: ReadonlySet<string> = new Set(["A01", "A02", "A03", "A04", "A05", "A08", "A28", "A31"]);
/** That an admission or a discharge is taken back says nothing of the patient. */
const silent: ReadonlySet<string> = new Set(["A11", "A13"]);
/** A40, and what it was before 2.3.1. */
const merging: ReadonlySet<string> = new Set(["A40", "A18", "A34"]);
const renaming: ReadonlySet<string> = new Set(["A47"]);

/** Each PID with the MRG that follows it: who was called as MRG-1 says is called as PID-3 says. */
function mergeDeeds(message: Message, isMerge: boolean): Meaning {
  const deeds: Deed[] = [];
  let pid: Segment | undefined;
  for (const segment of message.segments) {
    if (segment.name === "PID") pid = segment;
    if (segment.name !== "MRG") continue;
    const deed = mergeDeed(message, pid, segment, isMerge);
    if (typeof deed !== "function") return deed;
    deeds.push(deed);
  }
  if (deeds.length === 0) return faultAt(message, "MRG", undefined, "segmentSequence", "nobody is named to merge");
  return deeds;
}

function mergeDeed(message: Message, pid: Segment | undefined, mrg: Segment, isMerge: boolean): Deed | Fault {
  const into = patientOf(message, pid);
  if ("condition" in into) return into;
  const from = chosen(identifiersAt(message, mrg, 1));
  if (from === undefined) return faultAt(message, mrg, 1, "requiredField", "the prior patient has no identifier");
  if (!isSound(from))
    return faultAt(message, mrg, 1, "dataType", "the prior identifier is none of 64 characters on a line");
  if (from.id === into.id.id && from.authority === into.id.authority) {
    return faultAt(message, mrg, 1, "dataType", "a patient is not merged into itself");
  }
  const { id, values } = into;
  if (isMerge) return ({ mergePatients }) => mergePatients(from, id, values);
  return ({ changePatientId }) => changePatientId(from, id, values);
}
