import type { FastifyInstance } from "fastify";
import { type RootRequest, type RotationRequest, type RotationView, rootKinds } from "#formats/api";
import { createLineAnswers } from "./answer-in-lines.ts";
import { confirmationAnswers } from "./confirmations.ts";
import type { ApiParts } from "./parts.ts";

const rotationBody = {
  type: "object",
  additionalProperties: false,
  required: ["level"],
  properties: {
    level: { enum: ["tenant", "study"] },
    studies: { type: "array", maxItems: 1000, items: { type: "string", pattern: "^[0-9a-f]{32}$" } },
  },
};

const rootBody = {
  type: "object",
  additionalProperties: false,
  required: ["to"],
  properties: { to: { enum: rootKinds } },
};

/** Keys: rotation below the root at once; the root and the recovery kit when a second administrator has confirmed. */
export function registerKeys(server: FastifyInstance, parts: ApiParts): void {
  const { keyRotation, confirmations, people, clock, actorOf } = parts;
  const answerInLines = createLineAnswers(clock);
  const answer = confirmationAnswers(people);

  server.post<{ Body: RotationRequest }>("/api/vault/rotate", { schema: { body: rotationBody } }, (request, reply) =>
    answerInLines(reply, (tell): Promise<RotationView> => {
      const { level, studies } = request.body;
      const told = (done: number, of: number) => tell(`${done} of ${of} keys`);
      if (level === "tenant") return keyRotation.rotateTenant(actorOf(request), told);
      return keyRotation.rotateStudies(actorOf(request), studies, told);
    }),
  );

  server.post<{ Body: RootRequest }>("/api/vault/root", { schema: { body: rootBody } }, async (request) => {
    const actor = actorOf(request);
    const { to } = request.body;
    const detail = { "Root key now": parts.keyState().root, "Root key then": to };
    return answer(actor, await confirmations.request(actor, "root.change", { kind: "system", id: to }, detail));
  });

  server.post("/api/vault/recovery-kit", async (request) => {
    const actor = actorOf(request);
    const detail = { Shares: "3, of which any 2 open the keyring" };
    const on = { kind: "system", id: "recovery-kit" } as const;
    return answer(actor, await confirmations.request(actor, "recovery-kit.make", on, detail));
  });
}
