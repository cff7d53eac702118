import { isProblem } from "#base/problem";
import {
  type DataSet,
  type DicomJson,
  type ElementInput,
  elementsOf,
  fromDicomJson,
  hexOfTag,
  type JsonElement,
  Tag,
  tagOf,
  toDicomJson,
  type ValueInput,
  type Vr,
  vrTable,
} from "#formats/dicom";
import {
  heldInItems,
  type ListedInstance,
  type RelatedCounts,
  type SeriesHeaders,
  type SeriesRow,
  type StudyRow,
} from "#radiology/archive";
import { type ItemQuery, itemQuery, itemsOf, type KnownKeys } from "#radiology/schedule";
import type { FindKeys, WantedKey } from "./archive-find-keys.ts";
import { uniqueKeys } from "./archive-models.ts";
import type { FoundIdentifier } from "./service-ports.ts";

/** What was found at some level, with what stands above it. */
export interface Entity {
  /** Of a patient the newest study. */
  readonly study: StudyRow;
  readonly series?: SeriesRow;
  readonly instance?: ListedInstance;
  readonly related?: RelatedCounts;
}

/** Answers entities one by one in the words of one request; undefined for one that its header shows not to be what was asked for. */
export function createAnswers(
  keys: FindKeys,
  headers: SeriesHeaders,
  retrieveAe: string,
): (entity: Entity) => Promise<FoundIdentifier | undefined> {
  const { level, wanted } = keys;
  const ofRow = wanted.filter(({ from }) => from === "row");
  const ofHeader = wanted.filter(({ from }) => from === "header");
  const always = [
    ...elementsOf({ QueryRetrieveLevel: level, RetrieveAETitle: retrieveAe, InstanceAvailability: "ONLINE" }),
    ...wanted.filter(({ from }) => from === "nowhere").map((key) => without(key)),
  ];
  const queries = new Map(ofHeader.flatMap(({ tag, items }) => (items ? [[tag, queryOf(tag, items)] as const] : [])));
  const fixed = new Set(always.map(({ tag }) => tag));
  const perEntity = ofRow.filter(({ tag }) => !fixed.has(tag));

  return async (entity) => {
    const elements = [...always];
    for (const key of perEntity) elements.push(withText(key, rowValue(entity, key.keyword)));
    let keysIgnored = keys.keysIgnored;
    if (ofHeader.length > 0) {
      const header = await headerOf(headers, entity);
      // One that cannot be read here and now: nothing is said of what it holds.
      if (header === undefined) keysIgnored = true;
      for (const [tag, query] of queries) if (noneMatches(itemsAt(header, tag), query)) return undefined;
      for (const key of ofHeader) elements.push(fromHeader(key, header, queries.get(key.tag)));
    }
    return { identifier: elements.sort((a, b) => a.tag - b.tag), keysIgnored };
  };
}

type RowValue = string | number | readonly string[] | undefined;

function rowValue(entity: Entity, keyword: string): RowValue {
  const { study, series, instance } = entity;
  const special = specials[keyword];
  if (special !== undefined) return special(entity);
  return instance?.values[keyword] ?? series?.values[keyword] ?? study.values[keyword];
}

const specials: Readonly<Record<string, (entity: Entity) => RowValue>> = {
  [uniqueKeys.STUDY]: ({ study }) => study.studyUid,
  [uniqueKeys.SERIES]: ({ series }) => series?.seriesUid,
  [uniqueKeys.IMAGE]: ({ instance }) => instance?.sopUid,
  SOPClassUID: ({ instance }) => instance?.sopClassUid,
  AvailableTransferSyntaxUID: ({ instance }) => instance?.transferSyntaxUid,
  ModalitiesInStudy: ({ study }) => study.modalities,
  SOPClassesInStudy: ({ study }) => study.sopClassUids,
  NumberOfPatientRelatedStudies: ({ related }) => related?.studies,
  NumberOfPatientRelatedSeries: ({ related }) => related?.series,
  NumberOfPatientRelatedInstances: ({ related }) => related?.instances,
  NumberOfStudyRelatedSeries: ({ study }) => study.seriesCount,
  NumberOfStudyRelatedInstances: ({ study }) => study.instanceCount,
  NumberOfSeriesRelatedInstances: ({ series }) => series?.instanceCount,
};

const nothing = new Uint8Array(0);

function without({ tag, vr }: WantedKey): ElementInput {
  return { tag, vr, value: vr === "SQ" ? [] : nothing };
}

function withText(key: WantedKey, value: RowValue): ElementInput {
  if (value === undefined || value === "" || value.toString() === "") return without(key);
  return { tag: key.tag, vr: key.vr, value: valueInput(key.vr, value) };
}

function valueInput(vr: Vr, value: NonNullable<RowValue>): ValueInput {
  if (vrTable[vr].kind !== "number") return value;
  const numbers = (typeof value === "string" ? value.split("\\") : [value].flat()).map(Number);
  return numbers.every(Number.isFinite) ? numbers : nothing;
}

/** Of an instance its own header, of a series that of its first instance. */
async function headerOf(headers: SeriesHeaders, { study, series, instance }: Entity): Promise<DicomJson | undefined> {
  return series && headers.of(study.studyUid, series.seriesUid, instance?.sopUid);
}

/** What the items of a sequence are matched by, of what is asked of them. */
function queryOf(tag: number, items: DataSet): ItemQuery {
  const held = heldInItems.get(tag)?.map(tagOf) ?? [];
  const nothingElse: KnownKeys = { isKey: () => false, below: () => nothingElse };
  return itemQuery(toDicomJson(items), { isKey: (one) => held.includes(one), below: () => nothingElse });
}

const itemsAt = (header: DicomJson | undefined, tag: number) => itemsOf(header?.[hexOfTag(tag)]);

/** The index knows the values of all items and not which stand together: all that is asked must match in one of them (PS3.4 §C.2.2.2.6). */
function noneMatches(items: readonly DicomJson[], { matches }: ItemQuery): boolean {
  return items.length > 1 && !items.some(matches);
}

function fromHeader(key: WantedKey, header: DicomJson | undefined, query: ItemQuery | undefined): ElementInput {
  const hex = hexOfTag(key.tag);
  const found = header?.[hex];
  if (found === undefined) return without(key);
  try {
    const matching =
      query === undefined || found.vr !== "SQ" ? found : { ...found, Value: itemsOf(found).filter(query.matches) };
    const elements = fromDicomJson({ [hex]: key.items === undefined ? found : narrowed(matching, key.items) });
    return elements.find(({ tag }) => tag === key.tag) ?? without(key);
  } catch (error) {
    // A value that is kept elsewhere, or was wrong when it came.
    if (isProblem(error)) return without(key);
    throw error;
  }
}

/** Of the items of a sequence what was asked for (PS3.4 §C.2.2.2.6). */
function narrowed(element: JsonElement, asked: DataSet): JsonElement {
  if (element.vr !== "SQ" || asked.elements.length === 0) return element;
  const items = (element.Value ?? []) as readonly DicomJson[];
  const Value = items.map((item) =>
    Object.fromEntries(
      [...asked].flatMap(({ tag, items: [below] = [] }) => {
        const hex = hexOfTag(tag);
        const found = item[hex];
        if (tag === Tag.SpecificCharacterSet || found === undefined) return [];
        return [[hex, below === undefined ? found : narrowed(found, below)]];
      }),
    ),
  );
  return { ...element, Value };
}
