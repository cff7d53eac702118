import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Provider } from "oidc-provider";
import { Problem } from "#base/problem";
import type { AppCodeDecision, AppCodeRequest, AppView, AskView, ConsentDecision, ConsentView } from "#formats/api";
import type { Actor, Attempts, Slowing } from "#trust/access";
import {
  type Ask,
  accountIdOf,
  allow,
  type Chosen,
  chosenBy,
  consentsOf,
  forget,
  isOffered,
  nothingChosen,
  permissionsOf,
  viewOf,
} from "./asking.ts";
import { launchOf, takeLaunch } from "./launches.ts";
import type { BrowserSession, OauthCallers, OauthParts } from "./parts.ts";

export interface ConsentParts extends OauthParts, OauthCallers {
  readonly provider: () => Promise<Provider>;
  readonly attempts: Attempts;
}

/** What our pages show and send when a program asks to act for a person. */
export function registerConsent(server: FastifyInstance, parts: ConsentParts): void {
  registerRequests(server, parts);
  registerCodes(server, parts);
  registerApps(server, parts);
}

interface Asked {
  readonly session: BrowserSession;
  readonly actor: Actor;
}

/** Programs act for people with a browser session of their own, and let nobody else in. */
function askedOf(parts: ConsentParts, request: FastifyRequest): Asked {
  const [session, actor] = [parts.sessionOf(request), parts.actorOf(request)];
  if (session === undefined || actor.kind !== "user") throw new Problem("denied", "not found", { remedy: "sign in" });
  return { session, actor };
}

function registerRequests(server: FastifyInstance, parts: ConsentParts): void {
  const { gate, clients } = parts;
  type At = { Params: { uid: string } };
  /** The request that this browser began: its cookie names it. Of another browser there is none. */
  const open = async (request: FastifyRequest<At>, reply: FastifyReply, holder: string) => {
    const provider = await parts.provider();
    const found = await provider.interactionDetails(request.raw, reply.raw).catch(() => undefined);
    const client = found && clients.get(String(found.params.client_id));
    if (found === undefined || client === undefined || found.uid !== request.params.uid || found.result !== undefined) {
      throw new Problem("absent", "this request is over, or was made in another browser", {
        remedy: "go back to the application and begin again",
      });
    }
    const scopes = String(found.params.scope ?? "")
      .split(" ")
      .filter(isOffered);
    const launch =
      scopes.includes("launch") && typeof found.params.launch === "string" ? found.params.launch : undefined;
    const goesTo = new URL(String(found.params.redirect_uri)).origin;
    const isLaunched = launch !== undefined && launchOf(parts, launch, holder) !== undefined;
    return { provider, launch, ask: { client, scopes, goesTo, isLaunched } satisfies Ask };
  };

  server.get<At>("/consent/:uid/request", async (request, reply): Promise<AskView> => {
    const { session, actor } = askedOf(parts, request);
    return gate.pass(actor, "session.read", undefined, async () => {
      const { ask } = await open(request, reply, session.holder);
      return viewOf(parts, session, ask);
    });
  });

  server.post<At & { Body: ConsentDecision }>(
    "/consent/:uid/request",
    { schema: { body: decisionSchema } },
    async (request, reply): Promise<ConsentView> => {
      const { session, actor } = askedOf(parts, request);
      const { provider, ask, launch } = await open(request, reply, session.holder).catch((error) =>
        refused(parts, actor, error),
      );
      const finish = (result: object) =>
        provider.interactionResult(request.raw, reply.raw, result as never, { mergeWithLastSubmission: false });
      return gate.pass(actor, "app.authorise", { kind: "client", id: ask.client.id }, async () => {
        if (!request.body.allow)
          return { goTo: await finish({ error: "access_denied", error_description: "not allowed" }) };
        const chosen = await choose(parts, { session, actor }, launch, request.body.study);
        const accountId = accountIdOf(session);
        const grantId = await allow(parts, session, ask, chosen, async () => {
          const grant = new provider.Grant({ accountId, clientId: ask.client.id });
          grant.addOIDCScope(["openid", ...ask.scopes].join(" "));
          return grant.save();
        });
        return { goTo: await finish({ login: { accountId, remember: false }, consent: { grantId } }) };
      });
    },
  );
}

/** Writes down that it was tried, and goes on with what was wrong about it. */
function refused({ gate }: ConsentParts, actor: Actor, error: unknown): Promise<never> {
  return gate.pass(actor, "app.authorise", undefined, () => Promise.reject(error));
}

async function choose(
  parts: ConsentParts,
  { session, actor }: Asked,
  launch?: string,
  study?: string,
): Promise<Chosen> {
  if (launch !== undefined) return takeLaunch(parts, launch, session.holder);
  if (study === undefined) return nothingChosen;
  return chosenBy(parts, study, (facts) =>
    parts.gate.pass(actor, "study.view", { kind: "study", id: study, facts }, async () => {}),
  );
}

