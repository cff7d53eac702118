import { Readable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { DicomJson } from "#formats/dicom";
import { inflatedSeries, instanceIn, instancesIn } from "#radiology/archive";
import { sendStream } from "./answer-stream.ts";
import { answerFormOf, sendDataSets } from "./data-set-answer.ts";
import { acceptsGzip } from "./media-types.ts";
import type { DicomwebParts } from "./parts.ts";
import { targetOf } from "./request.ts";

const seriesMax = 10_000;
/** Of metadata that is taken apart to be written as XML. */
const xmlBytesMax = 128 * 1024 * 1024;
/** After so many instances others have their turn. */
const readAtOnce = 100;

/**
 * Retrieve Metadata of a series (PS3.18 §10.4.1.1.5): the kept blob as it is, which browsers inflate themselves.
 */
export function seriesMetadataHandler({ archive, actorOf, clock, log }: DicomwebParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const form = answerFormOf(request);
    const { studyUid, seriesUid = "" } = targetOf(request);
    const blob = await archive.seriesMetadata(actorOf(request), studyUid, seriesUid);
    reply.header("vary", "Accept, Accept-Encoding");
    if (form.isXml) return sendDataSets(request, reply, form, await dataSetsIn([blob], clock), log);
    reply.type(form.type);
    if (!acceptsGzip(request.headers["accept-encoding"])) return reply.send(await inflatedSeries(blob));
    return reply.header("content-encoding", "gzip").send(blob);
  };
}

/** The same of one instance, taken out of its series' metadata. */
export function instanceMetadataHandler({ archive, actorOf, log }: DicomwebParts) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const form = answerFormOf(request);
    const { studyUid, seriesUid = "", sopUid = "" } = targetOf(request);
    const blob = await archive.seriesMetadata(actorOf(request), studyUid, seriesUid);
    const found = instanceIn(await inflatedSeries(blob), sopUid);
    if (found === undefined) throw new Problem("absent", "not found");
    return sendDataSets(request, reply, form, [found], log);
  };
}

/** The same of a study: its series' arrays one behind the other, as one array. */
export function studyMetadataHandler(parts: DicomwebParts) {
  const { archive, actorOf, clock, log } = parts;
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const form = answerFormOf(request);
    const actor = actorOf(request);
    const { studyUid } = targetOf(request);
    const series = await archive.findSeries(actor, {
      matches: [{ keyword: "StudyInstanceUID", kind: "equal", values: [studyUid] }],
      limit: seriesMax,
      offset: 0,
      sort: { keyword: "SeriesNumber", ascending: true },
    });
    if (series.length === 0) throw new Problem("absent", "not found", { remedy: "a search shows what there is" });
    reply.header("vary", "Accept, Accept-Encoding");
    if (form.isXml) {
      const blobs: Buffer[] = [];
      for (const { seriesUid } of series) blobs.push(await archive.seriesMetadata(actor, studyUid, seriesUid));
      return sendDataSets(request, reply, form, await dataSetsIn(blobs, clock), log);
    }
    const { type } = form;
    async function* pieces(): AsyncGenerator<Buffer> {
      for (const [at, { seriesUid }] of series.entries()) {
        const text = await inflatedSeries(await archive.seriesMetadata(actor, studyUid, seriesUid));
        yield Buffer.from(at === 0 ? "[" : ",");
        yield text.subarray(1, text.length - 1);
      }
      yield Buffer.from("]");
    }
    if (!acceptsGzip(request.headers["accept-encoding"])) {
      return sendStream(request, reply, { type, pieces: pieces() }, log);
    }
    reply.header("content-encoding", "gzip");
    return sendStream(request, reply, { type, pieces: gzipped(pieces()) }, log);
  };
}

async function dataSetsIn(blobs: readonly Buffer[], clock: Clock): Promise<DicomJson[]> {
  const sets: DicomJson[] = [];
  let bytes = 0;
  for (const blob of blobs) {
    const text = await inflatedSeries(blob);
    bytes += text.length;
    if (bytes > xmlBytesMax) {
      throw new Problem("too-large", "that is more metadata than is written as XML at once", {
        remedy: "ask for application/dicom+json, or for one series",
      });
    }
    for (const set of instancesIn(text)) {
      if (sets.push(set) % readAtOnce === 0) await clock.sleep(0);
    }
  }
  return sets;
}

/** Lightly: this is done while the client waits. */
function gzipped(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const source = Readable.from(pieces, { objectMode: false });
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  source.on("error", (error) => gzip.destroy(error));
  gzip.on("close", () => source.destroy());
  return source.pipe(gzip);
}
