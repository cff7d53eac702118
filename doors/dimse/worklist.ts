import { fromDicomJson } from "#formats/dicom";
import type { Schedule } from "#radiology/schedule";
import type { Actor } from "#trust/access";
import type { FindService } from "./service-ports.ts";

const modalityWorklist = "1.2.840.10008.5.1.4.31";

/** C-FIND of the modality worklist for one console (PS3.4 §K.6), by SOP class. */
export function worklistFinds(parts: {
  readonly schedule: Pick<Schedule, "find">;
  readonly actor: Actor;
}): ReadonlyMap<string, FindService> {
  const { schedule, actor } = parts;
  const service: FindService = {
    supports: { relational: false, dateTime: false, fuzzyNames: false, timezone: false },
    async *find({ identifier }) {
      for await (const { attributes, keysIgnored } of schedule.find(actor, identifier)) {
        yield { identifier: fromDicomJson(attributes), keysIgnored };
      }
    },
  };
  return new Map([[modalityWorklist, service]]);
}
