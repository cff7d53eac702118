import type { FastifyInstance, FastifyRequest } from "fastify";
import { Problem } from "#base/problem";
import type {
  AgainRequest,
  IssuedLinkView,
  PasskeyProof,
  ProofView,
  RecoveryRequest,
  SessionListing,
  SessionRequest,
  SessionView,
  WebAuthnJson,
} from "#formats/api";
import { personOf, type Session, type SessionFacts } from "#trust/access";
import { type Beginning, rolesIn, sessionView } from "./beginning.ts";
import type { BrowserCookies } from "./browser-cookies.ts";
import type { ApiParts } from "./parts.ts";
import { answerObject, textObject } from "./schemas.ts";

const anonymous = { config: { anonymous: true } };

/** Sign-in by passkey or password, sign-out, showing again that it is oneself. */
export function registerSession(
  server: FastifyInstance,
  parts: ApiParts,
  { beginning, cookies }: { readonly beginning: Beginning; readonly cookies: BrowserCookies },
): void {
  const { signIn, passkeys, sessions, recovery, people, gate, actorOf } = parts;
  const origin = () => new URL(parts.pageUrl()).origin;
  const callerOf = (request: FastifyRequest) => {
    const knownBrowser = cookies.knownOf(request);
    return { address: request.ip, ...(knownBrowser !== undefined && { knownBrowser }) };
  };

  server.post<{ Body: SessionRequest }>(
    "/api/session",
    { ...anonymous, schema: { body: textObject({ name: 128, password: 1024, code: 64 }) } },
    async (request, reply): Promise<SessionView> => {
      const { name, password, code } = request.body;
      const account = await signIn.check(name, password, code, callerOf(request)).catch(beginning.refused);
      return beginning.begin(account, request, reply);
    },
  );

  server.post(
    "/api/session/passkey/options",
    anonymous,
    async (request, reply): Promise<WebAuthnJson> => ({
      ...(await passkeys.beginProof({ origin: origin(), boundTo: cookies.ceremony(request, reply) })),
    }),
  );

  server.post<{ Body: PasskeyProof }>(
    "/api/session/passkey",
    { ...anonymous, schema: { body: answerObject({}) } },
    async (request, reply): Promise<SessionView> => {
      const place = { origin: origin(), boundTo: cookies.ceremonyOf(request) };
      const { accountId } = await passkeys.prove(place, request.body.answer).catch(beginning.refused);
      return beginning.begin(await people.account(accountId), request, reply);
    },
  );

  server.post<{ Body: RecoveryRequest }>(
    "/api/session/recovery",
    { ...anonymous, schema: { body: textObject({ name: 128, code: 64 }) } },
    async (request): Promise<IssuedLinkView> => {
      const { name, code } = request.body;
      const account = await signIn.checkRecoveryCode(name, code, callerOf(request)).catch(beginning.refused);
      const on = { kind: "account", id: account.id } as const;
      const { secret, endsAt } = await gate.pass(personOf(account), "credential.write", on, () =>
        recovery.beginWithCode(account.id),
      );
      return { link: `${parts.pageUrl()}#setup=${secret}`, endsAt };
    },
  );

  server.get("/api/session", async (request): Promise<SessionView> => {
    const session = sessionIn(parts, request);
    return gate.pass(actorOf(request), "session.read", undefined, async () =>
      sessionView(parts, actorOf(request), (await people.names()).of(session.holder), session),
    );
  });

  server.delete("/api/session", async (request, reply) => {
    const session = sessionIn(parts, request);
    await gate.pass(actorOf(request), "session.end", undefined, () => sessions.end(session.digest));
    parts.clearSession(reply);
    return reply.status(204).send();
  });

  server.post("/api/session/again/options", async (request): Promise<WebAuthnJson> => {
    const session = sessionIn(parts, request);
    const place = { origin: origin(), boundTo: session.digest };
    return gate.pass(actorOf(request), "session.read", undefined, async () => ({
      ...(await passkeys.beginProof(place, accountIdOf(session.holder))),
    }));
  });

  server.post<{ Body: AgainRequest }>(
    "/api/session/again",
    { schema: { body: againSchema } },
    async (request): Promise<ProofView> => {
      const session = sessionIn(parts, request);
      const accountId = accountIdOf(session.holder);
      const { answer, code = "" } = request.body;
      return gate.pass(actorOf(request), "session.prove", undefined, async () => {
        if (answer !== undefined)
          await passkeys.prove({ origin: origin(), boundTo: session.digest }, answer, accountId);
        else if (!(await signIn.secondFactorIs(accountId, code))) throw wrongCode();
        await sessions.provedAgain(session);
        return { code: signIn.proofOf(accountId) };
      });
    },
  );
}

/** Who is signed in where: one's own, and everybody's for who administers. */
export function registerSessions(server: FastifyInstance, parts: ApiParts): void {
  const { sessions, gate, people, actorOf } = parts;
  const listed = async (found: readonly SessionFacts[], own: Session | undefined): Promise<SessionListing[]> => {
    const names = await people.names();
    return found.map(({ id, holder, userAgent, address, createdAt, lastSeenAt }) => ({
      ...{ id, userAgent, address, createdAt, lastSeenAt },
      holder: names.of(holder),
      roles: rolesIn(parts.grants.liveOf(holder)),
      isThis: id === own?.digest,
    }));
  };

  server.get("/api/sessions", async (request): Promise<SessionListing[]> => {
    const session = sessionIn(parts, request);
    return gate.pass(actorOf(request), "session.read", undefined, () => listed(sessions.list(session.holder), session));
  });

  server.delete("/api/sessions", async (request, reply) => {
    const session = sessionIn(parts, request);
    await gate.pass(actorOf(request), "session.end", undefined, () => sessions.endAllOf(session.holder, session));
    return reply.status(204).send();
  });

  server.delete<{ Params: { id: string } }>("/api/sessions/:id", async (request, reply) => {
    const { holder } = sessionIn(parts, request);
    await gate.pass(actorOf(request), "session.end", undefined, async () => {
      if (!(await sessions.end(request.params.id, holder))) throw noSuchSession();
    });
    return reply.status(204).send();
  });

  server.get(
    "/api/sessions/everybody",
    (request): Promise<SessionListing[]> =>
      gate.pass(actorOf(request), "session.list", undefined, () => listed(sessions.list(), parts.sessionOf(request))),
  );

  server.delete<{ Params: { id: string } }>("/api/sessions/everybody/:id", async (request, reply) => {
    const { id } = request.params;
    const holder = sessions.list().find((each) => each.id === id)?.holder;
    const on = holder === undefined ? undefined : ({ kind: "account", id: accountIdOf(holder) } as const);
    await gate.pass(actorOf(request), "session.close", on, async () => {
      if (!(await sessions.end(id))) throw noSuchSession();
    });
    return reply.status(204).send();
  });
}

/** The session that a request came with; Problem `absent` for who came otherwise. */
export function sessionIn(parts: Pick<ApiParts, "sessionOf">, request: FastifyRequest): Session {
  const session = parts.sessionOf(request);
  if (session === undefined) throw new Problem("absent", "no session", { remedy: "sign in" });
  return session;
}

export const accountIdOf = (holder: string) => holder.slice(holder.indexOf(":") + 1);

const againSchema = {
  type: "object",
  additionalProperties: false,
  properties: { answer: { type: "object" }, code: { type: "string", maxLength: 64 } },
};

function wrongCode(): Problem {
  return new Problem("invalid", "the code is wrong", { remedy: "type the code that the authenticator shows now" });
}

function noSuchSession(): Problem {
  return new Problem("absent", "no such session");
}
