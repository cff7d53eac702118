import { isProblem, Problem, type ProblemCode } from "#base/problem";
import {
  type FindRequest,
  type FindService,
  type FoundIdentifier,
  type RetrievedInstance,
  type RetrieveService,
  retrievedInstance,
} from "#doors/dimse";
import type { EdgeFindRequest, EdgeFound } from "#formats/api";
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
import type { Transcoder } from "#radiology/images";
import type { Actor, Gate } from "#trust/access";
import { type BringingParts, type CloudInstance, type Coming, createBringing } from "./cloud-bringing.ts";
import type { CloudLink } from "./cloud-link.ts";

/**
 * On an edge: the cloud's archive, for the machines here. What is asked there is asked as this box, so only for machines that see all of the
 * box; what is brought belongs to none of its facilities, and who sees a facility alone does not see it.
 */
export interface CloudReading {
  /** What is there and here, each once; what is here alone while the cloud is away. Each search there is one of `actor` in the log. */
  finds(local: ReadonlyMap<string, FindService>, actor: Actor): ReadonlyMap<string, FindService>;
  /**
   * Names what is here and what the cloud has besides; that is brought while the first is sent on, and opening it waits until it is here.
   * What the cloud lists and does not give fails when it is opened: never less than was asked for.
   */
  retrieves(local: ReadonlyMap<string, RetrieveService>, actor: Actor): ReadonlyMap<string, RetrieveService>;
  /**
   * Brings instances that are not here, of what the unique keys name: how many came, and how many the cloud lists and did not give. Problem
   * `unavailable` while the cloud is away, `no-room` before the disk is full, `too-large` for more than a box takes at once.
   */
  bring(keys: KeywordDataSet, signal: AbortSignal): Promise<{ readonly came: number; readonly missed: number }>;
  /** Studies there, by keys and with what is asked for; the values as text, by keyword. */
  studies(
    keys: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<readonly Readonly<Record<string, string>>[]>;
}

interface CloudReadingParts extends BringingParts {
  readonly cloudLink: Pick<CloudLink, "post" | "stream">;
  /** Of this box. */
  readonly archive: Pick<Archive, "receiveFile" | "settled" | "read">;
  readonly index: Pick<StudyIndex, "heldIn">;
  readonly gate: Pick<Gate, "pass">;
  readonly transcoder: Transcoder;
  readonly ownTitle: string;
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
/** Of what is looked up here at a time. */
const lookedUpAtOnce = 500;
/** What one retrieve brings at most. */
const broughtMost = 20_000;

export function createCloudReading(parts: CloudReadingParts): CloudReading {
  const { cloudLink, gate, ownTitle, log } = parts;
  const bring = createBringing(parts);

  const find = async (request: FindRequest, signal?: AbortSignal): Promise<FoundIdentifier[]> => {
    const { sopClassUid, identifier, extended } = request;
    const bytes = Buffer.from(writeDataSet(identifier, encoding));
    const asked: EdgeFindRequest = { sopClassUid, identifier: bytes.toString("base64"), extended };
    const found = await cloudLink.post<readonly EdgeFound[]>("/api/edges/self/find", asked, answerBytesMax, signal);
    return found.map(({ identifier: one, keysIgnored }) => ({ keysIgnored, identifier: fromHere(one, ownTitle) }));
  };
  /** What the cloud has of it, study by study: so much is answered at once. */
  const missing = async (keys: KeywordDataSet, signal: AbortSignal): Promise<CloudInstance[]> => {
    const found: CloudInstance[] = [];
    for (const studyUid of await studiesNamed((request) => find(request, signal), keys)) {
      const there = await find(imageQuery({ ...withoutPatient(keys), StudyInstanceUID: studyUid }), signal);
      found.push(...(await missingOf(parts, studyUid, there)));
      if (found.length > broughtMost) throw tooMany();
    }
    return found;
  };
  /** What `work` resolves with, undefined while there is no cloud to ask. */
  const whileReached = async <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!isProblem(error) || !away.has(error.code) || signal?.aborted) throw error;
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
      const named = namedIn(request.identifier);
      const there = await asked(actor, () => whileReached(() => missing(named, signal), signal));
      // What came meanwhile is here by now.
      const here = await service.select(request, signal);
      const isHere = new Set(here.map(({ sopInstanceUid }) => sopInstanceUid));
      const wanted = (there ?? []).filter(({ sopUid }) => !isHere.has(sopUid));
      if (wanted.length === 0) return here;
      const coming = bring(wanted, signal);
      return [...here, ...wanted.map((one) => comingInstance(parts, one, coming, actor))];
    },
  });

  return {
    async bring(keys, signal) {
      const wanted = await missing(keys, signal);
      const came = await bring(wanted, signal).ended;
      return { came, missed: wanted.length - came };
    },
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

/** One that is on its way here: it is opened when it has come, and as what it then turns out to be. */
function comingInstance(
  { archive, transcoder }: Pick<CloudReadingParts, "archive" | "transcoder">,
  { studyUid, seriesUid, sopUid, sopClassUid, transferSyntaxUid }: CloudInstance,
  coming: Coming,
  actor: Actor,
): RetrievedInstance {
  return {
    ...{ sopClassUid, sopInstanceUid: sopUid, transferSyntaxUid },
    // Whether it has pixels is not known before: as if it had any.
    offeredSyntaxUids: transcoder.offered({ transferSyntaxUid, pixelOffset: 0 }),
    async open(accepted) {
      await coming.arrival(sopUid);
      const [held] = await archive.read(actor, { studyUid, seriesUid, sopUid });
      if (held === undefined) throw new Problem("absent", "an instance came from the cloud and is not here");
      return retrievedInstance(transcoder, held).open(accepted);
    },
  };
}

/** All instances below what is named. */
function imageQuery(keys: KeywordDataSet): FindRequest {
  const uids = { StudyInstanceUID: "", SeriesInstanceUID: "", SOPInstanceUID: "" };
  const below = { ...uids, SOPClassUID: "", AvailableTransferSyntaxUID: "" };
  return { ...queryOf({ ...below, ...keys, QueryRetrieveLevel: "IMAGE" }), sopClassUid: studyRootFind };
}

function queryOf(keys: KeywordDataSet): Pick<FindRequest, "identifier" | "extended"> {
  const identifier = readBack(elementsOf({ SpecificCharacterSet: "ISO_IR 192", ...keys }));
  return { identifier, extended: { relational: true, fuzzyNames: false } };
}

const readBack = (input: DataSetInput): DataSet => readDataSet(writeDataSet(input, encoding), encoding);

/** The unique keys of a retrieve down to its level, as they name something there: what the levels below say counts for nothing. */
function namedIn(identifier: DataSet): KeywordDataSet {
  const level = levels.indexOf(identifier.text(tagOf("QueryRetrieveLevel")) as Level);
  const keywords = [...levels.slice(0, level + 1).map((each) => uniqueKeys[each]), "IssuerOfPatientID"];
  const named = keywords.map((keyword) => [keyword, identifier.texts(tagOf(keyword)) ?? []] as const);
  const keys = named.filter(([, values]) => values.some((value) => value !== "") && !values.some(isPattern));
  // Without that of its own level it is refused here: the cloud is not asked.
  return keys.some(([keyword]) => keyword === uniqueKeys[levels[level] as Level]) ? Object.fromEntries(keys) : {};
}

const isPattern = (value: string): boolean => /[*?]/.test(value);

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

/** What of a study is not here, series by series as it comes; what was rejected here is here, and stays hidden. */
async function missingOf(
  { archive, index }: Pick<CloudReadingParts, "archive" | "index">,
  studyUid: string,
  found: readonly FoundIdentifier[],
): Promise<CloudInstance[]> {
  await archive.settled();
  const there = found.map(({ identifier }): CloudInstance => {
    const dataSet = readBack(identifier);
    const text = (keyword: string) => dataSet.text(tagOf(keyword)) ?? "";
    const [seriesUid, sopUid] = [text("SeriesInstanceUID"), text("SOPInstanceUID")];
    const [sopClassUid, transferSyntaxUid] = [text("SOPClassUID"), text("AvailableTransferSyntaxUID")];
    return { studyUid, seriesUid, sopUid, sopClassUid, transferSyntaxUid };
  });
  const missing: CloudInstance[] = [];
  for (let from = 0; from < there.length; from += lookedUpAtOnce) {
    const some = there.slice(from, from + lookedUpAtOnce);
    const sopUids = some.map(({ sopUid }) => sopUid);
    const { served } = await index.heldIn(studyUid, sopUids);
    missing.push(...some.filter(({ sopUid }) => !served.has(sopUid)));
  }
  return [...Map.groupBy(missing, ({ seriesUid }) => seriesUid).values()].flat();
}

function tooMany(): Problem {
  return new Problem("too-large", "more lies in the cloud than this box brings at once", {
    remedy: "ask for single studies or series",
  });
}
