import type { FastifyInstance } from "fastify";
import type { AccountRequest, NewAccount, TokenRequest, TokenView } from "#formats/api";
import type { ApiParts } from "./parts.ts";
import { textObject } from "./schemas.ts";

/** Accounts and tokens, as the owner of the home makes them for people and scripts. */
export function registerPeople(server: FastifyInstance, parts: ApiParts): void {
  const { gate, signIn, actorOf } = parts;

  server.post<{ Body: TokenRequest }>(
    "/api/tokens",
    {
      schema: {
        body: {
          type: "object",
          additionalProperties: false,
          required: ["client", "minutes"],
          properties: { client: { type: "string", maxLength: 64 }, minutes: { type: "number" } },
        },
      },
    },
    (request): Promise<TokenView> =>
      gate.pass(actorOf(request), "client.token", undefined, async () => {
        const { secret, endsAt } = await signIn.issueToken(request.body.client, request.body.minutes);
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
}
