import { covers, everywhere, type Reach, type StudyFacts } from "#trust/access";
import { createFactsBox } from "./blind-facts.ts";
import { createTestIndexBox, type TestIndexBox } from "./index-box.fixture.ts";
import { conditionOf, exactKey, keyIn, keysAt, type SearchKey, sortKeysOf } from "./matching.ts";
import { compareKeys, judge, passes } from "./matching-judge.ts";
import type { AddOutcome, IndexedValues, InstanceRecord, Level, Match, Query } from "./study-index.ts";

interface Study {
  readonly id: number;
  readonly studyUid: string;
  readonly studyToken: string;
  values: Record<string, string>;
  isCorrected: boolean;
  readonly series: Map<string, Series>;
  readonly sopClassUids: Set<string>;
  changedAt: number;
  patient: string;
  /** Of the instance that arrived first. */
  facility: string;
  since: number;
}

interface Series {
  readonly id: number;
  readonly seriesUid: string;
  readonly study: Study;
  readonly values: Record<string, string>;
  readonly modalities: Set<string>;
  readonly instances: Instance[];
}

interface Instance {
  readonly id: number;
  readonly series: Series;
  readonly record: InstanceRecord;
  conflicts: InstanceRecord[];
}

interface Content {
  readonly studies: Map<string, Study>;
  readonly served: Map<string, Instance>;
  studyIds: number;
  seriesIds: number;
  instanceIds: number;
  patientIn(studyToken: string): string;
}

/** A study as the model knows it; rows of an index are brought to the same form to be compared. */
export interface PlainStudy {
  readonly studyUid: string;
  readonly values: IndexedValues;
  readonly modalities: readonly string[];
  readonly sopClassUids: readonly string[];
  readonly counts: readonly number[];
  readonly changedAt: number;
}

/** The study index in the clear: looks at all rows for each question, and so says plainly what an index must answer. */
export interface StudyModel {
  add(records: readonly InstanceRecord[]): AddOutcome[];
  /** By a correction that says all there is to say. */
  correct(studyToken: string, values: IndexedValues): boolean;
  patientChanged(studyToken: string): void;
  /** Tokens of the copies that went. */
  removeStudy(studyToken: string): string[];
  removeConflict(id: string): boolean;
  findStudies(query: Query, reach?: Reach): PlainStudy[];
  countStudies(matches: readonly Match[], reach?: Reach): number;
  /** With the UID of the study. */
  findSeries(query: Query, reach?: Reach): (readonly [string, string, IndexedValues, number])[];
  findInstances(query: Query, reach?: Reach): (readonly [string, string, IndexedValues])[];
  /** Tokens of every copy, the served one first. */
  conflicts(): string[];
}

/** Stands for the order of an accession number. */
export const orderOf = (values: IndexedValues) => createFactsBox(createTestIndexBox()).orderOf(values);

export function createStudyModel({ patientIn }: Pick<TestIndexBox, "patientIn">): StudyModel {
  const content: Content = {
    patientIn,
    studies: new Map(),
    served: new Map(),
    studyIds: 0,
    seriesIds: 0,
    instanceIds: 0,
  };
  const ofToken = (token: string) => [...content.studies.values()].find(({ studyToken }) => studyToken === token);
  return {
    add: (records) => records.map((record) => addOne(content, record)),
    correct(studyToken, values) {
      const study = ofToken(studyToken);
      if (study !== undefined) {
        study.values = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
        study.isCorrected = true;
      }
      return study !== undefined;
    },
    patientChanged(studyToken) {
      const study = ofToken(studyToken);
      if (study !== undefined) study.patient = patientIn(studyToken);
    },
    removeStudy: (studyToken) => removeStudy(content, ofToken(studyToken), studyToken),
    removeConflict(id) {
      const holder = [...content.served.values()].find(({ conflicts }) => conflicts.some((one) => one.id === id));
      if (holder !== undefined) holder.conflicts = holder.conflicts.filter((one) => one.id !== id);
      return holder !== undefined;
    },
    findStudies: (query, reach) => page(studiesIn(content, reach), query, "study", (row) => [row.id]).map(plainStudy),
    countStudies: (matches, reach) => matching(studiesIn(content, reach), matches, "study").length,
    findSeries: (query, reach) =>
      page(seriesIn(content, reach), query, "series", (row) => [row.study.id, row.id]).map(
        (row) => [row.study.studyUid, row.seriesUid, row.values, row.instances.length] as const,
      ),
    findInstances: (query, reach) =>
      page(instancesIn(content, reach), query, "instance", (row) => [
        row.series.study.id,
        row.series.id,
        keyIn(row.record.instance, "InstanceNumber") as number,
        row.id,
      ]).map(({ record, series }) => [series.study.studyUid, record.sopUid, record.instance] as const),
    conflicts: () =>
      [...content.served.values()]
        .filter(({ conflicts }) => conflicts.length > 0)
        .flatMap(({ record, conflicts }) => [record.id, ...conflicts.map(({ id }) => id)]),
  };
}

