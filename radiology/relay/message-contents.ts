import {
  type CodedConcept,
  type ContentItem,
  codeOf,
  conceptAt,
  contentItems,
  type DataSet,
  measuredOf,
  plainTextOf,
  tagOf,
} from "#formats/dicom";
import type { Code, OrderState, OutgoingPatient, PersonName, Report, ReportItem } from "#formats/hl7";
import { type AnnouncedStep, itemsOf, key, keyOf, stepOf, textAt } from "#radiology/schedule";

/** What a scheduled step says of its order, but how that stands. */
export function orderOf({ attributes }: AnnouncedStep): Omit<OrderState, "status" | "since"> {
  const step = stepOf(attributes);
  const [code] = itemsOf(attributes[keyOf("RequestedProcedureCodeSequence")]);
  const description = textAt(attributes, key.procedureDescription) || textAt(step, key.stepDescription);
  const coded = code && {
    code: textAt(code, keyOf("CodeValue")),
    meaning: textAt(code, keyOf("CodeMeaning")),
    scheme: textAt(code, keyOf("CodingSchemeDesignator")),
  };
  return {
    patient: {
      id: textAt(attributes, key.patientId),
      authority: textAt(attributes, key.issuer),
      names: namesOf(textAt(attributes, key.patientName)),
      birthDate: textAt(attributes, keyOf("PatientBirthDate")),
      sex: textAt(attributes, keyOf("PatientSex")),
    },
    placer: textAt(attributes, key.placerNumber),
    filler: textAt(attributes, key.fillerNumber),
    accessionNumber: textAt(attributes, key.accessionNumber),
    procedure: coded ?? { code: "", meaning: description, scheme: "" },
    procedureId: textAt(attributes, keyOf("RequestedProcedureID")),
    stepId: textAt(step, key.stepId),
    modality: textAt(step, key.modality),
    studyUid: textAt(attributes, key.studyUid),
    startsAt: momentFrom(textAt(step, key.startDate), textAt(step, key.startTime)),
  };
}

const tag = {
  completion: tagOf("CompletionFlag"),
  verification: tagOf("VerificationFlag"),
  predecessors: tagOf("PredecessorDocumentsSequence"),
  requests: tagOf("ReferencedRequestSequence"),
  procedureCode: tagOf("RequestedProcedureCodeSequence"),
  procedure: tagOf("RequestedProcedureDescription"),
  concept: tagOf("ConceptNameCodeSequence"),
  verifiers: tagOf("VerifyingObserverSequence"),
  verifier: tagOf("VerifyingObserverName"),
  relationship: tagOf("RelationshipType"),
} as const;

/** A structured report as it is told; undefined for one that is not whole yet (PS3.3 §C.17.2: Completion Flag). */
export function reportOf(document: DataSet): Report | undefined {
  if (document.text(tag.completion) !== "COMPLETE") return undefined;
  const [request] = document.items(tag.requests) ?? [];
  const said = (keyword: string): string => document.text(tagOf(keyword)) ?? "";
  const asked = (keyword: string): string => request?.text(tagOf(keyword)) ?? "";
  const isVerified = document.text(tag.verification) === "VERIFIED";
  const isAnew = (document.items(tag.predecessors) ?? []).length > 0;
  const title = codeFrom(conceptAt(document, tag.concept));
  const procedure = codeFrom(conceptAt(request, tag.procedureCode));
  const verifiers = document.items(tag.verifiers) ?? [];
  const written = momentFrom(said("ContentDate"), said("ContentTime"));
  return {
    patient: patientOf(said),
    placer: asked("PlacerOrderNumberImagingServiceRequest"),
    filler: asked("FillerOrderNumberImagingServiceRequest"),
    accessionNumber: asked("AccessionNumber") || said("AccessionNumber"),
    procedure: procedure ?? title ?? { code: "", meaning: asked("RequestedProcedureDescription"), scheme: "" },
    studyUid: said("StudyInstanceUID"),
    documentUid: said("SOPInstanceUID"),
    observedAt: momentFrom(said("StudyDate"), said("StudyTime")) || written,
    reportedAt: written,
    status: !isVerified ? "preliminary" : isAnew ? "corrected" : "final",
    interpreters: verifiers.flatMap((observer) => namesOf(observer.text(tag.verifier) ?? "").slice(0, 1)),
    items: itemsOfReport(document, title),
  };
}

function patientOf(said: (keyword: string) => string): OutgoingPatient {
  return {
    id: said("PatientID"),
    authority: said("IssuerOfPatientID"),
    names: namesOf(said("PatientName")),
    birthDate: said("PatientBirthDate"),
    sex: said("PatientSex"),
  };
}

const itemsMost = 2_000;
const charactersMost = 120_000;
const cutNote = "The report is longer than what is sent: its document holds the rest.";
/** Who observed what, in which language: of the document, and no finding (PS3.3 §C.17.3.2.4). */
const aside: ReadonlySet<string> = new Set(["HAS OBS CONTEXT", "HAS ACQ CONTEXT", "HAS CONCEPT MOD"]);

function itemsOfReport(document: DataSet, title: Code | undefined): ReportItem[] {
  const items: ReportItem[] = [];
  let characters = 0;
  for (const content of contentItems(document)) {
    if (content.depth === 0 || aside.has(content.item.text(tag.relationship) ?? "")) continue;
    const value = saidBy(content);
    if (value === undefined) continue;
    const concept = codeFrom(content.concept) ?? title ?? { code: "", meaning: "Text", scheme: "" };
    characters += JSON.stringify(value).length;
    if (items.length >= itemsMost || characters > charactersMost) {
      return [...items, { concept, value: { kind: "text", text: cutNote } }];
    }
    items.push({ concept, value });
  }
  return items;
}

function saidBy(content: ContentItem): ReportItem["value"] | undefined {
  const text = plainTextOf(content);
  if (text !== undefined) return text === "" ? undefined : { kind: "text", text };
  if (content.type === "CODE") {
    const code = codeFrom(codeOf(content));
    return code && { kind: "code", code };
  }
  if (content.type !== "NUM") return undefined;
  const { number, units } = measuredOf(content);
  const unit = codeFrom(units) ?? { code: "", meaning: "", scheme: "" };
  return number === "" ? undefined : { kind: "number", number, units: unit };
}

const codeFrom = (concept: CodedConcept | undefined): Code | undefined =>
  concept && { code: concept.value, meaning: concept.meaning, scheme: concept.scheme };

const representations = ["A", "I", "P"] as const;

/** PN (PS3.5 §6.2.1) as names of HL7, one for each way in which it is written. */
function namesOf(text: string): PersonName[] {
  return text.split("=", representations.length).flatMap((group, at) => {
    const [family = "", given = "", middle = "", prefix = "", suffix = ""] = group
      .split("^")
      .map((part) => part.trim());
    if (`${family}${given}${middle}` === "") return [];
    return [{ family, given, middle, prefix, suffix, type: "L", representation: representations[at] ?? "" }];
  });
}

/** DA and TM to the second, in nobody's zone but their own. */
function momentFrom(date: string, time: string): string {
  const day = date.replaceAll(/[^0-9]/g, "").slice(0, 8);
  const clock = time.replaceAll(":", "").replace(/\..*$/, "");
  return day.length === 8 && /^([0-9]{2}){1,3}$/.test(clock) ? day + clock : day;
}
