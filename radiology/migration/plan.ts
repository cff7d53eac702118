/** Which part of an old archive is taken over. Dates are those of studies, as DICOM writes them (DA), both included. */
export interface Dates {
  readonly from: string;
  readonly to: string;
  /** Recent studies are what readers need. */
  readonly order: "newest" | "oldest";
  /** A last pass looks for studies without a date. */
  readonly undated: boolean;
}

/** What is being listed: a day, then those without a date, then nothing more. */
export type Stage = string;
export const undatedStage = "undated";
export const endStage = "end";

const dayMs = 86_400_000;

/** Epoch milliseconds of a DA value, undefined for what is no date (PS3.5 §6.2); ACR-NEMA's points are passed over. */
export function timeOfDate(text: string): number | undefined {
  const parts = /^(\d{4})\.?(\d\d)\.?(\d\d)$/.exec(text.trim());
  if (parts === null) return undefined;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  const time = Date.UTC(year, month - 1, day);
  return dateOf(time) === parts.slice(1).join("") ? time : undefined;
}

const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10).replaceAll("-", "");

/** A date as it is counted by; undefined for a text that is none. */
export function dateIn(text: string): string | undefined {
  const time = timeOfDate(text);
  return time === undefined ? undefined : dateOf(time);
}

export function firstStage({ from, to, order }: Dates): Stage {
  return order === "newest" ? to : from;
}

export function stageAfter(dates: Dates, stage: Stage): Stage {
  const time = timeOfDate(stage);
  if (time === undefined) return endStage;
  const last = dates.order === "newest" ? dates.from : dates.to;
  if (stage === last) return dates.undated ? undatedStage : endStage;
  return dateOf(time + (dates.order === "newest" ? -dayMs : dayMs));
}

export function daysIn({ from, to }: Pick<Dates, "from" | "to">): number {
  return Math.round(((timeOfDate(to) ?? 0) - (timeOfDate(from) ?? 0)) / dayMs) + 1;
}

/** Days that were listed before this stage. */
export function daysBefore(dates: Dates, stage: Stage): number {
  const time = timeOfDate(stage);
  if (time === undefined) return daysIn(dates);
  return dates.order === "newest" ? daysIn({ from: stage, to: dates.to }) - 1 : daysIn({ ...dates, to: stage }) - 1;
}

/** Where a study stands among those that wait: small numbers, so that all of them come before what is tried again at a time. */
export function turnOf({ order }: Dates, date: string): number {
  const day = Math.round((timeOfDate(date) ?? 0) / dayMs) + 720_000;
  if (timeOfDate(date) === undefined) return 2_000_000;
  return order === "newest" ? 2_000_000 - day : day;
}

/** One question to the archive: studies of a day, between two seconds of it, of one modality. */
export interface Window {
  /** DA; undefined: of any date. */
  readonly day: string | undefined;
  /** Seconds of the day, both included. */
  readonly from: number;
  readonly to: number;
  readonly modality?: string;
}

const lastSecond = 86_399;

export function wholeDay(day: string | undefined, modality?: string): Window {
  return { day, from: 0, to: lastSecond, ...(modality !== undefined && { modality }) };
}

/** Two windows that cover it, parted at an hour or a minute where it is long enough; undefined for a second, which cannot be parted. */
export function halvesOf(window: Window): readonly [Window, Window] | undefined {
  const { day, from, to } = window;
  if (day === undefined || from === to) return undefined;
  const exact = from + Math.ceil((to - from) / 2);
  const grain = to - from > 7_200 ? 3_600 : to - from > 120 ? 60 : 1;
  const middle = Math.max(from + 1, Math.floor(exact / grain) * grain);
  return [
    { ...window, to: middle - 1 },
    { ...window, from: middle },
  ];
}

/**
 * The keys that ask for it (PS3.4 §C.2.2.2.5). The range reaches from the shortest text of its first second (`10` is 10:00:00) to the last
 * fraction of its last one: archives that compare times as texts then lose none between two windows.
 */
export function keysOf({ day, from, to, modality }: Window): Readonly<Record<string, string>> {
  const isWhole = from === 0 && to === lastSecond;
  const time = `${shortest(timeText(from))}-${timeText(to)}.999999`;
  return {
    ...(day !== undefined && { StudyDate: day }),
    ...(!isWhole && { StudyTime: time }),
    ...(modality !== undefined && { ModalitiesInStudy: modality }),
  };
}

function timeText(second: number): string {
  const parts = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join("");
}

const shortest = (time: string): string => time.replace(/^(\d\d)(?:0000|(\d\d)00)$/, "$1$2");

/** The second of the day of a TM value; undefined for none. */
export function secondOf(text: string): number | undefined {
  const parts = /^(\d\d):?(\d\d)?:?(\d\d)?(?:\.\d*)?$/.exec(text.trim());
  if (parts === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}

/** Archives that cap their answers do so at such numbers, and many say Success all the same. */
export function looksCut(count: number, answersMost: number | undefined): boolean {
  if (answersMost !== undefined) return count >= answersMost;
  return count >= 50 && (count % 50 === 0 || (count & (count - 1)) === 0);
}

/** Where windows of time do not help (a study without a time, without a date), these are asked for one by one. */
export const usualModalities: readonly string[] = [
  ...["CT", "MR", "CR", "DX", "US", "XA", "RF", "MG", "NM", "PT", "OT", "SC", "IO", "PX", "ES", "OP", "OPT", "SM"],
  ...["RTIMAGE", "RTSTRUCT", "RTPLAN", "RTDOSE", "BMD", "ECG", "GM", "IVUS", "XC", "DOC", "SR", "PR", "KO", "SEG"],
];
