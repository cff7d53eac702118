import {
  attributeOf,
  type DataElement,
  type DataSet,
  type ElementInput,
  elementsOf,
  inputOf,
  isIdentifying,
  isPrivateTag,
  optionActionOf,
  type ProfileAction,
  pixelDataTags,
  Tag,
  tagOf,
  type Vr,
  vrTable,
} from "#formats/dicom";
import { cleanedText } from "./clean-text.ts";
import { dummyValue } from "./dummy-values.ts";
import type { Pseudonyms } from "./pseudonyms.ts";
import type { Deidentification } from "./rule.ts";
import { earlier } from "./shifted-dates.ts";

/** Codes of the profile and its options (PS3.16 CID 7050). */
const profileCode = ["113100", "Basic Application Confidentiality Profile"] as const;
const optionCodes: Readonly<Record<Deidentification["options"][number], readonly [string, string]>> = {
  "retain-safe-private": ["113111", "Retain Safe Private Option"],
  "retain-uids": ["113110", "Retain UIDs Option"],
  "retain-device": ["113109", "Retain Device Identity Option"],
  "retain-institution": ["113112", "Retain Institution Identity Option"],
  "retain-patient-characteristics": ["113108", "Retain Patient Characteristics Option"],
  "retain-full-dates": ["113106", "Retain Longitudinal Temporal Information Full Dates Option"],
  "retain-modified-dates": ["113107", "Retain Longitudinal Temporal Information Modified Dates Option"],
  "clean-descriptors": ["113105", "Clean Descriptors Option"],
};

/** Stands in DeidentificationMethod of what was de-identified here. */
export const ownMethod = "Leadglass, PS3.15 Annex E";

/** An element after de-identification: as it was, another one, or none. */
type Outcome = "same" | "gone" | ElementInput;

interface Doing {
  readonly given: Deidentification;
  readonly pseudonyms: Pseudonyms;
  /** Stands for the patient, or where there is no Patient ID for the study. */
  readonly patient: string;
}

export interface Deidentified {
  readonly put: readonly ElementInput[];
  readonly gone: ReadonlySet<number>;
}

/**
 * The Basic Application Level Confidentiality Profile (PS3.15 Annex E) on a data set: what to put into it, and what goes. Stricter than Table
 * E.1-1 in what it does not name: attributes that the dictionary does not know go, and names, dates and UIDs that no row is about are
 * treated as their like. Of actions between which the type of an attribute decides, the one is taken that fits every type.
 */
export function deidentified(dataSet: DataSet, given: Deidentification, pseudonyms: Pseudonyms): Deidentified {
  const doing: Doing = { given, pseudonyms, patient: patientOf(dataSet) };
  const put = new Map<number, ElementInput>();
  const gone = new Set<number>();
  for (const element of dataSet.elements) {
    if (pixelDataTags.includes(element.tag)) continue;
    const outcome = outcomeOf(dataSet, element, doing);
    if (outcome === "gone") gone.add(element.tag);
    else if (outcome !== "same") put.set(element.tag, outcome);
  }
  for (const element of [...standIns(dataSet, doing), ...said(dataSet, given)]) {
    put.set(element.tag, element);
    gone.delete(element.tag);
  }
  return { put: [...put.values()], gone };
}

/** The same ID of another issuer is another patient. */
function patientOf(dataSet: DataSet): string {
  const id = dataSet.text(Tag.PatientID) ?? "";
  if (id === "") return JSON.stringify(["study", dataSet.text(Tag.StudyInstanceUID) ?? ""]);
  return JSON.stringify(["patient", dataSet.text(Tag.IssuerOfPatientID) ?? "", id]);
}

/** Patient ID and name, where the attribute was there: the same for all that comes of one patient. */
function standIns(dataSet: DataSet, { pseudonyms, patient }: Doing): ElementInput[] {
  const name = pseudonyms.patient(patient);
  const tags = [Tag.PatientID, Tag.PatientName].filter((tag) => dataSet.has(tag));
  return tags.map((tag) => ({ tag, vr: tag === Tag.PatientName ? "PN" : "LO", value: name }));
}

/** That it was done, and how (PS3.15 §E.1.1, PS3.3 §C.12.1.1.7). */
function said(dataSet: DataSet, { options }: Deidentification): ElementInput[] {
  const codes = [profileCode, ...options.map((option) => optionCodes[option])];
  const dates = options.includes("retain-full-dates")
    ? "UNMODIFIED"
    : options.includes("retain-modified-dates")
      ? "MODIFIED"
      : "REMOVED";
  const before = dataSet.texts(tagOf("DeidentificationMethod")) ?? [];
  return elementsOf({
    PatientIdentityRemoved: "YES",
    DeidentificationMethod: [...before, ownMethod],
    DeidentificationMethodCodeSequence: codes.map(([CodeValue, CodeMeaning]) => ({
      ...{ CodeValue, CodingSchemeDesignator: "DCM", CodeMeaning },
    })),
    LongitudinalTemporalInformationModified: dates,
  });
}

