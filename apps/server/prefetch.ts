import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { asProblem } from "#base/problem";
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
const forgottenAtOnce = 200;

export function createPrefetch(parts: PrefetchParts): Prefetch {
  const { schedule, records, clock, log } = parts;
  const shelf = records.shelf<{ readonly at: number }>("prefetched");
  let timer: Timer | undefined;
  let looking: Promise<unknown> = Promise.resolve();
  let seen = "";
  let isClosed = false;

  const look = async (): Promise<number> => {
    const version = await schedule.version();
    if (version === seen) return 0;
    let came = 0;
    for (const step of await schedule.planned(system)) {
      if (isClosed) return came;
      const id = records.idOf("prefetched", `${textAt(step, key.patientId)}\n${textAt(step, key.studyUid)}`);
      const known = await shelf.get(id);
      if (known !== undefined) continue;
      came += await priorsOf(parts.reading, step);
      await records.change(shelf.put(id, { at: clock.now() }, { dueAt: clock.now() + knownMs }));
    }
    for (const old of await shelf.due(clock.now(), forgottenAtOnce)) await records.change(shelf.remove(old));
    seen = version;
    return came;
  };
  const lookAgain = (): void => {
    looking = look()
      .catch((error) => log.info("priors were not brought from the cloud; it is tried again", codeOf(error)))
      .finally(() => {
        if (!isClosed) timer = clock.after(lookEveryMs, lookAgain);
      });
  };
  return {
    look,
    begin: lookAgain,
    async close() {
      isClosed = true;
      timer?.stop();
      await looking;
    },
  };
}

const codeOf = (error: unknown) => ({ code: asProblem(error, "bringing priors").code });

async function priorsOf(reading: PrefetchParts["reading"], step: DicomJson): Promise<number> {
  const modality = textAt(stepOf(step), key.modality);
  const asked = { PatientID: textAt(step, key.patientId), IssuerOfPatientID: "" };
  const all = await reading.studies({ ...asked, StudyInstanceUID: "", StudyDate: "", ModalitiesInStudy: "" });
  // The same number of another issuer is another patient's.
  const issuers = ["", textAt(step, key.issuer)];
  const found = all.filter(({ IssuerOfPatientID = "" }) => issuers[1] === "" || issuers.includes(IssuerOfPatientID));
  const isLike = ({ ModalitiesInStudy = "" }: (typeof found)[number]) =>
    ModalitiesInStudy.split("\\").includes(modality);
  const newestFirst = [...found].sort((a, b) => (b.StudyDate ?? "").localeCompare(a.StudyDate ?? ""));
  const chosen = [...newestFirst.filter(isLike), ...newestFirst.filter((one) => !isLike(one))].slice(0, priorsMost);
  let came = 0;
  for (const { StudyInstanceUID = "" } of chosen) came += await reading.bring({ StudyInstanceUID });
  return came;
}
