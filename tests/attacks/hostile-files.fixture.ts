// DICOM files written by hand, apart from the product's own writer, so that wrong ones can be written; and the doors they are sent through.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { dial, openAssociation } from "#doors/dimse";
import type { RunningHouse } from "../house/index.ts";

export const explicitVr = "1.2.840.10008.1.2.1";
export const implicitVr = "1.2.840.10008.1.2";
export const ctImage = "1.2.840.10008.5.1.4.1.1.2";
const uidRoot = "1.2.826.0.1.3680043.10.1425.66";

export const text = (value: string) => Buffer.from(value.length % 2 === 0 ? value : `${value} `, "latin1");
export const uid = (value: string) => Buffer.from(value.length % 2 === 0 ? value : `${value}\0`, "latin1");
export const us = (...values: number[]) => Buffer.from(values.flatMap((value) => [value & 0xff, value >>> 8]));
export const endless = 0xffffffff;

function tagBytes(tag: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt16LE(tag >>> 16, 0);
  out.writeUInt16LE(tag & 0xffff, 2);
  return out;
}

function lengthBytes(length: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(length >>> 0);
  return out;
}

/** An element in explicit VR little endian; `length` is what it says, whatever it is. */
export function element(tag: number, vr: string, value: Uint8Array, length = value.length): Buffer {
  const isLong = /^(OB|OD|OF|OL|OV|OW|SQ|SV|UC|UN|UR|UT|UV)$/.test(vr);
  const size = isLong ? Buffer.concat([Buffer.alloc(2), lengthBytes(length)]) : us(length & 0xffff);
  return Buffer.concat([tagBytes(tag), Buffer.from(vr, "latin1"), size, value]);
}

/** In implicit VR, where any length can be said. */
export const bare = (tag: number, value: Uint8Array, length = value.length) =>
  Buffer.concat([tagBytes(tag), lengthBytes(length), value]);

export const item = (value: Uint8Array, length = value.length) =>
  Buffer.concat([tagBytes(0xfffee000), lengthBytes(length), value]);
export const itemEnd = Buffer.concat([tagBytes(0xfffee00d), lengthBytes(0)]);
export const sequenceEnd = Buffer.concat([tagBytes(0xfffee0dd), lengthBytes(0)]);

export interface HostileFile {
  readonly sopClassUid: string;
  readonly sopUid: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly transferSyntaxUid: string;
  readonly meta: Uint8Array;
  readonly dataSet: Uint8Array;
}

export type Elements = Map<number, Buffer>;

/** Makes files whose instances are all of one study. */
export function createFiles(row: number) {
  let count = 0;
  const studyUid = `${uidRoot}.${row}.1`;
  const seriesUid = `${studyUid}.1`;
  return {
    studyUid,
    /** A small CT; `change` may put other elements in the place of each, by tag, or more of them. */
    file(
      change: (elements: Elements) => void = () => {},
      given: { transferSyntaxUid?: string; meta?: (elements: Elements) => void; behind?: Uint8Array } = {},
    ): HostileFile {
      const sopUid = `${seriesUid}.${++count}`;
      const { transferSyntaxUid = explicitVr, behind = Buffer.alloc(0) } = given;
      const write =
        transferSyntaxUid === implicitVr ? (tag: number, _vr: string, value: Uint8Array) => bare(tag, value) : element;
      const elements: Elements = new Map(
        usual({ sopUid, studyUid, seriesUid }).map(([tag, vr, value]) => [tag, write(tag, vr, value)]),
      );
      change(elements);
      const sorted = [...elements].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
      return {
        ...{ sopClassUid: ctImage, sopUid, studyUid, seriesUid, transferSyntaxUid },
        meta: metaOf(sopUid, transferSyntaxUid, given.meta),
        dataSet: Buffer.concat([...sorted, behind]),
      };
    },
  };
}

type Usual = readonly [tag: number, vr: string, value: Uint8Array];

function usual(uids: { sopUid: string; studyUid: string; seriesUid: string }): Usual[] {
  return [
    [0x00080016, "UI", uid(ctImage)],
    [0x00080018, "UI", uid(uids.sopUid)],
    [0x00080020, "DA", text("20240229")],
    [0x00080060, "CS", text("CT")],
    [0x00100010, "PN", text("Hostile^Harry")],
    [0x00100020, "LO", text("H-66")],
    [0x0020000d, "UI", uid(uids.studyUid)],
    [0x0020000e, "UI", uid(uids.seriesUid)],
    [0x00280002, "US", us(1)],
    [0x00280004, "CS", text("MONOCHROME2")],
    [0x00280010, "US", us(8)],
    [0x00280011, "US", us(8)],
    [0x00280100, "US", us(16)],
    [0x00280101, "US", us(12)],
    [0x00280102, "US", us(11)],
    [0x00280103, "US", us(0)],
    [0x7fe00010, "OW", Buffer.alloc(128, 7)],
  ];
}

