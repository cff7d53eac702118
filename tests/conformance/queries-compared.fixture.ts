// One question to two archives, and what differs in the answers.
import { systemClock } from "#base/clock";
import { dial, type OutboundAssociation, openAssociation } from "#doors/dimse";
import {
  type DicomJson,
  elementsOf,
  hexOfTag,
  type JsonValue,
  TransferSyntaxUid,
  tagOf,
  toDicomJson,
} from "#formats/dicom";
import type { Corpus } from "./queries-corpus.fixture.ts";

const root = "1.2.840.10008.5.1.4.1.2";
const [patientRoot, studyRoot] = [`${root}.1.1`, `${root}.2.1`];

/** What one archive found: by the corpus's name of the patient, study, series or instance, the values of what was asked for. */
export type Answer = ReadonlyMap<string, Readonly<Record<string, string>>> | "refused";

type Level = "PATIENT" | "STUDY" | "SERIES" | "IMAGE";

const uniqueKeys = {
  PATIENT: "PatientID",
  STUDY: "StudyInstanceUID",
  SERIES: "SeriesInstanceUID",
  IMAGE: "SOPInstanceUID",
} as const;

/** Asked of every answer of C-FIND. */
const returned: Readonly<Record<Level, readonly string[]>> = {
  PATIENT: ["PatientID", "PatientName", "PatientBirthDate", "PatientSex"],
  STUDY: [
    ...["StudyInstanceUID", "PatientID", "PatientName", "StudyDate", "StudyTime", "AccessionNumber"],
    ...["StudyDescription", "ModalitiesInStudy", "ReferringPhysicianName"],
  ],
  SERIES: ["StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription"],
  IMAGE: ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "InstanceNumber"],
};

/** Of every result of QIDO-RS, besides what `includefield` names (PS3.18 §10.6.3.3). */
const listed: Readonly<Record<Exclude<Level, "PATIENT">, readonly string[]>> = {
  STUDY: [
    ...["StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy", "ReferringPhysicianName", "PatientName"],
    ...["PatientID", "PatientBirthDate", "PatientSex", "StudyID"],
    ...["NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"],
  ],
  SERIES: ["Modality", "SeriesDescription", "SeriesNumber", "NumberOfSeriesRelatedInstances"],
  IMAGE: ["SOPClassUID", "InstanceNumber", "Rows", "Columns", "BitsAllocated"],
};

/** With the UIDs that it names. */
export function spelledOut(question: string, { uids }: Pick<Corpus, "uids">): string {
  return question.replace(/\{([^}]+)\}/g, (_all, name: string) => {
    const uid = uids.get(name);
    if (uid === undefined) throw new Error(`the corpus has no ${name}`);
    return uid;
  });
}

export type Associations = Readonly<Record<"plain" | "relational", OutboundAssociation>>;

export async function associations(at: { readonly dicom: number; readonly aeTitle: string }): Promise<Associations> {
  const open = (extensions?: ReadonlyMap<string, { relational: boolean; fuzzyNames: boolean }>) =>
    openAssociation(
      dial({ host: "127.0.0.1", port: at.dicom }),
      {
        callingAe: "WS1",
        calledAe: at.aeTitle,
        contexts: [patientRoot, studyRoot].map((sopClassUid) => ({
          sopClassUid,
          transferSyntaxUids: [TransferSyntaxUid.explicitLittleEndian],
        })),
        ...(extensions !== undefined && { extensions }),
      },
      { clock: systemClock },
    );
  return {
    plain: await open(),
    relational: await open(new Map([[studyRoot, { relational: true, fuzzyNames: false }]])),
  };
}