function outcomeOf(dataSet: DataSet, element: DataElement, doing: Doing): Outcome {
  const { tag } = element;
  if ((tag & 0xffff) === 0) return "gone";
  if (isPrivateTag(tag)) return outcomeOfPrivate(dataSet, element, doing);
  const attribute = attributeOf(tag);
  if (attribute === undefined) return "gone";
  const { options } = doing.given;
  const option = optionActionOf(tag, options);
  const vr = dataSet.vrOf(element);
  if (option === "keep") return within(dataSet, element, doing);
  if (option === "clean") return cleaned(dataSet, element, vr, attribute.profileAction ?? "X", doing);
  if (attribute.profileAction !== undefined) return acted(dataSet, element, vr, attribute.profileAction, doing);
  if (element.items !== undefined || !isIdentifying(tag)) return within(dataSet, element, doing);
  return unnamed(dataSet, element, vr, doing);
}

/** What no row of the table is about and yet names a person, a machine, a moment or an object. */
function unnamed(dataSet: DataSet, element: DataElement, vr: Vr, doing: Doing): Outcome {
  const { options } = doing.given;
  if (vr === "UI") return options.includes("retain-uids") ? "same" : withOtherUids(dataSet, element, doing);
  const isMoment = vr === "DA" || vr === "DT" || vr === "TM";
  if (isMoment && options.includes("retain-full-dates")) return "same";
  if (isMoment && options.includes("retain-modified-dates")) return cleaned(dataSet, element, vr, "D", doing);
  return acted(dataSet, element, vr, "D", doing);
}

function outcomeOfPrivate(dataSet: DataSet, element: DataElement, doing: Doing): Outcome {
  const { tag } = element;
  const isCreator = (tag & 0xff00) === 0;
  const creatorTag = isCreator ? tag : ((tag & 0xffff0000) | ((tag >>> 8) & 0xff)) >>> 0;
  const creator = dataSet.text(creatorTag) ?? "";
  if (!doing.given.options.includes("retain-safe-private") || isIdentifying(tag, creator)) return "gone";
  return within(dataSet, element, doing);
}

/** What stays; of a sequence what its items hold is looked at for itself. */
function within(dataSet: DataSet, element: DataElement, doing: Doing): Outcome {
  const { items, tag } = element;
  if (items === undefined) return "same";
  let isChanged = false;
  const value = items.map((item) =>
    item.elements.flatMap((inner): ElementInput[] => {
      const outcome = outcomeOf(item, inner, doing);
      if (outcome === "same") return [inputOf(item, inner)];
      isChanged = true;
      return outcome === "gone" ? [] : [outcome];
    }),
  );
  return isChanged ? { tag, vr: dataSet.vrOf(element), value } : "same";
}

function acted(dataSet: DataSet, element: DataElement, vr: Vr, action: ProfileAction, doing: Doing): Outcome {
  const { tag, items } = element;
  switch (action) {
    case "X":
      return "gone";
    case "Z":
    case "X/Z":
      // An empty sequence is one only where its type is 2, which those of this action are not in any image.
      if (items !== undefined && action === "X/Z") return "gone";
      return { tag, vr, value: items === undefined ? new Uint8Array(0) : [] };
    case "U":
    case "X/Z/U*":
      return items === undefined ? withOtherUids(dataSet, element, doing) : within(dataSet, element, doing);
    case "D":
    case "X/D":
    case "Z/D":
    case "X/Z/D":
      if (vr === "UI") return withOtherUids(dataSet, element, doing);
      return { tag, vr, value: items === undefined ? dummyValue(vr) : items.map((item) => dummyItem(item, doing)) };
  }
}

/** Keeps how an item is built, and nothing that it says but codes of one word and measures. */
function dummyItem(item: DataSet, doing: Doing): ElementInput[] {
  return item.elements.flatMap((element): ElementInput[] => {
    const { tag, items } = element;
    const vr = item.vrOf(element);
    if (isPrivateTag(tag) || attributeOf(tag) === undefined || vrTable[vr].kind === "bytes") return [];
    if (items !== undefined) return [{ tag, vr, value: items.map((inner) => dummyItem(inner, doing)) }];
    const outcome = outcomeOf(item, element, doing);
    if (outcome !== "same") return outcome === "gone" ? [] : [outcome];
    const isSaid = vr === "CS" || vr === "UI" || vrTable[vr].kind === "number" || vr === "DS" || vr === "IS";
    return [isSaid ? inputOf(item, element) : { tag, vr, value: dummyValue(vr) }];
  });
}

function withOtherUids(dataSet: DataSet, element: DataElement, { pseudonyms }: Doing): Outcome {
  const { tag } = element;
  return { tag, vr: "UI", value: dataSet.textsOf(element).map((uid) => (uid === "" ? "" : pseudonyms.uid(uid))) };
}

/** Dates of a patient are all moved alike, words that nobody knows go; what can be neither, the profile's own action ends. */
function cleaned(dataSet: DataSet, element: DataElement, vr: Vr, action: ProfileAction, doing: Doing): Outcome {
  const { tag, items } = element;
  if (items !== undefined) return within(dataSet, element, doing);
  if (vr === "TM") return "same";
  if (vr === "DA" || vr === "DT") {
    const days = doing.pseudonyms.daysEarlier(doing.patient);
    const moved = dataSet.textsOf(element).map((text) => earlier(text, days));
    if (moved.every((text) => text !== undefined)) return { tag, vr, value: moved };
  }
  if (vr !== "LO" && vr !== "SH" && vr !== "ST" && vr !== "LT" && vr !== "UT" && vr !== "UC") {
    return acted(dataSet, element, vr, action, doing);
  }
  return { tag, vr, value: dataSet.textsOf(element).map(cleanedText) };
}
