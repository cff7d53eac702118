import type { Clock } from "#base/clock";
import { newToken, type Random } from "#base/id";
import type { Log } from "#base/log";
import { isProblem, Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import { type Act, type Actor, type Gate, type Pass, type Subject, system } from "#trust/access";
import type { Correction, IdentityValues, Reveal, Vault } from "#trust/vault";
import type { Arrival } from "./arrivals.ts";
import {
  changesFor,
  checkChanges,
  checkPatient,
  checkReason,
  correctionsMax,
  type NewValues,
  otherPatientKeywords,
  type PatientRef,
  patientKeywords,
  type Reason,
} from "./corrected-values.ts";
import type { Indexer } from "./indexer.ts";
import { createPatientStudies, type FoundStudy } from "./patient-studies.ts";
import { patientOf } from "./received-values.ts";
import { encodeStored, type StoredCorrection } from "./stored-record.ts";
import type { StudyIndex } from "./study-index.ts";

/** The studies that an act has corrected, each with the version of its correction; those that said so already are left out. */
export interface Corrected {
  readonly studies: readonly { readonly studyToken: string; readonly version: number }[];
}

/**
 * What identifies a study is corrected without touching an image: a correction is an object of its own, and says what the
 * study says from then on. Every call may be made again: what is done is not done twice, what a fault left is finished. Acts take turns.
 */
export interface CorrectionActs {
  correctStudy(actor: Actor, studyToken: string, changes: NewValues, reason: Reason): Promise<Corrected>;
  /** All studies of a patient. */
  correctPatient(actor: Actor, patient: PatientRef, changes: NewValues, reason: Reason): Promise<Corrected>;
  /** The studies of `from` become those of `into`, which has studies already and keeps its name, birth date and sex. */
  mergePatients(actor: Actor, from: PatientRef, into: PatientRef, reason: Reason): Promise<Corrected>;
  /** One study was another patient's: what the archive knows of that one, and else what `to` says, takes the place of the old. */
  moveStudy(actor: Actor, studyToken: string, to: PatientRef & NewValues, reason: Reason): Promise<Corrected>;
  /** What was corrected, by version, with the values of before. */
  correctionsOf(actor: Actor, studyToken: string): Promise<readonly Correction[]>;
}

export interface Corrections extends CorrectionActs {
  /** Does what corrections found in the packs say, and what is left of their acts. To be called inside `alone`. */
  takeUp(found: readonly FoundCorrection[]): Promise<void>;
  /** Nothing is corrected while the work runs. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

/** A correction as recovery finds it. */
export interface FoundCorrection {
  readonly studyToken: string;
  readonly stored: StoredCorrection;
  readonly arrival: Arrival;
}

interface Parts {
  readonly vault: Vault;
  readonly reveal: Reveal;
  readonly index: StudyIndex;
  readonly indexer: Indexer;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly changed: (studyToken: string) => void;
  readonly subjectOf: (studyToken: string) => Promise<Subject | undefined>;
}

/** One act over its studies. */
interface Task extends Pick<Correction, "task" | "act" | "at" | "by" | "reason"> {
  readonly to: NewValues;
  readonly studies: readonly string[];
  /** What was recorded and is not all done yet. */
  readonly recorded: Map<string, Omit<FoundCorrection, "studyToken">>;
  readonly done: Map<string, number | undefined>;
}

/** What `patientOf` is made of. */
const refKeywords = ["PatientID", "IssuerOfPatientID"];
/** The first record of an act names all its studies. */
const studiesMax = 10_000;

export function createCorrections(parts: Parts): Corrections {
  const { vault, reveal, index, indexer, gate, clock, random, log, subjectOf } = parts;
  const patients = createPatientStudies({ reveal, index });
  const unfinished = new Set<Task>();
  const turns = createTurns();

  const record = async (task: Task, studyToken: string, identity: IdentityValues): Promise<void> => {
    const changes = changesFor(identity, task.to);
    if (changes === undefined) return;
    const { corrections = [] } = identity;
    if (corrections.length >= correctionsMax) {
      throw new Problem("conflict", "a study was corrected too often", { remedy: "send it again under another UID" });
    }
    const isFirst = task.recorded.size === 0;
    const movesPatient = "PatientID" in changes || "IssuerOfPatientID" in changes;
    const patient = movesPatient ? patientOf({ ...identity.values, ...task.to }) : undefined;
    const { task: id, act, at, by, reason } = task;
    const version = (corrections.at(-1)?.version ?? 0) + 1;
    const stored: StoredCorrection = {
      kind: "correction",
      correction: { version, task: id, act, at, by, reason, changes },
      ...(patient !== undefined && { patient }),
      ...(isFirst && task.studies.length > 1 && { whole: { to: task.to, studies: task.studies } }),
    };
    const sealing = vault.seal({ studyToken, half: "identity" });
    try {
      const { place, endPosition } = await sealing.finish(encodeStored(stored));
      const arrival = indexer.arrived({ pack: place.pack, position: endPosition });
      task.recorded.set(studyToken, { stored, arrival });
    } catch (error) {
      await sealing.abort().catch(() => {});
      throw error;
    }
  };
  /** The index, then the key, then whose it is for the index: a stop between the two leaves the mark behind the object, and the next start does both again. */
  const apply = async (studyToken: string, { correction, patient }: StoredCorrection): Promise<void> => {
    const place = await index.correct(studyToken, correction);
    // A newer one was begun when this one was all done.
    if (place === "newest" && patient !== undefined) {
      await vault.moveIdentity(studyToken, patient);
      await index.patientChanged(studyToken);
    }
    parts.changed(studyToken);
  };
  /** Does what is left of an act. */
  const work = async (pass: Pass, task: Task, known: ReadonlyMap<string, IdentityValues>): Promise<void> => {
    for (const studyToken of task.studies) {
      if (task.done.has(studyToken)) continue;
      if (!task.recorded.has(studyToken)) {
        const identity = known.get(studyToken) ?? (await patients.identityOf(pass, studyToken));
        const isRecorded = identity?.corrections?.some((one) => one.task === task.task) ?? false;
        if (identity !== undefined && !isRecorded) await record(task, studyToken, identity);
        // From its first record on it has happened, whatever follows.
        if (task.recorded.size > 0) unfinished.add(task);
      }
      const recorded = task.recorded.get(studyToken);
      if (recorded !== undefined) await apply(studyToken, recorded.stored);
      if (recorded?.stored.whole === undefined && recorded !== undefined) indexer.drop(recorded.arrival);
      task.done.set(studyToken, recorded?.stored.correction.version);
    }
    for (const { arrival } of task.recorded.values()) indexer.drop(arrival);
    unfinished.delete(task);
  };
  const finishBegun = async (pass: Pass) => {
    const finished: Task[] = [];
    const failures = new Map<Task, unknown>();
    for (const task of [...unfinished]) {
      await work(pass, task, new Map()).then(
        () => finished.push(task),
        (error: unknown) => failures.set(task, error),
      );
    }
    return { finished, failures };
  };
  const correctedBy = (tasks: readonly Task[]): Corrected => ({
    studies: tasks.flatMap(({ done }) =>
      [...done].flatMap(([studyToken, version]) => (version === undefined ? [] : [{ studyToken, version }])),
    ),
  });

  /** One act: finishes what earlier ones left, looks which studies it is about and what they are to say, and does it. */
  const doing = (
    actor: Actor,
    act: Act,
    on: Subject | undefined,
    reason: Reason,
    plan: (pass: Pass) => Promise<{ readonly studies: readonly FoundStudy[]; readonly to: NewValues }>,
  ): Promise<Corrected> =>
    gate.pass(actor, act, on, (pass) =>
      turns.take(async () => {
        await indexer.settled();
        const { finished, failures } = await finishBegun(pass);
        let planned: Awaited<ReturnType<typeof plan>>;
        try {
          planned = await plan(pass);
        } catch (error) {
          // Finishing what was begun was all there was to do.
          if (finished.length > 0 && isProblem(error, "absent")) return correctedBy(finished);
          throw error;
        }
        const studies = planned.studies.filter(({ identity }) => changesFor(identity, planned.to) !== undefined);
        const tokens = studies.map(({ studyToken }) => studyToken);
        for (const [task, error] of failures) {
          if (task.studies.some((studyToken) => tokens.includes(studyToken))) throw error;
        }
        if (tokens.length > studiesMax) throw new Problem("too-large", `more than ${studiesMax} studies in one act`);
        const task: Task = {
          ...{ task: newToken(random), act, at: clock.now(), by: actor.id, reason, to: planned.to, studies: tokens },
          recorded: new Map(),
          done: new Map(),
        };
        await work(pass, task, new Map(studies.map(({ studyToken, identity }) => [studyToken, identity])));
        return correctedBy([...finished, task]);
      }),
    );

  const oneStudy = async (pass: Pass, studyToken: string): Promise<FoundStudy> => {
    const identity = await patients.identityOf(pass, studyToken);
    if (identity === undefined) throw absent();
    return { studyToken, identity };
  };

  /** What is left of an act when those of its studies are done whose records were found. */
  const resume = async (found: FoundCorrection, doneOf: ReadonlyMap<string, ReadonlyMap<string, number>>) => {
    const { whole, correction } = found.stored;
    const { task: id, act, at, by, reason } = correction;
    const done = new Map<string, number | undefined>(doneOf.get(id));
    if (whole?.studies.some((studyToken) => !done.has(studyToken))) {
      const recorded = new Map([[found.studyToken, found]]);
      const task: Task = { task: id, act, at, by, reason, ...whole, recorded, done };
      const on = { kind: "study", id: found.studyToken } as const;
      await gate.pass(system, "study.correct", on, (pass) => work(pass, task, new Map()));
    }
    indexer.drop(found.arrival);
  };

  return {
    async correctStudy(actor, studyToken, changes, reason) {
      checkChanges(changes, "study");
      checkReason(reason);
      return doing(actor, "study.correct", await subjectOf(studyToken), reason, async (pass) => {
        // Whose study it is says who may see it: that is moved by who may do so everywhere.
        if (pass.reach.length > 0 && refKeywords.some((keyword) => keyword in changes)) throw absent();
        return { studies: [await oneStudy(pass, studyToken)], to: changes };
      });
    },
    async correctPatient(actor, patient, changes, reason) {
      checkPatient(patient);
      checkChanges(changes, "patient");
      checkReason(reason);
      return doing(actor, "patient.correct", undefined, reason, async (pass) => {
        const studies = await patients.of(pass, patient);
        if (studies.length === 0) throw noSuchPatient();
        const now = { ...patient, ...changes };
        if (!isSame(now, patient) && (await patients.of(pass, now)).length > 0) throw anotherPatient();
        return { studies, to: changes };
      });
    },
    async mergePatients(actor, from, into, reason) {
      checkPatient(from);
      checkPatient(into);
      checkReason(reason);
      if (isSame(from, into)) throw new Problem("invalid", "a patient cannot be merged into itself");
      return doing(actor, "patient.merge", undefined, reason, async (pass) => {
        const [studies, kept] = [await patients.of(pass, from), await patients.of(pass, into)];
        const [first] = kept;
        const isDone = kept.some((study) => wasMerged(study, from));
        if (first === undefined || (studies.length === 0 && !isDone)) throw noSuchPatient();
        return { studies, to: valuesOf(first.identity, patientKeywords) };
      });
    },
    async moveStudy(actor, studyToken, to, reason) {
      const given = { IssuerOfPatientID: "", ...to };
      checkPatient(given);
      checkChanges(given, "patient");
      checkReason(reason);
      return doing(actor, "study.move", await subjectOf(studyToken), reason, async (pass) => {
        const studies = [await oneStudy(pass, studyToken)];
        const known = (await patients.of(pass, given)).find((study) => study.studyToken !== studyToken);
        if (known === undefined && (given as NewValues).PatientName === undefined) throw noSuchPatient();
        const others = Object.fromEntries(otherPatientKeywords.map((keyword) => [keyword, ""]));
        const theirs = known === undefined ? emptyOf(patientKeywords) : valuesOf(known.identity, patientKeywords);
        return { studies, to: { ...others, ...theirs, ...given } };
      });
    },
    correctionsOf: async (actor, studyToken) =>
      gate.pass(
        actor,
        "study.read",
        await subjectOf(studyToken),
        async (pass) => (await oneStudy(pass, studyToken)).identity.corrections ?? [],
      ),
    async takeUp(found) {
      let passed = 0;
      const passOver = (error: unknown) => {
        if (!isProblem(error, "damaged") && !isProblem(error, "absent")) throw error;
        passed++;
      };
      const inOrder = [...found].sort((a, b) => a.stored.correction.version - b.stored.correction.version);
      const doneOf = new Map<string, Map<string, number>>();
      for (const { studyToken, stored } of inOrder) {
        await apply(studyToken, stored).catch(passOver);
        const { task, version } = stored.correction;
        doneOf.set(task, (doneOf.get(task) ?? new Map<string, number>()).set(studyToken, version));
      }
      for (const one of inOrder) await resume(one, doneOf).catch(passOver);
      if (passed > 0) log.warn("corrections of studies that do not open were passed over", { count: passed });
    },
    alone: turns.take,
  };
}

function isSame(a: PatientRef, b: PatientRef): boolean {
  return patientOf({ ...a }) === patientOf({ ...b });
}

/** Whether a study came to its patient by a merge from another. */
function wasMerged({ identity }: FoundStudy, from: PatientRef): boolean {
  return (identity.corrections ?? []).some(
    ({ act, changes }) =>
      act === "patient.merge" &&
      changes.PatientID?.from === from.PatientID &&
      (changes.IssuerOfPatientID?.from ?? "") === (from.IssuerOfPatientID ?? ""),
  );
}

function valuesOf({ values }: IdentityValues, keywords: readonly string[]): NewValues {
  return Object.fromEntries(keywords.map((keyword) => [keyword, values[keyword] ?? ""]));
}

const emptyOf = (keywords: readonly string[]): NewValues =>
  Object.fromEntries(keywords.map((keyword) => [keyword, ""]));

function absent(): Problem {
  return new Problem("absent", "not found", { remedy: "check the identifier; a search shows what there is" });
}

function anotherPatient(): Problem {
  return new Problem("conflict", "that Patient ID is another patient's", {
    remedy: "merge the one into the other, or move the study",
  });
}

function noSuchPatient(): Problem {
  return new Problem("absent", "there is no study of that patient", {
    remedy: "check Patient ID and issuer; for a patient without studies give the name too",
  });
}
