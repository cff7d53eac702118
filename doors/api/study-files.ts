import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { ApiParts } from "./parts.ts";
import { zipOf } from "./zip.ts";

/** A study as files, for a person: the names say nothing, the files hold what was corrected. */
export function registerStudyFiles(server: FastifyInstance, { exporting, actorOf }: ApiParts): void {
  server.get<{ Params: { token: string } }>("/api/studies/:token/files", async (request, reply) => {
    const { instances } = await exporting.study(actorOf(request), request.params.token, false);
    const files = instances.map((bytes, at) => ({ name: `study/${String(at + 1).padStart(5, "0")}.dcm`, bytes }));
    reply.type("application/zip").header("content-disposition", 'attachment; filename="study.zip"');
    return reply.send(Readable.from(zipOf(files), { objectMode: false }));
  });
}
