import type { FastifyInstance } from "fastify";
import type { ScheduledView, WorklistView } from "#formats/api";
import { readFile } from "#formats/dicom";
import type { ApiParts } from "./parts.ts";

const stepsMax = 1_000;

/** What is to be done on which machine. Until something plans it here, worklist files say so. */
export function registerWorklist(server: FastifyInstance, parts: ApiParts): void {
  const { schedule, facilities, actorOf } = parts;

  server.get("/api/worklist", async (request): Promise<WorklistView> => {
    const steps = await schedule.list(actorOf(request));
    return { steps: steps.slice(0, stepsMax), total: steps.length };
  });

  server.delete<{ Params: { id: string } }>("/api/worklist/:id", async (request, reply) => {
    await schedule.remove(actorOf(request), request.params.id);
    return reply.status(204).send();
  });

  server.register(async (scope) => {
    scope.addContentTypeParser("application/dicom", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    scope.post<{ Querystring: { facility?: string } }>(
      "/api/worklist",
      { schema: { querystring: facilityQuery } },
      async (request): Promise<ScheduledView> => {
        const { body, query } = request;
        const facility = await facilities.require(query.facility ?? "");
        const item = () => readFile(body instanceof Uint8Array ? body : new Uint8Array(0)).dataSet;
        return schedule.put(actorOf(request), item, facility);
      },
    );
  });
}

const facilityQuery = {
  type: "object",
  additionalProperties: false,
  properties: { facility: { type: "string", maxLength: 64 } },
} as const;
