import type { Log } from "#base/log";
import { isProblem, Problem, type ProblemCode } from "#base/problem";
import { createPermits } from "#base/turns";
import type { FindRequest, FindService, FoundIdentifier, RetrieveService } from "#doors/dimse";
import type { EdgeFindRequest, EdgeFound, EdgeInstancesRequest } from "#formats/api";
import {
  type DataSet,
  type DataSetInput,
  elementsOf,
  fromDicomJson,
  type KeywordDataSet,
  readDataSet,
  TransferSyntaxUid,
  tagOf,
  toDicomJson,
  writeDataSet,
} from "#formats/dicom";
import type { Archive, StudyIndex } from "#radiology/archive";
import { type Actor, type Gate, system } from "#trust/access";
import type { CloudLink } from "./cloud-link.ts";
import { unframed } from "./framed-instances.ts";

/**
 * On an edge: the cloud's archive, for the machines here. What is asked there is asked as this box, so only for machines that see all of the
 * box; what is brought belongs to none of its facilities, and who sees a facility alone does not see it.
 */
export interface CloudReading {
  /** What is there and here, each once; what is here alone while the cloud is away. Each search there is one of `actor` in the log. */
  finds(local: ReadonlyMap<string, FindService>, actor: Actor): ReadonlyMap<string, FindService>;
  /** Has what is not here brought here first. What the cloud has and does not give is a Problem: never less than was asked for. */
  retrieves(local: ReadonlyMap<string, RetrieveService>, actor: Actor): ReadonlyMap<string, RetrieveService>;
  /**
   * Brings instances that are not here, of what the unique keys name. How many came. Problem `unavailable` while the cloud is away or where
   * not all came, `no-room` before the disk is full, `too-large` for more than a box takes at once.
   */
  bring(keys: KeywordDataSet, signal?: AbortSignal): Promise<number>;
  /** Studies there, by keys and with what is asked for; the values as text, by keyword. */
  studies(
    keys: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<readonly Readonly<Record<string, string>>[]>;
}

interface CloudReadingParts {
  readonly cloudLink: Pick<CloudLink, "post" | "stream">;
  /** Of this box. */
  readonly archive: Pick<Archive, "receiveFile" | "settled">;
  readonly index: Pick<StudyIndex, "heldIn">;
  readonly gate: Pick<Gate, "pass">;
  readonly disk: { readonly freeBytes: () => Promise<number>; readonly reservedBytes: number };
  readonly ownTitle: string;
  readonly log: Log;
}

const encoding = { transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian };
const studyRootFind = "1.2.840.10008.5.1.4.1.2.2.1";
const uniqueKeys = {
  PATIENT: "PatientID",
  STUDY: "StudyInstanceUID",
  SERIES: "SeriesInstanceUID",
  IMAGE: "SOPInstanceUID",
};
type Level = keyof typeof uniqueKeys;
const levels = Object.keys(uniqueKeys) as Level[];
const answerBytesMax = 64 * 1024 * 1024;
const instanceBytesMax = 2 ** 32;
const askedAtOnce = 500;
/** What one retrieve brings at most. */
const broughtMost = 20_000;
/** Series that come at a time: as many as the cloud gives one edge. */
const seriesAtOnce = 2;
/** What machines send has the disk before what can be had again: beside twice the reserve. */
const leftFreeBytes = 2 ** 30;

export function createCloudReading(parts: CloudReadingParts): CloudReading {
  const { cloudLink, gate, ownTitle, log } = parts;
  const bringing = createPermits(seriesAtOnce);

  const find = async (request: FindRequest, signal?: AbortSignal): Promise<FoundIdentifier[]> => {
    const { sopClassUid, identifier, extended } = request;
    const bytes = Buffer.from(writeDataSet(identifier, encoding));
    const asked: EdgeFindRequest = { sopClassUid, identifier: bytes.toString("base64"), extended };
    const found = await cloudLink.post<readonly EdgeFound[]>("/api/edges/self/find", asked, answerBytesMax, signal);
    return found.map(({ identifier: one, keysIgnored }) => ({ keysIgnored, identifier: fromHere(one, ownTitle) }));
  };
  /** What the cloud has of it, study by study: so much is answered at once. */
  const missing = async (keys: KeywordDataSet, signal?: AbortSignal): Promise<Instance[]> => {
    const found: Instance[] = [];
    for (const studyUid of await studiesNamed((request) => find(request, signal), keys)) {
      const there = await find(imageQuery({ ...withoutPatient(keys), StudyInstanceUID: studyUid }), signal);
      found.push(...(await missingOf(parts, studyUid, there)));
      if (found.length > broughtMost) throw tooMany();
    }
    return found;
  };
  const bringSeries = async (request: EdgeInstancesRequest, signal?: AbortSignal): Promise<number> => {
    await bringing.take();
    try {
      await requireRoom(parts.disk);
      return await bringFiles(parts, request, signal);
    } finally {
      bringing.give();
    }
  };
  const bringAll = async (wanted: readonly Instance[], signal?: AbortSignal): Promise<number> => {
    let count = 0;
    for (const [seriesUid, instances] of Map.groupBy(wanted, (one) => one.seriesUid)) {
      const [{ studyUid }] = instances as [Instance, ...Instance[]];
      for (let from = 0; from < instances.length; from += askedAtOnce) {
        const sopUids = instances.slice(from, from + askedAtOnce).map(({ sopUid }) => sopUid);
        count += await bringSeries({ studyUid, seriesUid, sopUids }, signal);
      }
    }
    if (count > 0) await parts.archive.settled();
    if (count < wanted.length) throw notAllCame();
    return count;
  };
  /** What `work` resolves with, undefined while there is no cloud to ask. */
  const whileReached = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!isProblem(error) || !away.has(error.code)) throw error;
      log.info("a machine has what is here alone: the cloud is not reached", { code: error.code });
      return undefined;
    }
  };
  const asked = <T>(actor: Actor, work: () => Promise<T>) => gate.pass(actor, "study.search", undefined, work);
  const throughFind = (service: FindService, actor: Actor): FindService => ({
    ...service,
    async *find(request) {
      const there = (await asked(actor, () => whileReached(() => find(request)))) ?? [];
      const seen = new Set(there.map(keyIn));
      yield* there;
      for await (const here of service.find(request)) {
        const key = keyIn(here);
        if (key === "" || !seen.has(key)) yield here;
      }
    },
  });
  const throughRetrieve = (service: RetrieveService, actor: Actor): RetrieveService => ({
    ...service,
    async select(request, signal) {
      // What names nothing, or everything, is refused by this before anything is asked of the cloud.
      const here = await service.select(request, signal);
      const wanted = await asked(actor, () => whileReached(() => missing(namedIn(request.identifier), signal)));
      if (wanted === undefined || wanted.length === 0) return here;
      await bringAll(wanted, signal);
      return service.select(request, signal);
    },
  });

  return {
    bring: async (keys, signal) => bringAll(await missing(keys, signal), signal),
    async studies(keys, signal) {
      const found = await find(
        { ...queryOf({ QueryRetrieveLevel: "STUDY", ...keys }), sopClassUid: studyRootFind },
        signal,
      );
      return found.map(({ identifier }) => {
        const dataSet = readBack(identifier);
        return Object.fromEntries(Object.keys(keys).map((keyword) => [keyword, dataSet.text(tagOf(keyword)) ?? ""]));
      });
    },
    finds: (local, actor) => new Map(Array.from(local, ([uid, service]) => [uid, throughFind(service, actor)])),
    retrieves: (local, actor) => new Map(Array.from(local, ([uid, service]) => [uid, throughRetrieve(service, actor)])),
  };
}

