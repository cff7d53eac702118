import { retrieve } from "../api/client.ts";
import { type DataSet, tags } from "./data-set.ts";
import { type Shown, sortSeries } from "./stacks.ts";

const paletteTags = ["00281201", "00281202", "00281203"] as const;

/** Reads one series and says what of it can be shown. Palettes, which come apart as bulk data, are put where the decoder looks. */
export async function readSeries(studyUid: string, seriesUid: string, signal: AbortSignal): Promise<readonly Shown[]> {
  const root = `/dicom-web/studies/${studyUid}/series/${seriesUid}`;
  const response = await retrieve(`${root}/metadata`, "application/dicom+json", signal);
  const instances = (await response.json()) as readonly DataSet[];
  const palettes = new Map<string, Promise<readonly number[]>>();
  const complete = await Promise.all(instances.map((instance) => withPalettes(instance, root, palettes, signal)));
  return sortSeries(root, seriesUid, complete);
}

async function withPalettes(
  instance: DataSet,
  root: string,
  known: Map<string, Promise<readonly number[]>>,
  signal: AbortSignal,
): Promise<DataSet> {
  if (instance[tags.photometricInterpretation]?.Value?.[0] !== "PALETTE COLOR") return instance;
  const read = await Promise.all(
    paletteTags.map(async (tag) => {
      const attribute = instance[tag];
      const bits = Number(instance[descriptorOf(tag)]?.Value?.[2] ?? 16);
      const values = attribute === undefined ? undefined : await paletteValues(attribute, bits, root, known, signal);
      return values === undefined ? undefined : ([tag, { vr: "OW", Value: values }] as const);
    }),
  );
  return { ...instance, ...Object.fromEntries(read.filter((entry) => entry !== undefined)) };
}

function descriptorOf(tag: string): string {
  return `002811${tag.slice(6)}`;
}

async function paletteValues(
  attribute: NonNullable<DataSet[string]>,
  bits: number,
  root: string,
  known: Map<string, Promise<readonly number[]>>,
  signal: AbortSignal,
): Promise<readonly number[] | undefined> {
  if (attribute.InlineBinary !== undefined) {
    return entries(
      Uint8Array.from(atob(attribute.InlineBinary), (character) => character.charCodeAt(0)),
      bits,
    );
  }
  if (attribute.BulkDataURI === undefined) return undefined;
  const path = pathOf(attribute.BulkDataURI, root);
  const reading = known.get(path) ?? readBulk(path, signal).then((bytes) => entries(bytes, bits));
  known.set(path, reading);
  return reading;
}

/** Entries of 8 bits come one a byte, or two in a 16-bit word (PS3.3 C.7.6.3.1.6): either way they lie in order. */
function entries(bytes: Uint8Array, bits: number): readonly number[] {
  if (bits <= 8) return [...bytes];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength >> 1 }, (_, index) => view.getUint16(2 * index, true));
}

/** A bulk data address may be absolute, or relative to the series. Only its path counts: everything comes from our own origin. */
export function pathOf(uri: string, root: string): string {
  const url = new URL(uri, new URL(`${root}/`, window.location.origin));
  return url.pathname + url.search;
}

/** The bytes of one bulk data value: the body of the first part, or the whole answer where it is a single part. */
export async function readBulk(path: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const response = await retrieve(path, 'multipart/related; type="application/octet-stream"', signal);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const boundary = /boundary="?([^";]+)"?/i.exec(response.headers.get("content-type") ?? "")?.[1];
  return boundary === undefined ? bytes : firstPart(bytes, boundary);
}

function firstPart(bytes: Uint8Array<ArrayBuffer>, boundary: string): Uint8Array<ArrayBuffer> {
  const start = indexOf(bytes, "\r\n\r\n", indexOf(bytes, `--${boundary}`, 0)) + 4;
  const end = indexOf(bytes, `\r\n--${boundary}`, start);
  return bytes.slice(start, end < start ? bytes.length : end);
}

function indexOf(bytes: Uint8Array, text: string, from: number): number {
  const wanted = new TextEncoder().encode(text);
  for (let at = Math.max(0, from); at <= bytes.length - wanted.length; at += 1) {
    let length = 0;
    while (length < wanted.length && bytes[at + length] === wanted[length]) length += 1;
    if (length === wanted.length) return at;
  }
  return -1;
}
