import { isProblem } from "#base/problem";
import {
  copyOf,
  draftOf,
  type Known,
  newSeries,
  newStudy,
  noteArrival,
  noteFacility,
  nothingKnown,
  putDrafts,
  type SeriesDraft,
  type StudyDraft,
} from "./blind-drafts.ts";
import type { FactsBox } from "./blind-facts.ts";
import { type LogEntry, logBlock } from "./blind-log.ts";
import type { BlindMemory, MemoryParts } from "./blind-memory.ts";
import { applyRejections } from "./blind-rejecting.ts";
import { hex, type RowDigests } from "./blind-rows.ts";
import type { BlindChange, ConflictHeld, CopyHeld, InstanceHeld } from "./blind-store.ts";
import type { Term, Terms } from "./blind-terms.ts";
import { correctedKeywords } from "./corrected-values.ts";
import { keyIn } from "./matching.ts";
import type { AddOutcome, InstanceRecord, PackMark } from "./study-index.ts";

export interface AddingParts extends MemoryParts {
  readonly terms: Terms;
  readonly digests: RowDigests;
  readonly facts: FactsBox;
  /** Of studies that were corrected: what lists and columns say of them may be what they said before. */
  readonly corrected: Term;
}

interface Adding {
  add(memory: BlindMemory, records: readonly InstanceRecord[], marks: readonly PackMark[]): Promise<AddOutcome[]>;
  /** What was remembered of rows may be wrong: they were changed by somebody else, or a change failed. */
  forget(): void;
}

const rememberedMost = 512;

export function createAdding(parts: AddingParts): Adding {
  const remembered: Remembered = { studies: new Map(), series: new Map() };
  return {
    async add(memory, records, marks) {
      const write = async () => {
        const taken = await parts.store.change(async (rows) => {
          const drawn = await takeIn(parts, rows, remembered, records, memory.dates.end);
          const blocks = drawn.entries.length === 0 ? [] : [logBlock(parts, memory.logSerial, drawn.entries)];
          await rows.put({ marks, blocks });
          return drawn;
        });
        if (taken.entries.length > 0) memory.logged(taken.entries);
        return taken;
      };
      // A note changes rows that lists and columns speak of.
      const hasNotes = records.some(({ rejection }) => rejection !== undefined);
      const batch = await (hasNotes ? memory.disturbed(write) : write());
      for (const { row, known } of batch.studies) remember(remembered.studies, row.id, known);
      for (const { row, known } of batch.series) remember(remembered.series, row.id, known);
      return batch.outcomes;
    },
    forget() {
      remembered.studies.clear();
      remembered.series.clear();
    },
  };
}

interface Remembered {
  readonly studies: Map<number, Known>;
  readonly series: Map<number, Known>;
}

function remember(kept: Map<number, Known>, id: number, known: Known): void {
  kept.delete(id);
  kept.set(id, known);
  if (kept.size > rememberedMost) kept.delete(kept.keys().next().value as number);
}

/** A record with the digests by which its rows are found. */
interface Digested {
  readonly record: InstanceRecord;
  readonly sop: Buffer;
  readonly content: Buffer;
  readonly series: Buffer;
  readonly study: Buffer;
}

function digested({ digests }: AddingParts, records: readonly InstanceRecord[]): Digested[] {
  const once = (of: (uid: string) => Buffer) => {
    const known = new Map<string, Buffer>();
    return (uid: string) => {
      const digest = known.get(uid) ?? of(uid);
      known.set(uid, digest);
      return digest;
    };
  };
  const [study, series] = [once(digests.study), once(digests.series)];
  return records.map((record) => ({
    record,
    sop: digests.sop(record.sopUid),
    content: digests.content(record.dataSetSha256),
    series: series(record.seriesUid),
    study: study(record.studyUid),
  }));
}

interface Taken {
  readonly outcomes: AddOutcome[];
  readonly entries: readonly LogEntry[];
  readonly studies: readonly StudyDraft[];
  readonly series: readonly SeriesDraft[];
}

/** What the rows hold of a batch when it begins, changed as its records are taken one by one. */
interface Batch {
  readonly studies: Map<string, StudyDraft>;
  readonly series: Map<string, SeriesDraft>;
  readonly served: Map<string, InstanceHeld>;
  /** Digests of copies in conflict, and of their bytes. */
  readonly kept: Set<string>;
  readonly next: { study: number; series: number; instance: number; conflict: number };
  /** Studies that were hidden, or had a series that was. */
  readonly hidden: readonly number[];
  readonly instances: InstanceHeld[];
  readonly conflicts: ConflictHeld[];
}

/** A new study is a hundred digests: so many are computed before others have their turn. */
const inARow = 16;

