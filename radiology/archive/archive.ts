import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import { type Actor, covers, type Gate, isNowhere, type Pass, type Subject } from "#trust/access";
import type { CheckProgress, Damage, OpenedObject, Reveal, Vault } from "#trust/vault";
import { type Changes, createChanges } from "./changes.ts";
import { currentBytes } from "./corrected-bytes.ts";
import { type CorrectionActs, createCorrections } from "./corrections.ts";
import type { HeldImage, HeldInstance } from "./held-instance.ts";
import { createIndexer, type Indexer } from "./indexer.ts";
import { type Arriving, createIntake } from "./intake.ts";
import { liveOpening } from "./live-opening.ts";
import { createMissingEntries, type ReadableLog } from "./missing-entries.ts";
import type { DataSetHeader, StoredInstance } from "./passing-values.ts";
import { createPatientSearch, type FindPatients } from "./patient-search.ts";
import { reachMatches } from "./reach.ts";
import type { ReadTarget } from "./read-target.ts";
import type { Receiving } from "./receiving.ts";
import { createRejections, type RejectionActs } from "./rejections.ts";
import {
  createRevealedRows,
  type InstanceRow,
  instanceRow,
  type ListedInstance,
  type SeriesRow,
  type StudyRow,
} from "./revealed-rows.ts";
import { createSeriesMetadata } from "./series-metadata.ts";
import type { Count, IndexedInstance, IndexedStudy, Match, Query, StudyIndex } from "./study-index.ts";
import { type RecoverySummary, takeIn } from "./taking-in.ts";
import { createVouching, type Vouching } from "./vouching.ts";

/**
 * Where images come in, are found and are read. Every call names its actor and goes through the gate; what is absent and
 * what is refused reject with Problems that doors answer alike.
 */
export interface Archive extends Changes, CorrectionActs, RejectionActs {
  /** One instance as C-STORE sends it: a data set without file meta information. */
  receiveDataSet(actor: Actor, header: DataSetHeader): Receiving;
  /** Before the instances of an upload come: who may not store is refused at once. */
  beginUpload(actor: Actor): Promise<void>;
  /** One instance as a Part 10 file; `facility` is the token of the one that it came from. */
  receiveFile(actor: Actor, facility?: string): Receiving;

  findStudies(actor: Actor, query: Query): Promise<StudyRow[]>;
  /** A page and how many there are in all, as one act. */
  listStudies(actor: Actor, query: Query): Promise<{ rows: StudyRow[]; total: Count }>;
  findSeries(actor: Actor, query: Query): Promise<SeriesRow[]>;
  findInstances(actor: Actor, query: Query): Promise<ListedInstance[]>;
  readonly findPatients: FindPatients;
  /** What a watcher is shown of studies that it heard of. */
  watchedStudies(actor: Actor, studyTokens: readonly string[]): Promise<StudyRow[]>;
  /** A study as the gate is asked about it, with where it lies; undefined when there is none. */
  subjectOf(studyToken: string): Promise<Subject | undefined>;
  /** One study with its series, by the token that stands for it in our URLs; its patient's is "" for who sees identity masked. */
  studyOfToken(
    actor: Actor,
    studyToken: string,
  ): Promise<{ study: StudyRow; series: SeriesRow[]; patientToken: string }>;
  /** The instances of a study, a series, or one, with all that identifies; Problem `absent` when there are none. */
  read(actor: Actor, target: ReadTarget): Promise<HeldInstance[]>;
  /**
   * All instances of a study for who was let through to it, by its token; `read` when the entry of the act says already that they go
   * out. Problem `absent` when there are none.
   */
  heldOf(pass: Pass, studyToken: string, purpose?: "export" | "read"): Promise<HeldInstance[]>;
  /** The same without identity: for whoever needs pixels and what it takes to show them. */
  images(actor: Actor, target: ReadTarget): Promise<HeldImage[]>;
  /** DICOM JSON of every instance of a series (PS3.18 §F), gzip: the text of a JSON array. */
  seriesMetadata(actor: Actor, studyUid: string, seriesUid: string): Promise<Buffer>;

