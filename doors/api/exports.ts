import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { Log } from "#base/log";
import { asProblem } from "#base/problem";
import {
  type BulkExportRequest,
  type BulkExportStudies,
  type ExportedInstance,
  type ExportFrameKind,
  exportFrameHead,
  type ProblemView,
  type StudyExportRequest,
} from "#formats/api";
import type { GivenStudy } from "#radiology/archive";
import { confirmationAnswers } from "./confirmations.ts";
import type { ApiParts } from "./parts.ts";

const token = { type: "string", pattern: "^[0-9a-f]{32}$" };
const date = { type: "string", pattern: "^\\d{8}$" };

const studyBody = {
  type: "object",
  additionalProperties: false,
  required: ["study", "received"],
  properties: { study: token, received: { type: "boolean" } },
};

const bulkBody = {
  type: "object",
  additionalProperties: false,
  required: ["by", "received"],
  properties: {
    studies: { type: "array", minItems: 1, maxItems: 10_000, items: token },
    modality: { type: "string", pattern: "^[A-Z0-9_ ]{1,16}$" },
    from: date,
    to: date,
    by: { enum: ["study", "arrival"] },
    received: { type: "boolean" },
  },
};

const namedBody = { type: "object", additionalProperties: false, required: ["study"], properties: { study: token } };

interface Named {
  Params: { id: string };
}

/** Studies on their way out: one at once, many when a second administrator has confirmed. */
export function registerExports(server: FastifyInstance, parts: ApiParts): void {
  const { exporting, confirmations, people, gate, log, actorOf } = parts;
  const answer = confirmationAnswers(people);
  const type = "application/octet-stream";

  server.post<{ Body: StudyExportRequest }>(
    "/api/exports/study",
    { schema: { body: studyBody } },
    async (request, reply) => {
      const { study, received } = request.body;
      const given = await exporting.study(actorOf(request), study, received);
      return reply.type(type).send(Readable.from(framesOf(given, log), { objectMode: false }));
    },
  );

  server.post<{ Body: BulkExportRequest }>("/api/exports", { schema: { body: bulkBody } }, async (request) => {
    const actor = actorOf(request);
    // Who may not ask is not told what there is.
    const plan = await gate.pass(actor, "confirmation.request", undefined, () => exporting.plan(request.body));
    return answer(actor, await confirmations.request(actor, "archive.export", plan.on, plan.detail));
  });

  server.get<Named>("/api/exports/:id", (request): Promise<BulkExportStudies> => {
    const { id } = request.params;
    const on = { kind: "confirmation", id } as const;
    return confirmations.goOn(actorOf(request), id, "archive.export", on, (_grant, { on: plan }) =>
      exporting.open(plan.id),
    );
  });

  server.post<Named & { Body: Pick<StudyExportRequest, "study"> }>(
    "/api/exports/:id/study",
    { schema: { body: namedBody } },
    async (request, reply) => {
      const { study } = request.body;
      const on = { kind: "study", id: study } as const;
      const given = await confirmations.goOn(
        actorOf(request),
        request.params.id,
        "archive.export",
        on,
        (pass, { on: plan }) => exporting.given(pass, plan.id, study),
      );
      return reply.type(type).send(Readable.from(framesOf(given, log), { objectMode: false }));
    },
  );

  server.delete<Named>("/api/exports/:id", async (request, reply) => {
    const { id } = request.params;
    const on = { kind: "confirmation", id } as const;
    await confirmations.goOn(actorOf(request), id, "archive.export", on, (_grant, { on: plan }) =>
      exporting.end(plan.id),
    );
    return reply.status(204).send();
  });
}

const frameBytesMax = 1024 * 1024;

async function* framesOf({ instances }: GivenStudy, log: Log): AsyncGenerator<Uint8Array> {
  const json = function* (kind: ExportFrameKind, about: ExportedInstance | ProblemView) {
    const payload = Buffer.from(JSON.stringify(about), "utf8");
    yield exportFrameHead(kind, payload.length);
    yield payload;
  };
  try {
    for (const [at, bytes] of instances.entries()) {
      yield* json("instance", { number: at + 1, of: instances.length });
      for await (const piece of bytes()) {
        for (let from = 0; from < piece.length; from += frameBytesMax) {
          const part = piece.subarray(from, from + frameBytesMax);
          yield exportFrameHead("bytes", part.length);
          yield part;
        }
      }
      yield exportFrameHead("end", 0);
    }
    yield exportFrameHead("whole", 0);
  } catch (error) {
    const { code, message, remedy } = asProblem(error, "exporting a study");
    log.error("a study could not be exported", {}, error);
    yield* json("problem", { code, message, ...(remedy !== undefined && { remedy }) });
  }
}
