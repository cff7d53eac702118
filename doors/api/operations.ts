import type { FastifyInstance } from "fastify";
import type { AuditPage, PhantomState, StatusView } from "#formats/api";
import type { ApiParts } from "./parts.ts";

const pageMax = 500;
const pageDefault = 100;

/** Status, the log, the phantom study. */
export function registerOperations(server: FastifyInstance, parts: ApiParts): void {
  const { gate, audit, phantom, actorOf } = parts;

  server.get(
    "/api/status",
    (request): Promise<StatusView> => gate.pass(actorOf(request), "status.read", undefined, parts.status),
  );

  server.get<{ Querystring: { from?: number; to?: number } }>(
    "/api/audit",
    {
      schema: {
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: { from: { type: "integer", minimum: 0 }, to: { type: "integer", minimum: 0 } },
        },
      },
    },
    (request): Promise<AuditPage> =>
      gate.pass(actorOf(request), "audit.read", undefined, async () => {
        const size = audit.size();
        const to = Math.min(request.query.to ?? size, size);
        const from = Math.min(to, Math.max(request.query.from ?? to - pageDefault, to - pageMax, 0));
        const entries = (await audit.entries(from, to)).map((entry, at) => ({ index: from + at, ...entry }));
        const newestFirst = request.query.from === undefined;
        const checkpoint = audit.latestCheckpoint()?.note ?? null;
        return { size, checkpoint, entries: newestFirst ? entries.reverse() : entries };
      }),
  );

  server.get(
    "/api/phantom",
    (request): Promise<PhantomState> => gate.pass(actorOf(request), "status.read", undefined, () => phantom.state()),
  );

  server.post(
    "/api/phantom",
    (request): Promise<PhantomState> =>
      gate.pass(actorOf(request), "phantom.load", undefined, () => phantom.start(actorOf(request))),
  );
}
