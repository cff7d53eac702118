import type { Actor, Pass } from "#trust/access";
import type { RevealedRows, StudyRow } from "./revealed-rows.ts";
import type { IndexedStudy, Match, Query, StudyIndex } from "./study-index.ts";

/** A patient of some studies that a search found. */
export interface PatientRow {
  /** The newest of them, which says who the patient is. */
  readonly study: StudyRow;
  /** Of all that the patient has here and the actor may look at; where they were asked for. */
  readonly related?: RelatedCounts;
}

export interface RelatedCounts {
  readonly studies: number;
  readonly series: number;
  readonly instances: number;
}

export interface PatientSearch {
  readonly matches: readonly Match[];
  readonly counts: boolean;
}

/** Patients page by page, the one with the newest study first, each once. Every page is an act of its own. */
export type FindPatients = (actor: Actor, asked: PatientSearch) => AsyncIterable<readonly PatientRow[]>;

const studiesAtOnce = 500;
/** Nobody has more. */
const studiesCountedMax = 10_000;

interface Parts {
  readonly index: Pick<StudyIndex, "findStudies" | "factsOf">;
  readonly revealed: Pick<RevealedRows, "studies">;
  /** What every search is: an act, of which the work sees what the actor may look at. */
  readonly search: <T>(actor: Actor, nothing: T, work: (pass: Pass, reach: Match[]) => Promise<T>) => Promise<T>;
}

export function createPatientSearch({ index, revealed, search }: Parts): FindPatients {
  const tokenOf = (study: IndexedStudy) => index.factsOf(study).patient;

  const countOf = async (patient: string, reach: readonly Match[]): Promise<RelatedCounts> => {
    const matches: Match[] = [{ kind: "lies", in: "patient", ids: [patient] }, ...reach];
    const counts = { studies: 0, series: 0, instances: 0 };
    for (let offset = 0; offset < studiesCountedMax; offset += studiesAtOnce) {
      const studies = await index.findStudies({ matches, limit: studiesAtOnce, offset });
      for (const { seriesCount, instanceCount } of studies) {
        counts.studies++;
        counts.series += seriesCount;
        counts.instances += instanceCount;
      }
      if (studies.length < studiesAtOnce) break;
    }
    return counts;
  };

  const relatedTo = async (
    { studyToken, seriesCount, instanceCount }: StudyRow,
    patientOf: ReadonlyMap<string, string>,
    reach: readonly Match[],
  ): Promise<RelatedCounts> => {
    const patient = patientOf.get(studyToken) ?? "";
    return patient === "" ? { studies: 1, series: seriesCount, instances: instanceCount } : countOf(patient, reach);
  };

  return async function* patients(actor, { matches, counts }) {
    const seen = new Set<string>();
    for (let offset = 0; ; offset += studiesAtOnce) {
      const page = await search(actor, { rows: [] as PatientRow[], isLast: true }, async (pass, reach) => {
        const query: Query = { matches: [...matches, ...reach], limit: studiesAtOnce, offset };
        const studies = await index.findStudies(query);
        const newest = studies.filter((study) => {
          // Of whom nothing is known but a study, each study is one.
          const patient = tokenOf(study) || study.studyToken;
          return !seen.has(patient) && seen.add(patient);
        });
        const patientOf = new Map(newest.map((study) => [study.studyToken, tokenOf(study)]));
        const rows: PatientRow[] = [];
        for (const study of await revealed.studies(pass, newest, "search")) {
          rows.push({ study, ...(counts && { related: await relatedTo(study, patientOf, reach) }) });
        }
        return { rows, isLast: studies.length < studiesAtOnce };
      });
      yield page.rows;
      if (page.isLast) return;
    }
  };
}
