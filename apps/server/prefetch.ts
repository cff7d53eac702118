import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { asProblem, isPassing, isProblem } from "#base/problem";
import type { DicomJson } from "#formats/dicom";
import { key, type Schedule, stepOf, textAt } from "#radiology/schedule";
import { system } from "#trust/access";
import type { Records } from "#trust/vault";
import type { CloudReading } from "./cloud-reading.ts";

/** On an edge that keeps images: brings what the cloud has of a patient here before the patient comes. */
export interface Prefetch {
  begin(): void;
  /** Looks once: priors of orders that are new. How many instances came. */
  look(): Promise<number>;
  /** What comes just then is broken off. */
  close(): Promise<void>;
}

interface PrefetchParts {
  readonly schedule: Pick<Schedule, "planned" | "version">;
  readonly reading: Pick<CloudReading, "studies" | "bring">;
  readonly records: Records;
  readonly clock: Clock;
  readonly log: Log;
}

const lookEveryMs = 60_000;
/** The newest ones of the modality that is ordered, then of any: what is compared with. */
const priorsMost = 3;
/** An order that is known so long is looked at again: a late one may have priors by then. */
const knownMs = 14 * 24 * 3_600_000;
/** One whose priors did not come: what was in the way passes. */
const passedMs = 3_600_000;
/** One of whose priors the cloud cannot give all: somebody has to repair that there. */
const repairedMs = 24 * 3_600_000;
const forgottenAtOnce = 200;

export function createPrefetch(parts: PrefetchParts): Prefetch {
  const { schedule, records, clock, log } = parts;
  const shelf = records.shelf<{ readonly at: number }>("prefetched");
  let timer: Timer | undefined;
  let looking: Promise<unknown> = Promise.resolve();
  let seen = "";
  const closing = new AbortController();
  const { signal } = closing;

  /** What is amiss with one study is no reason to leave the others. */
  const bringStudy = async (StudyInstanceUID: string) => {
    try {
      return await parts.reading.bring({ StudyInstanceUID }, signal);
    } catch (error) {
      if (isPassing(asProblem(error, "bringing a prior"))) throw error;
      log.info("a prior is not to be had from the cloud", codeOf(error));
      return { came: 0, missed: 1 };
    }
  };
  /** How many came, and when to look again. What goes wrong with one order keeps no others; without a cloud there is none to be had. */
  const bringFor = async (step: DicomJson): Promise<{ readonly came: number; readonly againMs: number }> => {
    let isReached = false;
    let [came, missed] = [0, 0];
    try {
      const chosen = await priorsOf(parts.reading, step, signal);
      isReached = true;
      for (const studyUid of chosen) {
        const brought = await bringStudy(studyUid);
        came += brought.came;
        missed += brought.missed;
      }
      return { came, againMs: missed > 0 ? repairedMs : knownMs };
    } catch (error) {
      if (!isReached && isProblem(error, "unavailable")) throw error;
      log.info("priors of one order were not brought from the cloud; it is tried again", codeOf(error));
      return { came, againMs: passedMs };
    }
  };
  const look = async (): Promise<number> => {
    const due = await shelf.due(clock.now(), forgottenAtOnce);
    for (const old of due) await records.change(shelf.remove(old));
    const version = await schedule.version();
    if (version === seen && due.length === 0) return 0;
    let all = 0;
    for (const step of await schedule.planned(system)) {
      if (signal.aborted) return all;
      const id = records.idOf("prefetched", `${textAt(step, key.patientId)}\n${textAt(step, key.studyUid)}`);
      const known = await shelf.get(id);
      if (known !== undefined) continue;
      const { came, againMs } = await bringFor(step);
      if (signal.aborted) return all;
      all += came;
      await records.change(shelf.put(id, { at: clock.now() }, { dueAt: clock.now() + againMs }));
    }
    seen = version;
    return all;
  };
  const lookAgain = (): void => {
    looking = look()
      .catch((error) => log.info("priors were not brought from the cloud; it is tried again", codeOf(error)))
      .finally(() => {
        if (!signal.aborted) timer = clock.after(lookEveryMs, lookAgain);
      });
  };
  return {
    look,
    begin: lookAgain,
    async close() {
      closing.abort();
      timer?.stop();
      await looking;
    },
  };
}

const codeOf = (error: unknown) => ({ code: asProblem(error, "bringing priors").code });

/** What is compared with, best first. */
async function priorsOf(reading: PrefetchParts["reading"], step: DicomJson, signal: AbortSignal): Promise<string[]> {
  const modality = textAt(stepOf(step), key.modality);
  const asked = { PatientID: textAt(step, key.patientId), IssuerOfPatientID: "" };
  const wanted = { StudyInstanceUID: "", StudyDate: "", ModalitiesInStudy: "" };
  const all = await reading.studies({ ...asked, ...wanted }, signal);
  // The same number of another issuer is another patient's.
  const issuers = ["", textAt(step, key.issuer)];
  const found = all.filter(({ IssuerOfPatientID = "" }) => issuers[1] === "" || issuers.includes(IssuerOfPatientID));
  const isLike = ({ ModalitiesInStudy = "" }: (typeof found)[number]) =>
    ModalitiesInStudy.split("\\").includes(modality);
  const newestFirst = [...found].sort((a, b) => (b.StudyDate ?? "").localeCompare(a.StudyDate ?? ""));
  const chosen = [...newestFirst.filter(isLike), ...newestFirst.filter((one) => !isLike(one))].slice(0, priorsMost);
  return chosen.flatMap(({ StudyInstanceUID }) => StudyInstanceUID || []);
}
