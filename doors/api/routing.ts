import type { FastifyInstance } from "fastify";
import {
  type ChangesView,
  deidentifyOptions,
  type RoutingRuleRequest,
  type RoutingRuleView,
  type RoutingTrial,
  type RoutingTrialView,
  type RoutingView,
  routingTexts,
} from "#formats/api";
import type { ApiParts } from "./parts.ts";

const token = { type: "string", pattern: "^[0-9a-f]{32}$" } as const;
const text = (maxLength: number) => ({ type: "string", maxLength }) as const;
const object = (properties: object, required: readonly string[] = Object.keys(properties)) =>
  ({ type: "object", additionalProperties: false, required, properties }) as const;
const list = (items: object, maxItems: number) => ({ type: "array", maxItems, items }) as const;

const textCondition = object({ is: list(text(64), 50), not: { type: "boolean" } }, ["is"]);
const minute = { type: "integer", minimum: 0, maximum: 1_440 } as const;
const hours = object(
  {
    ...{ from: minute, to: minute, not: { type: "boolean" } },
    weekdays: list({ type: "integer", minimum: 0, maximum: 6 }, 7),
  },
  ["from", "to", "weekdays"],
);
const conditions = object({ ...Object.fromEntries(routingTexts.map((each) => [each, textCondition])), hours }, []);

const attribute = text(64);
const value = text(1_024);
const rows = list({ type: "array", minItems: 2, maxItems: 2, items: value }, 200);
const coercion = (does: string, more: object) => object({ does: { const: does }, attribute, ...more });
const changes = object(
  {
    coercions: list(
      {
        oneOf: [
          coercion("set", { value }),
          coercion("remove", {}),
          coercion("copy", { from: attribute }),
          coercion("prefix", { value }),
          coercion("map", { table: rows }),
          coercion("rewrite", { pattern: value, value }),
        ],
      },
      50,
    ),
    deidentify: object({ options: list({ type: "string", enum: deidentifyOptions }, 8), project: text(64) }, [
      "options",
    ]),
  },
  ["coercions"],
);
const ruleSchema = object(
  {
    ...{ name: text(100), isPaused: { type: "boolean" }, when: conditions },
    ...{ cloud: { type: "boolean" }, keep: { type: "boolean" }, machines: list(token, 16), changes },
  },
  ["name", "isPaused", "when", "cloud", "keep", "machines"],
);
const trialSchema = object(
  { ...Object.fromEntries(routingTexts.map((each) => [each, text(1_024)])), at: { type: "integer", minimum: 0 } },
  [],
);

interface Named {
  Params: { id: string };
}

/** Rules by which instances go on when they have come. */
export function registerRouting(server: FastifyInstance, parts: ApiParts): void {
  const { routing, actorOf } = parts;

  server.get("/api/routing", (request): Promise<RoutingView> => routing.view(actorOf(request)));

  server.post<{ Body: RoutingRuleRequest }>(
    "/api/routing/rules",
    { schema: { body: ruleSchema } },
    (request): Promise<RoutingRuleView> => routing.add(actorOf(request), withoutNothing(request.body)),
  );

  server.put<Named & { Body: RoutingRuleRequest }>(
    "/api/routing/rules/:id",
    { schema: { body: ruleSchema } },
    (request): Promise<RoutingRuleView> =>
      routing.put(actorOf(request), request.params.id, withoutNothing(request.body)),
  );

  server.delete<Named>("/api/routing/rules/:id", async (request, reply) => {
    await routing.remove(actorOf(request), request.params.id);
    return reply.status(204).send();
  });

  server.put<{ Body: { ids: string[] } }>(
    "/api/routing/order",
    { schema: { body: object({ ids: list(token, 100) }) } },
    (request): Promise<RoutingView> => routing.order(actorOf(request), request.body.ids),
  );

  server.delete<Named>("/api/routing/held/:id", async (request, reply) => {
    await routing.forget(actorOf(request), request.params.id);
    return reply.status(204).send();
  });

  server.post<{ Body: RoutingTrial }>(
    "/api/routing/try",
    { schema: { body: trialSchema } },
    (request): Promise<RoutingTrialView> => routing.tryOut(actorOf(request), request.body),
  );

  server.get<{ Params: { token: string } }>(
    "/api/routing/try/:token",
    { schema: { params: object({ token }) } },
    (request): Promise<RoutingTrialView[]> => triedStudy(parts, actorOf(request), request.params.token),
  );
}

/** What would happen to each series of a study that came now, as far as the index knows it. */
async function triedStudy(
  { archive, routing }: ApiParts,
  actor: Parameters<ApiParts["archive"]["studyOfToken"]>[0],
  studyToken: string,
): Promise<RoutingTrialView[]> {
  const { study, series } = await archive.studyOfToken(actor, studyToken);
  return Promise.all(
    series.map(async ({ values }) => {
      const { Modality = "", BodyPartExamined = "", StationName = "", SeriesDescription, SeriesNumber } = values;
      const { StudyDescription = "" } = study.values;
      const facts = { modality: Modality, bodyPart: BodyPartExamined, stationName: StationName };
      const tried = await routing.tryOut(actor, { ...facts, description: StudyDescription });
      return {
        series: SeriesDescription ?? (SeriesNumber === undefined ? Modality : `${Modality} ${SeriesNumber}`),
        ...tried,
      };
    }),
  );
}

/** Changes that change nothing are none. */
function withoutNothing({ changes: given, ...rule }: RoutingRuleRequest): RoutingRuleRequest {
  const isSomething = (one: ChangesView) => one.coercions.length > 0 || one.deidentify !== undefined;
  return given !== undefined && isSomething(given) ? { ...rule, changes: given } : rule;
}
