import type { Clock } from "#base/clock";
import type { MigrationSpec } from "./job.ts";

/** How fast studies are taken, so that an old archive can still be read from while it is emptied. */
export interface Pace {
  /** Milliseconds until the next study may be begun; 0 is now. */
  waitMs(): number;
  begun(): void;
  brought(bytes: number): void;
}

/** What was not used in a quiet hour is not made up for: it counts from now. */
export function createPace(spec: Pick<MigrationSpec, "studiesPerMinute" | "megabytesPerMinute">, clock: Clock): Pace {
  const { studiesPerMinute, megabytesPerMinute } = spec;
  let [studyAt, bytesAt] = [0, 0];
  const later = (at: number, ms: number) => Math.max(at, clock.monotonicMs()) + ms;
  return {
    waitMs: () => Math.max(0, Math.max(studyAt, bytesAt) - clock.monotonicMs()),
    begun() {
      if (studiesPerMinute !== undefined) studyAt = later(studyAt, 60_000 / studiesPerMinute);
    },
    brought(bytes) {
      if (megabytesPerMinute !== undefined) bytesAt = later(bytesAt, (bytes / (megabytesPerMinute * 1e6)) * 60_000);
    },
  };
}

/** Whether it may run at this time, by the clock on the wall of `timeZone` (IANA). */
export function createHours(hours: MigrationSpec["hours"], timeZone: string): (epochMs: number) => boolean {
  if (hours === undefined) return () => true;
  const { from, to } = hours;
  const hourOf = new Intl.DateTimeFormat("en-GB", { hour: "numeric", hourCycle: "h23", timeZone });
  return (epochMs) => {
    const hour = Number(hourOf.format(epochMs));
    return from < to ? hour >= from && hour < to : hour >= from || hour < to;
  };
}
