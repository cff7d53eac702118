import type { FastifyInstance } from "fastify";
import {
  type MarkedPatientView,
  type PatientMark,
  type PersonFacts,
  type ReviewDecision,
  type ReviewPage,
  type ReviewView,
  reviewOutcomes,
} from "#formats/api";
import type { Actor, Marked, Names, Review } from "#trust/access";
import type { ApiParts } from "./parts.ts";

const pageRows = 50;

/** The review queue, and of whom reviews are noted. */
export function registerReviews(server: FastifyInstance, parts: ApiParts): void {
  const { reviews, people, actorOf } = parts;

  server.get<{ Querystring: { state?: "open" | "decided"; before?: string } }>(
    "/api/reviews",
    { schema: { querystring: choiceSchema } },
    async (request): Promise<ReviewPage> => {
      const { state, before } = request.query;
      const choice = { limit: pageRows, ...(state && { state }), ...(before && { before }) };
      const found = await reviews.list(actorOf(request), choice);
      const names = await people.names();
      const next = found.length === pageRows ? found.at(-1)?.id : undefined;
      return {
        reviews: found.map((review) => viewOf(review, names, actorOf(request))),
        ...(next !== undefined && { next }),
      };
    },
  );

  server.post<{ Params: { id: string }; Body: ReviewDecision }>(
    "/api/reviews/:id",
    { schema: { body: decisionSchema } },
    async (request): Promise<ReviewView> => {
      const { outcome, note = "" } = request.body;
      const review = await reviews.decide(actorOf(request), request.params.id, outcome, note);
      return viewOf(review, await people.names(), actorOf(request));
    },
  );
}

/** Patients whose every look is reviewed, and what a person with an account is called. */
export function registerWatchedPeople(server: FastifyInstance, parts: ApiParts): void {
  const { watchedPeople, people, gate, patientsOf, actorOf } = parts;
  const markOf = async ({ patient, reason, markedBy, markedAt }: Marked): Promise<MarkedPatientView> => {
    return { patient, reason, markedBy: (await people.names()).of(markedBy), markedAt };
  };

  server.get(
    "/api/marked-patients",
    async (request): Promise<MarkedPatientView[]> =>
      Promise.all((await watchedPeople.marked(actorOf(request))).map(markOf)),
  );

  server.post<{ Body: PatientMark }>(
    "/api/marked-patients",
    { schema: { body: markSchema } },
    async (request): Promise<MarkedPatientView> => {
      const { patientId, issuer = "", reason } = request.body;
      const actor = actorOf(request);
      // Who may not mark is refused before anything is looked for.
      if (!parts.policy.decide(actor, "patient.mark").isAllowed) {
        return gate.pass(actor, "patient.mark", undefined, () => Promise.reject(new Error("refused")));
      }
      const [patient, another] = await patientsOf({ patientId: patientId.trim(), issuer: issuer.trim() });
      return markOf(await watchedPeople.mark(actor, another === undefined ? patient : undefined, reason));
    },
  );

  server.delete<{ Params: { patient: string } }>("/api/marked-patients/:patient", async (request, reply) => {
    await watchedPeople.unmark(actorOf(request), request.params.patient);
    return reply.status(204).send();
  });

  server.put<{ Body: PersonFacts }>(
    "/api/accounts/facts",
    { schema: { body: factsSchema } },
    async (request, reply) => {
      const { account: name, fullName, birthDate = "", patient = "" } = request.body;
      const holder = (await people.names()).holderOf(name);
      const account = holder?.startsWith("user:") ? holder.slice("user:".length) : undefined;
      await watchedPeople.describe(actorOf(request), account, { fullName: fullName.trim(), birthDate, patient });
      return reply.status(204).send();
    },
  );
}

const choiceSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    state: { type: "string", enum: ["open", "decided"] },
    before: { type: "string", maxLength: 64 },
  },
} as const;

const decisionSchema = {
  type: "object",
  additionalProperties: false,
  required: ["outcome"],
  properties: {
    outcome: { type: "string", enum: reviewOutcomes },
    note: { type: "string", maxLength: 1_000 },
  },
} as const;

const markSchema = {
  type: "object",
  additionalProperties: false,
  required: ["patientId", "reason"],
  properties: {
    patientId: { type: "string", minLength: 1, maxLength: 128 },
    issuer: { type: "string", maxLength: 128 },
    reason: { type: "string", minLength: 1, maxLength: 500 },
  },
} as const;

const factsSchema = {
  type: "object",
  additionalProperties: false,
  required: ["account", "fullName"],
  properties: {
    account: { type: "string", maxLength: 128 },
    fullName: { type: "string", maxLength: 324 },
    birthDate: { type: "string", pattern: "^(\\d{8})?$" },
    patient: { type: "string", pattern: "^([0-9a-f]{32})?$" },
  },
} as const;

function viewOf(review: Review, names: Names, actor: Actor): ReviewView {
  const { day: _day, reviewer, ...rest } = review;
  return {
    ...rest,
    actorName: names.of(review.actor),
    isOwn: review.actor === actor.id,
    state: review.outcome === "" ? "open" : "decided",
    reviewer: reviewer === "" ? "" : names.of(reviewer),
  };
}
