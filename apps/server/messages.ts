import { isProblem, Problem } from "#base/problem";
import { type Connection, connectPlainly, createHl7Sender, type Hl7Sender } from "#doors/hl7";
import { createMessages, type Deliver, type Messages, type MessagesParts, type Partner } from "#radiology/relay";
import { type Device, type Devices, type Gate, system, takesMessages } from "#trust/access";
import { type DialingParts, dialDevice } from "./device-calls.ts";

interface DeliveryParts extends DialingParts {
  readonly devices: Devices;
  readonly gate: Gate;
}

/** A device as a partner that takes messages; none for one that does not. */
export function asPartner(device: Device): Partner[] {
  const { id, ae, facility, may } = device;
  const takes = (["results", "status"] as const).filter((right) => may.includes(right));
  return takesMessages(device) ? [{ id, ae, facility, takes }] : [];
}

/** The messages of one home that come and go, over MLLP. */
export function openMessages(parts: Omit<MessagesParts, "deliver"> & DeliveryParts): Messages {
  const delivery = createDelivery(parts);
  const messages = createMessages({ ...parts, deliver: delivery.deliver });
  return {
    ...messages,
    async close() {
      await messages.close();
      delivery.close();
    },
  };
}

/** One connection to each partner, at the address that it is registered with. */
function createDelivery(parts: DeliveryParts): { readonly deliver: Deliver; close(): void } {
  const { devices, gate, clock } = parts;
  const senders = new Map<string, { readonly at: string; readonly sender: Hl7Sender }>();
  const closing = devices.watchChanged(({ id }) => drop(id));
  const drop = (id: string): void => {
    senders.get(id)?.sender.close();
    senders.delete(id);
  };
  const senderTo = (device: Device): Hl7Sender => {
    const { id, address, port, tls, certificate } = device;
    const at = JSON.stringify([address, port, tls, certificate]);
    const known = senders.get(id);
    if (known?.at === at) return known.sender;
    drop(id);
    const sender = createHl7Sender({ clock, open: () => dialled(parts, device) });
    senders.set(id, { at, sender });
    return sender;
  };
  return {
    async deliver(partner, { bytes, controlId }, signal) {
      const device = await devices.named(partner);
      if (!takesMessages(device)) throw new Problem("absent", "this machine takes no messages any more");
      const end = () => drop(partner);
      signal.addEventListener("abort", end);
      try {
        const sender = senderTo(device);
        await sender.ready();
        const on = { kind: "device", id: partner } as const;
        return await gate.pass(system, "message.send", on, () => sender.send(bytes, controlId));
      } finally {
        signal.removeEventListener("abort", end);
      }
    },
    close() {
      closing();
      for (const id of [...senders.keys()]) drop(id);
    },
  };
}

async function dialled(parts: DeliveryParts, device: Device): Promise<Connection> {
  const { address: host, port, tls } = device;
  if (!tls) return connectPlainly({ host, port });
  try {
    return await dialDevice(parts, device);
  } catch (error) {
    // Another certificate today may be the right one tomorrow: what is queued waits.
    if (isProblem(error, "denied")) throw new Problem("unavailable", error.message, { cause: error });
    throw error;
  }
}
