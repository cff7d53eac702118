import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { createDimseDoor, type DimseDoor, storagePolicy } from "#doors/dimse";
import type { Archive } from "#radiology/archive";
import { type Actor, actorOf, anonymous, type Devices, type Gate } from "#trust/access";
import type { Configuration } from "./configuration.ts";

interface DicomParts {
  readonly archive: Archive;
  readonly devices: Devices;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Log;
}

/** The DICOM side of the facility: known machines come in by AE title and address, and store. */
export function createDicom(configuration: Configuration, parts: DicomParts): DimseDoor {
  const { archive, devices, gate, clock, log } = parts;
  return createDimseDoor<Actor>({
    callers: {
      async admit({ callingAe, calledAe, address }) {
        if (calledAe !== configuration.aeTitle) return { admitted: false, reason: "called-ae" };
        const device = await devices.admit(callingAe, address);
        if (device === undefined) {
          await gate.pass(anonymous, "association.open", undefined, async () => {}).catch(() => {});
          return { admitted: false, reason: "calling-ae" };
        }
        const actor = actorOf("device", device.id);
        await gate.pass(actor, "association.open", { kind: "device", id: device.id }, async () => {});
        return { admitted: true, actor };
      },
    },
    services: {
      echo: (actor) => gate.pass(actor, "dicom.echo", undefined, async () => {}),
      store(actor, { sopClassUid, sopInstanceUid, transferSyntaxUid, callingAe }) {
        const receiving = archive.receiveDataSet(actor, {
          sopClassUid,
          sopInstanceUid,
          transferSyntaxUid,
          sourceAe: callingAe,
        });
        return {
          write: receiving.write,
          finish: async () => {
            await receiving.finish();
          },
          abort: () => {
            receiving.abort().catch((error) => log.warn("an unfinished instance was not put away", {}, error));
          },
        };
      },
    },
    policy: storagePolicy({
      privateSopClasses: true,
      newerSopClasses: true,
    }),
    clock,
    log,
    limits: { associationsMax: configuration.associationsMax },
  });
}