/** Not reached, not enrolled, not believed, or shut out. */
const away: ReadonlySet<ProblemCode> = new Set(["unavailable", "absent", "denied", "unproven"]);

interface Instance {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopUid: string;
}

/** All instances below what is named. */
function imageQuery(keys: KeywordDataSet): FindRequest {
  const below = { StudyInstanceUID: "", SeriesInstanceUID: "", SOPInstanceUID: "" };
  return { ...queryOf({ ...below, ...keys, QueryRetrieveLevel: "IMAGE" }), sopClassUid: studyRootFind };
}

function queryOf(keys: KeywordDataSet): Pick<FindRequest, "identifier" | "extended"> {
  const identifier = readBack(elementsOf({ SpecificCharacterSet: "ISO_IR 192", ...keys }));
  return { identifier, extended: { relational: true, fuzzyNames: false } };
}

const readBack = (input: DataSetInput): DataSet => readDataSet(writeDataSet(input, encoding), encoding);

/** The unique keys of a retrieve down to its level, as they name something: what the levels below say counts for nothing. */
function namedIn(identifier: DataSet): KeywordDataSet {
  const level = levels.indexOf(identifier.text(tagOf("QueryRetrieveLevel")) as Level);
  const keywords = [...levels.slice(0, level + 1).map((each) => uniqueKeys[each]), "IssuerOfPatientID"];
  const named = keywords.map((keyword) => [keyword, identifier.texts(tagOf(keyword)) ?? []] as const);
  return Object.fromEntries(
    named.filter(([, values]) => values.some((value) => value !== "") && !values.some((value) => /[*?]/.test(value))),
  );
}

