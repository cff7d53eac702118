import { Problem } from "#base/problem";
import type { InstanceReference, JudgeKept } from "#radiology/relay";
import type { Uplink } from "./uplink.ts";

/**
 * On an edge an instance is kept for good when the cloud has signed for it, and not before: while one is on its way there is no answer yet
 * (Problem `unavailable`: it is asked again). What the cloud refused is in doubt.
 */
export function judgeByReceipts({ standing }: Pick<Uplink, "standing">): JudgeKept {
  return async (references, signal) => {
    const kept: InstanceReference[] = [];
    const failed: (InstanceReference & { reason: "absent" | "in-doubt" })[] = [];
    for (const reference of references) {
      signal.throwIfAborted();
      const { sopClassUid, sopInstanceUid: sopUid } = reference;
      const found = await standing({ sopClassUid, sopUid });
      if (found?.state === "waiting") {
        throw new Problem("unavailable", "instances that are asked about are on their way to the cloud");
      }
      if (found?.state === "arrived") kept.push(reference);
      else failed.push({ ...reference, reason: found === undefined ? "absent" : "in-doubt" });
    }
    return { kept, failed };
  };
}
