import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import type { Actor, Gate } from "#trust/access";
import type { AuditSubject } from "#trust/audit";
import type { Damage, OpenedObject, Vault } from "#trust/vault";
import { type Changes, createChanges } from "./changes.ts";
import { createIndexer } from "./indexer.ts";
import { createIntake, type DataSetHeader, type Receiving, type StoredInstance } from "./intake.ts";
import { createSeriesMetadata } from "./series-metadata.ts";
import { parseStored } from "./stored-record.ts";
import type {
  InstanceRow,
  ListedInstance,
  Match,
  PackMark,
  Query,
  SeriesRow,
  StudyIndex,
  StudyRow,
} from "./study-index.ts";

/** An instance that the gate has let the caller read. */
export interface HeldInstance extends InstanceRow {
  open(): Promise<OpenedObject>;
}

export interface ReadTarget {
  readonly studyUid: string;
  readonly seriesUid?: string;
  readonly sopUid?: string;
}

export interface RecoverySummary {
  readonly objects: number;
  readonly instances: number;
}

/**
 * Where images come in, are found and are read. Every call names its actor and goes through the gate; what is absent and
 * what is refused reject with Problems that doors answer alike.
 */
export interface Archive extends Changes {
  /** One instance as C-STORE sends it: a data set without file meta information. */
  receiveDataSet(actor: Actor, header: DataSetHeader): Receiving;
  /** One instance as a Part 10 file. */
  receiveFile(actor: Actor): Receiving;

  findStudies(actor: Actor, query: Query): Promise<StudyRow[]>;
  /** A page and how many there are in all, as one act. */
  listStudies(actor: Actor, query: Query): Promise<{ rows: StudyRow[]; total: number }>;
  findSeries(actor: Actor, query: Query): Promise<SeriesRow[]>;
  findInstances(actor: Actor, query: Query): Promise<ListedInstance[]>;
  /** One study with its series, by the token that stands for it in our URLs. */
  studyOfToken(actor: Actor, studyToken: string): Promise<{ study: StudyRow; series: SeriesRow[] }>;
  /** The instances of a study, a series, or one; Problem `absent` when there are none. */
  read(actor: Actor, target: ReadTarget): Promise<HeldInstance[]>;
  /** DICOM JSON of every instance of a series (PS3.18 §F), gzip: the text of a JSON array. */
  seriesMetadata(actor: Actor, studyUid: string, seriesUid: string): Promise<Buffer>;

  /** Takes what the packs hold behind the index's marks into the index. At every start. */
  recover(): Promise<RecoverySummary>;
  /** Makes the index again from the packs alone. */
  rebuild(actor: Actor, progress: (objects: number) => void): Promise<RecoverySummary>;
  /** Opens and proves every sealed object. */
  check(
    actor: Actor,
    progress: (done: { objects: number; bytes: number; bytesTotal: number }) => void,
  ): Promise<Damage[]>;
  /** Every copy under SOP Instance UIDs that came with different bytes. */
  conflicts(actor: Actor): Promise<InstanceRow[]>;
  /** Resolves when everything that was acknowledged before is in the index. */
  settled(): Promise<void>;
  /** Computes kept blobs for series that have come to rest. The server calls it now and then. */
  refreshBlobs(): Promise<number>;
  close(): Promise<void>;
}

export interface ArchiveParts {
  readonly vault: Vault;
  readonly index: StudyIndex;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Who wrote the file meta information of what came without any (PS3.7 §D.3.3.2). */
  readonly implementation: { readonly classUid: string; readonly version: string };
  /** Where bulk data is served, a path: `/dicom-web`. */
  readonly bulkDataRoot: string;
}

export type { DataSetHeader, Receiving, StoredInstance };

