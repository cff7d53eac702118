import type { FastifyInstance } from "fastify";
import type { ParcelKeyView } from "#formats/api";
import type { ApiParts } from "./parts.ts";

/** What edges seal to, for who looks after the cloud. */
export function registerParcelKeys(server: FastifyInstance, { edgeCertificates, gate, actorOf }: ApiParts): void {
  server.post(
    "/api/edges/parcel-key",
    (request): Promise<ParcelKeyView> =>
      gate.pass(actorOf(request), "edge.change-key", undefined, () => edgeCertificates.changeParcelKey()),
  );

  server.delete(
    "/api/edges/parcel-key/former",
    (request): Promise<ParcelKeyView> =>
      gate.pass(actorOf(request), "edge.change-key", undefined, () => edgeCertificates.forgetFormerKeys()),
  );
}
