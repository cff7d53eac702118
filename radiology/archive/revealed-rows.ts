import type { Pass } from "#trust/access";
import type { IdentityValues, Purpose, Reveal, SealedIdentity } from "#trust/vault";
import { accessionIssuer } from "./received-values.ts";
import type {
  IndexedInstance,
  IndexedSeries,
  IndexedStudy,
  IndexedValues,
  ListedIndexedInstance,
} from "./study-index.ts";

/*
 * Rows as the doors get them: what identifies was opened by `reveal` for the actor of a pass, masked where it sees no more.
 */

export interface StudyRow extends Omit<IndexedStudy, "identity" | "facts"> {
  readonly studyUid: string;
  readonly values: IndexedValues;
}

export interface SeriesRow extends Omit<IndexedSeries, "identity" | "study"> {
  readonly seriesUid: string;
  readonly study: StudyRow;
  readonly values: IndexedValues;
}

export interface InstanceRow extends Omit<IndexedInstance, "identity" | "seriesId" | "places"> {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopUid: string;
  /** SHA-256 of the data set as received, lower-case hex. */
  readonly dataSetSha256: string;
  readonly values: IndexedValues;
}

/** An instance with the rows of its series and study, as a query at instance level lists it. */
export interface ListedInstance extends InstanceRow {
  readonly series: SeriesRow;
}

/** Opens the rows of one answer together: one audit entry. Rows of a study that was shredded meanwhile are left out. */
export interface RevealedRows {
  studies(pass: Pass, rows: readonly IndexedStudy[], purpose: Purpose): Promise<StudyRow[]>;
  series(pass: Pass, rows: readonly IndexedSeries[], purpose: Purpose): Promise<SeriesRow[]>;
  listed(pass: Pass, rows: readonly ListedIndexedInstance[], purpose: Purpose): Promise<ListedInstance[]>;
  /** Copies in conflict, which name their own study and series. */
  copies(pass: Pass, rows: readonly IndexedInstance[], purpose: Purpose): Promise<InstanceRow[]>;
}

export function createRevealedRows(reveal: Reveal): RevealedRows {
  /** Opens each identity once, however many rows share it (the study of a thousand series). */
  const open = async (pass: Pass, identities: readonly SealedIdentity[], purpose: Purpose) => {
    const distinct = [...new Set(identities)];
    const { rows } = await reveal(pass, { rows: distinct }, purpose);
    return new Map(distinct.map((identity, at) => [identity, rows[at]] as const));
  };
  type Opened = ReadonlyMap<SealedIdentity, IdentityValues | undefined>;

  const studyRow = (opened: Opened, { identity, facts: _facts, ...rest }: IndexedStudy): StudyRow | undefined => {
    const found = opened.get(identity);
    if (found === undefined) return undefined;
    const { [accessionIssuer]: _issuer, ...values } = found.values;
    return { ...rest, studyUid: found.uid, values };
  };
  const seriesRow = (opened: Opened, { identity, study, ...rest }: IndexedSeries): SeriesRow | undefined => {
    const [found, of] = [opened.get(identity), studyRow(opened, study)];
    return found && of && { ...rest, seriesUid: found.uid, study: of, values: found.values };
  };
  const isThere = <T>(row: T | undefined): row is T => row !== undefined;

  return {
    async studies(pass, rows, purpose) {
      const opened = await open(
        pass,
        rows.map(({ identity }) => identity),
        purpose,
      );
      return rows.map((row) => studyRow(opened, row)).filter(isThere);
    },
    async series(pass, rows, purpose) {
      const opened = await open(
        pass,
        rows.flatMap(({ identity, study }) => [identity, study.identity]),
        purpose,
      );
      return rows.map((row) => seriesRow(opened, row)).filter(isThere);
    },
    async listed(pass, rows, purpose) {
      const opened = await open(
        pass,
        rows.flatMap(({ identity, series }) => [identity, series.identity, series.study.identity]),
        purpose,
      );
      return rows.flatMap(({ series, ...row }) => {
        const [found, of] = [opened.get(row.identity), seriesRow(opened, series)];
        return found && of ? [{ ...instanceRow(row, found, of.study.studyUid, of.seriesUid), series: of }] : [];
      });
    },
    async copies(pass, rows, purpose) {
      const opened = await open(
        pass,
        rows.map(({ identity }) => identity),
        purpose,
      );
      return rows.flatMap((row) => {
        const found = opened.get(row.identity);
        return found ? [instanceRow(row, found, found.studyUid ?? "", found.seriesUid ?? "")] : [];
      });
    },
  };
}

export function instanceRow(
  row: IndexedInstance,
  identity: IdentityValues,
  studyUid: string,
  seriesUid: string,
): InstanceRow {
  const { identity: _sealed, seriesId: _series, places: _places, ...rest } = row;
  const { uid, values, dataSetSha256 = "" } = identity;
  return { ...rest, studyUid, seriesUid, sopUid: uid, dataSetSha256, values };
}
