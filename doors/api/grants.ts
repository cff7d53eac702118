import type { FastifyInstance } from "fastify";
import { Problem } from "#base/problem";
import { type GrantRequest, type GrantView, type RoleView, roles } from "#formats/api";
import { acts, type Grant, type Names, ruleOf } from "#trust/access";
import type { ApiParts } from "./parts.ts";
import { grantTermsSchema } from "./schemas.ts";

const listedMax = 5_000;

/** Who holds which grants, giving and ending them. */
export function registerGrants(server: FastifyInstance, parts: ApiParts): void {
  const { gate, grants, people, actorOf } = parts;

  const viewOf = (grant: Grant, names: Names, isLive: boolean): GrantView => {
    const { id, holder, role, place, purpose, givenAt, endsAt, endedAt } = grant;
    const given = { holderName: names.of(holder), givenBy: names.of(grant.givenBy), isLive };
    return { id, holder, role, place, purpose, givenAt, endsAt, endedAt, ...given };
  };

  server.get<{ Querystring: { ended?: boolean } }>(
    "/api/grants",
    {
      schema: {
        querystring: { type: "object", additionalProperties: false, properties: { ended: { type: "boolean" } } },
      },
    },
    (request): Promise<GrantView[]> =>
      gate.pass(actorOf(request), "grant.read", undefined, async () => {
        const all = await grants.list();
        const holders = new Set(all.map(({ holder }) => holder));
        const live = new Set([...holders].flatMap((holder) => grants.liveOf(holder).map(({ id }) => id)));
        const shown = request.query.ended === true ? all : all.filter(({ id }) => live.has(id));
        const names = await people.names();
        return shown.slice(-listedMax).map((grant) => viewOf(grant, names, live.has(grant.id)));
      }),
  );

  server.get(
    "/api/roles",
    (request): Promise<RoleView[]> =>
      gate.pass(actorOf(request), "grant.read", undefined, async () =>
        roles.map((role) => {
          const theirs = acts.filter((act) => ruleOf(act).who.includes(role));
          return { role, acts: theirs.map((act) => ({ act, where: ruleOf(act).where })) };
        }),
      ),
  );

  server.post<{ Body: GrantRequest }>(
    "/api/grants",
    {
      schema: {
        body: {
          ...grantTermsSchema,
          required: ["name", ...grantTermsSchema.required],
          properties: { name: { type: "string", maxLength: 128 }, ...grantTermsSchema.properties },
        },
      },
    },
    async (request): Promise<GrantView> => {
      const { name, ...terms } = request.body;
      const names = await people.names();
      const holder = names.holderOf(name);
      return gate.pass(actorOf(request), "grant.write", subjectOf(holder), async () => {
        if (holder === undefined) {
          throw new Problem("absent", "nobody has this name", { remedy: "leadglass user list shows who there is" });
        }
        const grant = await grants.give(holder, terms, actorOf(request));
        return viewOf(grant, names, true);
      });
    },
  );

  server.delete<{ Params: { id: string } }>("/api/grants/:id", async (request, reply) => {
    const { id } = request.params;
    const known = (await grants.list()).find((grant) => grant.id === id);
    await gate.pass(actorOf(request), "grant.write", subjectOf(known?.holder), () => grants.end(id, actorOf(request)));
    return reply.status(204).send();
  });
}

/** The entry says whose access changed. */
function subjectOf(holder: string | undefined) {
  return holder === undefined ? undefined : ({ kind: "grant", id: holder } as const);
}
