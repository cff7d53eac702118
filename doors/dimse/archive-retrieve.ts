import { isProblem, Problem } from "#base/problem";
import type { Archive, HeldInstance, Query, ReadTarget } from "#radiology/archive";
import type { Transcoder } from "#radiology/images";
import type { Actor } from "#trust/access";
import { equal, mismatch, readLevel, requireUniqueKeys, valuesOf } from "./archive-identifier.ts";
import { type InformationModel, informationModels, type QueryLevel, uniqueKeys } from "./archive-models.ts";
import type { StoreInstance } from "./outbound.ts";
import type { FindRequest, RetrievedInstance, RetrieveService } from "./service-ports.ts";

export interface ArchiveRetrieveParts extends Pick<RetrieveService, "destination"> {
  readonly archive: Pick<Archive, "findStudies" | "findSeries" | "findInstances" | "read">;
  readonly transcoder: Transcoder;
  readonly actor: Actor;
}

/** C-MOVE and C-GET out of the archive for one caller (PS3.4 §C.4.2, §C.4.3), by SOP class. */
export function archiveRetrieves(parts: ArchiveRetrieveParts): ReadonlyMap<string, RetrieveService> {
  return new Map(
    informationModels.flatMap((model) => {
      const service = retrieveService(parts, model);
      return [model.move, model.get].map((uid) => [uid, service] as const);
    }),
  );
}

/** One request sends no more than this, whatever it names. */
const instancesMost = 100_000;

function retrieveService(parts: ArchiveRetrieveParts, model: InformationModel): RetrieveService {
  return {
    supports: { relational: true, fuzzyNames: false },
    destination: parts.destination,
    async select(request) {
      const selected: RetrievedInstance[] = [];
      for await (const target of targetsOf(parts, readNamed(request, model))) {
        for (const held of await readTarget(parts, target)) selected.push(retrievedInstance(parts.transcoder, held));
        if (selected.length > instancesMost) throw tooMany();
      }
      return selected;
    },
  };
}

/** The values of the unique keys, of all levels down to the one that is asked for. */
interface Named {
  readonly level: QueryLevel;
  readonly patientIds: readonly string[];
  readonly issuers: readonly string[];
  readonly studyUids: readonly string[];
  readonly seriesUids: readonly string[];
  readonly sopUids: readonly string[];
}

/** @throws Problem `invalid` for an identifier that names nothing, or not as the model has it. */
function readNamed({ identifier, extended }: FindRequest, model: InformationModel): Named {
  const { level, above } = readLevel(identifier, model);
  if (!extended.relational) requireUniqueKeys(identifier, above);
  const asked = valuesOf(identifier, uniqueKeys[level]);
  if (asked.length === 0 || asked.some((uid) => /[*?]/.test(uid)) || (level === "PATIENT" && asked.length > 1)) {
    throw mismatch(`${uniqueKeys[level]} must name what is to be sent`, uniqueKeys[level]);
  }
  const valuesAt = (one: QueryLevel) =>
    one === level || above.includes(one) ? valuesOf(identifier, uniqueKeys[one]) : [];
  return {
    level,
    patientIds: valuesAt("PATIENT"),
    issuers: valuesOf(identifier, "IssuerOfPatientID"),
    studyUids: valuesAt("STUDY"),
    seriesUids: valuesAt("SERIES"),
    sopUids: valuesAt("IMAGE"),
  };
}

/** A study, a series, or some instances of a series. */
interface Target extends ReadTarget {
  readonly sopUids?: readonly string[];
}

async function* targetsOf(parts: ArchiveRetrieveParts, named: Named): AsyncIterable<Target> {
  const { level, patientIds, studyUids, seriesUids, sopUids } = named;
  const [studyUid, ...studies] = studyUids;
  const [seriesUid, ...series] = seriesUids;
  // Named all the way down: there is nothing to search for.
  if (patientIds.length === 0 && studyUid !== undefined) {
    if (level === "STUDY") return yield* studyUids.map((uid) => ({ studyUid: uid }));
    if (studies.length === 0 && level === "SERIES")
      return yield* seriesUids.map((uid) => ({ studyUid, seriesUid: uid }));
    if (studies.length + series.length === 0 && seriesUid !== undefined) return yield { studyUid, seriesUid, sopUids };
  }
  yield* foundTargets(parts, named);
}

