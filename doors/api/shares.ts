import type { FastifyInstance } from "fastify";
import type { MadeShare, OpenedShare, ShareOpening, ShareRequest, ShareView } from "#formats/api";
import { sharePurposes } from "#formats/api";
import { type Actor, anonymous, type Names, type Share } from "#trust/access";
import type { ApiParts } from "./parts.ts";
import { textObject } from "./schemas.ts";

/** Links to a study for somebody outside: making, seeing, ending and opening them. */
export function registerShares(server: FastifyInstance, parts: ApiParts): void {
  const { shares, gate, people, policy, sessions, actorOf } = parts;

  server.post<{ Body: ShareRequest }>(
    "/api/shares",
    { schema: { body: shareSchema } },
    async (request): Promise<MadeShare> => {
      const { note = "", purpose = "treatment", ...terms } = request.body;
      const actor = actorOf(request);
      const { share, secret, code } = await shares.make(actor, { ...terms, note, purpose });
      const view = viewOf(share, await people.names(), actor);
      return { ...view, link: `${parts.pageUrl()}#share=${secret}`, code };
    },
  );

  server.get<{ Querystring: { study?: string } }>(
    "/api/shares",
    { schema: { querystring: { type: "object", additionalProperties: false, properties: { study: token } } } },
    async (request): Promise<ShareView[]> => {
      const actor = actorOf(request);
      const found = await shares.list(actor, request.query.study);
      const names = await people.names();
      return found.map((share) => viewOf(share, names, actor));
    },
  );

  server.delete<{ Params: { id: string } }>("/api/shares/:id", async (request, reply) => {
    await shares.end(actorOf(request), request.params.id);
    return reply.status(204).send();
  });

  server.post<{ Body: ShareOpening }>(
    "/api/shares/open",
    { config: { anonymous: true }, schema: { body: textObject({ secret: 128, code: 16 }) } },
    async (request, reply): Promise<OpenedShare> => {
      const { secret: typed, code } = request.body;
      const from = { userAgent: request.headers["user-agent"] ?? "", address: request.ip };
      const opened = await shares.open(typed, code, from).catch(async (error: unknown) => {
        // The gate writes the refusal down; the caller is told what it may know.
        await gate.pass(anonymous, "session.begin", undefined, async () => {}).catch(() => {});
        throw error;
      });
      // What the browser was signed in as before ends with it.
      const former = parts.sessionOf(request);
      if (former !== undefined) await sessions.end(former.digest);
      parts.setSession(reply, opened.secret, opened.session.endsAt);
      return openedView(
        opened.share,
        policy.actsOf({ kind: "share", id: opened.session.holder }),
        opened.session.endsAt,
      );
    },
  );

  server.get("/api/shares/opened", async (request): Promise<OpenedShare> => {
    const actor = actorOf(request);
    const share = await shares.opened(actor);
    return openedView(share, policy.actsOf(actor), parts.sessionOf(request)?.endsAt ?? share.endsAt);
  });
}

const token = { type: "string", pattern: "^[0-9a-f]{32}$" } as const;

const shareSchema = {
  type: "object",
  additionalProperties: false,
  required: ["study", "mode", "days", "recipient"],
  properties: {
    study: token,
    mode: { type: "string", enum: ["view", "download"] },
    days: { type: "integer", minimum: 1, maximum: 30 },
    recipient: { type: "string", minLength: 1, maxLength: 200 },
    note: { type: "string", maxLength: 500 },
    purpose: { type: "string", enum: sharePurposes },
  },
} as const;

function viewOf(share: Share, names: Names, actor: Actor): ShareView {
  const { madeBy, endedBy, ...rest } = share;
  return {
    ...rest,
    madeBy: names.of(madeBy),
    isOwn: madeBy === actor.id,
    endedBy: endedBy === "" ? "" : endedBy === "system" ? "the server" : names.of(endedBy),
  };
}

function openedView({ study, mode }: Share, may: readonly string[], endsAt: number): OpenedShare {
  return { study, mode, endsAt, may };
}
