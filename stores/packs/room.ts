import type { Clock } from "#base/clock";
import type { Files } from "#base/io";
import { Problem } from "#base/problem";

/** Keeps the last part of the disk free of images, so that the log and the index can still be written when it fills up. */
export interface Room {
  /** Before `bytes` more are written. Problem "no-room" when they would touch the reserve. */
  take(bytes: number): void | Promise<void>;
}

/** How long a measured figure is believed; what we write ourselves is counted on top. */
const believedMs = 1000;

export function createRoom(options: { files: Files; folder: string; clock: Clock; reserveBytes: number }): Room {
  const { files, folder, clock, reserveBytes } = options;
  let freeBytes = 0;
  let takenSince = 0;
  let measuredAt = Number.NEGATIVE_INFINITY;
  let measuring: Promise<void> | undefined;

  const measure = () => {
    measuring ??= (async () => {
      freeBytes = await files.freeBytes(folder);
      takenSince = 0;
      measuredAt = clock.monotonicMs();
    })().finally(() => {
      measuring = undefined;
    });
    return measuring;
  };
  const takeIfEnough = (bytes: number): boolean => {
    if (freeBytes - takenSince - bytes < reserveBytes) return false;
    takenSince += bytes;
    return true;
  };
  const takeMeasured = async (bytes: number) => {
    await measure();
    if (takeIfEnough(bytes)) return;
    throw new Problem("no-room", "the disk is full up to the reserve that is kept for the log", {
      remedy: "free or add disk space",
    });
  };
  return {
    take(bytes) {
      if (clock.monotonicMs() - measuredAt < believedMs && takeIfEnough(bytes)) return;
      return takeMeasured(bytes);
    },
  };
}
