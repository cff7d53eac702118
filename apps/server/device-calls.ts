import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import {
  type AssociationProposal,
  dial,
  dialSecurely,
  type OutboundAssociation,
  openAssociation,
  type PeerServices,
  plainContext,
  type SenderOptions,
  verificationSopClass,
} from "#doors/dimse";
import { type Device, isProven, takesImages } from "#trust/access";
import type { DeviceAuthority } from "./device-authority.ts";
import type { DeviceTrust } from "./device-trust.ts";

/** Associations of ours to machines that are registered here, each at the address that it is known by. */
export interface DeviceCalls {
  /** Problem `invalid` for one that takes no associations; `denied`, `busy` or `unavailable` as the machine answers. */
  open(device: Device, contexts: AssociationProposal["contexts"], serves?: PeerServices): Promise<OutboundAssociation>;
  /** C-ECHO: milliseconds from our asking to its answer. */
  echo(device: Device): Promise<number>;
}

/** Whoever waits for an echo is looking at a clock. */
const echoMs = 10_000;

/** What it takes to know a machine over TLS, and to be known. */
export interface DialingParts {
  /** What we show over TLS. */
  readonly authority: () => Promise<DeviceAuthority>;
  readonly trust: DeviceTrust;
  readonly clock: Clock;
}

/** A connection over TLS to a machine that shows what it must also show when it calls us. Problems as of `dialSecurely`. */
export async function dialDevice({ authority, trust, clock }: DialingParts, { address, port, certificate }: Device) {
  return dialSecurely(
    { host: address, port },
    {
      own: (await authority()).own,
      authorities: trust.authorities,
      isMeant: async (shown) => isProven(certificate, await trust.proofOf(shown)),
      clock,
    },
  );
}

export interface DeviceCallsParts extends DialingParts {
  readonly aeTitle: string;
  readonly log: Log;
}

export function createDeviceCalls(parts: DeviceCallsParts): DeviceCalls {
  const { aeTitle, clock, log } = parts;
  const open = async (
    device: Device,
    contexts: AssociationProposal["contexts"],
    more: Pick<SenderOptions, "associateMs" | "dimseMs" | "serves"> = {},
  ) => {
    const { ae, address, port, tls } = device;
    if (!takesImages(device)) {
      throw new Problem("invalid", "this machine takes no associations", {
        remedy: "leadglass device add AE --address A --port P says where it takes them",
      });
    }
    const proposal = { callingAe: aeTitle, calledAe: ae, contexts };
    const connection = tls ? await dialDevice(parts, device) : dial({ host: address, port });
    return openAssociation(connection, proposal, { clock, log, ...more });
  };
  return {
    open: (device, contexts, serves) => open(device, contexts, serves && { serves }),
    async echo(device) {
      const beganMs = clock.monotonicMs();
      const association = await open(device, [plainContext(verificationSopClass)], {
        associateMs: echoMs,
        dimseMs: echoMs,
      });
      try {
        const { status } = await association.echo();
        if (status !== 0) throw new Problem("unavailable", `the machine answered with status ${status.toString(16)}`);
        return Math.round(clock.monotonicMs() - beganMs);
      } finally {
        await association.release().catch(() => association.abort());
      }
    },
  };
}
