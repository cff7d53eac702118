import type { FastifyInstance, FastifyRequest } from "fastify";
import type {
  AccountRecovery,
  AuthenticatorRequest,
  CredentialsView,
  EnrolledSecondFactor,
  IssuedLinkView,
  NewPasskeyAnswer,
  RecoveryKit,
  WebAuthnJson,
} from "#formats/api";
import { requireRecent } from "#trust/access";
import type { ApiParts } from "./parts.ts";
import { answerObject, textObject } from "./schemas.ts";
import { accountIdOf, sessionIn } from "./session.ts";

interface Named {
  Params: { id: string };
}

/** One's own ways to sign in. Changing them asks for a proof that is a few minutes old at most. */
export function registerCredentials(server: FastifyInstance, parts: ApiParts): void {
  const { credentials, passkeys, people, gate, clock, actorOf } = parts;
  const origin = () => new URL(parts.pageUrl()).origin;
  const mine = (request: FastifyRequest) => {
    const session = sessionIn(parts, request);
    const accountId = accountIdOf(session.holder);
    const owner = async () => people.account(accountId);
    return { session, accountId, owner, place: { origin: origin(), boundTo: session.digest } };
  };
  type Mine = ReturnType<typeof mine>;
  const change = <T>(request: FastifyRequest, work: (own: Mine) => Promise<T>): Promise<T> => {
    const own = mine(request);
    return gate.pass(actorOf(request), "credential.write", undefined, async () => {
      requireRecent(own.session, clock);
      return work(own);
    });
  };

  server.get("/api/credentials", async (request): Promise<CredentialsView> => {
    const { accountId, owner } = mine(request);
    return gate.pass(actorOf(request), "credential.read", undefined, async () => {
      const { passkeys: held, ...others } = await credentials.of(accountId);
      const shown = held.map(({ id, name, isSynced, createdAt, lastUsedAt }) => {
        return { id, name, isSynced, createdAt, lastUsedAt };
      });
      const { name } = await owner();
      return { name, ...others, passkeys: shown, passkeysOffered: passkeys.isOffered(origin()) };
    });
  });

  server.post(
    "/api/credentials/passkeys/options",
    (request): Promise<WebAuthnJson> =>
      change(request, async ({ owner, place }) => ({ ...(await passkeys.beginRegistration(await owner(), place)) })),
  );

  server.post<{ Body: NewPasskeyAnswer }>(
    "/api/credentials/passkeys",
    { schema: { body: answerObject({ name: 64 }) } },
    async (request, reply) => {
      const { answer, name } = request.body;
      await change(request, async ({ session, owner, place }) =>
        credentials.addPasskey(session, await passkeys.register(await owner(), place, answer, name)),
      );
      return reply.status(204).send();
    },
  );

  server.post<Named & { Body: { name: string } }>(
    "/api/credentials/passkeys/:id",
    { schema: { body: textObject({ name: 64 }) } },
    async (request, reply) => {
      const { accountId } = mine(request);
      await gate.pass(actorOf(request), "credential.write", undefined, () =>
        credentials.renamePasskey(accountId, request.params.id, request.body.name),
      );
      return reply.status(204).send();
    },
  );

  server.delete<Named>("/api/credentials/passkeys/:id", async (request, reply) => {
    await change(request, ({ session, accountId }) => credentials.removePasskey(session, accountId, request.params.id));
    return reply.status(204).send();
  });

  server.put<{ Body: { password: string } }>(
    "/api/credentials/password",
    { schema: { body: textObject({ password: 1024 }) } },
    async (request, reply) => {
      await change(request, ({ session, accountId }) =>
        credentials.changePassword(session, accountId, request.body.password),
      );
      return reply.status(204).send();
    },
  );

  server.delete("/api/credentials/password", async (request, reply) => {
    await change(request, ({ session, accountId }) => credentials.removePassword(session, accountId));
    return reply.status(204).send();
  });

  server.post<{ Body: AuthenticatorRequest }>(
    "/api/credentials/authenticator",
    { schema: { body: authenticatorSchema } },
    (request): Promise<EnrolledSecondFactor> =>
      change(request, async ({ accountId }) => {
        const { totpSecret, totpUri } = await credentials.beginAuthenticator(accountId, request.body.password);
        return { totpSecret, totpUri };
      }),
  );

  server.post<{ Body: { code: string } }>(
    "/api/credentials/authenticator/confirm",
    { schema: { body: textObject({ code: 32 }) } },
    async (request, reply) => {
      await change(request, ({ session, accountId }) =>
        credentials.confirmAuthenticator(session, accountId, request.body.code),
      );
      return reply.status(204).send();
    },
  );

  server.post(
    "/api/credentials/recovery-codes",
    (request): Promise<RecoveryKit> =>
      change(request, async ({ accountId }) => ({
        recoveryCodes: await credentials.newRecoveryCodes(accountId),
        madeAt: clock.now(),
      })),
  );
}

/** For somebody else, who lost theirs. */
export function registerRecovery(server: FastifyInstance, parts: ApiParts): void {
  const { recovery, people, gate, clock, actorOf } = parts;

  server.post<{ Body: AccountRecovery }>(
    "/api/accounts/recovery",
    { schema: { body: textObject({ name: 128, reason: 500 }) } },
    async (request): Promise<IssuedLinkView> => {
      const actor = actorOf(request);
      const session = parts.sessionOf(request);
      const { name, reason } = request.body;
      const account = await people.named(name);
      const on = account && ({ kind: "account", id: account.id } as const);
      return gate.pass(actor, "account.recover", on, async () => {
        if (session !== undefined) requireRecent(session, clock);
        const { secret, endsAt } = await recovery.begin(account?.id ?? "", reason, actor);
        return { link: `${parts.pageUrl()}#setup=${secret}`, endsAt };
      });
    },
  );
}

const authenticatorSchema = {
  type: "object",
  additionalProperties: false,
  properties: { password: { type: "string", maxLength: 1024 } },
};