export function createArchive(parts: ArchiveParts): Archive {
  const { vault, index, gate, clock, log } = parts;
  const indexer = createIndexer({ index, clock, log });
  const intake = createIntake({ ...parts, indexer });
  const metadata = createSeriesMetadata(parts);
  const changes = createChanges({ indexer, index, clock, log });

  /** Searches see everything that was acknowledged before they began. */
  const search = async <T>(actor: Actor, work: () => Promise<T>): Promise<T> =>
    gate.pass(actor, "study.search", undefined, async () => {
      await indexer.settled();
      return work();
    });

  /** Looks the study up first, so that the entry in the log carries its token. */
  const readStudy = async <T>(
    actor: Actor,
    find: () => Promise<StudyRow | undefined>,
    work: (study: StudyRow) => Promise<T>,
  ) => {
    await indexer.settled();
    const study = await find();
    const subject: AuditSubject | undefined = study && { kind: "study", id: study.studyToken };
    return gate.pass(actor, "study.read", subject, async () => {
      if (study === undefined) throw absent();
      return work(study);
    });
  };

  const take = async (
    from: ReadonlyMap<string, number>,
    progress: (objects: number) => void,
  ): Promise<RecoverySummary> => {
    let objects = 0;
    let instances = 0;
    const reached = new Map<string, PackMark>();
    for await (const object of vault.recover(from)) {
      objects++;
      const stored = parseStored(object);
      const mark = { pack: object.place.pack, position: object.endPosition };
      if (stored?.kind === "instance") {
        instances++;
        await indexer.push(stored.record, indexer.arrived(mark));
      } else if (stored?.kind === "series-blob") {
        await indexer.settled();
        await index.putSeriesBlob(stored.studyUid, stored.seriesUid, {
          place: object.place,
          instanceCount: stored.instanceCount,
        });
      }
      reached.set(mark.pack, mark);
      progress(objects);
    }
    await indexer.settled();
    // Also past what is no instance, or every start would read it again.
    if (reached.size > 0) await index.add([], [...reached.values()]);
    return { objects, instances };
  };

  const hold = (row: InstanceRow): HeldInstance => ({ ...row, open: () => vault.open(row.place) });

  return {
    ...changes,
    receiveDataSet: intake.receiveDataSet,
    receiveFile: intake.receiveFile,
    findStudies: (actor, query) => search(actor, () => index.findStudies(query)),
    listStudies: (actor, query) =>
      search(actor, async () => {
        const [rows, total] = await Promise.all([index.findStudies(query), index.countStudies(query.matches)]);
        return { rows, total };
      }),
    findSeries: (actor, query) => search(actor, () => index.findSeries(query)),
    findInstances: (actor, query) => search(actor, () => index.findInstances(query)),
    studyOfToken: (actor, studyToken) =>
      readStudy(
        actor,
        () => index.studyOfToken(studyToken),
        async (study) => {
          const series = await index.findSeries(seriesOf(study.studyUid));
          return { study, series };
        },
      ),
    read: (actor, { studyUid, seriesUid, sopUid }) =>
      readStudy(
        actor,
        () => index.study(studyUid),
        async () => {
          const rows =
            seriesUid !== undefined && sopUid !== undefined
              ? [await index.instance(studyUid, seriesUid, sopUid)]
              : await index.instances(studyUid, seriesUid);
          const held = rows.filter((row) => row !== undefined).map(hold);
          if (held.length === 0) throw absent();
          return held;
        },
      ),
    seriesMetadata: (actor, studyUid, seriesUid) =>
      readStudy(
        actor,
        () => index.study(studyUid),
        () => metadata.of(studyUid, seriesUid),
      ),
    async recover() {
      const marks = await index.marks();
      return take(new Map(marks.map(({ pack, position }) => [pack, position])), () => {});
    },
    rebuild: (actor, progress) =>
      gate.pass(actor, "vault.rebuild", undefined, async () => {
        await indexer.settled();
        const writeMarks = indexer.holdMarks();
        await index.clear();
        const summary = await take(new Map(), progress);
        await writeMarks();
        return summary;
      }),
    check: (actor, progress) =>
      gate.pass(actor, "vault.check", undefined, async () => {
        const found: Damage[] = [];
        for await (const damage of vault.check(progress)) found.push(damage);
        return found;
      }),
    conflicts: (actor) => search(actor, () => index.conflicts()),
    settled: () => indexer.settled(),
    refreshBlobs: () => metadata.refresh(),
    async close() {
      await metadata.close();
      await indexer.close();
    },
  };
}

function seriesOf(studyUid: string): Query {
  const matches: Match[] = [{ keyword: "StudyInstanceUID", kind: "equal", values: [studyUid] }];
  return { matches, limit: 10_000, offset: 0, sort: { keyword: "SeriesNumber", ascending: true } };
}

function absent(): Problem {
  return new Problem("absent", "not found", { remedy: "check the identifier; a search shows what there is" });
}
