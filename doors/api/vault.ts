import type { FastifyInstance } from "fastify";
import type { VaultReport } from "#formats/api";
import type { InstanceRow } from "#radiology/archive";
import { createLineAnswers } from "./answer-in-lines.ts";
import type { ApiParts } from "./parts.ts";

/** The first of those that share a UID is the one that is served; the UIDs themselves stay here. */
function copiesOf(rows: readonly InstanceRow[]): VaultReport["copies"] {
  const seen = new Set<string>();
  return rows.map(({ id, studyToken, receivedAt, sopUid }) => {
    const isServed = !seen.has(sopUid);
    seen.add(sopUid);
    return { instance: id, study: studyToken, receivedAt, isServed };
  });
}

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
      const copies = copiesOf(await archive.conflicts(actorOf(request)));
      const found = damaged.map(({ half, place, what }) => ({ half, ...place, what }));
      return { objects, instances: 0, conflicts: copies.length, copies, withoutImage: 0, withoutKey, damaged: found };
    }),
  );

  server.post("/api/vault/rebuild", (request, reply) =>
    answerInLines(reply, async (tell): Promise<VaultReport> => {
      const summary = await archive.rebuild(actorOf(request), (objects) => tell(`${objects} objects read`));
      return { ...summary, conflicts: 0, copies: [], withoutKey: 0, damaged: [] };
    }),
  );
}
