import { Problem } from "#base/problem";
import type { Correction, RecoveredObject, SealedPlace } from "#trust/vault";
import type { NewValues } from "./corrected-values.ts";
import type { InstanceRecord } from "./study-index.ts";

/** Where the image half of an instance lay when its identity half was written; compaction may have moved it. */
export interface ImageHalf {
  readonly id: string;
  readonly place: SealedPlace;
}

/** A correction of a study. Its object holds nothing else: the record says all. */
export interface StoredCorrection {
  readonly kind: "correction";
  readonly correction: Correction;
  /** Stands for the patient whose key the study's identity lies under from now on (`patientOf`), where that changes. */
  readonly patient?: string;
  /** In the first of an act over several studies: all of it, so that a start goes on with what a crash cut off. */
  readonly whole?: { readonly to: NewValues; readonly studies: readonly string[] };
}

/** What rests, sealed, behind every object of the identity store: enough to make the index again without opening the object. */
export type StoredRecord =
  | {
      readonly kind: "instance";
      readonly record: Omit<InstanceRecord, "id" | "studyToken" | "places">;
      readonly image: ImageHalf;
    }
  | StoredCorrection
  | {
      readonly kind: "series-blob";
      readonly studyUid: string;
      readonly seriesUid: string;
      readonly instanceCount: number;
      /** How many corrections the study had; absent: none. */
      readonly corrections?: number;
      /** Stands for the instances that it was made of (`instancesDigest`). */
      readonly instances?: string;
    };

const recordVersion = 1;
const kinds: ReadonlySet<string> = new Set<StoredRecord["kind"]>(["instance", "series-blob", "correction"]);

export function encodeStored(stored: StoredRecord): Buffer {
  return Buffer.from(JSON.stringify({ version: recordVersion, ...stored }), "utf8");
}

/** The record of a recovered object; undefined for a kind that a newer version may have written. */
export function parseStored(object: RecoveredObject): StoredRecord | undefined {
  const parsed = JSON.parse(object.record.toString("utf8")) as StoredRecord & { version: number };
  if (parsed.version > recordVersion) {
    throw new Problem("unsupported", "the packs were written by a newer version", { remedy: "start that version" });
  }
  return kinds.has(parsed.kind) ? parsed : undefined;
}
