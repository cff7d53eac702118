import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import {
  type DicomJson,
  type ElementInput,
  encodingOf,
  fromDicomJson,
  hexOfTag,
  pixelDataTags,
  readNativeModel,
  Tag,
  TransferSyntaxUid,
  type Vr,
  writeFile,
} from "#formats/dicom";
import { readJpegHeader } from "#imaging/codecs";
import type { ApartShare } from "./apart-memory.ts";
import { octetStream } from "./frame-types.ts";
import { type MediaType, parseMediaType } from "./media-types.ts";
import { createMultipartReader, type MultipartPiece } from "./multipart-reader.ts";
import type { PartIntake } from "./part-intake.ts";

/** How the metadata of an upload is written. */
export type MetadataForm = "json" | "xml";

/** Parsed in one go, so one part of it is no larger. */
const metadataBytesMax = 8 * 1024 * 1024;
/** What attributes may name of bulk data beyond all of it once. */
const namedAgainBytesMax = 16 * 1024 * 1024;
const availableTransferSyntax = 0x00083002;

export interface StoringApart {
  readonly form: MetadataForm;
  /** Undefined for a body that is nothing but metadata. */
  readonly boundary: string | undefined;
  readonly share: ApartShare;
  readonly intake: PartIntake;
  readonly implementation: { readonly classUid: string; readonly version: string };
  readonly clock: Clock;
}

/**
 * Stores instances whose metadata and bulk data came apart (PS3.18 §10.5.2): each becomes a file, which is taken in like any other. Bulk
 * data is found by the Content-Location that its URI names, in this body and nowhere else: nothing is ever fetched.
 *
 * @throws Problem `invalid` for metadata that cannot be read.
 */
export async function storeApart(bytes: AsyncIterable<Buffer>, storing: StoringApart): Promise<void> {
  const { intake, implementation, clock } = storing;
  const { metadata, bulk } = await collected(bytes, storing);
  const named = namingOf(bulk);
  for (const text of metadata) {
    for (const json of dataSetsIn(text, storing.form)) {
      const uids = { sopClassUid: uidIn(json, Tag.SOPClassUID), sopUid: uidIn(json, Tag.SOPInstanceUID) };
      try {
        const file = fileOf(json, bulk, named, implementation);
        intake.begin();
        await intake.write(file);
        await intake.end();
      } catch (error) {
        intake.refuse(uids, error);
      }
      await clock.sleep(0);
    }
  }
}

interface BulkPart {
  readonly type: MediaType | undefined;
  readonly bytes: Buffer;
}

/** Bulk data by its location: several parts of one are the frames of an image. */
type Bulk = ReadonlyMap<string, readonly BulkPart[]>;

/** The parts that a URI names, none where it names nothing that came. */
type Naming = (uri: string) => readonly BulkPart[];

/** One part may be named by several attributes and instances; a few bytes of metadata must not make gigabytes of it. */
function namingOf(bulk: Bulk): Naming {
  const sizeOf = (parts: readonly BulkPart[]) => parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  let left = namedAgainBytesMax + [...bulk.values()].reduce((sum, parts) => sum + sizeOf(parts), 0);
  return (uri) => {
    const parts = bulk.get(uri) ?? [];
    left -= sizeOf(parts);
    if (left < 0) {
      throw new Problem("too-large", "bulk data is named too often", { remedy: "send it once for each attribute" });
    }
    return parts;
  };
}

interface Collected {
  readonly metadata: readonly string[];
  readonly bulk: Bulk;
}

async function collected(bytes: AsyncIterable<Buffer>, { form, boundary, share }: StoringApart): Promise<Collected> {
  const metadata: string[] = [];
  const bulk = new Map<string, BulkPart[]>();
  let open: { readonly headers: ReadonlyMap<string, string>; readonly pieces: Buffer[] } | undefined;
  const take = (piece: MultipartPiece): void => {
    if (piece.kind === "headers") open = { headers: piece.headers, pieces: [] };
    else if (piece.kind === "data") {
      share.take(piece.bytes.length);
      open?.pieces.push(Buffer.from(piece.bytes));
    } else if (open !== undefined) {
      const type = parseMediaType(open.headers.get("content-type") ?? `application/dicom+${form}`);
      const whole = Buffer.concat(open.pieces);
      const location = open.headers.get("content-location");
      if (isMetadata(type, form)) metadata.push(textOf(whole));
      else if (location !== undefined) {
        const parts = bulk.get(location) ?? [];
        bulk.set(location, parts);
        parts.push({ type, bytes: whole });
      }
      open = undefined;
    }
  };
  if (boundary === undefined) take({ kind: "headers", headers: new Map() });
  const reader = boundary === undefined ? undefined : createMultipartReader(boundary);
  for await (const chunk of bytes) {
    for (const piece of reader?.push(chunk) ?? [{ kind: "data", bytes: chunk } as const]) take(piece);
  }
  if (reader === undefined) take({ kind: "end" });
  else if (!reader.end())
    throw new Problem("invalid", "the body ends inside a part", { remedy: "send it again, whole" });
  if (metadata.length === 0) {
    throw new Problem("invalid", `the body has no part of application/dicom+${form}`, { remedy: "see PS3.18 §10.5.2" });
  }
  return { metadata, bulk };
}

