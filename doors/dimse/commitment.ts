import { Problem } from "#base/problem";
import { type DataSet, elementsOf, isUid, tagOf } from "#formats/dicom";
import type {
  CommitmentAnswer,
  CommitmentReport,
  CommitmentRequest,
  InstanceReference,
  NotKept,
} from "#radiology/relay";
import type { NormalizedAnswer, NormalizedService } from "./normalized-ports.ts";
import type { OutboundAssociation } from "./outbound.ts";
import type { WithDimseDetail } from "./ports.ts";
import { errorComment, problemOf, status } from "./status.ts";

/** PS3.4 §J.3: one SOP class with one well-known instance. */
export const storageCommitmentPushModel = "1.2.840.10008.1.20.1";
const wellKnownInstance = "1.2.840.10008.1.20.1.1";

/** What is behind storage commitment, for one caller: it asks what is kept here, or says what it keeps of ours. */
export interface StorageCommitment {
  /** Resolves when the request rests: its answer comes on an association of its own. */
  asked(request: CommitmentRequest): Promise<void>;
  answered(report: CommitmentAnswer): Promise<void>;
}

/** PS3.3 Table C.14-1, (0008,1197). */
const failureReason: Readonly<Record<NotKept, number>> = {
  absent: 0x0112,
  "other-class": 0x0119,
  "in-doubt": 0x0110,
};

/** In one request or report. */
const referencesMost = 100_000;

const [request, allKept, someFailed] = [1, 1, 2];

/**
 * Storage Commitment Push Model (PS3.4 Annex J) both ways: N-ACTION of a machine that asks us, N-EVENT-REPORT of one that we asked,
 * whichever association it comes on.
 */
export function storageCommitmentService({ asked, answered }: StorageCommitment): NormalizedService {
  return {
    async perform(performed): Promise<NormalizedAnswer> {
      const { operation, typeId, sopInstanceUid, dataSet } = performed;
      if (sopInstanceUid !== wellKnownInstance)
        throw refusal(status.noSuchInstance, "no such instance of storage commitment");
      if (operation === "action") {
        if (typeId !== request) throw refusal(status.noSuchActionType, "storage commitment has no such action");
        await asked(requestIn(dataSet));
        return {};
      }
      if (operation !== "event-report") {
        throw refusal(status.unrecognizedOperation, "storage commitment has no such operation");
      }
      if (typeId !== allKept && typeId !== someFailed) {
        throw refusal(status.noSuchEventType, "storage commitment has no such event");
      }
      const transactionUid = transactionIn(dataSet);
      const kept = dataSet?.has(tag.ReferencedSOPSequence) === true ? referencesIn(dataSet) : [];
      await answered({ transactionUid, keptUids: kept.map(({ sopInstanceUid: uid }) => uid) });
      return {};
    },
  };
}

/** Tells a machine what is kept of what it asked about (PS3.4 §J.3.3). Rejects with a Problem when it does not take that. */
export async function reportCommitment(
  association: Pick<OutboundAssociation, "eventReport">,
  { transactionUid, kept, failed }: CommitmentReport,
): Promise<void> {
  const outcome = await association.eventReport(
    storageCommitmentPushModel,
    wellKnownInstance,
    failed.length === 0 ? allKept : someFailed,
    elementsOf({
      TransactionUID: transactionUid,
      // Type 1C: without items it is left out.
      ReferencedSOPSequence: kept.length === 0 ? undefined : kept.map(itemOf),
      FailedSOPSequence:
        failed.length === 0
          ? undefined
          : failed.map(({ reason, ...one }) => ({ ...itemOf(one), FailureReason: failureReason[reason] })),
    }),
  );
  throwUnlessTaken(outcome.status, "a storage commitment report");
}

/** Asks a machine what it keeps (PS3.4 §J.3.2). Rejects with a Problem when it does not take the request. */
export async function requestCommitment(
  association: Pick<OutboundAssociation, "action">,
  { transactionUid, references }: CommitmentRequest,
): Promise<void> {
  const dataSet = elementsOf({ TransactionUID: transactionUid, ReferencedSOPSequence: references.map(itemOf) });
  const outcome = await association.action(storageCommitmentPushModel, wellKnownInstance, request, dataSet);
  throwUnlessTaken(outcome.status, "a storage commitment request");
}

function itemOf({ sopClassUid, sopInstanceUid }: InstanceReference) {
  return { ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid };
}

function throwUnlessTaken(answered: number, what: string): void {
  const problem = problemOf(answered, what);
  if (problem !== undefined) throw problem;
}

const tag = {
  TransactionUID: tagOf("TransactionUID"),
  ReferencedSOPSequence: tagOf("ReferencedSOPSequence"),
  ReferencedSOPClassUID: tagOf("ReferencedSOPClassUID"),
  ReferencedSOPInstanceUID: tagOf("ReferencedSOPInstanceUID"),
};

function requestIn(dataSet: DataSet | undefined): CommitmentRequest {
  const transactionUid = transactionIn(dataSet);
  const references = dataSet === undefined ? [] : referencesIn(dataSet);
  if (references.length === 0) {
    throw refusal(status.invalidArgumentValue, "a storage commitment names no instances", [tag.ReferencedSOPSequence]);
  }
  return { transactionUid, references };
}

function transactionIn(dataSet: DataSet | undefined): string {
  const uid = dataSet?.text(tag.TransactionUID);
  if (uid !== undefined && isUid(uid)) return uid;
  throw refusal(status.invalidArgumentValue, "a storage commitment without a Transaction UID", [tag.TransactionUID]);
}

function referencesIn(dataSet: DataSet): InstanceReference[] {
  const items = dataSet.items(tag.ReferencedSOPSequence) ?? [];
  if (items.length > referencesMost) throw new Problem("too-large", "a storage commitment names too many instances");
  return items.map((item) => {
    const sopClassUid = item.text(tag.ReferencedSOPClassUID);
    const sopInstanceUid = item.text(tag.ReferencedSOPInstanceUID);
    if (sopClassUid !== undefined && sopInstanceUid !== undefined && isUid(sopClassUid) && isUid(sopInstanceUid)) {
      return { sopClassUid, sopInstanceUid };
    }
    throw refusal(status.invalidArgumentValue, "a reference without SOP class or instance", [
      tag.ReferencedSOPSequence,
    ]);
  });
}

function refusal(dimseStatus: number, message: string, offendingElements: readonly number[] = []): Problem {
  const detail: WithDimseDetail = { dimseStatus, offendingElements };
  return Object.assign(new Problem("invalid", errorComment(message)), detail);
}
