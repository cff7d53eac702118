import type { FastifyInstance, FastifyReply } from "fastify";
import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { ConfirmationView, ConfirmRequest } from "#formats/api";
import type { Actor, Confirmation } from "#trust/access";
import { createLineAnswers } from "./answer-in-lines.ts";
import type { ApiParts } from "./parts.ts";
import { textObject } from "./schemas.ts";

interface Named {
  Params: { id: string };
}

/** What waits for a second administrator. An act is asked for by its own route; here it is seen, confirmed and followed. */
export function registerConfirmations(server: FastifyInstance, parts: ApiParts): void {
  const { confirmations, people, actorOf } = parts;

  server.get("/api/confirmations", async (request): Promise<ConfirmationView[]> => {
    const all = await confirmations.list(actorOf(request));
    const { of: nameOf } = await people.names();
    return all.map((each) => confirmationView(each, actorOf(request), nameOf));
  });

  const answer = confirmationAnswers(people);

  server.get<Named>("/api/confirmations/:id", async (request) => {
    const actor = actorOf(request);
    return answer(actor, await confirmations.read(actor, request.params.id));
  });

  server.post<Named & { Body: Pick<ConfirmRequest, "code"> }>(
    "/api/confirmations/:id/confirm",
    { schema: { body: textObject({ code: 128 }) } },
    async (request) => {
      const actor = actorOf(request);
      return answer(actor, await confirmations.confirm(actor, request.params.id, request.body.code));
    },
  );

  for (const act of ["refuse", "withdraw"] as const) {
    server.post<Named>(`/api/confirmations/:id/${act}`, async (request) => {
      const actor = actorOf(request);
      return answer(actor, await confirmations[act](actor, request.params.id));
    });
  }

  const answerInLines = createLineAnswers(parts.clock);
  /** Waits until nothing more can change. */
  server.get<Named>("/api/confirmations/:id/follow", async (request, reply) => {
    const actor = actorOf(request);
    const first = await answer(actor, await confirmations.read(actor, request.params.id));
    const look = async () => answer(actor, await confirmations.read(actor, first.id));
    return answerInLines(reply, (tell) => untilFinal(parts, first, { look, tell, raw: reply.raw }));
  });
}

/** How a request for an act is shown to who sees it. */
export function confirmationAnswers(people: ApiParts["people"]) {
  return async (actor: Actor, confirmation: Confirmation): Promise<ConfirmationView> =>
    confirmationView(confirmation, actor, (await people.names()).of);
}

interface Watching {
  look(): Promise<ConfirmationView>;
  tell(progress: string): void;
  readonly raw: FastifyReply["raw"];
}

function untilFinal(
  { confirmations, clock }: ApiParts,
  first: ConfirmationView,
  { look, tell, raw }: Watching,
): Promise<ConfirmationView> {
  return new Promise((resolve, reject) => {
    const turns = createTurns();
    const stop = () => {
      stopWatching();
      timer.stop();
      raw.off("close", left);
    };
    const left = () => {
      stop();
      reject(new Problem("unavailable", "nobody waits for this any more"));
    };
    const lookAgain = async () => {
      const view = await look();
      if (view.state === "pending") return tell("waiting for another administrator to confirm");
      if (view.state === "confirmed") return tell(`confirmed by ${view.decidedBy}, being done`);
      stop();
      resolve(view);
    };
    const again = () => {
      turns.take(lookAgain).catch((error) => {
        stop();
        reject(error);
      });
    };
    const stopWatching = confirmations.watch((id) => id === first.id && again());
    const timer = clock.after(Math.max(0, first.endsAt - clock.now()) + 1, again);
    raw.once("close", left);
    again();
  });
}

function confirmationView(
  confirmation: Confirmation,
  actor: Actor,
  nameOf: (actorId: string) => string,
): ConfirmationView {
  const { id, act, on, detail, requestedBy, requestedAt, endsAt, state, decidedBy, decidedAt } = confirmation;
  const { result, problem } = confirmation;
  return {
    ...{ id, act, on, detail, requestedAt, endsAt, state },
    requestedBy: nameOf(requestedBy),
    isOwn: requestedBy === actor.id,
    ...(decidedBy !== undefined && { decidedBy: nameOf(decidedBy) }),
    ...(decidedAt !== undefined && { decidedAt }),
    ...(result !== undefined && { result }),
    ...(problem !== undefined && { problem }),
  };
}