  /** As of the indexer: to be called before `recover`, so that nothing passes it. */
  beforeIndexed: Indexer["beforeIndexed"];
  /** Takes what the packs hold behind the index's marks into the index. At every start. */
  recover(): Promise<RecoverySummary>;
  /** Makes the index again from the packs alone. */
  rebuild(actor: Actor, progress: (objects: number) => void): Promise<RecoverySummary>;
  /** Opens and proves every sealed object, and that what says that it came by an edge did. */
  check(actor: Actor, progress: (done: CheckProgress) => void): Promise<Damage[]>;
  /** What is wrong with an object of the identity store, by its record: it says that it came by an edge, and none vouched for it. */
  readonly faultIn: Vouching["faultIn"];
  /** Every copy under SOP Instance UIDs that came with different bytes. */
  conflicts(actor: Actor): Promise<InstanceRow[]>;
  /** Resolves when everything that was acknowledged before is in the index. */
  settled(): Promise<void>;
  /**
   * Resolves when everything that lay in the packs when it was called is in the index, acknowledged or not: from then on the index knows
   * every place. Problem "busy" while the index is made again, or when something stays on its way.
   */
  takenIn(): Promise<void>;
  /** Computes kept blobs for series that have come to rest. The server calls it now and then. */
  refreshBlobs(): Promise<number>;
  close(): Promise<void>;
}

export interface ArchiveParts {
  readonly vault: Vault;
  readonly reveal: Reveal;
  readonly index: StudyIndex;
  readonly gate: Gate;
  readonly audit: ReadableLog;
  readonly clock: Clock;
  /** When something arrives (epoch milliseconds), where that is not the wall clock alone: retention counts from it. */
  readonly stamp?: () => number;
  readonly random: Random;
  readonly log: Log;
  /** Who wrote the file meta information of what came without any (PS3.7 §D.3.3.2). */
  readonly implementation: { readonly classUid: string; readonly version: string };
  /** Where bulk data is served, a path: `/dicom-web`. */
  readonly bulkDataRoot: string;
  /** Every key that an edge ever signed with, base64url: what it vouched for then holds still. */
  readonly signingKeysOf: (edge: string) => Promise<readonly string[]>;
  /** Told of what arrives. */
  readonly arriving?: Arriving;
}

export type { DataSetHeader, Receiving, StoredInstance };

