import { PassThrough } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { asProblem } from "#base/problem";
import type { VaultReport } from "#formats/api";
import type { ApiParts } from "./parts.ts";

/** A line of progress at most this often. */
const tellEveryMs = 500;

/** Checking and rebuilding: long, so they tell how far they are, a JSON object a line, the report as the last. */
export function registerVault(server: FastifyInstance, parts: ApiParts): void {
  const { archive, clock, actorOf } = parts;

  const answerInLines = (reply: FastifyReply, work: (tell: (progress: string) => void) => Promise<VaultReport>) => {
    const lines = new PassThrough();
    let toldMs = Number.NEGATIVE_INFINITY;
    const tell = (progress: string) => {
      if (clock.monotonicMs() - toldMs < tellEveryMs) return;
      toldMs = clock.monotonicMs();
      lines.write(`${JSON.stringify({ progress })}\n`);
    };
    work(tell)
      .then((report) => lines.end(`${JSON.stringify({ report })}\n`))
      .catch((error) => {
        const { message } = asProblem(error, "working on the vault");
        lines.end(`${JSON.stringify({ problem: { message } })}\n`);
      });
    return reply.type("application/x-ndjson").send(lines);
  };

  server.post("/api/vault/check", (request, reply) =>
    answerInLines(reply, async (tell) => {
      let objects = 0;
      const damaged = await archive.check(actorOf(request), (done) => {
        objects = done.objects;
        tell(`${done.objects} objects, ${Math.floor((100 * done.bytes) / Math.max(1, done.bytesTotal))} %`);
      });
      const conflicts = (await archive.conflicts(actorOf(request))).length;
      const found = damaged.map(({ half, place, what }) => ({ half, ...place, what }));
      return { objects, instances: 0, conflicts, withoutImage: 0, damaged: found };
    }),
  );

  server.post("/api/vault/rebuild", (request, reply) =>
    answerInLines(reply, async (tell) => {
      const summary = await archive.rebuild(actorOf(request), (objects) => tell(`${objects} objects read`));
      return { ...summary, conflicts: 0, damaged: [] };
    }),
  );
}
