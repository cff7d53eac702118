import { isIP } from "node:net";
import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { Problem } from "#base/problem";
import { type AccessStore, type Device, deviceRights, type WaitingCaller } from "./access-store.ts";
import { createFacilities } from "./facilities.ts";

const waitingMax = 100;
/** A device's last call is written at most this often. */
const touchEveryMs = 60_000;

/** The machines that may speak DICOM to us, and those that tried. */
export interface Devices {
  /** The device with this AE title at this address; undefined (and noted as waiting) when there is none. */
  admit(ae: string, address: string): Promise<Device | undefined>;
  list(): Promise<Device[]>;
  /** `facility` is the token of the one that it stands in; one that is known is put there. Problem `absent` when there is no such facility. */
  add(ae: string, address: string, facility?: string): Promise<Device>;
  /** Problem `absent` when there is no such device. */
  remove(which: { readonly id: string } | { readonly ae: string; readonly address?: string }): Promise<void>;
  waiting(): Promise<WaitingCaller[]>;
  dismiss(ae: string, address: string): Promise<void>;
  /** Whether it was removed since this process began: what it has open counts no more. */
  isRemoved(id: string): boolean;
  /** Told of each that is removed. Returns how to stop watching. */
  watchRemoved(listener: (device: Device) => void): () => void;
  /** Returns how to stop watching. */
  watchWaiting(listener: (caller: WaitingCaller) => void): () => void;
}

export function createDevices(parts: { store: AccessStore; clock: Clock; random: Random }): Devices {
  const { store, clock, random } = parts;
  const facilities = createFacilities(parts);
  const listeners = new Set<(caller: WaitingCaller) => void>();
  const removed = new Set<string>();
  const removing = new Set<(device: Device) => void>();

  const noteWaiting = async (ae: string, address: string): Promise<void> => {
    await store.noteWaiting(ae, address, clock.now(), waitingMax);
    const noted = (await store.waiting()).find((caller) => caller.ae === ae && caller.address === address);
    if (noted !== undefined) for (const listener of listeners) listener(noted);
  };

  return {
    async admit(ae, calledFrom) {
      const address = canonicalAddress(calledFrom) ?? calledFrom;
      const device = (await store.devices()).find((known) => known.ae === ae && known.address === address);
      if (device === undefined) {
        await noteWaiting(ae, address);
        return undefined;
      }
      const now = clock.now();
      if (now - device.lastSeenAt >= touchEveryMs) await store.touchDevice(device.id, now);
      return device;
    },
    list: () => store.devices(),
    async add(ae, address, facility) {
      const canonical = canonicalAddress(address.trim());
      if (!isAeTitle(ae.trim())) {
        const remedy = "1 to 16 printable characters, no backslash, as the machine sends it";
        throw new Problem("invalid", "not an AE title", { remedy });
      }
      if (canonical === undefined) {
        throw new Problem("invalid", "not an IP address", { remedy: "type the machine's IPv4 or IPv6 address" });
      }
      const there = (await store.devices()).find((known) => known.ae === ae.trim() && known.address === canonical);
      const standsIn = facility === undefined ? (there?.facility ?? "") : await facilities.require(facility);
      if (there !== undefined && there.facility === standsIn) return there;
      const made = { id: newToken(random), ae: ae.trim(), address: canonical, createdAt: clock.now(), lastSeenAt: 0 };
      const sends = { port: 0, tls: false, may: deviceRights, certificate: "" };
      const device = { ...(there ?? { ...made, ...sends }), facility: standsIn };
      await store.putDevice(device);
      return device;
    },
    async remove(which) {
      const devices = await store.devices();
      const matching = devices.filter((device) =>
        "id" in which
          ? device.id === which.id
          : device.ae === which.ae && (which.address === undefined || device.address === which.address),
      );
      if (matching.length === 0) {
        throw new Problem("absent", "no such device", { remedy: "leadglass device list shows those there are" });
      }
      for (const device of matching) {
        await store.removeDevice(device.id);
        removed.add(device.id);
        for (const listener of removing) listener(device);
      }
    },
    isRemoved: (id) => removed.has(id),
    watchRemoved(listener) {
      removing.add(listener);
      return () => removing.delete(listener);
    },
    waiting: () => store.waiting(),
    dismiss: (ae, address) => store.forgetWaiting(ae, address),
    watchWaiting(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** PS3.8 §7.1.1: up to 16 characters of the default repertoire, no backslash, no control characters, not only blanks. */
function isAeTitle(text: string): boolean {
  return /^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(text) && text.trim() !== "";
}

/** One text for one address: IPv4 seen through IPv6 as IPv4, IPv6 compressed and without a zone. */
export function canonicalAddress(address: string): string | undefined {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return canonicalAddress(mapped[1]);
  const bare = address.replace(/%.*$/, "");
  if (isIP(bare) === 4) return bare;
  if (isIP(bare) === 6) return new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  return undefined;
}
