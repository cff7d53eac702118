import type { FastifyInstance } from "fastify";
import type {
  ClockView,
  CompactionView,
  ConflictRequest,
  HoldRequest,
  HoldView,
  ScrubRequest,
  ScrubView,
} from "#formats/api";
import { createLineAnswers } from "./answer-in-lines.ts";
import type { ApiParts } from "./parts.ts";

const token = { type: "string", pattern: "^[0-9a-f]{32}$" };

/** All members are required. */
const bodyOf = (properties: Readonly<Record<string, object>>) => ({
  schema: { body: { type: "object", additionalProperties: false, required: Object.keys(properties), properties } },
});

/** Legal hold, the clock of retention, scrub, compaction, copies in conflict. */
export function registerCare(server: FastifyInstance, parts: ApiParts): void {
  const { care, gate, clock, actorOf } = parts;
  const answerInLines = createLineAnswers(clock);

  server.get(
    "/api/vault/holds",
    (request): Promise<HoldView[]> =>
      gate.pass(actorOf(request), "study.held", undefined, async () =>
        care.fates.held().map(({ studyToken, since }) => ({ study: studyToken, since })),
      ),
  );

  server.post<{ Body: HoldRequest }>(
    "/api/vault/holds",
    bodyOf({ study: token, release: { type: "boolean" } }),
    async (request, reply) => {
      const { study, release } = request.body;
      const [act, work] = release ? (["study.release", care.release] as const) : (["study.hold", care.hold] as const);
      await gate.pass(actorOf(request), act, { kind: "study", id: study }, () => work(study));
      return reply.status(204).send();
    },
  );

  server.post(
    "/api/vault/clock",
    (request): Promise<ClockView> =>
      gate.pass(actorOf(request), "clock.confirm", undefined, async () => ({ behindMs: await care.confirmClock() })),
  );

  server.get(
    "/api/vault/scrub",
    (request): Promise<ScrubView> => gate.pass(actorOf(request), "status.read", undefined, care.scrubView),
  );

  server.post<{ Body: ScrubRequest }>(
    "/api/vault/scrub",
    bodyOf({ to: { enum: ["pause", "resume", "begin"] } }),
    (request): Promise<ScrubView> =>
      gate.pass(actorOf(request), "vault.scrub", undefined, async () => {
        care.scrub[request.body.to]();
        return care.scrubView();
      }),
  );

  server.post("/api/vault/compact", (request, reply) =>
    answerInLines(
      reply,
      (): Promise<CompactionView> =>
        gate.pass(actorOf(request), "vault.compact", undefined, () => care.compaction.runAll()),
    ),
  );

  server.post<{ Body: ConflictRequest }>(
    "/api/vault/conflicts",
    bodyOf({ instance: token }),
    async (request, reply) => {
      const { instance } = request.body;
      const on = { kind: "instance", id: instance } as const;
      await gate.pass(actorOf(request), "instance.discard", on, () => care.discardConflict(instance));
      return reply.status(204).send();
    },
  );
}
