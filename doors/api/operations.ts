import type { FastifyInstance } from "fastify";
import type { PhantomState, StatusView } from "#formats/api";
import type { ApiParts } from "./parts.ts";

/** Status and the phantom study. */
export function registerOperations(server: FastifyInstance, parts: ApiParts): void {
  const { gate, phantom, actorOf } = parts;

  server.get(
    "/api/status",
    (request): Promise<StatusView> => gate.pass(actorOf(request), "status.read", undefined, parts.status),
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
