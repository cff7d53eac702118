import assert from "node:assert/strict";
import { type DicomJson, elementsOf, type KeywordDataSet, TransferSyntaxUid, writeFile } from "#formats/dicom";

export const testRoot = "1.2.826.0.1.3680043.10.1561.77";

export interface FileOptions {
  readonly study?: number;
  readonly series?: number;
  readonly sop?: number;
  readonly rows?: number;
  readonly columns?: number;
  readonly frames?: number;
  readonly transferSyntaxUid?: string;
  /** Other attributes, or these with other values. */
  readonly values?: KeywordDataSet;
}

export const studyUidOf = (study: number) => `${testRoot}.${study}`;
export const seriesUidOf = (study: number, series: number) => `${testRoot}.${study}.${series}`;
export const sopUidOf = (study: number, series: number, sop: number) => `${testRoot}.${study}.${series}.${sop}`;

/** A file as it comes back: byte for byte, but for a preamble that holds something else than TIFF, which is not kept (attack 17). */
export function asKept(file: Buffer): Buffer {
  if (file.toString("latin1", 128, 132) !== "DICM" || /^(II|MM)/.test(file.toString("latin1", 0, 2))) return file;
  return Buffer.concat([Buffer.alloc(128), file.subarray(128)]);
}

/** A small CT image as a Part 10 file, each pixel another. */
export function imageFile(options: FileOptions = {}): Buffer {
  const { study = 1, series = 1, sop = 1, rows = 8, columns = 8, frames = 1 } = options;
  const { transferSyntaxUid = TransferSyntaxUid.explicitLittleEndian, values = {} } = options;
  const pixels = new Uint8Array(new Uint16Array(Array.from({ length: rows * columns * frames }, (_, at) => at)).buffer);
  const sopUid = sopUidOf(study, series, sop);
  const dataSet = elementsOf({
    SpecificCharacterSet: "ISO_IR 100",
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.2",
    SOPInstanceUID: sopUid,
    StudyDate: `2024010${1 + (study % 9)}`,
    StudyTime: "101500",
    AccessionNumber: `A${study}`,
    Modality: "CT",
    StudyDescription: "Thorax",
    ReferringPhysicianName: "House^Gregory",
    PatientName: `Müller^Anna ${study}`,
    PatientID: `P${study}`,
    PatientBirthDate: "19700101",
    PatientSex: "F",
    StudyInstanceUID: studyUidOf(study),
    SeriesInstanceUID: seriesUidOf(study, series),
    StudyID: "1",
    SeriesNumber: series,
    SeriesDescription: "axial",
    InstanceNumber: sop,
    PixelSpacing: [0.5, 0.5],
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    ...(frames > 1 && { NumberOfFrames: frames }),
    Rows: rows,
    Columns: columns,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 0,
    PixelData: pixels,
    ...values,
  });
  const meta = {
    mediaStorageSopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    mediaStorageSopInstanceUid: sopUid,
    transferSyntaxUid,
    implementationClassUid: "1.2.3.4",
    implementationVersionName: "TEST",
  };
  return Buffer.from(writeFile(meta, dataSet));
}

/** Files as a multipart/related body. */
export function multipartBody(files: readonly Buffer[], boundary = "next", type = "application/dicom"): Buffer {
  const parts = files.flatMap((file) => [Buffer.from(`\r\n--${boundary}\r\nContent-Type: ${type}\r\n\r\n`), file]);
  return Buffer.concat([...parts, Buffer.from(`\r\n--${boundary}--`)]);
}

export interface ReadPart {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The parts of an answer, read by the letter of RFC 2046: each boundary on its own line, CRLF, all closed. */
export function partsOf(contentType: string, body: Buffer): ReadPart[] {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  assert.ok(boundary, `no boundary in ${contentType}`);
  assert.match(contentType, /^multipart\/related; type="[^"]+"; boundary=/);
  const delimiter = `--${boundary}`;
  let at = body.indexOf(delimiter);
  assert.equal(at, 0, "the body begins with its boundary");
  const parts: ReadPart[] = [];
  for (;;) {
    at += delimiter.length;
    if (body.toString("latin1", at, at + 2) === "--") return parts;
    assert.equal(body.toString("latin1", at, at + 2), "\r\n");
    const headersEnd = body.indexOf("\r\n\r\n", at);
    const next = body.indexOf(`\r\n${delimiter}`, headersEnd + 4);
    assert.ok(headersEnd > 0 && next > 0, "a part is not closed");
    const lines = body.toString("latin1", at + 2, headersEnd).split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    );
    parts.push({ headers, body: body.subarray(headersEnd + 4, next) });
    at = next + 2;
  }
}

export const asStored = 'multipart/related; type="application/dicom"; transfer-syntax=*';
export const dicomParts = 'multipart/related; type="application/dicom"; boundary=next';

/** Addresses of what `imageFile` makes. */
export const studyPath = (study: number) => `/dicom-web/studies/${studyUidOf(study)}`;
export const seriesPath = (study: number, series = 1) => `${studyPath(study)}/series/${seriesUidOf(study, series)}`;
export const instancePath = (study: number, series = 1, sop = 1) =>
  `${seriesPath(study, series)}/instances/${sopUidOf(study, series, sop)}`;

export const valuesOf = (json: DicomJson | undefined, tag: string) => json?.[tag]?.Value ?? [];
