import { invalid } from "./frame.ts";

export interface JpegComponent {
  id: number;
  horizontal: number;
  vertical: number;
  quantization: number;
}

/** What the markers before the first scan say. */
export interface JpegHeader {
  /** The low byte of the start-of-frame marker: 0xc0 baseline, 0xc1 extended, 0xc2 progressive, 0xc3 lossless, 0xf7 JPEG-LS. */
  process: number;
  precision: number;
  rows: number;
  columns: number;
  components: JpegComponent[];
  /** The colour transform of an Adobe APP14 segment: 0 none, 1 YCbCr. */
  adobeTransform: number | undefined;
  jfif: boolean;
  /** Application segments, each [first byte, byte after], marker included. */
  applications: [number, number][];
}

export interface JpegSegment {
  /** The low byte of the marker. */
  marker: number;
  /** The segment's payload, after its length field. Empty for markers without one. */
  payload: Uint8Array;
  /** Where its marker begins. */
  at: number;
  /** Where the bytes after it begin. */
  next: number;
}

const bare = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd9);

/** The marker segment at or after `from`; fill bytes and stray bytes before a marker are passed over. */
export function readSegment(bytes: Uint8Array, from: number): JpegSegment {
  let at = from;
  while (at + 1 < bytes.length) {
    const second = bytes[at + 1] as number;
    if (bytes[at] === 0xff && second !== 0 && second !== 0xff) break;
    at++;
  }
  if (at + 1 >= bytes.length) throw invalid("a JPEG frame ends before its end marker");
  const marker = bytes[at + 1] as number;
  if (bare(marker)) return { marker, payload: bytes.subarray(at + 2, at + 2), at, next: at + 2 };
  if (at + 4 > bytes.length) throw invalid("a JPEG frame ends inside a marker");
  const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  if (length < 2 || at + 2 + length > bytes.length) throw invalid("a JPEG segment longer than its frame");
  return { marker, payload: bytes.subarray(at + 4, at + 2 + length), at, next: at + 2 + length };
}

export const isStartOfFrame = (marker: number): boolean =>
  marker === 0xf7 || (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc);

function readFrameSegment(marker: number, payload: Uint8Array) {
  const count = payload[5] ?? 0;
  if (payload.length < 6 + count * 3 || count < 1 || count > 4)
    throw invalid("a JPEG start of frame that is cut short");
  const word = (at: number) => ((payload[at] as number) << 8) | (payload[at + 1] as number);
  const components: JpegComponent[] = [];
  for (let i = 0; i < count; i++) {
    const sampling = payload[7 + i * 3] as number;
    const component = {
      id: payload[6 + i * 3] as number,
      horizontal: sampling >> 4,
      vertical: sampling & 15,
      quantization: payload[8 + i * 3] as number,
    };
    if (component.horizontal < 1 || component.horizontal > 4 || component.vertical < 1 || component.vertical > 4) {
      throw invalid("a JPEG component without a sampling factor");
    }
    components.push(component);
  }
  return { process: marker, precision: payload[0] as number, rows: word(1), columns: word(3), components };
}

const starts = (payload: Uint8Array, text: string) => [...text].every((c, i) => payload[i] === c.charCodeAt(0));

/** Reads the markers of a JPEG or JPEG-LS frame up to its start of frame (and application segments up to the scan). */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw invalid("a frame that does not begin as JPEG does");
  let frame: ReturnType<typeof readFrameSegment> | undefined;
  const found: Pick<JpegHeader, "adobeTransform" | "jfif" | "applications"> = {
    adobeTransform: undefined,
    jfif: false,
    applications: [],
  };
  let at = 2;
  for (;;) {
    const segment = readSegment(bytes, at);
    at = segment.next;
    const { marker, payload } = segment;
    if (marker === 0xd9) throw invalid("a JPEG frame without a scan");
    if (marker === 0xda) break;
    if (isStartOfFrame(marker)) {
      if (frame !== undefined) throw invalid("a JPEG frame with two starts of frame");
      frame = readFrameSegment(marker, payload);
    }
    if (marker >= 0xe0 && marker <= 0xef) found.applications.push([segment.at, segment.next]);
    if (marker === 0xe0 && starts(payload, "JFIF")) found.jfif = true;
    if (marker === 0xee && starts(payload, "Adobe") && payload.length >= 12) found.adobeTransform = payload[11];
  }
  if (frame === undefined) throw invalid("a JPEG frame without a start of frame");
  return { ...frame, ...found };
}
