import { promisify } from "node:util";
import { gunzip as gunzipCallback } from "node:zlib";
import { type DicomJson, hexOfTag, Tag, withoutPadding } from "#formats/dicom";

const gunzip = promisify(gunzipCallback);

/*
 * The metadata of a series as text: a JSON array, each instance on a line of its own, so that one of thousands is found and read
 * without the others. No line break stands inside an instance: JSON escapes them.
 */

export const seriesJson = (instances: readonly string[]): string => `[${instances.join(",\n")}]`;

const newline = 0x0a;
/** Of one series, inflated. */
const textBytesMax = 1024 * 1024 * 1024;
const [roomBytesLeast, roomBytesMost] = [64 * 1024, 16 * 1024 * 1024];

/** The text of a kept blob, in one piece as long as it says that it is, where that is little: pieces would be put together again. */
export async function inflatedSeries(blob: Buffer): Promise<Buffer> {
  const stated = blob.length < 4 ? 0 : blob.readUInt32LE(blob.length - 4); // RFC 1952 §2.3.1
  const chunkSize = Math.min(roomBytesMost, Math.max(roomBytesLeast, stated + 1));
  return gunzip(blob, { maxOutputLength: textBytesMax, chunkSize });
}

/** Each line with what is read of it: one instance, or several where an older text has no lines. */
const readLine = (text: Buffer, from: number, to: number): DicomJson[] =>
  JSON.parse(`[${text.toString("utf8", from, to).replace(/,$/, "")}]`) as DicomJson[];

/** All instances, read one after the other as they are asked for. */
export function* instancesIn(text: Buffer): Generator<DicomJson, void> {
  const end = text.length - 1;
  for (let from = 1; from < end; ) {
    const at = text.indexOf(newline, from);
    const to = at < 0 ? end : at;
    yield* readLine(text, from, to);
    from = to + 1;
  }
}

/** The instance of that UID, which may stand in others too, as what they refer to. */
export function instanceIn(text: Buffer, sopUid: string): DicomJson | undefined {
  const isIt = (json: DicomJson) => jsonText(json, Tag.SOPInstanceUID) === sopUid;
  const named = Buffer.from(JSON.stringify(sopUid));
  for (let at = text.indexOf(named); at >= 0; ) {
    const from = Math.max(1, text.lastIndexOf(newline, at) + 1);
    const next = text.indexOf(newline, at);
    const to = next < 0 ? text.length - 1 : next;
    const found = readLine(text, from, to).find(isIt);
    if (found !== undefined) return found;
    at = text.indexOf(named, to);
  }
  for (const json of instancesIn(text)) if (isIt(json)) return json; // its UID is written in another way
  return undefined;
}

/** The first value of a text attribute, "" without one. Some writers leave the VR of everything unknown: its bytes are the text. */
export function jsonText(json: DicomJson, tag: number): string {
  const element = json[hexOfTag(tag)];
  const value = element?.Value?.[0];
  if (typeof value === "string") return value;
  const bytes = Buffer.from(element?.InlineBinary ?? "", "base64");
  return withoutPadding(bytes.toString("latin1"));
}