function addOne(content: Content, record: InstanceRecord): AddOutcome {
  const taken = content.served.get(record.sopUid);
  if (taken !== undefined) {
    const copies = [taken.record, ...taken.conflicts];
    if (copies.some(({ dataSetSha256 }) => dataSetSha256 === record.dataSetSha256)) return "duplicate";
    taken.conflicts.push(record);
    const { study } = taken.series;
    study.changedAt = Math.max(study.changedAt, record.receivedAt);
    return "conflict";
  }
  const study = studyFor(content, record);
  const series = seriesFor(content, study, record);
  const instance: Instance = { id: ++content.instanceIds, series, record, conflicts: [] };
  series.instances.push(instance);
  content.served.set(record.sopUid, instance);
  study.sopClassUids.add(record.sopClassUid);
  if (record.receivedAt < study.since) {
    study.facility = record.facility ?? "";
    study.since = record.receivedAt;
  }
  for (const modality of exactKey(record.series.Modality ?? "").split("\\")) {
    if (modality !== "") series.modalities.add(modality);
  }
  study.changedAt = Math.max(study.changedAt, record.receivedAt);
  return "added";
}

function studyFor(content: Content, record: InstanceRecord): Study {
  const held = content.studies.get(record.studyUid);
  if (held !== undefined) {
    if (!held.isCorrected) fill(held.values, record.study);
    return held;
  }
  const study: Study = {
    id: ++content.studyIds,
    studyUid: record.studyUid,
    studyToken: record.studyToken,
    values: { ...record.study },
    isCorrected: false,
    series: new Map(),
    sopClassUids: new Set(),
    changedAt: record.receivedAt,
    patient: content.patientIn(record.studyToken),
    facility: record.facility ?? "",
    since: record.receivedAt,
  };
  content.studies.set(record.studyUid, study);
  return study;
}

function seriesFor(content: Content, study: Study, record: InstanceRecord): Series {
  const held = study.series.get(record.seriesUid);
  if (held !== undefined) {
    fill(held.values, record.series);
    return held;
  }
  const { seriesUid, series } = record;
  const id = ++content.seriesIds;
  const one: Series = { id, seriesUid, study, values: { ...series }, modalities: new Set(), instances: [] };
  study.series.set(seriesUid, one);
  return one;
}

function fill(held: Record<string, string>, values: IndexedValues): void {
  for (const [keyword, value] of Object.entries(values)) {
    if (value !== "" && (held[keyword] ?? "") === "") held[keyword] = value;
  }
}

function removeStudy(content: Content, study: Study | undefined, studyToken: string): string[] {
  const gone: string[] = [];
  for (const instance of [...content.served.values()]) {
    if (instance.series.study === study) {
      gone.push(instance.record.id, ...instance.conflicts.map(({ id }) => id));
      content.served.delete(instance.record.sopUid);
    } else {
      const own = instance.conflicts.filter((one) => one.studyToken === studyToken);
      gone.push(...own.map(({ id }) => id));
      instance.conflicts = instance.conflicts.filter((one) => one.studyToken !== studyToken);
    }
  }
  if (study !== undefined) content.studies.delete(study.studyUid);
  return gone;
}

