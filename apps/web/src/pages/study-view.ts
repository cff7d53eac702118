import type { StudyListRequest } from "#formats/api";
import { toDicomDate } from "../words/dicom-words.ts";

const sorts = ["StudyDate", "PatientName", "PatientID", "AccessionNumber", "StudyDescription", "ArrivedAt"] as const;
export type StudySort = (typeof sorts)[number];

/** What the address of the study list holds: no search text, which names people. */
export interface StudyView {
  readonly modality?: string;
  /** `YYYY-MM-DD` */
  readonly from?: string;
  readonly to?: string;
  readonly sort?: StudySort;
  readonly ascending?: boolean;
}

export const defaultSort: StudySort = "ArrivedAt";

/** Reads an address that anyone may have typed: what is not understood is left out. */
export function studyView(search: Record<string, unknown>): StudyView {
  const sort = sorts.find((each) => each === search.sort);
  return {
    ...(typeof search.modality === "string" && /^[A-Z0-9]{1,16}$/.test(search.modality)
      ? { modality: search.modality }
      : {}),
    ...(isDate(search.from) ? { from: search.from } : {}),
    ...(isDate(search.to) ? { to: search.to } : {}),
    ...(sort === undefined || sort === defaultSort ? {} : { sort }),
    ...(search.ascending === true ? { ascending: true } : {}),
  };
}

/** A view as it was kept: a query, in which everything is text. */
export function keptView(search: string): StudyView {
  const { ascending, ...rest } = Object.fromEntries(new URLSearchParams(search));
  return studyView({ ...rest, ascending: ascending === "true" });
}

function isDate(value: unknown): value is string {
  return typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value);
}

export function isFiltered(view: StudyView, search: string): boolean {
  return search !== "" || view.modality !== undefined || view.from !== undefined || view.to !== undefined;
}

export function studyListRequest(view: StudyView, search: string, offset: number, limit: number): StudyListRequest {
  return {
    ...(search === "" ? {} : { search }),
    ...(view.modality === undefined ? {} : { modality: view.modality }),
    ...(view.from === undefined ? {} : { dateFrom: toDicomDate(view.from) }),
    ...(view.to === undefined ? {} : { dateTo: toDicomDate(view.to) }),
    sort: view.sort ?? defaultSort,
    ascending: view.ascending ?? false,
    limit,
    offset,
  };
}
