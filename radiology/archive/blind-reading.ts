import { isRejection } from "./blind-rejecting.ts";
import { hex, indexedConflict, indexedInstance, indexedSeries, indexedStudy, type RowDigests } from "./blind-rows.ts";
import type { BlindReads, ConflictHeld, CopyHeld, InstanceHeld, SeriesHeld, StudyHeld } from "./blind-store.ts";
import type { IndexedInstance, RejectedInstance, StudyIndex } from "./study-index.ts";

type Reading = Pick<
  StudyIndex,
  | "study"
  | "studyOfToken"
  | "studiesAfter"
  | "seriesOf"
  | "instances"
  | "instance"
  | "heldIn"
  | "holds"
  | "conflicts"
  | "rejected"
  | "seriesBlob"
  | "seriesWithoutBlob"
>;

/** Looks at rows by what they are known by. */
export function createReading(reads: BlindReads, digests: RowDigests): Reading {
  const studyOf = async (studyUid: string): Promise<StudyHeld | undefined> =>
    (await reads.studiesByDigest([digests.study(studyUid)]))[0];
  /** Of one series of one study, or of the whole study; what is rejected too. */
  const instancesOf = async (studyUid: string, seriesUid?: string): Promise<InstanceHeld[]> => {
    if (seriesUid === undefined) {
      const study = await studyOf(studyUid);
      return study === undefined ? [] : reads.instancesOfStudy(study.id);
    }
    const series = await seriesIn(reads, digests, studyUid, seriesUid);
    return series === undefined ? [] : reads.instancesOfStudy(series.studyId, series.id);
  };
  return {
    async study(studyUid) {
      const study = await studyOf(studyUid);
      return study && indexedStudy(study);
    },
    async studyOfToken(studyToken) {
      const [study] = await reads.studiesByToken([studyToken]);
      return study && indexedStudy(study);
    },
    studiesAfter: async (id, limit) => (await reads.studiesAfter(id, limit)).map(indexedStudy),
    async seriesOf(studyToken) {
      const [held] = await reads.studiesByToken([studyToken]);
      if (held === undefined) return [];
      const study = indexedStudy(held);
      const rows = await reads.seriesOfStudies([held.id]);
      return rows.filter(({ instanceCount }) => instanceCount > 0).map((row) => indexedSeries(row, study));
    },
    instances: async (studyUid, seriesUid) =>
      (await instancesOf(studyUid, seriesUid)).filter(({ isRejected }) => !isRejected).map(indexedInstance),
    async instance(studyUid, seriesUid, sopUid) {
      const [series, [instance]] = await Promise.all([
        seriesIn(reads, digests, studyUid, seriesUid),
        reads.instancesByDigest([digests.sop(sopUid)]),
      ]);
      if (instance === undefined || instance.isRejected || instance.seriesId !== series?.id) return undefined;
      return indexedInstance(instance);
    },
    async heldIn(studyUid, sopUids) {
      const sopDigests = sopUids.map(digests.sop);
      const [study, rows, copies] = await Promise.all([
        studyOf(studyUid),
        reads.instancesByDigest(sopDigests),
        reads.conflicts({ sopDigests }),
      ]);
      const uidOf = new Map(sopDigests.map((digest, at) => [hex(digest), sopUids[at] ?? ""]));
      const servedFor = new Map(rows.map(({ id, studyToken }) => [id, studyToken]));
      const isHere = ({ studyToken }: CopyHeld) => studyToken === study?.studyToken;
      const isStray = ({ studyToken, instanceId }: ConflictHeld) =>
        study === undefined && studyToken !== servedFor.get(instanceId);
      const uidsOf = (held: readonly CopyHeld[]) =>
        new Set(held.map(({ sopDigest }) => uidOf.get(hex(sopDigest)) ?? ""));
      return {
        served: uidsOf(rows.filter(isHere)),
        copies: uidsOf(copies.filter((copy) => isHere(copy) || isStray(copy))),
      };
    },
    async holds(sopUid, dataSetSha256) {
      const sopDigests = [digests.sop(sopUid)];
      const content = digests.content(dataSetSha256);
      const [rows, copies] = await Promise.all([reads.instancesByDigest(sopDigests), reads.conflicts({ sopDigests })]);
      return [...rows, ...copies].some(({ contentDigest }) => content.equals(contentDigest));
    },
    conflicts: () => conflictsIn(reads),
    rejected: async (studyUid, seriesUid) =>
      rejectedIn(
        reads,
        (await instancesOf(studyUid, seriesUid)).filter(({ isRejected }) => isRejected),
      ),
    async seriesBlob(studyUid, seriesUid) {
      const series = await seriesIn(reads, digests, studyUid, seriesUid);
      if (series?.blobPlace === undefined) return undefined;
      const { blobPlace: place, blobInstanceCount, instanceCount } = series;
      return { place, instanceCount: blobInstanceCount, seriesInstanceCount: instanceCount };
    },
    async seriesWithoutBlob(unchangedSince, limit) {
      const series = await reads.seriesWithoutBlob(unchangedSince, limit);
      const studies = await reads.studies([...new Set(series.map(({ studyId }) => studyId))]);
      const byId = new Map(studies.map((row) => [row.id, indexedStudy(row)] as const));
      return series.flatMap((row) => {
        const study = byId.get(row.studyId);
        return study === undefined ? [] : [indexedSeries(row, study)];
      });
    },
  };
}

/** One series of one study: another study may have one of the same UID. */
export async function seriesIn(
  reads: BlindReads,
  digests: RowDigests,
  studyUid: string,
  seriesUid: string,
): Promise<SeriesHeld | undefined> {
  const [[study], series] = await Promise.all([
    reads.studiesByDigest([digests.study(studyUid)]),
    reads.seriesByDigest([digests.series(seriesUid)]),
  ]);
  return study && series.find(({ studyId }) => studyId === study.id);
}

async function rejectedIn(reads: BlindReads, instances: readonly InstanceHeld[]): Promise<RejectedInstance[]> {
  const [first] = instances;
  if (first === undefined) return [];
  const [held] = await reads.studies([first.studyId]);
  if (held === undefined) return [];
  const study = indexedStudy(held);
  const series = new Map((await reads.seriesOfStudies([held.id])).map((row) => [row.id, indexedSeries(row, study)]));
  const said = new Map(
    (await reads.rejections(instances.map(({ sopDigest }) => sopDigest))).map((one) => [hex(one.sopDigest), one]),
  );
  return instances.flatMap((row) => {
    const [rejection, above] = [said.get(hex(row.sopDigest)), series.get(row.seriesId)];
    if (rejection === undefined || !isRejection(rejection) || above === undefined) return [];
    return [{ ...indexedInstance(row), series: above, code: rejection.code, rejectedAt: rejection.at }];
  });
}

/** Two reads; a conflict that comes between them shows without its served copy until the next look. */
async function conflictsIn(reads: BlindReads): Promise<IndexedInstance[]> {
  const copies = await reads.conflicts();
  const served = await reads.instances([...new Set(copies.map(({ instanceId }) => instanceId))]);
  const servedById = new Map(served.map((row) => [row.id, row] as const));
  return copies.flatMap((copy, at) => {
    const first = servedById.get(copy.instanceId);
    if (first === undefined || first.isRejected) return [];
    const row = indexedConflict(copy, first.seriesId);
    return copies[at - 1]?.instanceId === copy.instanceId ? [row] : [indexedInstance(first), row];
  });
}
