import { Problem } from "#base/problem";
import type { DeviceView, FacilityView, WaitingView } from "#formats/api";
import type { Command } from "../arguments.ts";
import { withServer } from "../with-server.ts";
import { facilityNamed } from "./facilities.ts";

const when = (time: number) => (time === 0 ? "never" : new Date(time).toISOString());

export const deviceAdd: Command = {
  words: "device add",
  takes: "AE --address A [--facility NAME]",
  does: "admit the machine that calls itself AE at that IP address",
  options: {
    address: "A  its IP address",
    facility: "NAME  where it stands; - for nowhere; one that is known is put there",
  },
  run: (context) =>
    withServer(context, async (call) => {
      const [ae] = context.positionals;
      const { address, facility: name } = context.options;
      if (ae === undefined || address === undefined) {
        throw new Problem("invalid", "AE and --address are needed", {
          remedy: "leadglass device add CT1 --address 10.0.0.7",
        });
      }
      const facility = name === undefined ? {} : { facility: await facilityNamed(call, name) };
      const device = await call.json<DeviceView>("POST", "/api/devices", { ae, address, ...facility });
      context.print(`${device.ae} at ${device.address} may send now`, device);
    }),
};

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
        ...devices.map(({ ae, address, facility, lastSeenAt }) =>
          `${ae.padEnd(16)}  ${address.padEnd(39)}  last seen ${when(lastSeenAt)}  ${nameOf(facility)}`.trimEnd(),
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
      const { address } = context.options;
      const devices = await call.json<DeviceView[]>("GET", "/api/devices");
      const chosen = devices.filter(
        (device) => device.ae === ae && (address === undefined || device.address === address),
      );
      if (chosen.length === 0) {
        throw new Problem("absent", "no such device", { remedy: "leadglass device list shows those there are" });
      }
      for (const device of chosen) await call.json("DELETE", `/api/devices/${device.id}`);
      context.print(`removed ${chosen.length}`, { removed: chosen });
    }),
};
