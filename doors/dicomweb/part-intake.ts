import { asProblem, isProblem, Problem } from "#base/problem";
import { createHeaderReader, type HeaderReader, isStorageSopClass, isUid, Tag } from "#formats/dicom";
import type { Receiving, StoredInstance } from "#radiology/archive";
import { parseMediaType } from "./media-types.ts";
import { type FailedInstance, FailureReason, failureReason } from "./store-outcome.ts";

/** Instances that were received and wait for stable storage while the next arrives: they share a sync. */
const finishingMax = 8;
/** Error Comment (0000,0902) is LO. */
const commentCharactersMax = 64;

/** Takes parts one after the other and remembers what became of each. */
export interface PartIntake {
  /** A part begins. Without a type it is what the body as a whole was said to hold. */
  begin(contentType?: string): void;
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** The body ended inside a part: that one is not stored. */
  cut(): Promise<void>;
  /** An instance came that cannot be made a file of. */
  refuse(what: Pick<FailedInstance, "sopClassUid" | "sopUid">, error: unknown): void;
  /** Waits for what is on its way to stable storage. */
  outcome(): Promise<{ stored: StoredInstance[]; failed: FailedInstance[]; noRoom: Problem | undefined }>;
  abort(): Promise<void>;
}

/** The part that is being received. After `failed` is set the rest of it is passed over. */
interface OpenPart {
  readonly receiving: Receiving | undefined;
  readonly header: HeaderReader;
  readingHeader: boolean;
  /** The header has shown that this is the study of the path, if there is one. */
  isOfStudy: boolean;
  failed: Pick<FailedInstance, "reason" | "comment"> | undefined;
}

/** What is deflated may swell a thousandfold in front of the header's end: others have their turn where intake pauses. */
const headerBytesAtOnce = 2 * 1024;
const wanted = [Tag.SOPClassUID, Tag.SOPInstanceUID, Tag.StudyInstanceUID];

export function createPartIntake(receive: () => Receiving, studyUid: string | undefined): PartIntake {
  /** In the order of the parts. */
  const outcomes: Promise<StoredInstance | FailedInstance>[] = [];
  const finishing = new Set<Promise<unknown>>();
  let open: OpenPart | undefined;
  let noRoom: Problem | undefined;

  const whyOf = (error: unknown): NonNullable<OpenPart["failed"]> => {
    const problem = asProblem(error, "storing an instance");
    if (isProblem(problem, "no-room")) noRoom ??= problem;
    return { reason: failureReason(problem), comment: problem.message.slice(0, commentCharactersMax) };
  };

  const fail = async (part: OpenPart, why: NonNullable<OpenPart["failed"]>): Promise<void> => {
    part.failed ??= why;
    await part.receiving?.abort();
  };

  /** Follows the header as it passes, for the UIDs of the answer and to see whether it is the study of the path. */
  const follow = (part: OpenPart, bytes: Uint8Array): void => {
    if (!part.readingHeader) return;
    part.readingHeader = part.header.write(bytes);
    if (!part.header.passed(Tag.StudyInstanceUID)) return;
    part.readingHeader = false;
    const { dataSet } = part.header.header(false);
    part.isOfStudy = studyUid === undefined || dataSet.text(Tag.StudyInstanceUID) === studyUid;
    if (!part.isOfStudy) throw otherStudy();
    const sopClass = dataSet.text(Tag.SOPClassUID) ?? "";
    if (isUid(sopClass) && !isStorageSopClass(sopClass)) throw notStored();
  };

  const failedItem = (part: OpenPart): FailedInstance => {
    const { dataSet } = part.header.header(false);
    const uid = (tag: number) => dataSet.text(tag)?.slice(0, 64) || undefined;
    const why = part.failed ?? { reason: FailureReason.processingFailure };
    return { sopClassUid: uid(Tag.SOPClassUID), sopUid: uid(Tag.SOPInstanceUID), ...why };
  };

  const finish = async (part: OpenPart, receiving: Receiving): Promise<StoredInstance | FailedInstance> => {
    try {
      return await receiving.finish();
    } catch (error) {
      part.failed = whyOf(error);
      return failedItem(part);
    }
  };

  return {
    begin(contentType) {
      const isDicom = contentType === undefined || parseMediaType(contentType)?.name === "application/dicom";
      open = {
        receiving: isDicom ? receive() : undefined,
        header: createHeaderReader({ wanted }),
        readingHeader: isDicom,
        isOfStudy: studyUid === undefined,
        failed: isDicom ? undefined : { reason: FailureReason.cannotUnderstand },
      };
    },
    async write(bytes) {
      const part = open;
      if (part?.receiving === undefined || part.failed !== undefined) return;
      try {
        for (let at = 0; at < bytes.length; ) {
          const piece = bytes.subarray(at, part.readingHeader ? at + headerBytesAtOnce : bytes.length);
          follow(part, piece);
          await part.receiving.write(piece);
          at += piece.length;
        }
      } catch (error) {
        await fail(part, whyOf(error));
      }
    },
    async end() {
      const part = open;
      open = undefined;
      if (part === undefined) return;
      if (!part.isOfStudy && part.failed === undefined) await fail(part, whyOf(otherStudy()));
      if (part.receiving === undefined || part.failed !== undefined) {
        outcomes.push(Promise.resolve(failedItem(part)));
        return;
      }
      const outcome = finish(part, part.receiving);
      outcomes.push(outcome);
      const done = outcome.finally(() => finishing.delete(done));
      finishing.add(done);
      if (finishing.size >= finishingMax) await Promise.race(finishing);
    },
    async cut() {
      if (open === undefined) return;
      await fail(open, { reason: FailureReason.cannotUnderstand });
      outcomes.push(Promise.resolve(failedItem(open)));
      open = undefined;
    },
    refuse(what, error) {
      outcomes.push(Promise.resolve({ ...what, ...whyOf(error) }));
    },
    async outcome() {
      const all = await Promise.all(outcomes);
      return {
        stored: all.filter((each) => "studyUid" in each),
        failed: all.filter((each) => "reason" in each),
        noRoom,
      };
    },
    async abort() {
      await open?.receiving?.abort();
      open = undefined;
      await Promise.all(outcomes);
    },
  };
}

function notStored(): Problem {
  return new Problem("unsupported", "instances of this SOP class are not stored", {
    remedy: "send storage SOP classes alone",
  });
}

function otherStudy(): Problem {
  return new Problem("conflict", "the instance is not of the study in the path", {
    remedy: "store it at its own study",
  });
}
