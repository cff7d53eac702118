import type { Problem, ProblemCode } from "#base/problem";
import type { DicomJson } from "#formats/dicom";
import type { StoredInstance } from "#radiology/archive";
import { attributesJson } from "./attribute-json.ts";
import { instanceUrl, studyUrl } from "./search-results.ts";

/** What is known of a part that was not stored. */
export interface FailedInstance {
  readonly sopClassUid: string | undefined;
  readonly sopUid: string | undefined;
  /** Failure Reason (0008,1197). */
  readonly reason: number;
  /** What the archive said, where it was asked. The error itself, with its stack, is not kept for each of many parts. */
  readonly comment?: string;
}

/** Failure reasons as PS3.18 §I.2.2 and PS3.7 §C give them. */
export const FailureReason = {
  processingFailure: 0x0110,
  sopClassNotSupported: 0x0122,
  notAuthorized: 0x0124,
  outOfResources: 0xa700,
  /** Of the family A9xx (the data set is not what it was sent as): it belongs to another study than the one in the path. */
  otherStudy: 0xa901,
  cannotUnderstand: 0xc000,
} as const;

const reasons: Readonly<Record<ProblemCode, number>> = {
  invalid: FailureReason.cannotUnderstand,
  unsupported: FailureReason.sopClassNotSupported,
  conflict: FailureReason.otherStudy,
  "no-room": FailureReason.outOfResources,
  "too-large": FailureReason.outOfResources,
  busy: FailureReason.outOfResources,
  unavailable: FailureReason.outOfResources,
  denied: FailureReason.notAuthorized,
  unproven: FailureReason.notAuthorized,
  absent: FailureReason.processingFailure,
  damaged: FailureReason.processingFailure,
  fault: FailureReason.processingFailure,
};

export function failureReason(problem: Problem): number {
  return reasons[problem.code];
}

/** 200 when all were stored, 202 when some, 409 when none (PS3.18 §10.5.3.1). */
export function storeStatus(stored: readonly StoredInstance[], failed: readonly FailedInstance[]): 200 | 202 | 409 {
  if (failed.length === 0) return 200;
  return stored.length > 0 ? 202 : 409;
}

/** So many items of an answer are made before others have their turn. */
const itemsAtOnce = 500;

/**
 * The store instances response (PS3.18 §10.5.3.2): where the study is, what was stored and what was not. It may tell of thousands: made
 * in one go it would hold the others up, so it is made with a `pause` now and then.
 */
export async function storeResponse(
  root: string,
  stored: readonly StoredInstance[],
  failed: readonly FailedInstance[],
  pause: () => Promise<void>,
): Promise<DicomJson> {
  const failedItems = await itemsOf(failed, failedItem, pause);
  const storedItems = await itemsOf(stored, (instance) => storedItem(root, instance), pause);
  const studies = new Set(stored.map(({ studyUid }) => studyUid));
  const [only] = studies;
  return attributesJson({
    RetrieveURL: studies.size === 1 && only !== undefined ? studyUrl(root, only) : undefined,
    ...(failed.length > 0 && { FailedSOPSequence: failedItems }),
    ...(stored.length > 0 && { ReferencedSOPSequence: storedItems }),
  });
}

async function itemsOf<T>(
  told: readonly T[],
  itemOf: (each: T) => DicomJson,
  pause: () => Promise<void>,
): Promise<DicomJson[]> {
  const items: DicomJson[] = [];
  for (const each of told) {
    items.push(itemOf(each));
    if (items.length % itemsAtOnce === 0) await pause();
  }
  return items;
}

function storedItem(root: string, { studyUid, seriesUid, sopUid, sopClassUid }: StoredInstance): DicomJson {
  return attributesJson({
    ReferencedSOPClassUID: sopClassUid,
    ReferencedSOPInstanceUID: sopUid,
    RetrieveURL: instanceUrl(root, studyUid, seriesUid, sopUid),
  });
}

function failedItem({ sopClassUid, sopUid, reason, comment }: FailedInstance): DicomJson {
  return attributesJson({
    ...(comment !== undefined && { ErrorComment: comment }),
    ReferencedSOPClassUID: sopClassUid,
    ReferencedSOPInstanceUID: sopUid,
    FailureReason: reason,
  });
}
