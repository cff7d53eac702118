import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RemovedTenantView, TenantRequest, TenantView } from "#formats/api";
import type { Actor } from "#trust/access";

/** The tenants of an installation. Each call passes the gate of the main home. */
export interface TenantKeeper {
  list(actor: Actor): Promise<TenantView[]>;
  /** Problem "conflict" when another home has its name, a host or the AE title. */
  add(actor: Actor, request: TenantRequest): Promise<TenantView>;
  /** Takes it out of service; nothing of it is deleted. */
  remove(actor: Actor, name: string): Promise<RemovedTenantView>;
}

interface TenantsDoorParts {
  readonly tenants: TenantKeeper;
  readonly actorOf: (request: FastifyRequest) => Actor;
}

const hostsMost = 32;
const requestSchema = {
  type: "object",
  additionalProperties: false,
  required: ["name"],
  properties: {
    name: { type: "string", maxLength: 64 },
    hosts: { type: "array", minItems: 1, maxItems: hostsMost, items: { type: "string", maxLength: 253 } },
    aeTitle: { type: "string", maxLength: 16 },
  },
};

/** `/api/tenants`, at the main home of an installation alone. */
export function createTenantsDoor({ tenants, actorOf }: TenantsDoorParts): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    server.get("/api/tenants", (request): Promise<TenantView[]> => tenants.list(actorOf(request)));

    server.post<{ Body: TenantRequest }>(
      "/api/tenants",
      { schema: { body: requestSchema } },
      (request): Promise<TenantView> => tenants.add(actorOf(request), request.body),
    );

    server.delete<{ Params: { name: string } }>(
      "/api/tenants/:name",
      (request): Promise<RemovedTenantView> => tenants.remove(actorOf(request), request.params.name),
    );
  };
}
