import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { request } from "node:http";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { dial, type OutboundAssociation, openAssociation } from "#doors/dimse";
import type { AuditPage, LogEntryView } from "#formats/api";
import {
  type DicomJson,
  elementsOf,
  type KeywordDataSet,
  readFile,
  TransferSyntaxUid,
  writeDataSet,
  writeMeta,
} from "#formats/dicom";
import { type PhantomOptions, phantomStudy } from "#imaging/phantoms";
import type { RunningHouse } from "../house/index.ts";

/** One made-up instance as a modality has it. */
export interface Slice {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** Without preamble and file meta information. */
  readonly dataSet: Uint8Array;
  readonly sha256: string;
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A phantom series as instances to send; `change` may alter the attributes of each. */
export function slicesOf(options: PhantomOptions, change: (attributes: KeywordDataSet) => object = (same) => same) {
  return [...phantomStudy(options)].map((instance): Slice => {
    const attributes = change({ ...instance.attributes, PixelData: instance.frames[0] }) as KeywordDataSet;
    return sliceOf(attributes);
  });
}

/** Explicit little endian; the attributes name the UIDs. */
export function sliceOf(attributes: KeywordDataSet): Slice {
  const transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian;
  const dataSet = writeDataSet(elementsOf(attributes), { transferSyntaxUid });
  return {
    studyUid: String(attributes.StudyInstanceUID),
    seriesUid: String(attributes.SeriesInstanceUID),
    sopClassUid: String(attributes.SOPClassUID),
    sopInstanceUid: String(attributes.SOPInstanceUID),
    transferSyntaxUid,
    dataSet,
    sha256: sha256(dataSet),
  };
}

/** The instance as a file. */
export function fileOf(slice: Slice): Buffer {
  const meta = writeMeta({
    mediaStorageSopClassUid: slice.sopClassUid,
    mediaStorageSopInstanceUid: slice.sopInstanceUid,
    transferSyntaxUid: slice.transferSyntaxUid,
    implementationClassUid: "1.2.826.0.1.3680043.10.1425.9",
    implementationVersionName: "MODALITY",
  });
  return Buffer.concat([meta, slice.dataSet]);
}

/** An association for storing those instances. */
export function associate(
  at: { readonly dicom: number; readonly aeTitle?: string },
  slices: readonly Slice[],
  callingAe = "CT1",
): Promise<OutboundAssociation> {
  const contexts = [...new Set(slices.map(({ sopClassUid }) => sopClassUid))].map((sopClassUid) => ({
    sopClassUid,
    transferSyntaxUids: [TransferSyntaxUid.explicitLittleEndian],
  }));
  const connection = dial({ host: "127.0.0.1", port: at.dicom });
  return openAssociation(
    connection,
    { callingAe, calledAe: at.aeTitle ?? "LEADGLASS", contexts },
    { clock: systemClock },
  );
}

/** C-STORE of one instance; the status. */
export async function store(association: OutboundAssociation, slice: Slice): Promise<number> {
  return (await association.store({ ...slice, dataSet: [slice.dataSet] })).status;
}

/** Stores all over one association, each with Success, and releases it. */
export async function storeAll(at: Parameters<typeof associate>[0], slices: readonly Slice[], callingAe = "CT1") {
  const association = await associate(at, slices, callingAe);
  for (const slice of slices) {
    const status = await store(association, slice);
    if (status !== 0) throw new Error(`a store was answered with status ${status.toString(16)}`);
  }
  await association.release();
}

/** DCMTK's storescu, with more of its options: its exit code and what it printed. */
export function storescu(
  at: { readonly dicom: number; readonly aeTitle?: string },
  files: readonly string[],
  callingAe = "CT1",
  more: readonly string[] = [],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const titles = ["-aet", callingAe, "-aec", at.aeTitle ?? "LEADGLASS"];
  const words = ["-v", ...titles, ...more, "127.0.0.1", String(at.dicom), ...files];
  return new Promise((resolve) => {
    const child = spawn("storescu", words, { env: { ...process.env, TCP_NODELAY: "1" } });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (bytes: Buffer) => (output += bytes.toString("latin1")));
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** STOW-RS of some instances in one request. */
export function stow(house: RunningHouse, slices: readonly Slice[]): Promise<Response> {
  const boundary = "a-boundary-of-the-modality";
  const body = Buffer.concat([
    ...slices.flatMap((slice) => [
      Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
      fileOf(slice),
      Buffer.from("\r\n"),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
  const type = `multipart/related; type="application/dicom"; boundary=${boundary}`;
  const headers = { "content-type": type, accept: "application/dicom+json" };
  return house.fetch("/dicom-web/studies", { method: "POST", headers, body });
}

/** A QIDO-RS answer; none where the answer is 204. */
export async function search(house: RunningHouse, path: string): Promise<DicomJson[]> {
  const answer = await house.fetch(`/dicom-web${path}`, { headers: { accept: "application/dicom+json" } });
  if (answer.status === 204) return [];
  if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as DicomJson[];
}

/** First value of an attribute of an answer, by eight hexadecimal digits. */
export function firstValue(json: DicomJson | undefined, key: string): unknown {
  return json?.[key]?.Value?.[0];
}

/** WADO-RS of one instance as it is stored: its data set without the file meta information. */
export async function retrieve(house: RunningHouse, slice: Omit<Slice, "dataSet">): Promise<Buffer> {
  const { studyUid, seriesUid, sopInstanceUid } = slice;
  const path = `/dicom-web/studies/${studyUid}/series/${seriesUid}/instances/${sopInstanceUid}`;
  const answer = await house.fetch(path, { headers: { accept: "application/dicom; transfer-syntax=*" } });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new Error(`an instance was answered with ${answer.status}: ${bytes.toString()}`);
  return bytes.subarray(readFile(bytes, { stopBefore: [0x0020000d] }).dataSetOffset);
}

/** One request as the operator, over the control socket of the home; the JSON that is answered. */
export function asOperator<T>(house: RunningHouse, path: string, method = "GET", body?: object): Promise<T> {
  const socketPath = join(house.home, "control.sock");
  const headers = { host: "localhost", ...(body && { "content-type": "application/json" }) };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method, headers }, async (answer) => {
      const pieces: Buffer[] = [];
      for await (const piece of answer) pieces.push(piece as Buffer);
      const text = Buffer.concat(pieces).toString();
      if (answer.statusCode === 200) resolve(JSON.parse(text) as T);
      else reject(new Error(`${path} was answered with ${answer.statusCode}: ${text}`));
    });
    sent.on("error", reject);
    sent.end(body && JSON.stringify(body));
  });
}

/** Every entry of the log. */
export async function wholeLog(house: RunningHouse): Promise<LogEntryView[]> {
  const entries: LogEntryView[] = [];
  for (;;) {
    const from = entries.length;
    const page = await asOperator<AuditPage>(house, `/api/audit?from=${from}&to=${from + 500}`);
    entries.push(...page.entries);
    if (page.entries.length < 500) return entries;
  }
}
