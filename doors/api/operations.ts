import type { FastifyInstance } from "fastify";
import { Problem } from "#base/problem";
import type { PhantomState, ReleaseRequest, StatusView } from "#formats/api";
import type { ApiParts } from "./parts.ts";
import { textObject } from "./schemas.ts";

/** Status, who was stopped, and the phantom study. */
export function registerOperations(server: FastifyInstance, parts: ApiParts): void {
  const { breaker, gate, phantom, actorOf } = parts;

  server.get(
    "/api/status",
    (request): Promise<StatusView> => gate.pass(actorOf(request), "status.read", undefined, parts.status),
  );

  server.post<{ Body: ReleaseRequest }>(
    "/api/stopped/release",
    { schema: { body: textObject({ actor: 80 }) } },
    async (request, reply) => {
      const { actor } = request.body;
      await gate.pass(actorOf(request), "actor.release", undefined, async () => {
        if (breaker.release(actor)) return;
        throw new Problem("absent", "nobody of that name is stopped", { remedy: "see `leadglass status`" });
      });
      return reply.status(204).send();
    },
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
