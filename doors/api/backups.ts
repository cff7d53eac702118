import type { FastifyInstance } from "fastify";
import type { BackupsView, BackupTaking } from "#formats/api";
import { createLineAnswers } from "./answer-in-lines.ts";
import type { ApiParts } from "./parts.ts";

const takingSchema = {
  type: "object",
  additionalProperties: false,
  required: ["folder", "keepPoints", "verify", "beginAnew"],
  properties: {
    folder: { type: "string", minLength: 1, maxLength: 4096 },
    keepPoints: { type: "integer", minimum: 1, maximum: 10_000 },
    verify: { type: "boolean" },
    beginAnew: { type: "boolean" },
  },
};

/** Backups of the home, made while it goes on. */
export function registerBackups(server: FastifyInstance, parts: ApiParts): void {
  const { gate, backups, clock, actorOf } = parts;
  const answerInLines = createLineAnswers(clock);

  server.post<{ Body: BackupTaking }>("/api/vault/backup", { schema: { body: takingSchema } }, (request, reply) =>
    answerInLines(reply, (tell) =>
      gate.pass(actorOf(request), "vault.backup", undefined, () => backups.take(request.body, tell)),
    ),
  );

  server.get(
    "/api/vault/backups",
    (request): Promise<BackupsView> => gate.pass(actorOf(request), "vault.backup.read", undefined, backups.view),
  );
}
