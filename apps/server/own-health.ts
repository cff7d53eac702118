import type { Clock } from "#base/clock";
import { systemFiles } from "#base/io";
import type { Log } from "#base/log";
import type { OwnHealth } from "#doors/api";
import type { EdgeReport } from "#formats/api";
import { createSampleHistory } from "#stores/history";
import type { Devices } from "#trust/access";
import type { HomePaths } from "../home/index.ts";
import type { CloudLink } from "./cloud-link.ts";
import type { Configuration } from "./configuration.ts";
import { createDeviceTally, type DeviceTally } from "./device-tally.ts";
import { createEdgeReport, type OwnUplink, startSampling } from "./edge-report.ts";
import { createFailures, type Failures } from "./failures.ts";

/** How this server does as a box in a facility: told to its cloud, shown on its own page, and kept by the minute. */
export interface BoxHealth extends OwnHealth {
  /** Whether it is one: by its role, or since it was enrolled. */
  isEdge(): boolean;
  readonly tally: DeviceTally;
  readonly failures: Failures;
  /** From now on its history is kept, while it is a box in a facility. */
  begin(): void;
  close(): Promise<void>;
}

export function createOwnHealth(parts: {
  readonly configuration: Pick<Configuration, "role" | "objects" | "reserveBytes">;
  readonly paths: Pick<HomePaths, "folder">;
  readonly software: string;
  readonly devices: Pick<Devices, "list" | "waiting">;
  readonly cloudLink: Pick<CloudLink, "standing">;
  /** Of an edge. */
  readonly uplink?: OwnUplink;
  readonly clock: Clock;
  readonly log: Log;
}): BoxHealth {
  const { configuration, paths, cloudLink, uplink = nothingWaits, clock, log } = parts;
  const { role, objects, reserveBytes } = configuration;
  const isEdge = () => role === "edge" || (role === "all" && cloudLink.standing() !== undefined);
  const failures = createFailures(clock);
  const tally = createDeviceTally({ clock, failures });
  const disk = async (): Promise<EdgeReport["disk"]> => ({
    freeBytes: await systemFiles.freeBytes(objects.first),
    reservedBytes: reserveBytes,
  });
  const report = createEdgeReport({ ...parts, disk, tally, failures, uplink });
  const history = createSampleHistory(systemFiles, paths.folder, "edge-history.ring");
  let sampling: { close(): Promise<void> } | undefined;
  return {
    ...{ isEdge, report, tally, failures, asides: uplink.spool },
    history: ({ from, to, points }) => history.read(from, to, points),
    begin() {
      sampling = startSampling({ report, history, isWanted: isEdge, failures, clock, log });
    },
    async close() {
      await sampling?.close();
    },
  };
}

/** Of a server that puts nothing to a cloud. */
const nothingWaits: OwnUplink = {
  state: () => ({ parcels: 0, bytes: 0, oldestAt: null, aside: 0, delivered: 0 }),
  link: () => undefined,
  spool: { asides: async () => [], again: async () => 0, drop: async () => {} },
};
