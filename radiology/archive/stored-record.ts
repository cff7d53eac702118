import { Problem } from "#base/problem";
import type { RecoveredObject } from "#trust/vault";
import type { InstanceRecord } from "./study-index.ts";

/** What rests, sealed, behind every object in the packs: enough to make the index again without opening the object. */
export type StoredRecord =
  | { readonly kind: "instance"; readonly record: Omit<InstanceRecord, "id" | "studyToken" | "place" | "sizeBytes"> }
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

type Parsed =
  | { readonly kind: "instance"; readonly record: InstanceRecord }
  | Extract<StoredRecord, { kind: "series-blob" }>;

/** The record of a recovered object; undefined for a kind that a newer version may have written. */
export function parseStored(object: RecoveredObject): Parsed | undefined {
  const parsed = JSON.parse(object.record.toString("utf8")) as StoredRecord & { version: number };
  if (parsed.version > recordVersion) {
    throw new Problem("unsupported", "the packs were written by a newer version", { remedy: "start that version" });
  }
  if (parsed.kind === "series-blob") return parsed;
  if (parsed.kind !== "instance") return undefined;
  const { id, studyToken, place, sizeBytes } = object;
  return { kind: "instance", record: { ...parsed.record, id, studyToken, place, sizeBytes } };
}
