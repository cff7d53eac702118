import {
  type AddOutcome,
  conditionOf,
  exactKey,
  type IndexedValues,
  type InstanceRecord,
  type InstanceRow,
  keysOf,
  type Level,
  type ListedInstance,
  type Match,
  type Query,
  type SeriesBlob,
  type SeriesRow,
  type StudyIndex,
  type StudyRow,
  sortKeysOf,
} from "#radiology/archive";
import { type Failing, withFailures } from "./failing.ts";
import { compareKeys, holds, type RowKeys } from "./matches.ts";

interface Study {
  readonly id: number;
  readonly studyUid: string;
  readonly studyToken: string;
  readonly values: Record<string, string>;
  readonly series: Map<string, Series>;
  readonly sopClassUids: Set<string>;
  conflictCount: number;
  changedAt: number;
}

interface Series {
  readonly id: number;
  readonly seriesUid: string;
  readonly study: Study;
  readonly values: Record<string, string>;
  readonly modalities: Set<string>;
  readonly instances: Instance[];
  changedAt: number;
  blob: SeriesBlob | undefined;
}

interface Instance {
  readonly id: number;
  readonly series: Series;
  readonly record: InstanceRecord;
  /** Other copies under its SOP Instance UID. */
  readonly conflicts: InstanceRecord[];
}

interface Content {
  readonly studies: Map<string, Study>;
  readonly served: Map<string, Instance>;
  readonly marks: Map<string, number>;
  series: number;
}

/** The study index without a disk: scans all rows for each query, and so says plainly what an index must answer. */
export function createMemoryStudyIndex(): StudyIndex & Failing {
  const content: Content = { studies: new Map(), served: new Map(), marks: new Map(), series: 0 };
  return withFailures<StudyIndex>({ ...writing(content), ...finding(content), ...reading(content), ...blobs(content) });
}

function writing(content: Content): Pick<StudyIndex, "add" | "marks" | "clear" | "close"> {
  return {
    async add(records, marks) {
      const outcomes = records.map((record) => addOne(content, record));
      for (const { pack, position } of marks) {
        content.marks.set(pack, Math.max(position, content.marks.get(pack) ?? 0));
      }
      return outcomes;
    },
    marks: async () =>
      [...content.marks].map(([pack, position]) => ({ pack, position })).sort((a, b) => compareKeys(a.pack, b.pack)),
    async clear() {
      content.studies.clear();
      content.served.clear();
      content.marks.clear();
      content.series = 0;
    },
    close: async () => {},
  };
}

function addOne(content: Content, record: InstanceRecord): AddOutcome {
  const taken = content.served.get(record.sopUid);
  if (taken !== undefined) {
    const copies = [taken.record, ...taken.conflicts];
    if (copies.some(({ dataSetSha256 }) => dataSetSha256 === record.dataSetSha256)) return "duplicate";
    taken.conflicts.push(record);
    const { study } = taken.series;
    study.conflictCount++;
    study.changedAt = Math.max(study.changedAt, record.receivedAt);
    return "conflict";
  }
  const study = studyFor(content, record);
  const series = seriesFor(content, study, record);
  const instance: Instance = { id: content.served.size + 1, series, record, conflicts: [] };
  series.instances.push(instance);
  content.served.set(record.sopUid, instance);
  study.sopClassUids.add(record.sopClassUid);
  for (const modality of (record.series.Modality ?? "").split("\\"))
    if (modality !== "") series.modalities.add(modality);
  study.changedAt = Math.max(study.changedAt, record.receivedAt);
  series.changedAt = Math.max(series.changedAt, record.receivedAt);
  return "added";
}

function studyFor({ studies }: Content, record: InstanceRecord): Study {
  const held = studies.get(record.studyUid);
  if (held !== undefined) {
    fill(held.values, record.study);
    return held;
  }
  const study: Study = {
    id: studies.size + 1,
    studyUid: record.studyUid,
    studyToken: record.studyToken,
    values: { ...record.study },
    series: new Map(),
    sopClassUids: new Set(),
    conflictCount: 0,
    changedAt: record.receivedAt,
  };
  studies.set(record.studyUid, study);
  return study;
}

