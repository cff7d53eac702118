import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import type { Log } from "#base/log";
import type { Archive } from "#radiology/archive";
import type { PixelWork, Transcoder } from "#radiology/images";
import type { Migrations } from "#radiology/migration";
import type { Messages, Relay } from "#radiology/relay";
import type { Schedule } from "#radiology/schedule";
import { createEdgeIntake, judgeByReceipts } from "#radiology/uplink";
import type { HomePaths } from "../home/index.ts";
import { type CloudReading, createCloudReading } from "./cloud-reading.ts";
import type { Configuration } from "./configuration.ts";
import { openDeliveriesSide } from "./deliveries-side.ts";
import type { DeviceAuthority } from "./device-authority.ts";
import type { DeviceCalls } from "./device-calls.ts";
import type { DeviceTrust } from "./device-trust.ts";
import { edgeMessages, handingOn, tellingPerformed } from "./edge-messages.ts";
import { routeBy } from "./edge-routes.ts";
import { followSchedule } from "./edge-schedule.ts";
import type { EdgeSide } from "./edge-side.ts";
import { createHl7Side, type Hl7Side } from "./hl7.ts";
import type { House } from "./house.ts";
import { openMessages } from "./messages.ts";
import { openMigrations } from "./migration.ts";
import { createPrefetch } from "./prefetch.ts";
import { openRelay } from "./relay.ts";
import { openUplinkSide, type UplinkSide } from "./uplink-side.ts";

/** What comes from machines and goes to them, by the role of this home. */
export interface Traffic {
  /** Where what machines send and people upload goes. */
  readonly intake: Pick<Archive, "receiveDataSet" | "receiveFile">;
  /** As machines fill it. */
  readonly schedule: Schedule;
  readonly relay: Relay;
  readonly hl7: Hl7Side;
  readonly messages: Messages;
  readonly migrations: Migrations;
  /** On an edge. */
  readonly uplink: UplinkSide | undefined;
  /** On an edge: what machines here find and have of the cloud's archive. */
  readonly through: CloudReading | undefined;
  begin(): Promise<void>;
  /** Ends what `begin` began; what was opened before is for `undo`. */
  end(): Promise<void>;
}

export interface TrafficParts {
  readonly configuration: Configuration;
  readonly paths: HomePaths;
  readonly house: House;
  readonly edgeSide: EdgeSide;
  readonly pixels: PixelWork;
  readonly transcoder: Transcoder;
  readonly deviceCalls: DeviceCalls;
  readonly deviceAuthority: () => Promise<DeviceAuthority>;
  readonly trust: DeviceTrust;
  readonly log: Log;
}

/** In a home that is no edge, edges may send from now on. */
export async function openTraffic(parts: TrafficParts, undo: (() => Promise<unknown>)[]): Promise<Traffic> {
  const { configuration, house, edgeSide, transcoder, deviceCalls, deviceAuthority, trust, log } = parts;
  const { aeTitle: ownTitle } = configuration;
  const shared = { ...house, ownTitle, clock: systemClock, random: systemRandom, log };
  const uplink = configuration.role === "edge" ? await openUplinkSide({ ...parts, ...edgeSide }) : undefined;
  undo.push(async () => uplink?.close());
  const ends = uplink === undefined ? atHome(house) : onEdge(house, uplink, configuration, log);
  const { intake } = ends;
  const relay = openRelay({ ...shared, ...ends, transcoder, deviceCalls });
  const hl7: Hl7Side = createHl7Side({ ...shared, ...ends, trust, heard: (came) => messages.heard(came) });
  const keeping = { keptDays: configuration.messageDays, authority: deviceAuthority, process: hl7.again };
  const messages: Messages = openMessages({ ...shared, ...keeping, trust });
  const migrations = openMigrations({ ...shared, intake, deviceCalls });
  const disk = {
    freeBytes: () => systemFiles.freeBytes(parts.paths.folder),
    reservedBytes: configuration.reserveBytes,
  };
  const through = uplink && createCloudReading({ ...shared, ...edgeSide, transcoder, disk });
  const prefetch = through && configuration.keepDays > 0 ? createPrefetch({ ...shared, reading: through }) : undefined;
  if (uplink !== undefined) followSchedule({ ...edgeSide, schedule: house.schedule, log });
  else {
    const perform = edgeMessages({ performed: house.schedule.performed, hl7, office: edgeSide.parcelOffice.open });
    undo.push((await openDeliveriesSide({ ...parts, ...edgeSide, perform })).close);
  }
  return {
    ...{ intake, schedule: ends.schedule, relay, hl7, messages, migrations, uplink, through },
    async begin() {
      await relay.begin();
      await migrations.begin();
      messages.begin();
      uplink?.begin();
      prefetch?.begin();
    },
    async end() {
      await prefetch?.close();
      await messages.close();
      await migrations.close();
      await relay.close();
    },
  };
}

function atHome({ archive, schedule }: House) {
  return { intake: archive, schedule };
}

/** On an edge: to the cloud, in the order in which it happens here. */
function onEdge(
  { archive, schedule, routing }: House,
  uplink: UplinkSide,
  { keepDays, aeTitle }: Configuration,
  log: Log,
) {
  return {
    intake: createEdgeIntake({
      ...{ uplink, archive, clock: systemClock, log },
      route: routeBy(routing, aeTitle, keepDays > 0),
    }),
    judge: judgeByReceipts(uplink),
    schedule: { ...schedule, performed: tellingPerformed(schedule.performed, uplink) },
    handOn: handingOn(uplink, systemRandom),
    uidKey: uplink.uidKey,
  };
}
