import type { FastifyInstance } from "fastify";
import type { ClientRequest, ClientView } from "#formats/api";
import { purposes, roles } from "#formats/api";
import type { ClientProof, OauthClient } from "#trust/access";
import type { OauthCallers, OauthParts } from "./parts.ts";

export interface ClientRoutes extends OauthParts, OauthCallers {
  /** Signs with another key from now on. */
  readonly rotateKeys: () => Promise<void>;
}

/** The programs that may ask for tokens. Nobody registers one by itself. */
export function registerClients(server: FastifyInstance, parts: ClientRoutes): void {
  const { gate, clients, actorOf } = parts;
  server.get(
    "/api/clients",
    (request): Promise<ClientView[]> =>
      gate.pass(actorOf(request), "client.read", undefined, async () => clients.list().map(viewOf)),
  );

  server.post<{ Body: ClientRequest }>(
    "/api/clients",
    { schema: { body: clientSchema } },
    (request): Promise<ClientView> =>
      gate.pass(actorOf(request), "client.write", undefined, async () => {
        const {
          name,
          redirectUris = [],
          grants = [],
          isFapi = false,
          isFirstParty = false,
          byCode = false,
        } = request.body;
        const asked = { name, redirectUris, grants, isFapi, isFirstParty, byCode, proof: proofOf(request.body) };
        return viewOf(await clients.add(asked, actorOf(request)));
      }),
  );

  server.delete<{ Params: { id: string } }>("/api/clients/:id", async (request, reply) => {
    const { id } = request.params;
    const actor = actorOf(request);
    const on = { kind: "client", id: /^[0-9a-f]{32}$/.test(id) ? id : "unknown" } as const;
    await gate.pass(actor, "client.write", on, () => clients.remove(id, actor));
    return reply.status(204).send();
  });

  server.post("/api/clients/keys", async (request, reply) => {
    await gate.pass(actorOf(request), "client.write", undefined, parts.rotateKeys);
    return reply.status(204).send();
  });
}

function proofOf({ jwks, certificate }: ClientRequest): ClientProof {
  if (jwks !== undefined) return { kind: "keys", keys: jwks.keys };
  return certificate === undefined ? { kind: "none" } : { kind: "certificate", certificate };
}

function viewOf({ id, name, createdAt, proof, redirectUris, isFapi, isFirstParty, byCode }: OauthClient): ClientView {
  return { id, name, createdAt, proof: proof.kind, redirectUris, isFapi, isFirstParty, byCode };
}

const place = {
  type: "object",
  additionalProperties: false,
  required: ["kind"],
  properties: {
    kind: { type: "string", enum: ["tenant", "facility", "patient", "study", "order"] },
    id: { type: "string", maxLength: 64 },
  },
};
const grant = {
  type: "object",
  additionalProperties: false,
  required: ["role", "place", "purpose", "endsAt"],
  properties: {
    role: { type: "string", enum: roles },
    place,
    purpose: { type: "string", enum: purposes },
    endsAt: { type: "number", minimum: 0 },
  },
};
const flag = { type: "boolean" };
const clientSchema = {
  type: "object",
  additionalProperties: false,
  required: ["name"],
  not: { required: ["jwks", "certificate"] },
  properties: {
    name: { type: "string", maxLength: 64 },
    redirectUris: { type: "array", maxItems: 20, items: { type: "string", maxLength: 2_000 } },
    jwks: {
      type: "object",
      required: ["keys"],
      properties: { keys: { type: "array", maxItems: 10, items: { type: "object" } } },
    },
    certificate: { type: "string", maxLength: 16_384 },
    grants: { type: "array", maxItems: 20, items: grant },
    isFapi: flag,
    isFirstParty: flag,
    byCode: flag,
  },
};