/** Codes are short: who types wrong ones waits longer and longer. */
const guessing: Slowing = { free: 5, firstPauseMs: 2_000, longestPauseMs: 15 * 60_000 };

/** A device that shows a code asks to be let in by a person (RFC 8628 §3.3). */
function registerCodes(server: FastifyInstance, parts: ConsentParts): void {
  const { gate, clients, attempts } = parts;
  const find = async (typed: string, { session }: Asked) => {
    const provider = await parts.provider();
    const found = await attempts.make([{ key: session.holder, slowing: guessing }], async () => {
      const code = await provider.DeviceCode.findByUserCode(typed.toUpperCase().replace(/[^A-Z]/g, ""));
      const client = code?.clientId === undefined ? undefined : clients.get(code.clientId);
      const isOpen = code !== undefined && code.accountId === undefined && code.error === undefined;
      return isOpen && client !== undefined ? { code, client } : undefined;
    });
    if (found === undefined) {
      throw new Problem("absent", "no device waits with this code", {
        remedy: "compare it with what the device shows",
      });
    }
    const scopes = String((found.code.params as { scope?: string }).scope ?? "")
      .split(" ")
      .filter(isOffered);
    return {
      provider,
      code: found.code,
      ask: { client: found.client, scopes, goesTo: "", isLaunched: false } satisfies Ask,
    };
  };

  server.post<{ Body: AppCodeRequest }>(
    "/api/app-codes",
    { schema: { body: codeSchema } },
    async (request): Promise<AskView> => {
      const asked = askedOf(parts, request);
      return gate.pass(asked.actor, "session.read", undefined, async () => {
        const { ask } = await find(request.body.code, asked);
        return viewOf(parts, asked.session, ask);
      });
    },
  );

  server.post<{ Body: AppCodeDecision }>(
    "/api/app-codes/decision",
    { schema: { body: codeDecisionSchema } },
    async (request, reply) => {
      const asked = askedOf(parts, request);
      const { provider, code, ask } = await find(request.body.code, asked).catch((error) =>
        refused(parts, asked.actor, error),
      );
      await gate.pass(asked.actor, "app.authorise", { kind: "client", id: ask.client.id }, async () => {
        if (!request.body.allow) {
          Object.assign(code, { error: "access_denied", errorDescription: "not allowed" });
          return void (await code.save());
        }
        const accountId = accountIdOf(asked.session);
        const grantId = await allow(parts, asked.session, ask, nothingChosen, async () => {
          const grant = new provider.Grant({ accountId, clientId: ask.client.id });
          grant.addOIDCScope(["openid", ...ask.scopes].join(" "));
          return grant.save();
        });
        const authTime = Math.floor(parts.clock.now() / 1000);
        Object.assign(code, { accountId, grantId, authTime, scope: ask.scopes.join(" ") });
        await code.save();
      });
      return reply.status(204).send();
    },
  );
}

/** The programs that a person lets act for them. */
function registerApps(server: FastifyInstance, parts: ConsentParts): void {
  const { gate, clients } = parts;
  server.get("/api/apps", async (request): Promise<AppView[]> => {
    const { session, actor } = askedOf(parts, request);
    return gate.pass(actor, "session.read", undefined, async () =>
      consentsOf(parts, accountIdOf(session)).map(({ clientId, scopes, at }) => ({
        ...{ id: clientId, name: clients.get(clientId)?.name ?? "a removed client" },
        ...{ permissions: permissionsOf(scopes), allowedAt: at },
      })),
    );
  });

  server.delete<{ Params: { id: string } }>("/api/apps/:id", async (request, reply) => {
    const { session, actor } = askedOf(parts, request);
    const { id } = request.params;
    const known = consentsOf(parts, accountIdOf(session)).some(({ clientId }) => clientId === id);
    if (!known) return refused(parts, actor, new Problem("absent", "not found"));
    await gate.pass(actor, "app.authorise", { kind: "client", id }, () => forget(parts, id, accountIdOf(session)));
    return reply.status(204).send();
  });
}

const code = { type: "string", minLength: 1, maxLength: 32 };
const decisionSchema = {
  type: "object",
  additionalProperties: false,
  required: ["allow"],
  properties: { allow: { type: "boolean" }, study: { type: "string", pattern: "^[0-9a-f]{32}$" } },
};
const codeSchema = { type: "object", additionalProperties: false, required: ["code"], properties: { code } };
const codeDecisionSchema = {
  type: "object",
  additionalProperties: false,
  required: ["code", "allow"],
  properties: { code, allow: { type: "boolean" } },
};
