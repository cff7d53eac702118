import type { FastifyInstance } from "fastify";
import type { FacilityRequest, FacilityView } from "#formats/api";
import type { ApiParts } from "./parts.ts";
import { textObject } from "./schemas.ts";

const facilitySchema = textObject({ name: 256 });

/** The places that machines stand in and that people may be granted. */
export function registerFacilities(server: FastifyInstance, parts: ApiParts): void {
  const { facilities, gate, actorOf } = parts;

  server.get(
    "/api/facilities",
    (request): Promise<FacilityView[]> =>
      gate.pass(actorOf(request), "facility.read", undefined, () => facilities.list()),
  );

  server.post<{ Body: FacilityRequest }>(
    "/api/facilities",
    { schema: { body: facilitySchema } },
    (request): Promise<FacilityView> =>
      gate.pass(actorOf(request), "facility.write", undefined, () => facilities.add(request.body.name)),
  );

  server.put<{ Params: { id: string }; Body: FacilityRequest }>(
    "/api/facilities/:id",
    { schema: { body: facilitySchema } },
    (request): Promise<FacilityView> =>
      gate.pass(actorOf(request), "facility.write", undefined, () =>
        facilities.rename(request.params.id, request.body.name),
      ),
  );
}