function metaOf(sopUid: string, transferSyntaxUid: string, change: (elements: Elements) => void = () => {}): Buffer {
  const elements: Elements = new Map([
    [0x00020001, element(0x00020001, "OB", Buffer.from([0, 1]))],
    [0x00020002, element(0x00020002, "UI", uid(ctImage))],
    [0x00020003, element(0x00020003, "UI", uid(sopUid))],
    [0x00020010, element(0x00020010, "UI", uid(transferSyntaxUid))],
    [0x00020012, element(0x00020012, "UI", uid("1.2.3"))],
  ]);
  change(elements);
  const group = Buffer.concat([...elements.values()]);
  const length = elements.has(0x00020000) ? Buffer.alloc(0) : element(0x00020000, "UL", lengthBytes(group.length));
  return Buffer.concat([length, group]);
}

/** With the preamble and the prefix in front. */
export const bytesOf = ({ meta, dataSet }: HostileFile, preamble: Uint8Array = Buffer.alloc(128)): Buffer =>
  Buffer.concat([preamble, Buffer.alloc(128 - preamble.length), Buffer.from("DICM"), meta, dataSet]);

/** STOW-RS of one file as it is: the status. */
export async function stowed(house: RunningHouse, bytes: Uint8Array): Promise<number> {
  const headers = { "content-type": "application/dicom", accept: "application/dicom+json" };
  const answer = await house.fetch("/dicom-web/studies", { method: "POST", headers, body: bytes as BodyInit });
  await answer.arrayBuffer();
  return answer.status;
}

/** C-STORE of each over one association, that is opened anew where it was aborted: the statuses, undefined for an abort. */
export async function cStored(house: RunningHouse, files: readonly HostileFile[]): Promise<(number | undefined)[]> {
  const statuses: (number | undefined)[] = [];
  for (const file of files) {
    const association = await openAssociation(
      dial({ host: "127.0.0.1", port: house.dicom }),
      {
        ...{ callingAe: "CT1", calledAe: "LEADGLASS" },
        contexts: [{ sopClassUid: file.sopClassUid, transferSyntaxUids: [file.transferSyntaxUid] }],
      },
      { clock: systemClock },
    );
    const { sopClassUid, sopUid: sopInstanceUid, transferSyntaxUid, dataSet } = file;
    const sent = association.store({ sopClassUid, sopInstanceUid, transferSyntaxUid, dataSet: [dataSet] });
    statuses.push(await sent.then(({ status }) => status).catch(() => undefined));
    await association.release().catch(() => {});
  }
  return statuses;
}

/** `leadglass import` of a folder with these files: how many were stored and how many refused. */
export function imported(
  house: RunningHouse,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): { stored: number; refused: number; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), "lg-import-"));
  try {
    for (const { name, bytes } of files) writeFileSync(join(folder, name), bytes);
    const { stdout, stderr } = house.tryCommand(["import", folder]);
    const [, stored = 0, refused = 0] = /^(\d+) stored, (\d+) refused$/m.exec(stdout) ?? [];
    return { stored: Number(stored), refused: Number(refused), stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until the study of that UID is found, or not found any more after a while. */
export async function untilIndexed(house: RunningHouse, studyUid: string, instances: number): Promise<void> {
  for (let tries = 0; tries < 1_200; tries++) {
    const answer = await house.fetch(`/dicom-web/studies/${studyUid}/instances?limit=1000`);
    const found = answer.status === 200 ? ((await answer.json()) as unknown[]).length : 0;
    if (found >= instances) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the instances were not indexed");
}

/** One instance as it is stored: the file, without the multipart around it, and the headers of the answer. */
export async function retrieved(
  house: RunningHouse,
  { studyUid, seriesUid, sopUid }: HostileFile,
): Promise<{ status: number; headers: Headers; file: Buffer }> {
  const path = `/dicom-web/studies/${studyUid}/series/${seriesUid}/instances/${sopUid}`;
  const accept = 'multipart/related; type="application/dicom"; transfer-syntax=*';
  const answer = await house.fetch(path, { headers: { accept } });
  const whole = Buffer.from(await answer.arrayBuffer());
  const from = whole.indexOf("\r\n\r\n") + 4;
  const to = whole.lastIndexOf("\r\n--");
  return { status: answer.status, headers: answer.headers, file: whole.subarray(from, to) };
}

export const sizeOf = (files: readonly HostileFile[]): number =>
  files.reduce((sum, { dataSet }) => sum + dataSet.length, 0);

/** That an instance comes back with the data set that it had. */
export async function isKept(house: RunningHouse, sent: HostileFile): Promise<void> {
  const { status, file } = await retrieved(house, sent);
  assert.equal(status, 200);
  assert.ok(file.subarray(-sent.dataSet.length).equals(sent.dataSet), "bit for bit");
}