function seriesFor(content: Content, study: Study, record: InstanceRecord): Series {
  const held = study.series.get(record.seriesUid);
  if (held !== undefined) {
    fill(held.values, record.series);
    return held;
  }
  const series: Series = {
    id: ++content.series,
    seriesUid: record.seriesUid,
    study,
    values: { ...record.series },
    modalities: new Set(),
    instances: [],
    changedAt: record.receivedAt,
    blob: undefined,
  };
  study.series.set(record.seriesUid, series);
  return series;
}

/** The first instance says what a study is; a later one only adds what was missing. */
function fill(held: Record<string, string>, values: IndexedValues): void {
  for (const [keyword, value] of Object.entries(values)) {
    if (value !== "" && (held[keyword] ?? "") === "") held[keyword] = value;
  }
}

const allSeries = ({ studies }: Content) => [...studies.values()].flatMap((study) => [...study.series.values()]);
const countOf = (study: Study) => [...study.series.values()].reduce((sum, { instances }) => sum + instances.length, 0);
const modalitiesOf = (study: Study) =>
  [...new Set([...study.series.values()].flatMap(({ modalities }) => [...modalities]))].sort();

const studyKeys = (study: Study) => ({
  ...keysOf("study", study.values),
  StudyInstanceUID: study.studyUid,
  ModalitiesInStudy: modalitiesOf(study),
  ArrivedAt: study.changedAt,
});

const seriesKeys = (series: Series) => ({ ...keysOf("series", series.values), SeriesInstanceUID: series.seriesUid });

const instanceKeys = ({ record }: Instance) => ({
  ...keysOf("instance", record.instance),
  SOPInstanceUID: record.sopUid,
  SOPClassUID: record.sopClassUid,
});

type Finding = Pick<StudyIndex, "findStudies" | "countStudies" | "findSeries" | "findInstances">;

function finding(content: Content): Finding {
  const studies = () =>
    [...content.studies.values()].map((row) => ({ row, keys: { study: studyKeys(row), series: {}, instance: {} } }));
  const series = () =>
    allSeries(content).map((row) => ({
      row,
      keys: { study: studyKeys(row.study), series: seriesKeys(row), instance: {} },
    }));
  const instances = () =>
    series().flatMap(({ row, keys }) =>
      row.instances.map((one) => ({ row: one, keys: { ...keys, instance: instanceKeys(one) } })),
    );
  return {
    findStudies: async (query) => page(studies(), query, "study", (row) => [row.id]).map(toStudyRow),
    countStudies: async (matches) => matching(studies(), matches, "study").length,
    findSeries: async (query) => page(series(), query, "series", (row) => [row.study.id, row.id]).map(toSeriesRow),
    findInstances: async (query) =>
      page(instances(), query, "instance", (row) => [
        row.series.study.id,
        row.series.id,
        keysOf("instance", row.record.instance).InstanceNumber as number,
        row.id,
      ]).map(toListedInstance),
  };
}

interface Keyed<R> {
  readonly row: R;
  readonly keys: RowKeys;
}

function matching<R>(rows: Keyed<R>[], matches: readonly Match[], level: Level): Keyed<R>[] {
  const condition = { all: matches.map((match) => conditionOf(match, level)) };
  return rows.filter(({ keys }) => holds(condition, keys));
}

