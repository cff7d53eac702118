import type { FastifyInstance } from "fastify";
import { type RootRequest, type RotationRequest, type RotationView, rootKinds, type ShredRequest } from "#formats/api";
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

const shredBody = {
  type: "object",
  additionalProperties: false,
  required: ["study", "wholePatient"],
  properties: { study: { type: "string", pattern: "^[0-9a-f]{32}$" }, wholePatient: { type: "boolean" } },
};

const rootBody = {
  type: "object",
  additionalProperties: false,
  required: ["to"],
  properties: { to: { enum: rootKinds } },
};

/** Keys: rotation below the root at once; the root, the recovery kit and shredding when a second administrator has confirmed. */
export function registerKeys(server: FastifyInstance, parts: ApiParts): void {
  const { keyRotation, shredding, confirmations, people, gate, clock, actorOf } = parts;
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

  server.post<{ Body: ShredRequest }>("/api/vault/shred", { schema: { body: shredBody } }, async (request) => {
    const actor = actorOf(request);
    const { study, wholePatient } = request.body;
    // Who may not ask is not told whether there is such a study.
    const plan = await gate.pass(actor, "confirmation.request", undefined, () => shredding.plan(study, wholePatient));
    return answer(actor, await confirmations.request(actor, plan.act, plan.on, plan.detail));
  });

  server.post("/api/vault/recovery-kit", async (request) => {
    const actor = actorOf(request);
    const detail = { Shares: "3, of which any 2 open the keyring" };
    const on = { kind: "system", id: "recovery-kit" } as const;
    return answer(actor, await confirmations.request(actor, "recovery-kit.make", on, detail));
  });
}