/** A line of `dimseQuestions` by C-FIND. */
export async function findBy({ plain, relational }: Associations, question: string, corpus: Corpus): Promise<Answer> {
  const [, model, level = "STUDY", given = ""] =
    question.match(/^(patient root |relational )?(PATIENT|STUDY|SERIES|IMAGE)(?: (.*))?$/s) ?? [];
  const keys = Object.fromEntries(
    given.split(" & ").flatMap((key) => {
      const [keyword = "", ...value] = key.split("=");
      return keyword === "" ? [] : [[keyword, spelledOut(value.join("="), corpus).split("\\")]];
    }),
  );
  const empty = Object.fromEntries(returned[level as Level].map((keyword) => [keyword, ""]));
  const identifier = { SpecificCharacterSet: "ISO_IR 192", QueryRetrieveLevel: level, ...empty, ...keys };
  const by = level === "PATIENT" || model === "patient root " ? patientRoot : studyRoot;
  const found: DicomJson[] = [];
  try {
    const association = model === "relational " ? relational : plain;
    for await (const match of association.find(by, elementsOf(identifier))) found.push(toDicomJson(match));
  } catch {
    return "refused";
  }
  return answerOf(found, level as Level, [...Object.keys(empty), ...Object.keys(keys)], corpus);
}

export type Asking = (path: string) => Promise<Response>;

/** A line of `qidoQuestions` by QIDO-RS. */
export async function searchBy(ask: Asking, question: string, corpus: Corpus): Promise<Answer> {
  const url = new URL(spelledOut(question, corpus), "http://localhost");
  const answer = await ask(`${url.pathname}${url.search}`);
  const text = await answer.text();
  if (answer.status !== 200 && answer.status !== 204) return "refused";
  const resource = url.pathname.split("/").at(-1);
  const level = resource === "studies" ? "STUDY" : resource === "series" ? "SERIES" : "IMAGE";
  const included = url.searchParams.getAll("includefield").flatMap((list) => list.split(","));
  const keywords = included.filter((field) => field !== "all" && !/^[0-9]/.test(field));
  return answerOf(text === "" ? [] : JSON.parse(text), level, [...listed[level], ...keywords], corpus);
}

function answerOf(found: readonly DicomJson[], level: Level, keywords: readonly string[], corpus: Corpus): Answer {
  const names = new Map([...corpus.uids].map(([name, uid]) => [uid, name]));
  return new Map(
    found.map((json) => {
      const unique = textOf(json, uniqueKeys[level]);
      return [
        names.get(unique) ?? unique,
        Object.fromEntries(keywords.map((keyword) => [keyword, textOf(json, keyword)])),
      ];
    }),
  );
}

/** Lists in no order of their own. */
const unordered = new Set(["ModalitiesInStudy", "SOPClassesInStudy"]);

function textOf(json: DicomJson, keyword: string): string {
  const values = (json[hexOfTag(tagOf(keyword))]?.Value ?? []).map(asText);
  return (unordered.has(keyword) ? values.sort() : values).join("\\");
}

function asText(value: JsonValue): string {
  if (value === null || typeof value !== "object") return String(value ?? "");
  const { Alphabetic = "", Ideographic = "", Phonetic = "" } = value as Record<string, string>;
  return [Alphabetic, Ideographic, Phonetic].join("=").replace(/=+$/, "");
}

/** What differs, one text each: what only one of them found, and attributes that are told otherwise. */
export function differences(here: Answer, there: Answer): string[] {
  if (here === "refused" || there === "refused") {
    if (here === there) return [];
    return [here === "refused" ? "refused here" : "refused there"];
  }
  const only = (found: typeof here, other: typeof here) => [...found.keys()].filter((name) => !other.has(name)).sort();
  const told = new Set<string>();
  for (const [name, values] of here) {
    const others = there.get(name);
    if (others === undefined) continue;
    for (const [keyword, value] of Object.entries(values))
      if (value !== others[keyword]) told.add(`${keyword} of ${name}: "${value}" here, "${others[keyword]}" there`);
  }
  return [
    ...[only(here, there)].filter(({ length }) => length > 0).map((names) => `only here: ${names.join(" ")}`),
    ...[only(there, here)].filter(({ length }) => length > 0).map((names) => `only there: ${names.join(" ")}`),
    ...told,
  ];
}
