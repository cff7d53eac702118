import type { FastifyInstance } from "fastify";
import type {
  AccountRequest,
  InvitationRequest,
  InvitationView,
  NewAccount,
  PeopleView,
  RemovalRequest,
  TokenRequest,
  TokenView,
} from "#formats/api";
import { rolesIn } from "./beginning.ts";
import type { ApiParts } from "./parts.ts";
import { grantTermsSchema, textObject } from "./schemas.ts";

/** Accounts, invitations and tokens, as the owner of the home makes them for people and scripts. */
export function registerPeople(
  server: FastifyInstance,
  parts: ApiParts,
  endStreamsOf: (actorId: string) => void,
): void {
  const { gate, signIn, clientTokens, credentials, people, actorOf } = parts;

  server.post<{ Body: TokenRequest }>(
    "/api/tokens",
    { schema: { body: tokenSchema } },
    (request): Promise<TokenView> =>
      gate.pass(actorOf(request), "client.token", undefined, async () => {
        const { client, minutes, masked = false } = request.body;
        const { secret, endsAt } = await clientTokens.issue(client, minutes, masked ? "masked" : undefined);
        return { token: secret, endsAt };
      }),
  );

  server.post<{ Body: AccountRequest }>(
    "/api/accounts",
    { schema: { body: textObject({ name: 128, password: 256 }) } },
    (request): Promise<NewAccount> =>
      gate.pass(actorOf(request), "account.create", undefined, async () => {
        const { name, password } = request.body;
        const { totpSecret, totpUri, recoveryCodes } = await signIn.createAccount(name, password);
        return { totpSecret, totpUri, recoveryCodes };
      }),
  );

  server.get(
    "/api/accounts",
    (request): Promise<PeopleView> =>
      gate.pass(actorOf(request), "account.read", undefined, async () => {
        const [{ accounts, invitations }, passkeys] = await Promise.all([people.list(), credentials.passkeyCounts()]);
        return {
          accounts: accounts.map(({ id, name, createdAt, passwordHash }) => ({
            ...{ id, name, createdAt, roles: rolesIn(parts.grants.liveOf(`user:${id}`)) },
            ...{ hasPassword: passwordHash !== "", passkeys: passkeys.get(id) ?? 0 },
          })),
          invitations: invitations.map(({ name, grants, endsAt }) => ({ name, roles: rolesIn(grants), endsAt })),
        };
      }),
  );

  server.delete<{ Body: RemovalRequest }>(
    "/api/accounts",
    { schema: { body: textObject({ name: 128 }) } },
    async (request, reply) => {
      const name = request.body.name.trim().toLowerCase();
      const account = (await people.list()).accounts.find((each) => each.name === name);
      const on = account && ({ kind: "account", id: account.id } as const);
      await gate.pass(actorOf(request), "account.remove", on, () => people.remove(name, actorOf(request)));
      if (account !== undefined) endStreamsOf(`user:${account.id}`);
      return reply.status(204).send();
    },
  );

  server.post<{ Body: InvitationRequest }>(
    "/api/invitations",
    { schema: { body: invitationSchema } },
    (request): Promise<InvitationView> =>
      gate.pass(actorOf(request), "account.invite", undefined, async () => {
        const { secret, invitation } = await people.invite(request.body.name, request.body.grants, actorOf(request));
        const { name, grants, endsAt } = invitation;
        return { name, roles: rolesIn(grants), endsAt, link: `${parts.pageUrl()}#setup=${secret}` };
      }),
  );
}

const tokenSchema = {
  type: "object",
  additionalProperties: false,
  required: ["client", "minutes"],
  properties: {
    client: { type: "string", maxLength: 64 },
    minutes: { type: "number" },
    masked: { type: "boolean" },
  },
};

const invitationSchema = {
  type: "object",
  additionalProperties: false,
  required: ["name", "grants"],
  properties: {
    name: { type: "string", maxLength: 128 },
    grants: { type: "array", minItems: 1, maxItems: 16, items: grantTermsSchema },
  },
};
