import type { Clock } from "#base/clock";
import type { Log } from "#base/log";
import { Problem } from "#base/problem";
import {
  type AssociationProposal,
  dial,
  type OutboundAssociation,
  openAssociation,
  type PeerServices,
  type SenderOptions,
} from "#doors/dimse";
import type { Device } from "#trust/access";

/** Associations of ours to machines that are registered here, each at the address that it is known by. */
export interface DeviceCalls {
  /** Problem `invalid` for one that takes no associations; `denied`, `busy` or `unavailable` as the machine answers. */
  open(device: Device, contexts: AssociationProposal["contexts"], serves?: PeerServices): Promise<OutboundAssociation>;
  /** C-ECHO: milliseconds from our asking to its answer. */
  echo(device: Device): Promise<number>;
}

const verification = { sopClassUid: "1.2.840.10008.1.1", transferSyntaxUids: ["1.2.840.10008.1.2"] };
/** Whoever waits for an echo is looking at a clock. */
const echoMs = 10_000;

export function createDeviceCalls(parts: { aeTitle: string; clock: Clock; log: Log }): DeviceCalls {
  const { aeTitle, clock, log } = parts;
  const open = async (
    { ae, address, port, tls }: Device,
    contexts: AssociationProposal["contexts"],
    more: Pick<SenderOptions, "associateMs" | "dimseMs" | "serves"> = {},
  ) => {
    if (port === 0) {
      throw new Problem("invalid", "this machine takes no associations", {
        remedy: "leadglass device add AE --address A --port P says where it takes them",
      });
    }
    if (tls) throw new Problem("unsupported", "machines are not called over TLS yet");
    const proposal = { callingAe: aeTitle, calledAe: ae, contexts };
    return openAssociation(dial({ host: address, port }), proposal, { clock, log, ...more });
  };
  return {
    open: (device, contexts, serves) => open(device, contexts, serves && { serves }),
    async echo(device) {
      const beganMs = clock.monotonicMs();
      const association = await open(device, [verification], { associateMs: echoMs, dimseMs: echoMs });
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