async function takeIn(
  parts: AddingParts,
  rows: BlindChange,
  remembered: Remembered,
  records: readonly InstanceRecord[],
  studyLeast: number,
): Promise<Taken> {
  if (records.length === 0) return { outcomes: [], entries: [], studies: [], series: [] };
  const given = digested(parts, records);
  const batch = await readBatch(parts, rows, remembered, given);
  // The number of a study that was removed may stand in lists.
  batch.next.study = Math.max(batch.next.study, studyLeast);
  const outcomes: AddOutcome[] = [];
  const inConflict: { readonly served: InstanceHeld; readonly study: StudyDraft }[] = [];
  for (const [at, one] of given.entries()) {
    if (at % inARow === inARow - 1) await new Promise((resolve) => setImmediate(resolve));
    const { record } = one;
    const served = batch.served.get(hex(one.sop));
    if (served !== undefined && isThere(batch, one, served)) {
      outcomes.push("duplicate");
      continue;
    }
    const identity = await sealCopy(parts, record, served !== undefined);
    if (identity === undefined) outcomes.push("duplicate");
    else if (served === undefined) {
      addInstance(parts, batch, one, identity);
      outcomes.push("added");
    } else {
      const study = studyById(batch, served.studyId);
      addConflict(batch, one, identity, served, study);
      inConflict.push({ served, study });
      outcomes.push("conflict");
    }
  }
  const [studies, series] = [[...batch.studies.values()], [...batch.series.values()]];
  const entries = await putDrafts(parts, rows, studies, series);
  await rows.put({ instances: batch.instances, conflicts: batch.conflicts });
  for (const { served, study } of inConflict) await nameOwners(parts, rows, served, study);
  const hidden = inConflict.filter(({ served }) => served.isRejected).map(({ study }) => study.row.id);
  const rejecting = await applyRejections(parts, rows, {
    added: batch.instances,
    notes: records.filter(({ rejection }) => rejection !== undefined),
    doubtful: new Set([...batch.hidden, ...hidden]),
  });
  return { outcomes, entries: [...entries, ...rejecting], studies, series };
}

async function readBatch(
  parts: AddingParts,
  rows: BlindChange,
  remembered: Remembered,
  given: readonly Digested[],
): Promise<Batch> {
  const next = await rows.next();
  const served = await rows.instancesByDigest(given.map(({ sop }) => sop));
  const studies = await rows.studiesByDigest([...new Set(given.map(({ study }) => study))]);
  const others = new Set(served.map(({ studyId }) => studyId));
  for (const { id } of studies) others.delete(id);
  if (others.size > 0) studies.push(...(await rows.studies([...others])));
  const series = await rows.seriesByDigest([...new Set(given.map((one) => one.series))]);
  const servedBySop = new Map(served.map((row) => [hex(row.sopDigest), row] as const));
  const differing = given.filter(({ sop, content }) => {
    const first = servedBySop.get(hex(sop));
    return first !== undefined && hex(first.contentDigest) !== hex(content);
  });
  const kept = differing.length === 0 ? [] : await rows.conflicts({ sopDigests: differing.map(({ sop }) => sop) });
  const tokens = new Map(studies.map(({ id, studyToken }) => [id, studyToken] as const));
  const ofStudies = series.filter(({ studyId }) => tokens.has(studyId));
  const known = await knownOf(parts, remembered, [
    ...studies.map((row) => ({ kind: "studies" as const, row, studyToken: row.studyToken })),
    ...ofStudies.map((row) => ({ kind: "series" as const, row, studyToken: tokens.get(row.studyId) ?? "" })),
  ]);
  return {
    next: { ...next },
    served: servedBySop,
    kept: new Set(kept.map(({ sopDigest, contentDigest }) => `${hex(sopDigest)} ${hex(contentDigest)}`)),
    studies: new Map(
      studies.map((row, at) => {
        const draft = draftOf(row, false, known[at] ?? nothingKnown());
        return [hex(row.uidDigest), { ...draft, uid: "", terms: new Set<Term>(), lies: undefined }] as const;
      }),
    ),
    series: new Map(
      ofStudies.map((row, at) => {
        const draft = draftOf(row, false, known[studies.length + at] ?? nothingKnown());
        const studyToken = tokens.get(row.studyId) ?? "";
        return [`${row.studyId} ${hex(row.uidDigest)}`, { ...draft, uid: "", studyToken }] as const;
      }),
    ),
    hidden: [
      ...studies.filter(({ instanceCount }) => instanceCount === 0).map(({ id }) => id),
      ...ofStudies.filter(({ instanceCount }) => instanceCount === 0).map(({ studyId }) => studyId),
    ],
    instances: [],
    conflicts: [],
  };
}

interface ToKnow {
  readonly kind: "studies" | "series";
  readonly row: { readonly id: number; readonly identity: Uint8Array };
  readonly studyToken: string;
}

