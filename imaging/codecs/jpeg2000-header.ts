import { invalid, unsupported } from "./frame.ts";

/** What the main header of a JPEG 2000 codestream says (ISO 15444-1 Annex A). */
export interface Jpeg2000Header {
  rows: number;
  columns: number;
  components: number;
  precision: number;
  signed: boolean;
  /** Whether a component transform (RCT or ICT) mixed the first three components. */
  mixed: boolean;
  /** True for the block coder of ISO 15444-15 (HTJ2K). */
  highThroughput: boolean;
  /** Where the Ssiz byte of each component lies. */
  depthAt: number[];
}

const tilesMax = 65535;

/** The codestream inside a JP2 file; DICOM wants it bare (PS3.5 A.4.4) and not every sender knows. */
export function bareCodestream(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getUint32(0) !== 12 || view.getUint32(4) !== 0x6a502020) return bytes;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const length = view.getUint32(at);
    if (view.getUint32(at + 4) === 0x6a703263) return bytes.subarray(at + (length === 1 ? 16 : 8));
    if (length < 8) break;
    at += length;
  }
  throw invalid("a JP2 file without a codestream");
}

function readSize(payload: DataView, at: number): Omit<Jpeg2000Header, "mixed" | "highThroughput"> {
  if (payload.byteLength < 36) throw invalid("a JPEG 2000 size marker that is cut short");
  const [right, bottom, left, top] = [2, 6, 10, 14].map((i) => payload.getUint32(i)) as [
    number,
    number,
    number,
    number,
  ];
  const [tileWidth, tileHeight, tileLeft, tileTop] = [18, 22, 26, 30].map((i) => payload.getUint32(i)) as [
    number,
    number,
    number,
    number,
  ];
  const components = payload.getUint16(34);
  if (components < 1 || payload.byteLength < 36 + components * 3) throw invalid("JPEG 2000 without its components");
  if (left !== 0 || top !== 0 || tileLeft !== 0 || tileTop !== 0)
    throw unsupported("a JPEG 2000 frame with an image offset");
  if (right === 0 || bottom === 0 || tileWidth === 0 || tileHeight === 0)
    throw invalid("a JPEG 2000 frame without pixels");
  if (Math.ceil(right / tileWidth) * Math.ceil(bottom / tileHeight) > tilesMax)
    throw invalid("JPEG 2000 of too many tiles");
  const depth = payload.getUint8(36);
  const depthAt: number[] = [];
  for (let i = 0; i < components; i++) {
    if (payload.getUint8(36 + i * 3) !== depth) throw unsupported("JPEG 2000 components of different depth");
    if (payload.getUint8(37 + i * 3) !== 1 || payload.getUint8(38 + i * 3) !== 1) {
      throw unsupported("a JPEG 2000 frame with subsampled components");
    }
    depthAt.push(at + 36 + i * 3);
  }
  return { rows: bottom, columns: right, components, precision: (depth & 0x7f) + 1, signed: depth >= 0x80, depthAt };
}

/** Follows the tile-parts from the first SOT, so that a codestream that was cut is refused, not shown in part. */
function checkTileParts(view: DataView, from: number): void {
  let at = from;
  while (at + 2 <= view.byteLength && view.getUint16(at) === 0xff90) {
    if (at + 12 > view.byteLength) throw invalid("a JPEG 2000 frame ends inside a tile header");
    const length = view.getUint32(at + 6);
    if (length === 0) return;
    if (length < 14 || at + length > view.byteLength) throw invalid("a JPEG 2000 frame ends before its last tile");
    at += length;
  }
}

export function readJpeg2000Header(codestream: Uint8Array): Jpeg2000Header {
  const view = new DataView(codestream.buffer, codestream.byteOffset, codestream.byteLength);
  if (view.byteLength < 4 || view.getUint32(0) !== 0xff4fff51)
    throw invalid("a frame that does not begin as JPEG 2000 does");
  let size: ReturnType<typeof readSize> | undefined;
  let coding: { mixed: boolean; highThroughput: boolean } | undefined;
  let at = 2;
  for (;;) {
    if (at + 4 > view.byteLength) throw invalid("a JPEG 2000 frame ends inside its header");
    const marker = view.getUint16(at);
    if (marker === 0xff90) break;
    const length = view.getUint16(at + 2);
    if (marker < 0xff00 || length < 2 || at + 2 + length > view.byteLength)
      throw invalid("a JPEG 2000 header that is damaged");
    const payload = new DataView(codestream.buffer, codestream.byteOffset + at + 4, length - 2);
    if (marker === 0xff51) size = readSize(payload, at + 4);
    if (marker === 0xff52) {
      if (payload.byteLength < 10) throw invalid("a JPEG 2000 coding style that is cut short");
      coding = { mixed: payload.getUint8(4) === 1, highThroughput: (payload.getUint8(8) & 0x40) !== 0 };
    }
    at += 2 + length;
  }
  if (size === undefined || coding === undefined) throw invalid("a JPEG 2000 header without size or coding style");
  checkTileParts(view, at);
  return { ...size, ...coding };
}
