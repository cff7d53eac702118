import type { EdgeReport } from "./edges.ts";

/** Of a box with which all is well. */
export function soundReport(at: number): EdgeReport {
  const day = 86_400_000;
  return {
    ...{ at, software: "1", startedAt: at - day, receivedPerMinute: 0 },
    queue: { parcels: 0, bytes: 0, oldestAt: null, aside: 0 },
    link: {
      ...{ state: "up", since: at - day / 24, streams: 4, sentBytesPerSecond: 0, delivered: 7 },
      ...{ lastContactAt: at, clockAheadMs: 0, certificateEndsAt: at + 20 * day },
    },
    disk: { freeBytes: 100e9, reservedBytes: 0.5e9 },
    ...{ devices: [], callers: [], error: null },
  };
}
