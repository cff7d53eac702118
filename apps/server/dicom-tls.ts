import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { type Incoming, secureEntrance } from "#doors/dimse";
import type { DeviceAuthority } from "./device-authority.ts";
import type { DicomSide } from "./dicom.ts";
import { createTally } from "./tally.ts";

/**
 * How machines come in over TLS, whatever they then speak: whoever shows the certificate of a machine of one of the homes, and says
 * afterwards by its title which machine it is and which home it wants.
 */
export async function machineEntrance(parts: {
  readonly authority: () => Promise<DeviceAuthority>;
  /** Of the homes in service. */
  readonly sides: () => readonly DicomSide[];
  readonly clock: Clock;
  readonly log: Log;
}): Promise<Incoming> {
  const { sides, clock, log } = parts;
  const { certificate, own } = await parts.authority();
  const tell = createTally({ clock, log });
  return secureEntrance({
    own,
    authorities() {
      const all = sides().flatMap((side) => side.authorities);
      // Machines with a certificate of ours choose it by our name in the list.
      return all.length === 0 ? [] : [certificate, ...new Set(all)];
    },
    async objection(shown) {
      const objections = await Promise.all(sides().map((side) => side.objection(shown)));
      return objections.includes(undefined) ? undefined : objections[0];
    },
    refused: (reason, address) => tell(`${reason}, from ${address}`),
    clock,
  });
}