/** Sorted by the asked keys and the study's arrival in the asked direction, then inside the study from first to last. */
function page<R>(rows: Keyed<R>[], query: Query, level: Level, ties: (row: R) => number[]): R[] {
  const { keyword, ascending } = query.sort ?? { keyword: "StudyDate", ascending: false };
  const sortKeys = sortKeysOf(keyword, level);
  const sign = ascending ? 1 : -1;
  const compare = (a: Keyed<R>, b: Keyed<R>): number => {
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

type Reading = Pick<StudyIndex, "study" | "studyOfToken" | "instances" | "instance" | "conflicts">;

function reading(content: Content): Reading {
  const inOrder = (a: Instance, b: Instance) => {
    const number = (one: Instance) => keysOf("instance", one.record.instance).InstanceNumber as number;
    return a.series.id - b.series.id || number(a) - number(b) || a.id - b.id;
  };
  const study = (uid: string) => content.studies.get(exactKey(uid));
  return {
    study: async (studyUid) => optional(study(studyUid), toStudyRow),
    studyOfToken: async (token) =>
      optional(
        [...content.studies.values()].find(({ studyToken }) => studyToken === token),
        toStudyRow,
      ),
    instances: async (studyUid, seriesUid) =>
      [...(study(studyUid)?.series.values() ?? [])]
        .filter((series) => seriesUid === undefined || series.seriesUid === exactKey(seriesUid))
        .flatMap(({ instances }) => instances)
        .sort(inOrder)
        .map(toInstanceRow),
    async instance(studyUid, seriesUid, sopUid) {
      const found = content.served.get(exactKey(sopUid));
      if (found === undefined || found.series.seriesUid !== exactKey(seriesUid)) return undefined;
      return found.series.study.studyUid === exactKey(studyUid) ? toInstanceRow(found) : undefined;
    },
    conflicts: async () =>
      [...content.served.values()]
        .filter(({ conflicts }) => conflicts.length > 0)
        .flatMap((instance) => [toInstanceRow(instance), ...instance.conflicts.map(rowOfRecord)]),
  };
}

type Blobs = Pick<StudyIndex, "seriesBlob" | "putSeriesBlob" | "seriesWithoutBlob">;

function blobs(content: Content): Blobs {
  const series = (studyUid: string, seriesUid: string) =>
    content.studies.get(exactKey(studyUid))?.series.get(exactKey(seriesUid));
  return {
    async seriesBlob(studyUid, seriesUid) {
      const found = series(studyUid, seriesUid);
      if (found?.blob === undefined) return undefined;
      return { ...found.blob, seriesInstanceCount: found.instances.length };
    },
    async putSeriesBlob(studyUid, seriesUid, { place, instanceCount }) {
      const found = series(studyUid, seriesUid);
      if (found !== undefined) found.blob = { place: { ...place }, instanceCount };
    },
    seriesWithoutBlob: async (unchangedSince, limit) =>
      allSeries(content)
        .filter(({ blob, instances }) => blob?.instanceCount !== instances.length)
        .filter(({ changedAt }) => changedAt <= unchangedSince)
        .sort((a, b) => b.changedAt - a.changedAt || b.id - a.id)
        .slice(0, limit)
        .map((found) => ({ studyUid: found.study.studyUid, seriesUid: found.seriesUid })),
  };
}

const optional = <A, B>(value: A | undefined, to: (value: A) => B): B | undefined =>
  value === undefined ? undefined : to(value);

const toStudyRow = (study: Study): StudyRow => ({
  id: study.id,
  studyToken: study.studyToken,
  studyUid: study.studyUid,
  values: { ...study.values },
  modalities: modalitiesOf(study),
  sopClassUids: [...study.sopClassUids].sort(),
  seriesCount: study.series.size,
  instanceCount: countOf(study),
  conflictCount: study.conflictCount,
  changedAt: study.changedAt,
});

const toSeriesRow = (series: Series): SeriesRow => ({
  id: series.id,
  seriesUid: series.seriesUid,
  study: toStudyRow(series.study),
  values: { ...series.values },
  instanceCount: series.instances.length,
});

const toListedInstance = (instance: Instance): ListedInstance => ({
  ...toInstanceRow(instance),
  series: toSeriesRow(instance.series),
});

/** The token is that of the study as the index knows it. */
const toInstanceRow = (instance: Instance): InstanceRow => ({
  ...rowOfRecord(instance.record),
  studyToken: instance.series.study.studyToken,
});

function rowOfRecord(record: InstanceRecord): InstanceRow {
  const { study: _study, series: _series, instance, place, ...rest } = record;
  return { ...rest, place: { ...place }, values: { ...instance } };
}