const pageMost = 1_000;

async function* foundTargets({ archive, actor }: ArchiveRetrieveParts, named: Named): AsyncIterable<Target> {
  const given: readonly (readonly [string, readonly string[]])[] = [
    [uniqueKeys.PATIENT, named.patientIds],
    ["IssuerOfPatientID", named.issuers],
    [uniqueKeys.STUDY, named.studyUids],
    [uniqueKeys.SERIES, named.seriesUids],
    [uniqueKeys.IMAGE, named.sopUids],
  ];
  const matches = given.flatMap(([keyword, values]) => (values.length === 0 ? [] : [equal(keyword, values)]));
  const find = {
    PATIENT: (query: Query) => archive.findStudies(actor, query),
    STUDY: (query: Query) => archive.findStudies(actor, query),
    SERIES: async (query: Query) =>
      (await archive.findSeries(actor, query)).map(({ seriesUid, study: { studyUid } }) => ({ studyUid, seriesUid })),
    IMAGE: async (query: Query) => bySeries(await archive.findInstances(actor, query)),
  }[named.level];
  for (let offset = 0; offset <= instancesMost; offset += pageMost) {
    const page: readonly Target[] = await find({ matches, limit: pageMost, offset });
    yield* page.map(({ studyUid, seriesUid, sopUids }) => ({
      studyUid,
      ...(seriesUid !== undefined && { seriesUid }),
      ...(sopUids !== undefined && { sopUids }),
    }));
    if (page.length === 0) return;
  }
}

function bySeries(instances: readonly Required<ReadTarget>[]): Target[] {
  const series = Map.groupBy(instances, ({ seriesUid }) => seriesUid);
  return [...series.values()].map((of) => {
    const { studyUid, seriesUid } = of[0] as Required<ReadTarget>;
    return { studyUid, seriesUid, sopUids: of.map(({ sopUid }) => sopUid) };
  });
}

/** Fewer instances are asked for one by one, more are chosen out of their series. */
const oneByOneMost = 4;

async function readTarget(parts: ArchiveRetrieveParts, { sopUids, ...target }: Target): Promise<HeldInstance[]> {
  if (sopUids === undefined) return read(parts, target);
  if (sopUids.length > oneByOneMost) {
    const wanted = new Set(sopUids);
    return (await read(parts, target)).filter(({ sopUid }) => wanted.has(sopUid));
  }
  const each: HeldInstance[] = [];
  for (const sopUid of sopUids) each.push(...(await read(parts, { ...target, sopUid })));
  return each;
}

/** What is not there, or not for this caller, is none of what is sent: neither is told. */
async function read({ archive, actor }: ArchiveRetrieveParts, target: ReadTarget): Promise<HeldInstance[]> {
  try {
    return await archive.read(actor, target);
  } catch (error) {
    if (isProblem(error, "absent") || isProblem(error, "denied")) return [];
    throw error;
  }
}

/** An instance that was let through to be read, as it can be sent. */
export function retrievedInstance(transcoder: Transcoder, held: HeldInstance): RetrievedInstance {
  const { sopClassUid, sopUid: sopInstanceUid, transferSyntaxUid } = held;
  const offeredSyntaxUids = transcoder.offered(held);
  return {
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid,
    offeredSyntaxUids,
    async open(accepted): Promise<StoreInstance> {
      for (const syntax of offeredSyntaxUids.filter((uid) => accepted.includes(uid))) {
        const dataSet = await begun(transcoder.dataSet(held, syntax));
        if (dataSet !== undefined) return { sopClassUid, sopInstanceUid, transferSyntaxUid: syntax, dataSet };
      }
      throw new Problem("unsupported", "an instance can be had in no transfer syntax that was accepted");
    },
  };
}

/** With its first piece there: undefined where that shows that this is no syntax for what is in it. */
async function begun(pieces: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array> | undefined> {
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    return rest(first, iterator);
  } catch (error) {
    if (isProblem(error, "unsupported")) return undefined;
    throw error;
  }
}

async function* rest(
  first: IteratorResult<Uint8Array>,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let next = first; !next.done; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

function tooMany(): Problem {
  return new Problem("too-large", "more is named than is sent at once", { remedy: "name less at a time" });
}
