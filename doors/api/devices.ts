import type { FastifyInstance } from "fastify";
import {
  type DeviceAdded,
  type DeviceProofRequest,
  type DeviceRequest,
  type DeviceView,
  deviceRights,
  type EchoView,
  type WaitingView,
} from "#formats/api";
import { boundToKey, boundToName, type Device } from "#trust/access";
import type { ApiParts } from "./parts.ts";
import { textObject } from "./schemas.ts";

const callerSchema = textObject({ ae: 16, address: 64 });
const proofSchema = (kind: DeviceProofRequest["kind"], value: string) => ({
  type: "object",
  additionalProperties: false,
  required: ["kind", value],
  properties: { kind: { const: kind }, [value]: { type: "string", maxLength: 16_384 } },
});
const deviceSchema = {
  type: "object",
  additionalProperties: false,
  required: ["ae", "address"],
  properties: {
    ae: { type: "string", maxLength: 16 },
    address: { type: "string", maxLength: 64 },
    facility: { type: "string", maxLength: 32 },
    port: { type: "integer", minimum: 0, maximum: 65_535 },
    tls: { type: "boolean" },
    proof: {
      oneOf: [
        proofSchema("certificate", "certificate"),
        proofSchema("request", "request"),
        proofSchema("name", "name"),
      ],
    },
    may: { type: "array", minItems: 1, maxItems: deviceRights.length, items: { type: "string", enum: deviceRights } },
  },
} as const;

/** The machines that speak DICOM with us, and those that wait to be admitted. */
export function registerDevices(server: FastifyInstance, parts: ApiParts): void {
  const { devices, gate, actorOf } = parts;

  server.get(
    "/api/devices",
    (request): Promise<DeviceView[]> =>
      gate.pass(actorOf(request), "device.read", undefined, async () => (await devices.list()).map(viewOf)),
  );

  server.post<{ Body: DeviceRequest }>(
    "/api/devices",
    { schema: { body: deviceSchema } },
    (request): Promise<DeviceAdded> =>
      gate.pass(actorOf(request), "device.write", undefined, async () => {
        const { ae, address, proof, ...terms } = request.body;
        if (proof?.kind !== "request") {
          const certificate =
            proof && (proof.kind === "name" ? boundToName(proof.name) : boundToKey(proof.certificate));
          return viewOf(
            await devices.add(ae, address, { ...terms, ...(certificate !== undefined && { certificate }) }),
          );
        }
        const authority = await parts.deviceAuthority();
        const issued = { certificate: await authority.issue(proof.request, ae), authority: authority.certificate };
        const bound = { ...terms, certificate: boundToKey(issued.certificate) };
        return { ...viewOf(await devices.add(ae, address, bound)), issued };
      }),
  );

  server.post<{ Params: { id: string } }>("/api/devices/:id/echo", (request): Promise<EchoView> => {
    const { id } = request.params;
    return gate.pass(actorOf(request), "device.call", { kind: "device", id: tokenOrNone(id) }, async () => ({
      ms: await parts.echoDevice(await devices.named(id)),
    }));
  });

  server.delete<{ Params: { id: string } }>("/api/devices/:id", async (request, reply) => {
    const { id } = request.params;
    await gate.pass(actorOf(request), "device.write", { kind: "device", id: tokenOrNone(id) }, () =>
      devices.remove({ id }),
    );
    return reply.status(204).send();
  });

  server.get(
    "/api/devices/waiting",
    (request): Promise<WaitingView[]> => gate.pass(actorOf(request), "device.read", undefined, () => devices.waiting()),
  );

  server.delete<{ Body: DeviceRequest }>(
    "/api/devices/waiting",
    { schema: { body: callerSchema } },
    async (request, reply) => {
      const { ae, address } = request.body;
      await gate.pass(actorOf(request), "device.write", undefined, () => devices.dismiss(ae, address));
      return reply.status(204).send();
    },
  );
}

/** Only what looks like a token of ours goes into the log; anything else came from the caller. */
export function tokenOrNone(id: string): string {
  return /^[0-9a-f]{32}$/.test(id) ? id : "unknown";
}

function viewOf({ certificate, ...device }: Device): DeviceView {
  return { ...device, hasCertificate: certificate !== "" };
}