export function createArchive(parts: ArchiveParts): Archive {
  const { vault, reveal, index, gate, clock, log } = parts;
  const indexer = createIndexer({ index, clock, log });
  const revealed = createRevealedRows(reveal);
  const metadata = createSeriesMetadata({ ...parts, indexer, revealed });
  const { changed, ...changes } = createChanges({ indexer, clock, log });
  const live = liveOpening(gate);
  const { wholeOf, faultIn } = createVouching(parts);
  const asSubject = (study: IndexedStudy | undefined): Subject | undefined =>
    study && { kind: "study", id: study.studyToken, facts: index.factsOf(study) };
  const { intake, rejections } = createReceiving({ ...parts, indexer, asSubject }, metadata.changed);
  const isWithin = ({ reach }: Pass, study: IndexedStudy) => covers(reach, index.factsOf(study));
  const subjectOf = async (studyToken: string): Promise<Subject | undefined> => {
    await indexer.settled();
    return asSubject(await index.studyOfToken(studyToken));
  };
  const corrections = createCorrections({
    ...parts,
    indexer,
    subjectOf,
    changed(studyToken) {
      metadata.changed();
      changed(studyToken);
    },
  });
  const { correctStudy, correctPatient, mergePatients, moveStudy, correctionsOf } = corrections;

  let isRebuilding = false;

  const taking = () => ({ vault, index, indexer, corrections, log, entries: createMissingEntries(parts) });

  /** Searches see everything that was acknowledged before they began, and of that what the actor may look at. */
  const search = async <T>(actor: Actor, nothing: T, work: (pass: Pass, reach: Match[]) => Promise<T>): Promise<T> =>
    gate.pass(actor, "study.search", undefined, async (pass) => {
      await indexer.settled();
      return isNowhere(pass.reach) ? nothing : work(pass, reachMatches(pass.reach));
    });
  const within = (query: Query, reach: Match[]): Query =>
    reach.length === 0 ? query : { ...query, matches: [...query.matches, ...reach] };

  /** Looks the study up first, so that the entry in the log carries its token. One that is rejected whole is absent. */
  const withStudy = async <T>(
    actor: Actor,
    act: "study.view" | "study.read",
    find: () => Promise<IndexedStudy | undefined>,
    work: (study: IndexedStudy, pass: Pass) => Promise<T>,
  ) => {
    await indexer.settled();
    const found = await find();
    const study = found?.instanceCount === 0 ? undefined : found;
    return gate.pass(actor, act, asSubject(study), async (pass) => {
      if (study === undefined) throw absent();
      return work(study, pass);
    });
  };

  /** Copies of studies that lie in reach; of a study that has nothing but the copy it is not known where it lies. */
  const copiesWithin = async (pass: Pass, copies: readonly IndexedInstance[]): Promise<IndexedInstance[]> => {
    const tokens = [...new Set(copies.map(({ studyToken }) => studyToken))];
    const studies = await Promise.all(tokens.map((token) => index.studyOfToken(token)));
    const seen = new Set(studies.flatMap((study) => (study && isWithin(pass, study) ? [study.studyToken] : [])));
    return copies.filter(({ studyToken }) => seen.has(studyToken));
  };

  /** The study with what of it is asked for; one instance is looked up beside its study, in the same go. */
  const withRows = async <T>(
    actor: Actor,
    act: "study.view" | "study.read",
    target: ReadTarget,
    work: (rows: readonly IndexedInstance[], study: IndexedStudy, pass: Pass) => Promise<T>,
  ) => {
    let beside: Promise<IndexedInstance[]> | undefined;
    const find = () => {
      beside = target.sopUid === undefined ? undefined : rowsOf(index, target);
      beside?.catch(() => {}); // who is refused is not told
      return index.study(target.studyUid);
    };
    return withStudy(actor, act, find, async (study, pass) =>
      work(await (beside ?? rowsOf(index, target)), study, pass),
    );
  };

  /** One audit entry for all of them; their halves are opened when they are read. */
  const hold = async (
    target: ReadTarget,
    study: IndexedStudy,
    rows: readonly IndexedInstance[],
    pass: Pass,
    purpose: "read" | "export" = "read",
  ): Promise<HeldInstance[]> => {
    const series = target.seriesUid === undefined ? await index.seriesOf(study.studyToken) : [];
    const identities = [...series, ...rows, study].map(({ identity }) => identity);
    const halves = rows.map(({ studyToken, places }) => ({ studyToken, place: places.identity }));
    const opened = await reveal(pass, { rows: identities, halves }, purpose);
    const corrected = opened.rows.at(-1)?.corrections ?? [];
    const uidOf = new Map(series.map(({ id }, at) => [id, opened.rows[at]?.uid ?? ""]));
    return rows.flatMap((row, at) => {
      const identity = opened.rows[series.length + at];
      if (identity === undefined) return [];
      const seriesUid = target.seriesUid ?? uidOf.get(row.seriesId) ?? "";
      const instance = instanceRow(row, identity, target.studyUid, seriesUid);
      const open = live.throughout(pass, wholeOf(row, identity, opened, at));
      const current = (received: OpenedObject) => currentBytes(row, received, corrected);
      return [{ ...instance, isCorrected: corrected.length > 0, open, current }];
    });
  };

  const look = async (rows: readonly IndexedInstance[], pass: Pass): Promise<HeldImage[]> => {
    const whole = rows.filter(({ pixelOffset }) => pixelOffset === undefined);
    const halves = whole.map(({ studyToken, places }) => ({ studyToken, place: places.identity }));
    const opened = await reveal(pass, { rows: whole.map(({ identity }) => identity), halves }, "read");
    return rows.map((row) => {
      const { identity: _identity, places, ...rest } = row;
      const image = {
        ...rest,
        sees: pass.sees,
        whileLive: <T>(pieces: AsyncIterable<T>) => live.whileLive(pass, pieces),
        openWhole: live.throughout(pass, async () => {
          const half = { studyToken: row.studyToken, place: places.identity };
          const revealed = await reveal(pass, { rows: [row.identity], halves: [half] }, "read");
          return wholeOf(row, revealed.rows[0], revealed, 0)();
        }),
      };
      if (row.pixelOffset !== undefined) {
        return { ...image, open: live.once(pass, () => vault.open(places.image, row.id)) };
      }
      const at = whole.indexOf(row);
      return { ...image, open: live.once(pass, wholeOf(row, opened.rows[at], opened, at)) };
    });
  };

  return {
    ...{ ...changes, ...rejections },
    ...{ correctStudy, correctPatient, mergePatients, moveStudy, correctionsOf, faultIn },
    beginUpload: (actor) => gate.pass(actor, "upload.begin", undefined, async () => {}),
    ...{ receiveDataSet: intake.receiveDataSet, receiveFile: intake.receiveFile },
    findStudies: (actor, query) =>
      search(actor, [], async (pass, reach) =>
        revealed.studies(pass, await index.findStudies(within(query, reach)), "search"),
      ),
    listStudies: (actor, query) =>
      search(actor, { rows: [], total: { count: 0, isExact: true } }, async (pass, reach) => {
        const asked = within(query, reach);
        const [found, total] = await Promise.all([index.findStudies(asked), index.countStudies(asked.matches)]);
        return { rows: await revealed.studies(pass, found, "search"), total };
      }),
    findSeries: (actor, query) =>
      search(actor, [], async (pass, reach) =>
        revealed.series(pass, await index.findSeries(within(query, reach)), "search"),
      ),
    findInstances: (actor, query) =>
      search(actor, [], async (pass, reach) =>
        revealed.listed(pass, await index.findInstances(within(query, reach)), "search"),
      ),
    findPatients: createPatientSearch({ index, revealed, search }),
    watchedStudies: (actor, studyTokens) =>
      gate.pass(actor, "study.watch", undefined, async (pass) => {
        const rows = await Promise.all(studyTokens.map((token) => index.studyOfToken(token)));
        const found = rows
          .filter((row) => row !== undefined)
          .filter((row) => row.instanceCount > 0 && isWithin(pass, row));
        return revealed.studies(pass, found, "search");
      }),
    subjectOf,
    studyOfToken: (actor, studyToken) =>
      withStudy(
        actor,
        "study.view",
        () => index.studyOfToken(studyToken),
        async (found, pass) => {
          const rows = await index.seriesOf(found.studyToken);
          const [[study], series] = await Promise.all([
            revealed.studies(pass, [found], "read"),
            revealed.series(pass, rows, "read"),
          ]);
          if (study === undefined) throw absent();
          return { study, series, patientToken: pass.sees === "whole" ? index.factsOf(found).patient : "" };
        },
      ),
    read: (actor, target) =>
      withRows(actor, "study.read", target, async (rows, study, pass) => {
        const held = await hold(target, study, rows, pass);
        if (held.length === 0) throw absent();
        return held;
      }),
    async heldOf(pass, studyToken, purpose = "export") {
      await indexer.settled();
      const found = await index.studyOfToken(studyToken);
      const [study] = found === undefined ? [] : await revealed.studies(pass, [found], purpose);
      if (found === undefined || study === undefined) throw absent();
      const target = { studyUid: study.studyUid };
      const held = await hold(target, found, await rowsOf(index, target), pass, purpose);
      if (held.length === 0) throw absent();
      return held;
    },
    images: (actor, target) =>
      withRows(actor, "study.view", target, async (rows, _study, pass) => {
        if (rows.length === 0) throw absent();
        return look(rows, pass);
      }),
    seriesMetadata: (actor, studyUid, seriesUid) =>
      withStudy(
        actor,
        "study.view",
        () => index.study(studyUid),
        (_study, pass) => metadata.of(pass, studyUid, seriesUid),
      ),
    beforeIndexed: indexer.beforeIndexed,
    async recover() {
      const marks = await index.marks();
      const from = new Map(marks.map(({ pack, position }) => [pack, position]));
      return corrections.alone(() => takeIn(taking(), from, () => {}));
    },
    rebuild: (actor, progress) =>
      gate.pass(actor, "vault.rebuild", undefined, async () => {
        await indexer.settled();
        return corrections.alone(async () => {
          isRebuilding = true;
          try {
            const writeMarks = indexer.holdMarks();
            await index.clear();
            const summary = await takeIn(taking(), new Map(), progress);
            await writeMarks();
            return summary;
          } finally {
            isRebuilding = false;
          }
        });
      }),
    check: (actor, progress) =>
      gate.pass(actor, "vault.check", undefined, async () => {
        const found: Damage[] = [];
        for await (const damage of vault.check(progress, faultIn)) found.push(damage);
        return found;
      }),
    conflicts: (actor) =>
      search(actor, [], async (pass, reach) => {
        const copies = await index.conflicts();
        return revealed.copies(pass, reach.length === 0 ? copies : await copiesWithin(pass, copies), "search");
      }),
    settled: () => indexer.settled(),
    async takenIn() {
      await vault.settled();
      if (isRebuilding) throw new Problem("busy", "the index is being made again");
      await indexer.takenIn();
    },
    refreshBlobs: () => metadata.refresh(),
    async close() {
      await metadata.close();
      await indexer.close();
    },
  };
}

/** What comes in, with the notes that hide some of it; `rejected` is called when one has taken effect. */
function createReceiving(
  given: ArchiveParts & { readonly indexer: Indexer } & Pick<Parameters<typeof createRejections>[0], "asSubject">,
  rejected: () => void,
) {
  const { indexer } = given;
  const parts = { stamp: given.clock.now, ...given, settled: indexer.settled };
  const { admit, ...rejections } = createRejections({ ...parts, receiveNote: (by, at) => intake.receiveNote(by, at) });
  const intake = createIntake({ ...parts, admitNote: admit });
  indexer.onIndexed((batch) => {
    if (batch.some(({ record }) => record.rejection !== undefined)) rejected();
  });
  return { intake, rejections };
}

async function rowsOf(index: StudyIndex, { studyUid, seriesUid, sopUid }: ReadTarget): Promise<IndexedInstance[]> {
  if (seriesUid === undefined || sopUid === undefined) return index.instances(studyUid, seriesUid);
  const row = await index.instance(studyUid, seriesUid, sopUid);
  return row === undefined ? [] : [row];
}

function absent(): Problem {
  return new Problem("absent", "not found", { remedy: "check the identifier; a search shows what there is" });
}
