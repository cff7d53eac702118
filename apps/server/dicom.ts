import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import {
  type Admission,
  type AssociationClaim,
  createDimseDoor,
  type DimseDoor,
  type DimseServices,
  storagePolicy,
} from "#doors/dimse";
import type { Archive } from "#radiology/archive";
import { type Actor, actorOf, anonymous, type Devices, type Gate } from "#trust/access";

/** What one home does for machines that call it by its AE title. */
export interface DicomSide {
  admit(claim: AssociationClaim): Promise<Admission>;
}

interface DicomParts {
  readonly archive: Archive;
  readonly devices: Devices;
  readonly gate: Gate;
  readonly log: Log;
}

/** The DICOM side of the facility: known machines come in by AE title and address, and store. */
export function createDicomSide(parts: DicomParts): DicomSide {
  const { devices, gate } = parts;
  return {
    async admit({ callingAe, address }) {
      const device = await devices.admit(callingAe, address);
      if (device === undefined) {
        await gate.pass(anonymous, "association.open", undefined, async () => {}).catch(() => {});
        return { admitted: false, reason: "calling-ae" };
      }
      const actor = actorOf("device", device.id, { isLive: () => !devices.isRemoved(device.id) });
      await gate.pass(actor, "association.open", { kind: "device", id: device.id }, async () => {});
      return { admitted: true, services: servicesFor(parts, actor, device.facility) };
    },
  };
}

/** What a machine may ask for; `facility` is the token of the one that it stands in. */
function servicesFor({ archive, gate, log }: DicomParts, actor: Actor, facility: string): DimseServices {
  return {
    echo: () => gate.pass(actor, "dicom.echo", undefined, async () => {}),
    store({ sopClassUid, sopInstanceUid, transferSyntaxUid, callingAe }) {
      const receiving = archive.receiveDataSet(actor, {
        sopClassUid,
        sopInstanceUid,
        transferSyntaxUid,
        sourceAe: callingAe,
        facility,
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
  };
}

/** The one DICOM listener of an installation: the called AE title chooses whose machines may come in, and to whom all they send goes. */
export function createDicomDoor(parts: {
  /** `out-of-service` for the title of a home that did not open, undefined for one that nobody has. */
  readonly sideOf: (calledAe: string) => DicomSide | "out-of-service" | undefined;
  /** Of one called AE title. */
  readonly associationsMax: number;
  readonly clock: Clock;
  readonly log: Log;
}): DimseDoor {
  const { sideOf, associationsMax, clock, log } = parts;
  return createDimseDoor({
    callers: {
      async admit(claim) {
        const side = sideOf(claim.calledAe);
        if (side === undefined) return { admitted: false, reason: "called-ae" };
        if (side === "out-of-service") return { admitted: false, reason: "busy" };
        return side.admit(claim);
      },
    },
    policy: storagePolicy({
      privateSopClasses: true,
      newerSopClasses: true,
    }),
    clock,
    log,
    limits: { associationsMax },
  });
}
