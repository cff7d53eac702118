import { PassThrough } from "node:stream";
import type { FastifyInstance } from "fastify";
import { asProblem } from "#base/problem";
import type { ConfirmationView, ConfirmRequest } from "#formats/api";
import type { Actor, Confirmation } from "#trust/access";
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
    const nameOf = await namesIn(people);
    return all.map((each) => confirmationView(each, actorOf(request), nameOf));
  });

  const answer = async (actor: Actor, confirmation: Confirmation): Promise<ConfirmationView> =>
    confirmationView(confirmation, actor, await namesIn(people));

  server.get<Named>("/api/confirmations/:id", async (request) => {
    const actor = actorOf(request);
    return answer(actor, await confirmations.read(actor, request.params.id));
  });

  server.post<Named & { Body: Pick<ConfirmRequest, "code"> }>(
    "/api/confirmations/:id/confirm",
    { schema: { body: textObject({ code: 32 }) } },
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

  /** A line with each change, from where it stands now until nothing more can change. */
  server.get<Named>("/api/confirmations/:id/follow", async (request, reply) => {
    const actor = actorOf(request);
    const first = await answer(actor, await confirmations.read(actor, request.params.id));
    const lines = new PassThrough();
    follow(parts, actor, first, lines);
    return reply.type("application/x-ndjson").send(lines);
  });
}

function follow(parts: ApiParts, actor: Actor, first: ConfirmationView, lines: PassThrough): void {
  const { confirmations, people, clock } = parts;
  const tell = (view: ConfirmationView) => {
    lines.write(`${JSON.stringify(view)}\n`);
    if (view.state !== "pending" && view.state !== "confirmed") lines.end();
  };
  let reading = Promise.resolve();
  const again = () => {
    reading = reading
      .then(async () => {
        if (lines.writableEnded) return;
        tell(confirmationView(await confirmations.read(actor, first.id), actor, await namesIn(people)));
      })
      .catch((error) => {
        lines.destroy(asProblem(error, "following a request"));
      });
  };
  const stopWatching = confirmations.watch((id) => id === first.id && again());
  const timer = clock.after(Math.max(0, first.endsAt - clock.now()) + 1, again);
  lines.once("close", () => {
    stopWatching();
    timer.stop();
  });
  tell(first);
  // What changed between reading it and watching it.
  if (!lines.writableEnded) again();
}

async function namesIn(people: ApiParts["people"]): Promise<(actorId: string) => string> {
  const { accounts } = await people.list();
  const names = new Map(accounts.map(({ id, name }) => [`user:${id}`, name]));
  return (actorId) => (actorId === "operator" ? "the console" : (names.get(actorId) ?? "a removed account"));
}

export function confirmationView(
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