const instancesOf = (study: Study) => [...study.series.values()].flatMap(({ instances }) => instances);
const modalitiesOf = (study: Study) =>
  [...new Set([...study.series.values()].flatMap(({ modalities }) => [...modalities]))].sort();

const plainStudy = (study: Study): PlainStudy => ({
  studyUid: study.studyUid,
  values: { ...study.values },
  modalities: modalitiesOf(study),
  sopClassUids: [...study.sopClassUids].sort(),
  counts: [
    study.series.size,
    instancesOf(study).length,
    instancesOf(study).reduce((sum, { conflicts }) => sum + conflicts.length, 0),
  ],
  changedAt: study.changedAt,
});

type Key = string | number | readonly string[];

interface Keyed<Row> {
  readonly row: Row;
  readonly keys: Readonly<Record<Level, Readonly<Record<SearchKey, Key>>>>;
}

const keysOf = (level: Level, values: IndexedValues) =>
  Object.fromEntries(keysAt(level).map((key) => [key, keyIn(values, key)] as const));

const studyKeys = (study: Study) => ({
  ...keysOf("study", study.values),
  StudyInstanceUID: study.studyUid,
  ModalitiesInStudy: modalitiesOf(study),
  ArrivedAt: study.changedAt,
});

const factsOf = ({ studyToken, facility, patient, values }: Study): StudyFacts => ({
  facility,
  patient,
  study: studyToken,
  order: orderOf(values),
});

const studiesIn = ({ studies }: Content, reach = everywhere): Keyed<Study>[] =>
  [...studies.values()]
    .filter((study) => covers(reach, factsOf(study)))
    .map((row) => ({ row, keys: { study: studyKeys(row), series: {}, instance: {} } }));

const seriesIn = (content: Content, reach?: Reach): Keyed<Series>[] =>
  studiesIn(content, reach).flatMap(({ row: study, keys }) =>
    [...study.series.values()].map((row) => ({
      row,
      keys: { ...keys, series: { ...keysOf("series", row.values), SeriesInstanceUID: row.seriesUid } },
    })),
  );

const instancesIn = (content: Content, reach?: Reach): Keyed<Instance>[] =>
  seriesIn(content, reach).flatMap(({ row: { instances }, keys }) =>
    instances.map((row) => {
      const { instance, sopUid, sopClassUid } = row.record;
      const own = { ...keysOf("instance", instance), SOPInstanceUID: sopUid, SOPClassUID: sopClassUid };
      return { row, keys: { ...keys, instance: own } };
    }),
  );

function matching<Row>(rows: Keyed<Row>[], matches: readonly Match[], level: Level): Keyed<Row>[] {
  const condition = { all: matches.map((match) => conditionOf(match, level)) };
  return rows.filter(({ keys }) =>
    judge(condition, (leaf) => {
      const key = keys[leaf.level][leaf.key];
      if (key === undefined) throw new Error(`no key ${leaf.key}`);
      return passes(leaf.test, key);
    }),
  );
}

/** Sorted by the asked keys and the study's arrival in the asked direction, then inside the study from first to last. */
function page<Row>(rows: Keyed<Row>[], query: Query, level: Level, ties: (row: Row) => number[]): Row[] {
  const { keyword, ascending } = query.sort ?? { keyword: "StudyDate", ascending: false };
  const sortKeys = sortKeysOf(keyword, level);
  const sign = ascending ? 1 : -1;
  const compare = (a: Keyed<Row>, b: Keyed<Row>): number => {
    for (const { key, level: at } of sortKeys) {
      const order = compareKeys(a.keys[at][key] as string, b.keys[at][key] as string);
      if (order !== 0) return sign * order;
    }
    const others = ties(b.row);
    for (const [index, tie] of ties(a.row).entries()) {
      const order = tie - (others[index] ?? 0);
      if (order !== 0) return index === 0 ? sign * order : order;
    }
    return 0;
  };
  return matching(rows, query.matches, level)
    .sort(compare)
    .slice(query.offset, query.offset + query.limit)
    .map(({ row }) => row);
}
