import type { Log } from "#base/log";
import { asProblem, isPassing, isProblem, Problem } from "#base/problem";
import type { SendingAnswer, SendingRound } from "#radiology/relay";
import { batchesOf, type MoveBatch } from "./move-contexts.ts";
import { onAssociation } from "./on-association.ts";
import type { OutboundAssociation, StoreInstance } from "./outbound.ts";
import type { MoveDestination, RetrievedInstance } from "./service-ports.ts";
import { isWarning, status } from "./status.ts";
import { sendInstances } from "./sub-operations.ts";

export interface Sending extends SendingRound {
  readonly log: Log;
}

/**
 * C-STORE as SCU (PS3.4 Annex B): as few associations as hold the contexts, one after the other. Rejects with Problem `unavailable` when
 * one is lost or `signal` ends it: what was answered until then stands; with what `open` rejects with.
 */
export async function sendAll(
  instances: readonly RetrievedInstance[],
  destination: MoveDestination,
  sending: Sending,
): Promise<void> {
  for (const batch of batchesOf(instances)) if (!(await sendBatch(batch, destination, sending))) return;
}

/** False when no further instance is to be begun. */
async function sendBatch(
  { contexts, instances }: MoveBatch,
  { open }: MoveDestination,
  sending: Sending,
): Promise<boolean> {
  const { signal, log } = sending;
  let goesOn = true;
  const told = new Set<string>();
  const tell = (uid: string, answer: SendingAnswer) => {
    told.add(uid);
    goesOn = sending.answered(uid, answer) && goesOn;
  };
  const progress = { remaining: instances.length, completed: 0, failed: 0, warning: 0, failedUids: [] };
  const over = async (association: OutboundAssociation) => {
    let isTorn = false;
    const target = {
      contexts: association.contexts,
      async store(instance: StoreInstance) {
        const { status: answered } = await association.store(instance).catch((error: unknown) => {
          // What cannot be read to its end takes the association with it: half of it is with the machine.
          isTorn ||= !isProblem(error, "unavailable");
          if (isTorn) tell(instance.sopInstanceUid, unreadAs(error));
          throw error;
        });
        tell(instance.sopInstanceUid, answerOf(answered));
        return answered;
      },
      isLost: association.isOver,
    };
    const work = { progress, log, isInterrupted: () => signal.aborted || !goesOn };
    left = await sendInstances(left, target, work, association.operationsMax);
    if (association.isOver() && !isTorn) {
      throw new Problem("unavailable", "the association was lost before all was sent");
    }
  };
  let left: readonly RetrievedInstance[] = instances.map((instance) => watched(instance, tell));
  while (left.length > 0 && goesOn) await onAssociation(open, contexts, signal, over);
  // Those that no context takes were never opened.
  for (const uid of progress.failedUids) if (!told.has(uid)) tell(uid, "refused");
  return goesOn;
}

/** Tells of what cannot be opened by its reason. */
function watched(instance: RetrievedInstance, tell: (uid: string, answer: SendingAnswer) => void): RetrievedInstance {
  return {
    ...instance,
    async open(syntaxes) {
      try {
        return await instance.open(syntaxes);
      } catch (error) {
        tell(instance.sopInstanceUid, unreadAs(error));
        throw error;
      }
    },
  };
}

function unreadAs(error: unknown): SendingAnswer {
  return isPassing(asProblem(error, "reading an instance")) ? "not-now" : "refused";
}

function answerOf(answered: number): SendingAnswer {
  if (answered === status.success || isWarning(answered)) return "taken";
  const isForNow =
    answered >>> 8 === 0xa7 || answered === status.processingFailure || answered === status.resourceLimitation;
  return isForNow ? "not-now" : "refused";
}