const isMetadata = (type: MediaType | undefined, form: MetadataForm): boolean =>
  type?.name === `application/dicom+${form}` || (form === "json" && type?.name === "application/json");

/** Of a part of metadata. */
export function textOf(bytes: Buffer): string {
  if (bytes.length > metadataBytesMax) {
    throw new Problem("too-large", `a part of metadata has more than ${metadataBytesMax >> 20} MiB`, {
      remedy: "send values of that size as bulk data, or the instances in several parts",
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Problem("invalid", "the metadata is not UTF-8", { cause });
  }
}

/** As they stand there; nothing of them has been looked at. */
export function dataSetsIn(text: string, form: MetadataForm): DicomJson[] {
  if (form === "xml") return [readNativeModel(text)];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Problem("invalid", "the metadata is not JSON", { remedy: "see PS3.18 Annex F" });
  }
  return (Array.isArray(parsed) ? parsed : [parsed]) as DicomJson[];
}

/** Of metadata that nobody has looked at yet. */
function uidIn(json: DicomJson, tag: number): string | undefined {
  const value: unknown = json?.[hexOfTag(tag)]?.Value?.[0];
  return typeof value === "string" ? value.slice(0, 64) : undefined;
}

function fileOf(
  json: DicomJson,
  bulk: Bulk,
  named: Naming,
  { classUid, version }: StoringApart["implementation"],
): Uint8Array {
  const transferSyntaxUid = syntaxOf(json, bulk);
  const { encapsulated } = encodingOf(transferSyntaxUid);
  const valueAt = (uri: string, tag: number, _vr: Vr) => {
    const parts = named(uri);
    if (parts.length === 0) return undefined;
    const isPixels = pixelDataTags.includes(tag) && encapsulated;
    // The Basic Offset Table may be empty (PS3.5 §A.4).
    if (isPixels) return { fragments: [new Uint8Array(0), ...parts.map(({ bytes }) => bytes)] };
    return parts.length === 1 ? parts[0]?.bytes : Buffer.concat(parts.map(({ bytes }) => bytes));
  };
  const dataSet = fromDicomJson(json, { bulkData: valueAt }).filter(({ tag }) => tag !== availableTransferSyntax);
  const meta = {
    mediaStorageSopClassUid: requiredUid(dataSet, Tag.SOPClassUID, "SOP Class UID"),
    mediaStorageSopInstanceUid: requiredUid(dataSet, Tag.SOPInstanceUID, "SOP Instance UID"),
    transferSyntaxUid,
    implementationClassUid: classUid,
    implementationVersionName: version,
  };
  return writeFile(meta, dataSet);
}

function requiredUid(dataSet: readonly ElementInput[], tag: number, name: string): string {
  const value = dataSet.find((element) => element.tag === tag)?.value;
  const text = Array.isArray(value) ? String(value[0] ?? "") : typeof value === "string" ? value : "";
  if (text === "") throw new Problem("invalid", `${name} is missing`);
  return text;
}

/** Transfer syntaxes that a media type can stand for by itself: of those that fit, the one that promises least. */
const syntaxOfType: Readonly<Record<string, string>> = {
  "image/jls": TransferSyntaxUid.jpegLsNearLossless,
  "image/jp2": TransferSyntaxUid.jpeg2000,
  "image/jpx": TransferSyntaxUid.jpeg2000,
  "image/jphc": TransferSyntaxUid.htj2k,
  "image/dicom-rle": TransferSyntaxUid.rleLossless,
};

/** As its part says, else as the metadata says, else what the media type stands for. */
function syntaxOf(json: DicomJson, bulk: Bulk): string {
  const uri = pixelDataTags.map((tag) => json?.[hexOfTag(tag)]?.BulkDataURI).find((found) => found !== undefined);
  const [part] = (uri === undefined ? undefined : bulk.get(uri)) ?? [];
  const { name = octetStream, parameters } = part?.type ?? {};
  const said = parameters?.get("transfer-syntax");
  const stated = said ?? uidIn(json, availableTransferSyntax) ?? uidIn(json, Tag.TransferSyntaxUID);
  if (part === undefined || name === octetStream) {
    if (said !== undefined && encodingOf(said).encapsulated) return said;
    return TransferSyntaxUid.explicitLittleEndian;
  }
  if (stated !== undefined && encodingOf(stated).encapsulated) return stated;
  const known = name === "image/jpeg" ? syntaxOfJpeg(part.bytes) : syntaxOfType[name];
  if (known !== undefined) return known;
  throw new Problem("unsupported", "bulk data of a type that says no transfer syntax", {
    remedy: "give the part a transfer-syntax parameter",
  });
}

function syntaxOfJpeg(bytes: Uint8Array): string | undefined {
  switch (readJpegHeader(bytes).process) {
    case 0xc0:
      return TransferSyntaxUid.jpegBaseline8Bit;
    case 0xc1:
      return TransferSyntaxUid.jpegExtended12Bit;
    case 0xc3:
      return TransferSyntaxUid.jpegLossless;
    default:
      return undefined;
  }
}
