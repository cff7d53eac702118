import { isIP } from "node:net";
import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import { isLoopback, isPrivate } from "#base/io";
import { Problem } from "#base/problem";
import { type DeviceRight, deviceRights, usualDeviceRights } from "#formats/api";
import type { AccessStore, Device, WaitingCaller } from "./access-store.ts";
import type { Act, Scope } from "./acts.ts";
import { type DeviceProof, isProven } from "./device-certificates.ts";
import { createFacilities } from "./facilities.ts";
import { createTitleGuesses } from "./title-guesses.ts";

/** The address of a machine that calls from here and there: its certificate alone says who it is. */
export const anyAddress = "any";
const waitingMax = 100;
/** A device's last call is written at most this often. */
const touchEveryMs = 60_000;

/** The machines that may speak DICOM or HL7 to us, and those that tried. */
export interface Devices {
  /**
   * The device with this AE title at this address; undefined (and noted as waiting) when there is none. One that was given a certificate
   * comes in with that alone, and only it comes in with one.
   */
  admit(ae: string, address: string, proof?: DeviceProof): Promise<StandingDevice | undefined>;
  /** Whether any device may come in with it. */
  isAnyBoundTo(proof: DeviceProof): Promise<boolean>;
  /** Whether the device with this AE title at this address comes in with a certificate alone. */
  needsCertificate(ae: string, address: string): Promise<boolean>;
  list(): Promise<Device[]>;
  /** One that is known is changed as the terms say. Problem `absent` when there is no such facility. */
  add(ae: string, address: string, terms?: DeviceTerms): Promise<Device>;
  /** The machine with this title that takes associations; undefined where there is none, or more than one. */
  destination(ae: string): Promise<Device | undefined>;
  /** Problem `absent` when there is no such device. */
  named(id: string): Promise<StandingDevice>;
  /** Problem `absent` when there is no such device. */
  remove(which: { readonly id: string } | { readonly ae: string; readonly address?: string }): Promise<void>;
  waiting(): Promise<WaitingCaller[]>;
  dismiss(ae: string, address: string): Promise<void>;
  /** Told of each that ends to be what it was. Returns how to stop watching. */
  watchChanged(listener: (device: Device) => void): () => void;
  /** Returns how to stop watching. */
  watchWaiting(listener: (caller: WaitingCaller) => void): () => void;
  /** Told when one address has tried one AE title after the other, and is not heard for a while. Returns how to stop watching. */
  watchGuessing(listener: () => void): () => void;
}

export interface StandingDevice extends Device {
  /** Whether it still is what it was: else it was removed, or is let do other things, and what it has open counts no more. */
  isStanding(): boolean;
}

/** What may be said of a device beside its name; what is left out stays as it is. */
export interface DeviceTerms {
  /** Token of the facility that it stands in; empty: of none. */
  readonly facility?: string;
  /** Where it takes associations; 0: nowhere. */
  readonly port?: number;
  readonly tls?: boolean;
  readonly may?: readonly DeviceRight[];
  /** What it must show over TLS, as `boundToKey` or `boundToName` has it. */
  readonly certificate?: string;
}

/** What each right lets a machine do. */
const rightActs: Readonly<Record<DeviceRight, readonly Act[]>> = {
  store: ["instance.store", "study.reject", "commitment.request", "commitment.answer"],
  find: ["study.search", "study.view"],
  retrieve: ["study.search", "study.read", "device.call"],
  worklist: ["worklist.read", "step.perform", "step.read"],
  notify: [],
  orders: ["message.receive", "worklist.write"],
  patients: ["message.receive", "patient.correct", "patient.merge"],
  results: [],
  status: [],
};

/** A machine may do what it was let do, and look at what lies in its facility, where it stands in one. */
export function scopeOf({ may, facility }: Pick<Device, "may" | "facility">): Scope {
  return {
    acts: ["association.open", "dicom.echo", ...new Set(may.flatMap((right) => rightActs[right]))],
    places: facility === "" ? [] : [{ kind: "facility", id: facility }],
  };
}

