import type { Log } from "#base/log";
import type { EdgeScheduleView } from "#formats/api";
import type { DicomJson } from "#formats/dicom";
import type { Schedule } from "#radiology/schedule";
import { system } from "#trust/access";
import type { CloudLink } from "./cloud-link.ts";

const answerBytesMax = 64 * 1024 * 1024;

/** On an edge: what is planned in the cloud is planned here too, within a minute, and stays when the cloud is away. */
export function followSchedule(parts: {
  readonly cloudLink: Pick<CloudLink, "ask" | "onTold">;
  readonly schedule: Pick<Schedule, "mirror">;
  readonly log: Log;
}): void {
  const { cloudLink, schedule, log } = parts;
  let has = "";
  let isTaking = false;
  const take = async (): Promise<void> => {
    const { version, steps } = await cloudLink.ask<EdgeScheduleView>("/api/edges/self/worklist", answerBytesMax);
    const { refused } = await schedule.mirror(system, steps as readonly DicomJson[]);
    if (refused > 0) log.warn("steps of the cloud cannot be planned here", { refused });
    has = version;
  };
  cloudLink.onTold(({ scheduleVersion }) => {
    if (scheduleVersion === has || isTaking) return;
    isTaking = true;
    take()
      .catch((error) => log.warn("the cloud's schedule was not taken over; it is tried again", {}, error))
      .finally(() => {
        isTaking = false;
      });
  });
}
