import { Problem } from "#base/problem";
import type { RecoveredObject, SealedPlace } from "#trust/vault";
import type { InstanceRecord } from "./study-index.ts";

/** Where the image half of an instance lay when its identity half was written; compaction may have moved it. */
export interface ImageHalf {
  readonly id: string;
  readonly place: SealedPlace;
}

/** What rests, sealed, behind every object of the identity store: enough to make the index again without opening the object. */
export type StoredRecord =
  | {
      readonly kind: "instance";
      readonly record: Omit<InstanceRecord, "id" | "studyToken" | "places">;
      readonly image: ImageHalf;
    }
  | {
      readonly kind: "series-blob";
      readonly studyUid: string;
      readonly seriesUid: string;
      readonly instanceCount: number;
    };

const recordVersion = 1;

export function encodeStored(stored: StoredRecord): Buffer {
  return Buffer.from(JSON.stringify({ version: recordVersion, ...stored }), "utf8");
}

/** The record of a recovered object; undefined for a kind that a newer version may have written. */
export function parseStored(object: RecoveredObject): StoredRecord | undefined {
  const parsed = JSON.parse(object.record.toString("utf8")) as StoredRecord & { version: number };
  if (parsed.version > recordVersion) {
    throw new Problem("unsupported", "the packs were written by a newer version", { remedy: "start that version" });
  }
  return parsed.kind === "series-blob" || parsed.kind === "instance" ? parsed : undefined;
}