export function createDevices(parts: { store: AccessStore; clock: Clock; random: Random }): Devices {
  const { store, clock, random } = parts;
  const facilities = createFacilities(parts);
  const listeners = new Set<(caller: WaitingCaller) => void>();
  const guessing = new Set<() => void>();
  const guesses = createTitleGuesses(clock);
  const changing = new Set<(device: Device) => void>();
  /** Changes since this process began are counted; by device the last of its own. */
  let changes = 0;
  const lastChange = new Map<string, number>();
  const changed = (device: Device): void => {
    lastChange.set(device.id, ++changes);
    for (const listener of changing) listener(device);
  };
  const noteWrongTitle = async (ae: string, address: string): Promise<void> => {
    if (guesses.wrong(ae, address)) for (const listener of guessing) listener();
    await noteWaiting(ae, address);
  };
  const standing = (device: Device, since: number): StandingDevice => ({
    ...device,
    isStanding: () => (lastChange.get(device.id) ?? 0) <= since,
  });

  const noteWaiting = async (ae: string, address: string): Promise<void> => {
    await store.noteWaiting(ae, address, clock.now(), waitingMax);
    const noted = (await store.waiting()).find((caller) => caller.ae === ae && caller.address === address);
    if (noted !== undefined) for (const listener of listeners) listener(noted);
  };

  return {
    async admit(ae, calledFrom, proof) {
      const since = changes;
      const address = canonicalAddress(calledFrom) ?? calledFrom;
      // Certificates are not guessed.
      if (proof === undefined && guesses.isShutOut(address)) return undefined;
      const titled = (await store.devices()).filter((known) => known.ae === ae);
      const here = titled.find((known) => known.address === address);
      const proven = proof && titled.filter(({ certificate }) => isProven(certificate, proof));
      const device = proven
        ? proven.find((known) => known === here || known.address === anyAddress)
        : here?.certificate === "" && here;
      if (!device) {
        // Who is known came without its certificate, and who came with one has been given it: to admit them would help neither.
        const isKnown = here !== undefined || titled.some((known) => known.address === anyAddress);
        if (!isKnown && proof === undefined) await noteWrongTitle(ae, address);
        return undefined;
      }
      const now = clock.now();
      if (now - device.lastSeenAt >= touchEveryMs) await store.touchDevice(device.id, now);
      return standing(device, since);
    },
    async isAnyBoundTo(proof) {
      return (await store.devices()).some(({ certificate }) => isProven(certificate, proof));
    },
    async needsCertificate(ae, calledFrom) {
      const addresses = [anyAddress, canonicalAddress(calledFrom) ?? calledFrom];
      const titled = (await store.devices()).filter((known) => known.ae === ae && addresses.includes(known.address));
      return titled.some(({ certificate }) => certificate !== "");
    },
    list: () => store.devices(),
    async add(ae, address, terms = {}) {
      const canonical = address.trim() === anyAddress ? anyAddress : canonicalAddress(address.trim());
      if (!isAeTitle(ae.trim())) {
        const remedy = "1 to 16 printable characters, no backslash, as the machine sends it";
        throw new Problem("invalid", "not an AE title", { remedy });
      }
      if (canonical === undefined) {
        const remedy = "type the machine's IPv4 or IPv6 address, or any where it has a certificate";
        throw new Problem("invalid", "not an IP address", { remedy });
      }
      const there = (await store.devices()).find((known) => known.ae === ae.trim() && known.address === canonical);
      const made = { id: newToken(random), ae: ae.trim(), address: canonical, createdAt: clock.now(), lastSeenAt: 0 };
      const usual = { facility: "", port: 0, tls: false, may: usualDeviceRights, certificate: "" };
      const before = there ?? { ...made, ...usual };
      const device = { ...before, ...(await checked(terms, facilities.require)) };
      requireReachable(device);
      if (there !== undefined && JSON.stringify(device) === JSON.stringify(there)) return there;
      await store.putDevice(device);
      if (there !== undefined && !doesTheSame(device, there)) changed(there);
      return device;
    },
    async destination(ae) {
      const [device, ...others] = (await store.devices()).filter((known) => known.ae === ae && takesImages(known));
      return others.length === 0 ? device : undefined;
    },
    async named(id) {
      const since = changes;
      const device = (await store.devices()).find((known) => known.id === id);
      if (device === undefined) throw noSuchDevice();
      return standing(device, since);
    },
    async remove(which) {
      const devices = await store.devices();
      const matching = devices.filter((device) =>
        "id" in which
          ? device.id === which.id
          : device.ae === which.ae && (which.address === undefined || device.address === which.address),
      );
      if (matching.length === 0) throw noSuchDevice();
      for (const device of matching) {
        await store.removeDevice(device.id);
        changed(device);
      }
    },
    watchChanged(listener) {
      changing.add(listener);
      return () => changing.delete(listener);
    },
    waiting: () => store.waiting(),
    dismiss: (ae, address) => store.forgetWaiting(ae, address),
    watchGuessing(listener) {
      guessing.add(listener);
      return () => guessing.delete(listener);
    },
    watchWaiting(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function noSuchDevice(): Problem {
  return new Problem("absent", "no such device", { remedy: "leadglass device list shows those there are" });
}

/** Whether its port takes HL7 messages, and no DICOM associations. */
export const takesMessages = ({ may }: Pick<Device, "may">): boolean =>
  may.includes("results") || may.includes("status");

/** Whether it takes associations, and so images. */
export const takesImages = (device: Pick<Device, "may" | "port">): boolean => device.port > 0 && !takesMessages(device);

/** A machine without an address is known by its certificate alone, and nobody knows where to call it. */
function requireReachable(device: Device): void {
  const { address, certificate, port, tls } = device;
  if (takesMessages(device) && port === 0) {
    throw new Problem("invalid", "what is sent by HL7 needs a port to go to", {
      remedy: "--port P says where it listens",
    });
  }
  if (takesMessages(device) && !tls && !isLoopback(address) && !isPrivate(address)) {
    throw new Problem("invalid", "HL7 without TLS goes to loopback or a private address alone", {
      remedy: "--tls, with the certificate that it shows: --trust FILE or --subject NAME",
    });
  }
  if (address === anyAddress && certificate === "") {
    const remedy = "--certificate DIR gives it one, --trust FILE takes the one that it has";
    throw new Problem("invalid", "a machine at any address needs a certificate", { remedy });
  }
  if (address === anyAddress && port > 0) {
    throw new Problem("invalid", "a machine at any address takes no images: nobody knows where", {
      remedy: "type its address, or leave --port away",
    });
  }
  if (tls && certificate === "") {
    const remedy = "--certificate DIR gives it one, --trust FILE takes the one that it has";
    throw new Problem("invalid", "a machine that is called over TLS needs a certificate to be known by", { remedy });
  }
}

async function checked(
  { facility, port, tls, may, certificate }: DeviceTerms,
  requireFacility: (id: string) => Promise<string>,
): Promise<DeviceTerms> {
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new Problem("invalid", "not a port", { remedy: "1 to 65535, where the machine takes images; 0 for nowhere" });
  }
  if (may?.length === 0 || may?.some((right) => !deviceRights.includes(right))) {
    throw new Problem("invalid", "not what a device can be let do", { remedy: `some of ${deviceRights.join(",")}` });
  }
  return {
    ...(facility !== undefined && { facility: await requireFacility(facility) }),
    ...(port !== undefined && { port }),
    ...(tls !== undefined && { tls }),
    ...(certificate !== undefined && { certificate }),
    ...(may !== undefined && { may: deviceRights.filter((right) => may.includes(right)) }),
  };
}

function doesTheSame(one: Device, other: Device): boolean {
  const { facility, may, certificate } = other;
  return one.facility === facility && one.may.join() === may.join() && one.certificate === certificate;
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