/** A study that is named is the same whosever it is. */
function withoutPatient({ PatientID: _number, IssuerOfPatientID: _issuer, ...keys }: KeywordDataSet): KeywordDataSet {
  return keys;
}

/** The studies that unique keys name: by themselves, or as the cloud knows what is named below or above them. */
async function studiesNamed(
  find: (request: FindRequest) => Promise<readonly FoundIdentifier[]>,
  keys: KeywordDataSet,
): Promise<readonly string[]> {
  if (keys.StudyInstanceUID !== undefined) return [...new Set([keys.StudyInstanceUID].flat() as string[])];
  const level = levels.findLast((each) => keys[uniqueKeys[each]] !== undefined);
  if (level === undefined) return [];
  const asked = { StudyInstanceUID: "", ...(level === "PATIENT" ? keys : withoutPatient(keys)) };
  const found = await find({
    ...queryOf({ ...asked, QueryRetrieveLevel: level === "PATIENT" ? "STUDY" : level }),
    sopClassUid: studyRootFind,
  });
  const uids = found.map(({ identifier }) => readBack(identifier).text(tagOf("StudyInstanceUID")) ?? "");
  return [...new Set(uids)].filter((uid) => uid !== "");
}

/** An answer of the cloud as one of this box: what is found there can be had here. */
function fromHere(base64: string, ownTitle: string): DataSetInput {
  const json = toDicomJson(readDataSet(Buffer.from(base64, "base64"), encoding));
  return fromDicomJson({ ...json, "00080054": { vr: "AE", Value: [ownTitle] } });
}

/** The value of the unique key at the level of an answer; "" where it does not say. */
function keyIn({ identifier }: FoundIdentifier): string {
  const dataSet = readBack(identifier);
  const level = dataSet.text(tagOf("QueryRetrieveLevel")) as Level;
  const keyword = uniqueKeys[level];
  return keyword === undefined ? "" : (dataSet.text(tagOf(keyword)) ?? "");
}

/** What of a study is not here; what was rejected here is, and stays away. */
async function missingOf(
  { archive, index }: Pick<CloudReadingParts, "archive" | "index">,
  studyUid: string,
  found: readonly FoundIdentifier[],
): Promise<Instance[]> {
  await archive.settled();
  const there = found.map(({ identifier }): Instance => {
    const dataSet = readBack(identifier);
    const text = (keyword: string) => dataSet.text(tagOf(keyword)) ?? "";
    return { studyUid, seriesUid: text("SeriesInstanceUID"), sopUid: text("SOPInstanceUID") };
  });
  const missing: Instance[] = [];
  for (let from = 0; from < there.length; from += askedAtOnce) {
    const some = there.slice(from, from + askedAtOnce);
    const sopUids = some.map(({ sopUid }) => sopUid);
    const { served } = await index.heldIn(studyUid, sopUids);
    missing.push(...some.filter(({ sopUid }) => !served.has(sopUid)));
  }
  return missing;
}

/** Takes instances into the archive of this box as they come; those that the cloud gave up are not counted. */
async function bringFiles(
  { cloudLink, archive }: CloudReadingParts,
  request: EdgeInstancesRequest,
  signal?: AbortSignal,
): Promise<number> {
  let count = 0;
  let bytes = 0;
  let receiving: ReturnType<Archive["receiveFile"]> | undefined;
  try {
    for await (const part of unframed(cloudLink.stream("/api/edges/self/instances", request, signal))) {
      if (part.kind === "piece") {
        bytes += part.bytes.length;
        if (bytes > instanceBytesMax) throw tooMany();
        receiving ??= archive.receiveFile(system);
        await receiving.write(part.bytes);
        continue;
      }
      if (part.isWhole) {
        await receiving?.finish();
        count++;
      } else await receiving?.abort();
      receiving = undefined;
      bytes = 0;
    }
  } finally {
    await receiving?.abort();
  }
  return count;
}

async function requireRoom({ freeBytes, reservedBytes }: CloudReadingParts["disk"]): Promise<void> {
  if ((await freeBytes()) >= 2 * reservedBytes + leftFreeBytes) return;
  throw new Problem("no-room", "the disk has no room for what lies in the cloud", {
    remedy: "make room on the disk of this box, or keep copies for fewer days",
  });
}

function notAllCame(): Problem {
  return new Problem("unavailable", "not all that the cloud listed came", {
    remedy: "ask for it again; if that stays so, look at the cloud's status",
  });
}

function tooMany(): Problem {
  return new Problem("too-large", "more lies in the cloud than this box brings at once", {
    remedy: "ask for single studies or series",
  });
}
