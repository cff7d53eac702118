import { availableParallelism } from "node:os";
import { systemClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import type { Log } from "#base/log";
import { hourlyRates, type LinkSender, type LinkState, linkProtocols, startLinkSender } from "#doors/link";
import { createShrinker } from "#radiology/images";
import { createUplink, type Spool, type Uplink } from "#radiology/uplink";
import { openLastingSpool } from "#stores/spool";
import type { HomePaths } from "../home/index.ts";
import type { CloudLink } from "./cloud-link.ts";
import type { Configuration } from "./configuration.ts";
import type { House } from "./house.ts";
import { createPackingThreads } from "./packing-threads.ts";

/** On an edge: what waits for the cloud, and the link that brings it there. */
export interface UplinkSide extends Uplink {
  readonly spool: Spool;
  /** Undefined while the box belongs to no cloud. */
  link(): LinkState | undefined;
  /** Shared with the cloud. */
  uidKey(): Buffer | undefined;
  begin(): void;
  close(): Promise<void>;
}

export interface UplinkSideParts {
  readonly configuration: Pick<Configuration, "reserveBytes" | "linkLimits">;
  readonly paths: Pick<HomePaths, "spool">;
  readonly house: Pick<House, "gate" | "records">;
  readonly cloudLink: Pick<CloudLink, "dial" | "keys">;
  readonly log: Log;
}

/** One more than takes what comes: each holds codecs and pictures, and a box has little memory. */
const packingThreads = Math.min(Math.max(availableParallelism() >> 1, 1), 2);
const lookEveryMs = 1_000;
/** So long it is known here what has arrived there: machines ask for storage commitment within days. */
const receiptsKnownMs = 90 * 24 * 3_600_000;
const forgetEveryMs = 3_600_000;

export async function openUplinkSide({
  configuration,
  paths,
  house,
  cloudLink,
  log,
}: UplinkSideParts): Promise<UplinkSide> {
  const shared = { clock: systemClock, random: systemRandom, log };
  const { reserveBytes, linkLimits } = configuration;
  const spool = await openLastingSpool({ ...shared, files: systemFiles, folder: paths.spool, reserveBytes });
  const work = createPackingThreads({ clock: systemClock, threadsMax: packingThreads });
  const shrinker = createShrinker({ work, clock: systemClock });
  const { gate, records } = house;
  const uplink = createUplink({ ...shared, spool, shrinker, gate, digestOf: records.idOf, keys: cloudLink.keys });
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  let sender: LinkSender | undefined;
  let forgetAt = 0;
  const look = (): void => {
    if (sender === undefined && cloudLink.keys() !== undefined) {
      const dial = () => cloudLink.dial(linkProtocols.transfer);
      sender = startLinkSender({
        ...shared,
        queue: uplink.queue,
        dial,
        allowedRate: hourlyRates(linkLimits, timeZone),
      });
    }
    shrinker.pace(paceOf(spool.state().bytes, sender?.state().bytesPerSecond ?? 0));
    if (systemClock.monotonicMs() < forgetAt) return;
    forgetAt = systemClock.monotonicMs() + forgetEveryMs;
    const forgotten = spool.forget(receiptsKnownMs);
    forgotten.catch((error) => log.warn("old receipts were not forgotten", {}, error));
  };
  let timer: ReturnType<typeof systemClock.after> | undefined;
  const lookAgain = (): void => {
    look();
    timer = systemClock.after(lookEveryMs, lookAgain);
  };
  return {
    ...uplink,
    spool,
    link: () => sender?.state(),
    uidKey() {
      const keys = cloudLink.keys();
      return keys && Buffer.from(keys.samenessKey, "base64url");
    },
    begin: lookAgain,
    async close() {
      timer?.stop();
      await sender?.close();
      await spool.close();
      await work.close();
    },
  };
}

/** What the link does is known while more waits than it takes in a second: else it does what there is to do. */
function paceOf(waitingBytes: number, bytesPerSecond: number): number | undefined {
  return bytesPerSecond > 0 && waitingBytes > bytesPerSecond ? bytesPerSecond : undefined;
}
