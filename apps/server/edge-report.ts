import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { createTurns } from "#base/turns";
import type { LinkState } from "#doors/link";
import { type EdgeReport, edgeCallersMost, edgeDevicesMost, sampleOf } from "#formats/api";
import type { Spool, SpoolState } from "#radiology/uplink";
import type { SampleHistory } from "#stores/history";
import type { Devices } from "#trust/access";
import type { CloudLink, CloudStanding } from "./cloud-link.ts";
import type { DeviceTally } from "./device-tally.ts";
import type { Failure, Failures } from "./failures.ts";

/** What waits for the cloud here, and the link that brings it there. */
export interface OwnUplink {
  readonly spool: Pick<Spool, "asides" | "again" | "drop">;
  state(): SpoolState & { readonly delivered: number };
  /** Undefined while there is none. */
  link(): LinkState | undefined;
}

/** Where what a box says of itself comes from. */
export interface EdgeReportParts {
  readonly software: string;
  readonly clock: Clock;
  readonly disk: () => Promise<EdgeReport["disk"]>;
  readonly devices: Pick<Devices, "list" | "waiting">;
  readonly tally: Pick<DeviceTally, "of" | "receivedPerMinute">;
  readonly uplink: Pick<OwnUplink, "state" | "link">;
  readonly cloudLink: Pick<CloudLink, "standing">;
  readonly failures: Pick<Failures, "last">;
}

/** How this box does at this moment, as it sees itself. */
export function createEdgeReport(parts: EdgeReportParts): () => Promise<EdgeReport> {
  const { software, clock, disk, devices, tally, uplink, cloudLink, failures } = parts;
  const startedAt = clock.now();
  return async () => {
    const [free, known, callers] = await Promise.all([disk(), devices.list(), devices.waiting()]);
    const standing = cloudLink.standing();
    const shown = known.toSorted((one, other) => other.lastSeenAt - one.lastSeenAt).slice(0, edgeDevicesMost);
    const called = callers.toSorted((one, other) => other.lastAt - one.lastAt).slice(0, edgeCallersMost);
    const { parcels, bytes, oldestAt, aside, delivered } = uplink.state();
    const { streams = 0, bytesPerSecond = 0, error } = uplink.link() ?? {};
    return {
      ...{ at: clock.now(), software, startedAt, disk: free },
      queue: { parcels, bytes, oldestAt, aside },
      link: { ...linkOf(standing, startedAt), streams, sentBytesPerSecond: bytesPerSecond, delivered },
      receivedPerMinute: tally.receivedPerMinute(),
      devices: shown.map(({ id, ae, lastSeenAt }) => {
        const { stored, failed } = tally.of(id);
        return { name: ae, lastSeenAt, storedToday: stored, failedToday: failed };
      }),
      callers: called.map(({ ae, address, lastAt }) => ({ name: ae, address, lastAt })),
      error: newestOf([standing?.error ?? null, failures.last(), error === undefined ? null : failureOf(error)]),
    };
  };
}

type OwnSideOfLink = Omit<EdgeReport["link"], "streams" | "sentBytesPerSecond" | "delivered">;

function linkOf(standing: CloudStanding | undefined, startedAt: number): OwnSideOfLink {
  if (standing === undefined) {
    return { state: "off", since: startedAt, lastContactAt: 0, clockAheadMs: null, certificateEndsAt: 0 };
  }
  const { isReached, since, lastContactAt, clockAheadMs, certificateEndsAt } = standing;
  return { state: isReached ? "up" : "down", since, lastContactAt, clockAheadMs, certificateEndsAt };
}

function newestOf(failures: readonly Failure[]): Failure {
  const sorted = failures.filter((each) => each !== null).toSorted((one, other) => other.at - one.at);
  return sorted[0] ?? null;
}

function failureOf({ since, problem }: NonNullable<LinkState["error"]>): Failure {
  return { at: since, message: problem.message, remedy: problem.remedy ?? "" };
}

const sampleEveryMs = 60_000;

/** Adds a sample of the report to the history once a minute, while that is wanted. */
export function startSampling(parts: {
  readonly report: () => Promise<EdgeReport>;
  readonly history: Pick<SampleHistory, "add">;
  readonly isWanted: () => boolean;
  readonly failures: Pick<Failures, "note">;
  readonly clock: Clock;
  readonly log: Log;
}): { close(): Promise<void> } {
  const { report, history, isWanted, failures, clock, log } = parts;
  const { take: inTurn, idle } = createTurns();
  let timer: Timer | undefined;
  const sample = (): void => {
    timer = clock.after(sampleEveryMs, sample);
    if (!isWanted()) return;
    inTurn(async () => history.add(sampleOf(await report()))).catch((error) => {
      failures.note(error, "keeping the history of this box");
      log.warn("how this box does was not kept for this minute", {}, error);
    });
  };
  sample();
  return {
    async close() {
      timer?.stop();
      await idle();
    },
  };
}
