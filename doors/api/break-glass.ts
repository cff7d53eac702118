import type { FastifyInstance } from "fastify";
import { Problem } from "#base/problem";
import type { BreakGlassRequest, BrokenGlass, BrokenGlassView } from "#formats/api";
import type { EmergencyPatient, Grant } from "#trust/access";
import type { ApiParts } from "./parts.ts";

/** A look in an emergency at a patient for whom one has no grant. */
export function registerBreakGlass(server: FastifyInstance, parts: ApiParts): void {
  const { breakGlass, people, actorOf } = parts;

  server.post<{ Body: BreakGlassRequest }>(
    "/api/break-glass",
    { schema: { body: breakGlassSchema } },
    async (request): Promise<BrokenGlass> => {
      const { reason, ...asked } = request.body;
      return brokenOf(await breakGlass.begin(actorOf(request), parts.sessionOf(request), patientIn(asked), reason));
    },
  );

  server.get("/api/break-glass", async (request): Promise<BrokenGlassView[]> => {
    const actor = actorOf(request);
    const found = await breakGlass.list(actor);
    const names = await people.names();
    return found.map((grant) => ({
      ...brokenOf(grant),
      by: names.of(grant.holder),
      isOwn: grant.holder === actor.id,
      since: grant.givenAt,
    }));
  });

  server.delete<{ Params: { id: string } }>("/api/break-glass/:id", async (request, reply) => {
    await breakGlass.end(actorOf(request), request.params.id);
    return reply.status(204).send();
  });
}

const breakGlassSchema = {
  type: "object",
  additionalProperties: false,
  required: ["reason"],
  properties: {
    patientId: { type: "string", maxLength: 128 },
    issuer: { type: "string", maxLength: 128 },
    accessionNumber: { type: "string", maxLength: 128 },
    reason: { type: "string", maxLength: 2_000 },
  },
} as const;

function patientIn({ patientId = "", issuer = "", accessionNumber = "" }: Omit<BreakGlassRequest, "reason">) {
  const asked: EmergencyPatient =
    accessionNumber === ""
      ? { patientId: patientId.trim(), issuer: issuer.trim() }
      : { accessionNumber: accessionNumber.trim() };
  if ((patientId === "") === (accessionNumber === "")) {
    throw new Problem("invalid", "give the patient's number, or an accession number");
  }
  return asked;
}

function brokenOf({ id, place, endsAt }: Grant): BrokenGlass {
  return { id, patient: place.kind === "tenant" ? "" : place.id, endsAt };
}
