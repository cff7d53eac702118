import type { FastifyInstance } from "fastify";
import type { VaultReport } from "#formats/api";
import { createLineAnswers } from "./answer-in-lines.ts";
import type { ApiParts } from "./parts.ts";

/** Checking and rebuilding: long, so they tell how far they are. */
export function registerVault(server: FastifyInstance, parts: ApiParts): void {
  const { archive, clock, actorOf } = parts;

  const answerInLines = createLineAnswers(clock);

  server.post("/api/vault/check", (request, reply) =>
    answerInLines(reply, async (tell): Promise<VaultReport> => {
      let objects = 0;
      let withoutKey = 0;
      const damaged = await archive.check(actorOf(request), (done) => {
        ({ objects, withoutKey } = done);
        tell(`${done.objects} objects, ${Math.floor((100 * done.bytes) / Math.max(1, done.bytesTotal))} %`);
      });
      const conflicts = (await archive.conflicts(actorOf(request))).length;
      const found = damaged.map(({ half, place, what }) => ({ half, ...place, what }));
      return { objects, instances: 0, conflicts, withoutImage: 0, withoutKey, damaged: found };
    }),
  );

  server.post("/api/vault/rebuild", (request, reply) =>
    answerInLines(reply, async (tell): Promise<VaultReport> => {
      const summary = await archive.rebuild(actorOf(request), (objects) => tell(`${objects} objects read`));
      return { ...summary, conflicts: 0, withoutKey: 0, damaged: [] };
    }),
  );
}
