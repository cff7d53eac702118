import { Problem } from "#base/problem";
import {
  type DeviceAdded,
  type DeviceRequest,
  type DeviceRight,
  type DeviceView,
  deviceRights,
  type EchoView,
  type FacilityView,
  usualDeviceRights,
  type WaitingView,
} from "#formats/api";
import type { Command, CommandContext } from "../arguments.ts";
import type { Call } from "../call.ts";
import { withServer } from "../with-server.ts";
import { certificateOptions, certificateWish } from "./device-certificates.ts";
import { facilityNamed } from "./facilities.ts";

const when = (time: number) => (time === 0 ? "never" : new Date(time).toISOString());

export const deviceAdd: Command = {
  words: "device add",
  takes:
    "AE --address A [--port P] [--tls] [--may store,find,retrieve,worklist,notify,orders,patients,results,status] [--facility NAME] [--certificate DIR | --trust FILE | --subject NAME]",
  does: "admit the machine that calls itself AE at that IP address; one that is known is changed",
  options: {
    address: "A  its IP address; any, for one with a certificate that calls from here and there",
    port: "P  where it takes images that others have sent to it, or HL7 messages; 0 for nowhere",
    may: "WHAT,…  what it may ask for: store, find, retrieve, worklist (all of these); notify: it is told of studies that came; orders, patients: what it sends by HL7; results, status: what it is sent by HL7, at its port",
    facility: "NAME  where it stands, whose studies alone it sees; - for nowhere",
    ...certificateOptions,
  },
  flags: { tls: "at that port it speaks TLS" },
  run: (context) =>
    withServer(context, async (call) => {
      const [ae] = context.positionals;
      const { address } = context.options;
      if (ae === undefined || address === undefined) {
        throw new Problem("invalid", "AE and --address are needed", {
          remedy: "leadglass device add CT1 --address 10.0.0.7",
        });
      }
      const terms = await termsOf(context, call);
      const { proof, write } = await certificateWish(context, ae);
      const request: DeviceRequest = { ae, address, ...terms, ...(proof && { proof }) };
      const device = await call.json<DeviceAdded>("POST", "/api/devices", request);
      const written = await write(device);
      const takes =
        device.port === 0
          ? ""
          : `, and takes what is sent to it at port ${device.port}${device.tls ? " over TLS" : ""}`;
      const shows = device.hasCertificate ? " with its certificate" : "";
      const { issued: _, ...view } = device;
      context.print(`${device.ae} at ${device.address}${shows} may ${device.may.join(", ")}${takes}${written}`, view);
    }),
};

const isUsual = (may: readonly DeviceRight[]) => `${may}` === `${usualDeviceRights}`;

async function termsOf({ options, flags }: CommandContext, call: Call): Promise<Omit<DeviceRequest, "ae" | "address">> {
  const { port, may, facility } = options;
  if (port !== undefined && !/^[0-9]{1,5}$/.test(port)) throw new Problem("invalid", "--port takes a number");
  const given = may?.split(",").map((right) => right.trim() as DeviceRight);
  if (given?.some((right) => !deviceRights.includes(right))) {
    throw new Problem("invalid", "--may takes names of what a machine may ask for", {
      remedy: `some of ${deviceRights}`,
    });
  }
  return {
    ...(port !== undefined && { port: Number(port) }),
    ...((port !== undefined || flags.has("tls")) && { tls: flags.has("tls") }),
    ...(given !== undefined && { may: given }),
    ...(facility !== undefined && { facility: await facilityNamed(call, facility) }),
  };
}

export const deviceList: Command = {
  words: "device list",
  takes: "",
  does: "the machines that may speak DICOM, and those that were rejected and wait",
  run: (context) =>
    withServer(context, async (call) => {
      const devices = await call.json<DeviceView[]>("GET", "/api/devices");
      const facilities = await call.json<FacilityView[]>("GET", "/api/facilities");
      const nameOf = (id: string) => facilities.find((one) => one.id === id)?.name ?? "";
      const waiting = await call.json<WaitingView[]>("GET", "/api/devices/waiting");
      const lines = [
        ...devices.map((device) =>
          [
            device.ae.padEnd(16),
            device.address.padEnd(39),
            (device.port === 0 ? "" : `port ${device.port}${device.tls ? " TLS" : ""}`).padEnd(14),
            (isUsual(device.may) ? "may all" : `may ${device.may}`).padEnd(23),
            (device.hasCertificate ? "certificate" : "").padEnd(11),
            `last seen ${when(device.lastSeenAt)}`,
            nameOf(device.facility),
          ]
            .join("  ")
            .trimEnd(),
        ),
        ...waiting.map(
          ({ ae, address, attempts, lastAt }) =>
            `${ae.padEnd(16)}  ${address.padEnd(39)}  WAITING, ${attempts} attempts, last ${when(lastAt)}`,
        ),
      ];
      context.print(lines.join("\n") || "no devices yet: leadglass device add AE --address A", { devices, waiting });
    }),
};

export const deviceRemove: Command = {
  words: "device remove",
  takes: "AE [--address A]",
  does: "no longer admit that machine",
  options: { address: "A  only at this address" },
  run: (context) =>
    withServer(context, async (call) => {
      const [ae] = context.positionals;
      const chosen = await devicesNamed(call, ae, context.options.address);
      for (const device of chosen) await call.json("DELETE", `/api/devices/${device.id}`);
      context.print(`removed ${chosen.length}`, { removed: chosen });
    }),
};

export const deviceEcho: Command = {
  words: "device echo",
  takes: "AE [--address A]",
  does: "ask that machine whether it answers (C-ECHO), as it would be sent images",
  options: { address: "A  the one at this address" },
  run: (context) =>
    withServer(context, async (call) => {
      const [ae] = context.positionals;
      const [device, ...others] = await devicesNamed(call, ae, context.options.address);
      if (device === undefined || others.length > 0) {
        throw new Problem("invalid", "more than one device has that title", { remedy: "--address A says which" });
      }
      const { ms } = await call.json<EchoView>("POST", `/api/devices/${device.id}/echo`);
      context.print(`${device.ae} at ${device.address} port ${device.port} answered after ${ms} ms`, { ...device, ms });
    }),
};

/** At least one: Problem `absent` when there is none. */
async function devicesNamed(call: Call, ae: string | undefined, address: string | undefined): Promise<DeviceView[]> {
  const devices = await call.json<DeviceView[]>("GET", "/api/devices");
  const chosen = devices.filter((device) => device.ae === ae && (address === undefined || device.address === address));
  if (chosen.length > 0) return chosen;
  throw new Problem("absent", "no such device", { remedy: "leadglass device list shows those there are" });
}
