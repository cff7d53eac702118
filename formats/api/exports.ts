import { Problem } from "#base/problem";

/*
 * Studies on their way out. One study is answered as a stream of frames: kind (1 byte), length (4 bytes, big endian), payload. What was
 * not proven to its end never has an `end`, so that who writes files knows which are whole.
 */

/** One study. */
export interface StudyExportRequest {
  /** Token of a study. */
  readonly study: string;
  /** As it was received, before any correction. */
  readonly received: boolean;
}

/** Many studies: named, or all that fit. Another administrator confirms. */
export interface BulkExportRequest {
  /** Tokens; absent: all that fit the rest. */
  readonly studies?: readonly string[];
  readonly modality?: string;
  /** YYYYMMDD, both included. */
  readonly from?: string;
  readonly to?: string;
  /** What the dates are of. */
  readonly by: "study" | "arrival";
  readonly received: boolean;
}

/** What comes of a bulk export that was confirmed: for a time, and until it is ended, each of these studies can be had. */
export interface BulkExportView {
  /** The request that was confirmed: `/api/exports/:id`. */
  readonly id: string;
  readonly studies: number;
  /** Epoch milliseconds. */
  readonly until: number;
}

export interface BulkExportStudies extends Omit<BulkExportView, "studies"> {
  readonly studies: readonly string[];
}

/**
 * - `instance` another one begins; the payload is JSON, `ExportedInstance`
 * - `bytes`    the next bytes of it
 * - `end`      it was proven to be whole
 * - `whole`    the study is: nothing comes behind
 * - `problem`  JSON, `ProblemView`: nothing comes behind
 */
export type ExportFrameKind = "instance" | "bytes" | "end" | "whole" | "problem";

export interface ExportedInstance {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

export interface ExportFrame {
  readonly kind: ExportFrameKind;
  readonly payload: Uint8Array;
}

const kinds: readonly ExportFrameKind[] = ["instance", "bytes", "end", "whole", "problem"];
const headBytes = 5;
const payloadBytesMax = 16 * 1024 * 1024;

/** The head of a frame; its payload is sent behind it. */
export function exportFrameHead(kind: ExportFrameKind, payloadBytes: number): Uint8Array {
  if (payloadBytes > payloadBytesMax) throw new Problem("too-large", "a frame of an export is too long");
  const head = new Uint8Array(headBytes);
  head[0] = kinds.indexOf(kind);
  new DataView(head.buffer).setUint32(1, payloadBytes);
  return head;
}

/** The frames of a stream. Problem "unavailable" when it ends before the study is whole, "invalid" for what is no frame. */
export async function* exportFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ExportFrame> {
  const pieces: Uint8Array[] = [];
  let have = 0;
  let needed = headBytes;
  for await (const piece of stream) {
    pieces.push(piece);
    have += piece.length;
    // Joined once for each frame, not with each piece.
    if (have < needed) continue;
    let rest = joined(pieces.splice(0), have);
    for (let frame = firstOf(rest); frame !== undefined; frame = firstOf(rest)) {
      rest = rest.subarray(headBytes + frame.payload.length);
      yield frame;
      if (frame.kind === "whole" || frame.kind === "problem") return;
    }
    pieces.push(rest);
    have = rest.length;
    needed = headBytes + (have < headBytes ? 0 : payloadBytesOf(rest));
  }
  throw new Problem("unavailable", "the server stopped before the study was whole", { remedy: "run it again" });
}

const payloadBytesOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);

function firstOf(bytes: Uint8Array): ExportFrame | undefined {
  if (bytes.length < headBytes) return undefined;
  const length = payloadBytesOf(bytes);
  const kind = kinds[bytes[0] ?? kinds.length];
  if (kind === undefined || length > payloadBytesMax) throw new Problem("invalid", "this is no export of a study");
  const to = headBytes + length;
  return bytes.length < to ? undefined : { kind, payload: bytes.subarray(headBytes, to) };
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && only.length === length) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
