import type { Log } from "#base/log";
import { asProblem, Problem } from "#base/problem";
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
import { system } from "#trust/access";
import type { CloudLink } from "./cloud-link.ts";

/** On an edge: the cloud's archive, for the machines here. */
export interface CloudReading {
  /** What is there and here, each once; what is here alone while the cloud is away. */
  finds(local: ReadonlyMap<string, FindService>): ReadonlyMap<string, FindService>;
  /** Has what is not here brought here first. */
  retrieves(local: ReadonlyMap<string, RetrieveService>): ReadonlyMap<string, RetrieveService>;
  /** Brings instances of a study that are not here. How many came. Problem `unavailable` while the cloud is away. */
  bring(keys: KeywordDataSet): Promise<number>;
  /** Studies there, by keys and with what is asked for; the values as text, by keyword. */
  studies(keys: Readonly<Record<string, string>>): Promise<readonly Readonly<Record<string, string>>[]>;
}

interface CloudReadingParts {
  readonly cloudLink: Pick<CloudLink, "post" | "stream">;
  /** Of this box. */
  readonly archive: Pick<Archive, "receiveFile" | "settled">;
  readonly index: Pick<StudyIndex, "findInstances">;
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
const answerBytesMax = 64 * 1024 * 1024;
const instanceBytesMax = 2 ** 31;
const broughtAtOnce = 500;

export function createCloudReading(parts: CloudReadingParts): CloudReading {
  const { cloudLink, ownTitle, log } = parts;

  const find = async ({ sopClassUid, identifier, extended }: FindRequest): Promise<FoundIdentifier[]> => {
    const bytes = Buffer.from(writeDataSet(identifier, encoding));
    const asked: EdgeFindRequest = { sopClassUid, identifier: bytes.toString("base64"), extended };
    const found = await cloudLink.post<readonly EdgeFound[]>("/api/edges/self/find", asked, answerBytesMax);
    return found.map(({ identifier: one, keysIgnored }) => ({ keysIgnored, identifier: fromHere(one, ownTitle) }));
  };
  const bringSeries = (request: EdgeInstancesRequest): Promise<number> => bringFiles(parts, request);
  const bring = async (keys: KeywordDataSet): Promise<number> => {
    const missing = await missingOf(parts, await find(imageQuery(keys)));
    let count = 0;
    for (const [seriesUid, instances] of Map.groupBy(missing, (one) => one.seriesUid)) {
      const [{ studyUid }] = instances as [Instance, ...Instance[]];
      for (let from = 0; from < instances.length; from += broughtAtOnce) {
        const sopUids = instances.slice(from, from + broughtAtOnce).map(({ sopUid }) => sopUid);
        count += await bringSeries({ studyUid, seriesUid, sopUids });
      }
    }
    if (count > 0) await parts.archive.settled();
    return count;
  };
  const away = (what: string) => (error: unknown) =>
    log.info(`${what}: the cloud is not reached`, { code: asProblem(error, what).code });

  return {
    bring,
    async studies(keys) {
      const asked = { QueryRetrieveLevel: "STUDY", ...keys };
      const found = await find({ ...queryOf(asked), sopClassUid: studyRootFind });
      return found.map(({ identifier }) => {
        const dataSet = readBack(identifier);
        return Object.fromEntries(Object.keys(keys).map((keyword) => [keyword, dataSet.text(tagOf(keyword)) ?? ""]));
      });
    },
    finds: (local) =>
      new Map(
        Array.from(local, ([sopClassUid, service]) => [
          sopClassUid,
          {
            ...service,
            async *find(request: FindRequest) {
              const there = await find(request).catch((error) => void away("a search for a machine")(error));
              const seen = new Set((there ?? []).map(keyIn));
              yield* there ?? [];
              for await (const here of service.find(request)) {
                const key = keyIn(here);
                if (key === "" || !seen.has(key)) yield here;
              }
            },
          },
        ]),
      ),
    retrieves: (local) =>
      new Map(
        Array.from(local, ([sopClassUid, service]) => [
          sopClassUid,
          {
            ...service,
            async select(request: FindRequest) {
              await bring(namedIn(request.identifier)).catch(away("a retrieve of a machine"));
              return service.select(request);
            },
          },
        ]),
      ),
  };
}

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

/** The unique keys of a retrieve, whatever its level. */
function namedIn(identifier: DataSet): KeywordDataSet {
  const named = Object.values(uniqueKeys).map((keyword) => [keyword, identifier.texts(tagOf(keyword)) ?? []] as const);
  return Object.fromEntries(named.filter(([, values]) => values.some((value) => value !== "")));
}

/** An answer of the cloud as one of this box: what is found there can be had here. */
function fromHere(base64: string, ownTitle: string): DataSetInput {
  const json = toDicomJson(readDataSet(Buffer.from(base64, "base64"), encoding));
  return fromDicomJson({ ...json, "00080054": { vr: "AE", Value: [ownTitle] } });
}

/** The value of the unique key at the level of an answer; "" where it does not say. */
function keyIn({ identifier }: FoundIdentifier): string {
  const dataSet = readBack(identifier);
  const level = dataSet.text(tagOf("QueryRetrieveLevel")) as keyof typeof uniqueKeys;
  const keyword = uniqueKeys[level];
  return keyword === undefined ? "" : (dataSet.text(tagOf(keyword)) ?? "");
}

async function missingOf(
  { archive, index }: Pick<CloudReadingParts, "archive" | "index">,
  found: readonly FoundIdentifier[],
): Promise<Instance[]> {
  await archive.settled();
  const missing: Instance[] = [];
  for (const { identifier } of found) {
    const dataSet = readBack(identifier);
    const [studyUid = "", seriesUid = "", sopUid = ""] = Object.values(uniqueKeys)
      .slice(1)
      .map((keyword) => dataSet.text(tagOf(keyword)));
    const matches = [{ keyword: "SOPInstanceUID", kind: "equal", values: [sopUid] } as const];
    const here = await index.findInstances({ matches, limit: 1, offset: 0 });
    if (here.length === 0) missing.push({ studyUid, seriesUid, sopUid });
  }
  return missing;
}

/** Takes files, each behind its length, into the archive of this box as they come. */
async function bringFiles({ cloudLink, archive }: CloudReadingParts, request: EdgeInstancesRequest): Promise<number> {
  let count = 0;
  let length = Buffer.alloc(0);
  let left = 0;
  let receiving: ReturnType<Archive["receiveFile"]> | undefined;
  try {
    for await (const chunk of cloudLink.stream("/api/edges/self/instances", request)) {
      for (let at = 0; at < chunk.length; ) {
        if (receiving === undefined) {
          const taken = chunk.subarray(at, at + 4 - length.length);
          length = Buffer.concat([length, taken]);
          at += taken.length;
          if (length.length < 4) continue;
          left = length.readUInt32BE();
          length = Buffer.alloc(0);
          if (left === 0 || left > instanceBytesMax) throw broken();
          receiving = archive.receiveFile(system);
          continue;
        }
        const piece = chunk.subarray(at, at + left);
        await receiving.write(piece);
        at += piece.length;
        left -= piece.length;
        if (left > 0) continue;
        await receiving.finish();
        receiving = undefined;
        count++;
      }
    }
    if (receiving !== undefined) throw broken();
  } finally {
    await receiving?.abort();
  }
  return count;
}

function broken(): Problem {
  return new Problem("unavailable", "what the cloud sent broke off", { remedy: "ask for it again" });
}
