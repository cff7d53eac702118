import type { EdgeReport } from "./edges.ts";

/** The newest report of an edge, as its cloud keeps it. */
export interface EdgeReportView {
  readonly report: EdgeReport;
  /** By the cloud's clock. */
  readonly receivedAt: number;
}

/** What of a report is kept for plots, one a minute. */
export interface EdgeSample {
  readonly at: number;
  readonly parcels: number;
  readonly bytes: number;
  /** How long the oldest has waited; 0 when nothing waits. */
  readonly oldestMs: number;
  readonly sentBytesPerSecond: number;
  readonly receivedPerMinute: number;
  readonly freeBytes: number;
  /** 1 while the link was up, 0 while it was down, between them for a time in which it was both. */
  readonly up: number;
}

export type EdgeMeasure = Exclude<keyof EdgeSample, "at">;

/** Samples of a time in steps of equal length, by measure. What was not sampled is null: a gap is shown as a gap. */
export interface EdgeHistoryView extends Readonly<Record<EdgeMeasure, readonly (number | null)[]>> {
  readonly stepMs: number;
  /** The beginning of each step. */
  readonly at: readonly number[];
}

/** On a box: a parcel that the cloud refused for good, and that waits for somebody to decide. */
export interface AsideView {
  readonly id: string;
  readonly length: number;
  readonly putAt: number;
  readonly asideAt: number;
  readonly why: string;
}

export function sampleOf(report: EdgeReport, at = report.at): EdgeSample {
  const { queue, link, disk, receivedPerMinute } = report;
  return {
    ...{ at, receivedPerMinute, freeBytes: disk.freeBytes, up: link.state === "up" ? 1 : 0 },
    ...{ parcels: queue.parcels, bytes: queue.bytes, sentBytesPerSecond: link.sentBytesPerSecond },
    oldestMs: queue.oldestAt === null ? 0 : Math.max(0, report.at - queue.oldestAt),
  };
}
