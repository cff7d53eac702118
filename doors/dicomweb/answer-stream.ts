import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "#base/log";
import { parseRange, type Span } from "./byte-range.ts";
import { Refusal } from "./refusal.ts";

/** A client that takes nothing for so long is cut off: what is sent to it is held open. */
const silentMsMax = 120_000;

/** A body that is made while it is sent. */
export interface StreamedBody {
  readonly type: string;
  /** Bytes, where they are known before: a client then sees when it did not get all. */
  readonly length?: number | undefined;
  /** Begins when it is first asked for a piece; reads on only as fast as the client takes. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/**
 * Sends a body piece by piece. The first piece is made before the status is sent, so that what fails at once is answered with
 * its own status; what fails later breaks the connection off, so that no client takes a part for the whole. A client that
 * goes away stops the reading. HEAD makes nothing.
 */
export async function sendStream(
  request: FastifyRequest,
  reply: FastifyReply,
  body: StreamedBody,
  log: Log,
): Promise<FastifyReply> {
  reply.type(body.type);
  if (body.length !== undefined) reply.header("content-length", body.length);
  if (request.method === "HEAD") return reply.send();
  const pieces = body.pieces[Symbol.asyncIterator]();
  const first = await pieces.next();
  const route = request.routeOptions.url ?? "none";
  const stream = Readable.from(continued(first, pieces), { objectMode: false, highWaterMark: 256 * 1024 });
  reply.raw.setTimeout(silentMsMax, () => reply.raw.destroy());
  stream.on("error", (error) => log.error("an answer was broken off", { route }, error));
  return reply.send(stream);
}

async function* continued(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (first.done) return;
    yield first.value;
    for (;;) {
      const next = await rest.next();
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}

/** The same, and a part of it where the client asks for one and the length is known (RFC 9110 §14). */
export async function sendRanged(
  request: FastifyRequest,
  reply: FastifyReply,
  body: StreamedBody,
  log: Log,
): Promise<FastifyReply> {
  const { length } = body;
  if (length === undefined) return sendStream(request, reply, body, log);
  reply.header("accept-ranges", "bytes");
  const span = parseRange(request.headers.range, length);
  if (span === "whole") return sendStream(request, reply, body, log);
  if (span === "none") {
    throw new Refusal(416, "the range lies behind the end", "ask for bytes that are there", {
      "content-range": `bytes */${length}`,
    });
  }
  reply.status(206).header("content-range", `bytes ${span.from}-${span.to - 1}/${length}`);
  return sendStream(request, reply, { ...body, length: span.to - span.from, pieces: cutOut(body.pieces, span) }, log);
}

async function* cutOut(pieces: AsyncIterable<Uint8Array>, { from, to }: Span): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of pieces) {
    const [begin, end] = [Math.max(from - at, 0), Math.min(to - at, piece.length)];
    if (begin < end) yield piece.subarray(begin, end);
    at += piece.length;
    if (at >= to) return;
  }
}

/** A body that is made already. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
