import { attributeOf, type DicomJson, hexOfTag, keywordOf } from "#formats/dicom";
import {
  type IndexedValues,
  type Level,
  type ListedInstance,
  levelOf,
  type SeriesRow,
  type StudyRow,
} from "#radiology/archive";
import { type AttributeValues, attributesJson } from "./attribute-json.ts";
import type { Search } from "./search-query.ts";

/** Returned at each level whether asked for or not: PS3.18 Tables 10.6.3-3, -4 and -5, and what viewers cannot do without. */
const required = {
  study: [
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "TimezoneOffsetFromUTC",
    "StudyDescription",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
  ],
  series: [
    "Modality",
    "SeriesDate",
    "SeriesTime",
    "SeriesDescription",
    "SeriesNumber",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
  ],
  instance: ["InstanceNumber", "NumberOfFrames", "Rows", "Columns", "BitsAllocated"],
} as const satisfies Record<Level, readonly string[]>;

/** What rows hold of the items of a sequence, under keywords of their own. */
const inItems: ReadonlySet<string> = new Set(["ScheduledProcedureStepID", "RequestedProcedureID"]);

/** Left out of a result when the object has no value for them: an empty attribute would say something else. */
const onlyWithValue = new Set(["TimezoneOffsetFromUTC", "NumberOfFrames", "Rows", "Columns", "BitsAllocated"]);

/** Of a result: which levels it shows, and where it can be retrieved. */
export interface Shown {
  readonly search: Search;
  /** The root of this service: `https://host/dicom-web`. */
  readonly root: string;
  /** Whether the attributes of the levels above belong to it: they do where the path did not name them. */
  readonly withStudy: boolean;
  readonly withSeries: boolean;
}

export function studyUrl(root: string, studyUid: string): string {
  return `${root}/studies/${studyUid}`;
}

export function seriesUrl(root: string, studyUid: string, seriesUid: string): string {
  return `${studyUrl(root, studyUid)}/series/${seriesUid}`;
}

export function instanceUrl(root: string, studyUid: string, seriesUid: string, sopUid: string): string {
  return `${seriesUrl(root, studyUid, seriesUid)}/instances/${sopUid}`;
}

export function studyResult(study: StudyRow, shown: Shown): DicomJson {
  return attributesJson({
    ...common,
    ...studyAttributes(study, shown.search, true),
    RetrieveURL: studyUrl(shown.root, study.studyUid),
  });
}

export function seriesResult(series: SeriesRow, shown: Shown): DicomJson {
  const { study, seriesUid } = series;
  return attributesJson({
    ...common,
    ...timezoneOf(study),
    ...studyAttributes(study, shown.search, shown.withStudy),
    ...seriesAttributes(series, shown.search, true),
    RetrieveURL: seriesUrl(shown.root, study.studyUid, seriesUid),
  });
}

export function instanceResult(instance: ListedInstance, shown: Shown): DicomJson {
  const { series, sopUid } = instance;
  return attributesJson({
    ...common,
    ...timezoneOf(series.study),
    ...studyAttributes(series.study, shown.search, shown.withStudy),
    ...seriesAttributes(series, shown.search, shown.withSeries),
    SOPClassUID: instance.sopClassUid,
    SOPInstanceUID: sopUid,
    AvailableTransferSyntaxUID: instance.transferSyntaxUid,
    ...chosen("instance", instance.values, shown.search, true),
    RetrieveURL: instanceUrl(shown.root, series.study.studyUid, series.seriesUid, sopUid),
  });
}

/** Returned at each level. */
function timezoneOf({ values: { TimezoneOffsetFromUTC } }: StudyRow): AttributeValues {
  return TimezoneOffsetFromUTC === undefined ? {} : { TimezoneOffsetFromUTC };
}

const common = { SpecificCharacterSet: "ISO_IR 192", InstanceAvailability: "ONLINE" };

function studyAttributes(study: StudyRow, search: Search, all: boolean): AttributeValues {
  return {
    StudyInstanceUID: study.studyUid,
    ...chosen("study", study.values, search, all),
    ...(all && {
      ModalitiesInStudy: study.modalities,
      NumberOfStudyRelatedSeries: study.seriesCount,
      NumberOfStudyRelatedInstances: study.instanceCount,
    }),
    ...(asked(search, "SOPClassesInStudy") && { SOPClassesInStudy: study.sopClassUids }),
    ...(!all && asked(search, "ModalitiesInStudy") && { ModalitiesInStudy: study.modalities }),
    ...(!all && asked(search, "NumberOfStudyRelatedSeries") && { NumberOfStudyRelatedSeries: study.seriesCount }),
    ...(!all &&
      asked(search, "NumberOfStudyRelatedInstances") && { NumberOfStudyRelatedInstances: study.instanceCount }),
  };
}

function seriesAttributes(series: SeriesRow, search: Search, all: boolean): AttributeValues {
  return {
    SeriesInstanceUID: series.seriesUid,
    ...chosen("series", withoutItems(series.values), search, all),
    ...((all || asked(search, "RequestAttributesSequence")) && requestAttributes(series.values)),
    ...((all || asked(search, "NumberOfSeriesRelatedInstances")) && {
      NumberOfSeriesRelatedInstances: series.instanceCount,
    }),
  };
}

function withoutItems(values: IndexedValues): IndexedValues {
  return Object.fromEntries(Object.entries(values).filter(([keyword]) => !inItems.has(keyword)));
}

/** The requests that a series was made for, as far as rows hold them. */
function requestAttributes(values: IndexedValues): AttributeValues {
  const lists = [...inItems].map((keyword) => [keyword, values[keyword]?.split("\\") ?? []] as const);
  const count = Math.max(...lists.map(([, list]) => list.length));
  const items = Array.from({ length: count }, (_, at) =>
    attributesJson(Object.fromEntries(lists.flatMap(([keyword, list]) => (list[at] ? [[keyword, list[at]]] : [])))),
  );
  return count === 0 ? {} : { RequestAttributesSequence: items };
}

/** The indexed values of one level: those required there when `all`, those asked for in any case. */
function chosen(level: Level, values: IndexedValues, search: Search, all: boolean): AttributeValues {
  const result: Record<string, string | undefined> = {};
  if (all) {
    for (const keyword of required[level]) {
      const value = values[keyword];
      if (value !== undefined || !onlyWithValue.has(keyword)) result[keyword] = value;
    }
  }
  if (all && search.includeAll) Object.assign(result, values);
  for (const tag of search.include) {
    const keyword = keywordOf(tag);
    if (keyword === undefined || keyword.endsWith("InstanceUID")) continue;
    if (keyword in values) result[keyword] = values[keyword];
    else if (levelOf(keyword) === level && !(keyword in computed) && !inItems.has(keyword)) result[keyword] = undefined;
  }
  return result;
}

/** Not values of an object: counted or collected, and put in where they belong. */
const computed: Readonly<Record<string, true>> = { ModalitiesInStudy: true, SOPClassUID: true };

function asked(search: Search, keyword: string): boolean {
  return search.includeAll || [...search.include].some((tag) => keywordOf(tag) === keyword);
}

/** Tags asked for that a result does not hold and an object might: they are read from the objects' headers. */
export function unanswered(search: Search, result: DicomJson): number[] {
  const isMissing = (tag: number) => search.wholeItems.has(tag) || !(hexOfTag(tag) in result);
  return [...search.include].filter((tag) => attributeOf(tag) !== undefined && isMissing(tag));
}
