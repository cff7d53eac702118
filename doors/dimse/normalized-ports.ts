import type { DataSet, DataSetInput } from "#formats/dicom";

/** The N- services of one SOP class (PS3.7 §10). */
export interface NormalizedService {
  /** A Problem fails the request: `absent` no such instance (0112), `conflict` duplicate (0111), `invalid` a wrong value (0106), `denied` (0124). */
  perform(request: NormalizedRequest): Promise<NormalizedAnswer>;
}

export interface NormalizedRequest {
  readonly operation: "event-report" | "get" | "set" | "action" | "create";
  readonly sopClassUid: string;
  /** Of N-CREATE it may be left to us. */
  readonly sopInstanceUid: string | undefined;
  /** Action Type ID or Event Type ID. */
  readonly typeId: number | undefined;
  /** Attribute Identifier List of N-GET; empty: all. */
  readonly attributes: readonly number[];
  readonly dataSet: DataSet | undefined;
}

export interface NormalizedAnswer {
  readonly sopInstanceUid?: string;
  readonly dataSet?: DataSetInput;
  /** A warning of the service; Success where absent. */
  readonly status?: number;
}