/** What rows have, looked up in their sealed values only where it is not remembered. */
async function knownOf({ box }: AddingParts, remembered: Remembered, rows: readonly ToKnow[]): Promise<Known[]> {
  const known = rows.map(({ kind, row }) => remembered[kind].get(row.id));
  const missing = rows.flatMap((one, at) => (known[at] === undefined ? [{ ...one, at }] : []));
  const identities = missing.map(({ row, studyToken }) => ({ studyToken, sealed: row.identity }));
  if (missing.length > 0) {
    await box.examine(identities, (identity, place) => {
      const at = missing[place]?.at ?? -1;
      const { values } = identity;
      const have = [...Object.keys(values).filter((key) => values[key] !== ""), ...correctedKeywords(identity)];
      known[at] = { have: new Set(have), logged: new Set() };
      return true;
    });
  }
  return known.map((one) => (one === undefined ? { have: undefined, logged: new Set() } : copyOf(one)));
}

function isThere(batch: Batch, { sop, content }: Digested, served: InstanceHeld): boolean {
  return hex(served.contentDigest) === hex(content) || batch.kept.has(`${hex(sop)} ${hex(content)}`);
}

/** Undefined when its study was shredded meanwhile. */
async function sealCopy(
  { box }: AddingParts,
  record: InstanceRecord,
  isConflict: boolean,
): Promise<Uint8Array | undefined> {
  const { studyToken, sopUid, instance, dataSetSha256, provenance, studyUid, seriesUid } = record;
  const owners = isConflict ? { studyUid, seriesUid } : {};
  const vouched = provenance === undefined ? {} : { provenance };
  try {
    return await box.sealIdentity(studyToken, { uid: sopUid, values: instance, dataSetSha256, ...vouched, ...owners });
  } catch (error) {
    if (isProblem(error, "absent")) return undefined;
    throw error;
  }
}

function addInstance(parts: AddingParts, batch: Batch, one: Digested, identity: Uint8Array): void {
  const { record } = one;
  const study = batch.studies.get(hex(one.study)) ?? newStudy(record, batch.next.study++, one.study);
  batch.studies.set(hex(one.study), study);
  const seriesName = `${study.row.id} ${hex(one.series)}`;
  const series = batch.series.get(seriesName) ?? newSeries(record, batch.next.series++, study.row, one.series);
  batch.series.set(seriesName, series);
  noteArrival(parts.terms, study, series, record);
  noteFacility(parts.facts, study, record);
  const instance: InstanceHeld = {
    ...copyHeld(one, batch.next.instance++, identity),
    studyId: study.row.id,
    seriesId: series.row.id,
    isRejected: false,
    instanceNumber: Number(keyIn(record.instance, "InstanceNumber")),
  };
  batch.instances.push(instance);
  batch.served.set(hex(one.sop), instance);
}

function addConflict(batch: Batch, one: Digested, identity: Uint8Array, served: InstanceHeld, study: StudyDraft): void {
  batch.conflicts.push({ ...copyHeld(one, batch.next.conflict++, identity), instanceId: served.id });
  batch.kept.add(`${hex(one.sop)} ${hex(one.content)}`);
  const { row } = study;
  study.row = {
    ...row,
    conflictCount: row.conflictCount + 1,
    changedAt: Math.max(row.changedAt, one.record.receivedAt),
  };
  study.changed = true;
}

function studyById(batch: Batch, id: number): StudyDraft {
  for (const study of batch.studies.values()) if (study.row.id === id) return study;
  throw new Error("the study of a served instance was not read");
}

function copyHeld({ record, sop, content }: Digested, id: number, identity: Uint8Array): CopyHeld {
  return {
    id,
    token: record.id,
    studyToken: record.studyToken,
    sopDigest: sop,
    contentDigest: content,
    identity,
    sopClassUid: record.sopClassUid,
    transferSyntaxUid: record.transferSyntaxUid,
    places: record.places,
    sizeBytes: record.sizeBytes,
    dataSetOffset: record.dataSetOffset,
    ...(record.pixelOffset !== undefined && { pixelOffset: record.pixelOffset }),
    ...(record.pixelLength !== undefined && { pixelLength: record.pixelLength }),
    receivedAt: record.receivedAt,
    receivedFrom: record.receivedFrom,
  };
}

/** Copies in conflict are listed together, each with its study and series: the served one learns its own with the first conflict. */
async function nameOwners(
  { box }: AddingParts,
  rows: BlindChange,
  served: InstanceHeld,
  study: StudyDraft,
): Promise<void> {
  const { studyToken } = study.row;
  const [instance] = await rows.instances([served.id]);
  const series = (await rows.seriesOfStudies([served.studyId])).find(({ id }) => id === served.seriesId);
  if (instance === undefined || series === undefined) return;
  const uids: string[] = [];
  const owners = [study.row.identity, series.identity].map((sealed) => ({ studyToken, sealed }));
  const opened = await box.examine(owners, ({ uid }, at) => {
    uids[at] = uid;
    return true;
  });
  const [studyUid, seriesUid] = uids;
  if (opened.includes(false) || studyUid === undefined || seriesUid === undefined) return;
  const own = { studyToken: instance.studyToken, sealed: instance.identity };
  const identity = await box.amend(own, (values) =>
    values.studyUid === undefined ? { ...values, studyUid, seriesUid } : undefined,
  );
  if (identity !== undefined) await rows.put({ instances: [{ ...instance, identity }] });
}
