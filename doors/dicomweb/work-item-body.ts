import type { FastifyRequest } from "fastify";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import {
  type DicomJson,
  fromDicomJson,
  readDataSet,
  TransferSyntaxUid,
  toDicomJson,
  writeDataSet,
} from "#formats/dicom";
import { type MediaType, parseMediaType } from "./media-types.ts";
import { createMultipartReader } from "./multipart-reader.ts";
import { Refusal } from "./refusal.ts";
import { arriving } from "./store.ts";
import { dataSetsIn, type MetadataForm, textOf } from "./store-apart.ts";

const bodyBytesMax = 1024 * 1024;
const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;

const formOf = (type: MediaType | undefined): MetadataForm | undefined => {
  if (type?.name === "application/dicom+json" || type?.name === "application/json") return "json";
  return type?.name === "application/dicom+xml" ? "xml" : undefined;
};

/**
 * The one data set of a body (PS3.18 §11.1.3): JSON, an array of one or that one itself, or XML, in a part of its own or without. Empty for no
 * body where it may be left out. Values are as the standard writes them, whatever was sent.
 *
 * @throws Problem `invalid` for what is no data set; Refusal 415 for another type.
 */
export async function workItemIn(request: FastifyRequest, clock: Clock, mayBeEmpty = false): Promise<DicomJson> {
  const bytes = await collected(request, clock);
  if (bytes.length === 0 && mayBeEmpty) return {};
  const { form, boundary } = bodyTypeOf(request);
  const [json, ...more] = dataSetsIn(textOf(boundary === undefined ? bytes : firstPart(bytes, boundary)), form);
  if (json === undefined || more.length > 0) {
    throw new Problem("invalid", "the body does not hold one work item", { remedy: "send them one by one" });
  }
  return asRead(json);
}

/** As it would be read from a file: every element checked, binary values in line, nothing of groups 0000 and 0002. */
function asRead(json: DicomJson): DicomJson {
  const written = writeDataSet(fromDicomJson(json), { transferSyntaxUid });
  return toDicomJson(readDataSet(written, { transferSyntaxUid }));
}

async function collected(request: FastifyRequest, clock: Clock): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of arriving(request, clock)) {
    length += piece.length;
    if (length > bodyBytesMax) throw new Problem("too-large", "a work item has more than a megabyte");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function bodyTypeOf({ headers }: FastifyRequest): {
  readonly form: MetadataForm;
  readonly boundary: string | undefined;
} {
  const type = parseMediaType(headers["content-type"] ?? "");
  const isMultipart = type?.name === "multipart/related";
  const form = formOf(isMultipart ? parseMediaType(type.parameters.get("type") ?? "") : type);
  const boundary = isMultipart ? type.parameters.get("boundary") : undefined;
  if (form === undefined || (isMultipart && !boundary)) {
    throw new Refusal(
      415,
      "work items come as DICOM JSON or XML",
      'send application/dicom+json, or multipart/related; type="application/dicom+xml"',
    );
  }
  return { form, boundary };
}

function firstPart(bytes: Buffer, boundary: string): Buffer {
  const reader = createMultipartReader(boundary);
  const pieces: Buffer[] = [];
  let parts = 0;
  for (const piece of reader.push(bytes)) {
    if (piece.kind === "data" && parts === 0) pieces.push(Buffer.from(piece.bytes));
    if (piece.kind === "end") parts++;
  }
  if (!reader.end() || parts !== 1) {
    throw new Problem("invalid", "the body does not hold one part", { remedy: "see PS3.18 §11.1.3" });
  }
  return Buffer.concat(pieces);
}
