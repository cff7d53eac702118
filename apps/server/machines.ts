import { isProblem, Problem } from "#base/problem";
import type { OpenTo, PeerServices, StoreRequest } from "#doors/dimse";
import {
  type Actor,
  actorOf,
  type Device,
  type Devices,
  type StandingDevice,
  scopeOf,
  takesImages,
} from "#trust/access";
import type { DeviceCalls } from "./device-calls.ts";
import { receivingFor } from "./dicom.ts";

/** A registered machine that we may call. Problem `absent` for one that is not registered or takes no associations. */
export async function machineNamed(devices: Devices, id: string): Promise<StandingDevice> {
  const device = await devices.named(id);
  if (takesImages(device)) return device;
  throw new Problem("absent", "this machine takes no associations", {
    remedy: "leadglass device add AE --address A --port P says where it takes them",
  });
}

export function actorFor(device: StandingDevice): Actor {
  return actorOf("device", device.id, { scope: scopeOf(device), isLive: device.isStanding });
}

/** How what a machine sends on an association of ours comes in: as if it had called. */
export function receivingFrom(parts: Parameters<typeof receivingFor>[0], device: StandingDevice) {
  const receive = receivingFor(parts, actorFor(device), device.facility);
  return (request: StoreRequest) => receive({ ...request, callingAe: device.ae });
}

/**
 * Opens associations to a machine. One that refuses us today may be told of us tomorrow: Problem `unavailable`. What opens after the abort
 * is aborted.
 */
export function openTo(
  deviceCalls: Pick<DeviceCalls, "open">,
  device: Device,
  signal: AbortSignal,
  serves?: PeerServices,
): OpenTo {
  return async (contexts) => {
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {});
    const abort = () => aborted.reject(new Problem("unavailable", "called off"));
    signal.addEventListener("abort", abort);
    const opening = deviceCalls.open(device, contexts, serves);
    try {
      return await Promise.race([opening, aborted.promise]);
    } catch (error) {
      opening.then((association) => association.abort()).catch(() => {});
      if (isProblem(error, "denied")) throw new Problem("unavailable", error.message, { cause: error });
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };
}
