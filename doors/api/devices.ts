import type { FastifyInstance } from "fastify";
import type { DeviceRequest, DeviceView, WaitingView } from "#formats/api";
import type { Device } from "#trust/access";
import type { ApiParts } from "./parts.ts";
import { textObject } from "./schemas.ts";

const callerSchema = textObject({ ae: 16, address: 64 });
const deviceSchema = textObject({ ae: 16, address: 64 }, { facility: 32 });

/** The machines that may send, and those that wait to be admitted. */
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
    (request): Promise<DeviceView> =>
      gate.pass(actorOf(request), "device.write", undefined, async () => {
        const { ae, address, facility } = request.body;
        return viewOf(await devices.add(ae, address, facility));
      }),
  );

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
function tokenOrNone(id: string): string {
  return /^[0-9a-f]{32}$/.test(id) ? id : "unknown";
}

function viewOf({ id, ae, address, facility, createdAt, lastSeenAt }: Device): DeviceView {
  return { id, ae, address, facility, createdAt, lastSeenAt };
}
