import { dateIn, halvesOf, looksCut, secondOf, usualModalities, type Window, wholeDay } from "./plan.ts";
import type { ListedStudy } from "./source.ts";

/** Asks the archive for one window; true when it said that there are more. */
export type Ask = (window: Window, take: (study: ListedStudy) => Promise<void>) => Promise<boolean>;

export interface Listed {
  /** Nothing says that the archive kept something back. */
  readonly isSure: boolean;
  /** It answers with studies of other days, too: it does not look at the date. */
  readonly ignoresDates: boolean;
}

/** An archive that answers every question with the same is not asked on and on. */
const questionsMost = 3_000;
/** Of a day; who lists more than that lists everything. */
const notedMost = 100_000;

/** Who refuses a part of the day as short as that, and names nothing of it, refuses for another reason. */
const refusedSeconds = 300;

interface Answer {
  readonly isEmpty: boolean;
  readonly isCut: boolean;
  readonly otherDays: boolean;
  readonly otherTimes: boolean;
}

/**
 * Has the studies of a day listed, of some modalities or of all; undefined: those of all days. What an archive cuts is asked for by
 * parts of the day, down to a second, and then by modality, for studies without a time are in no part. `take` may be handed a study
 * more than once.
 */
export async function listDay(
  ask: Ask,
  day: string | undefined,
  modalities: readonly string[],
  answersMost: number | undefined,
  take: (study: ListedStudy) => Promise<void>,
): Promise<Listed> {
  const seen = new Set<string>();
  let [questions, saysSo] = [0, false];
  const answerTo = async (window: Window): Promise<Answer> => {
    questions++;
    let [count, otherDays, otherTimes] = [0, false, false];
    const saysCut = await ask(window, async (study) => {
      count++;
      if (seen.size < notedMost) seen.add(study.studyUid);
      const [date, second] = [dateIn(study.date), secondOf(study.time)];
      if (window.day !== undefined && date !== undefined && date !== window.day) otherDays = true;
      if (second !== undefined && (second < window.from || second > window.to)) otherTimes = true;
      await take(study);
    });
    saysSo ||= saysCut;
    return { isEmpty: count === 0, isCut: saysCut || looksCut(count, answersMost), otherDays, otherTimes };
  };

  let [isWhole, ignoresDates] = [true, false];
  const begin = modalities.length === 0 ? [wholeDay(day)] : modalities.map((modality) => wholeDay(day, modality));
  const parts: Window[] = [];
  const look = async (window: Window): Promise<void> => {
    const { isCut, isEmpty, otherDays, otherTimes } = await answerTo(window);
    ignoresDates ||= otherDays;
    if (!isCut) return;
    const halves = halvesOf(window);
    const isHopeless = otherDays || otherTimes || (isEmpty && window.to - window.from < refusedSeconds);
    if (halves === undefined || isHopeless || questions >= questionsMost) isWhole = false;
    else parts.push(...halves);
  };
  for (const window of begin) await look(window);
  const listedAtFirst = seen.size;
  const wasCut = !isWhole || parts.length > 0;
  for (let window = parts.pop(); window !== undefined; window = parts.pop()) await look(window);
  if (!wasCut) return { isSure: true, ignoresDates };
  let isRest = modalities.length > 0;
  if (!isRest)
    for (const modality of usualModalities) isRest = (await answerTo(wholeDay(day, modality))).isCut || isRest;
  // A number that only looked like a bound: the same were listed in another way.
  const wasBound = saysSo || answersMost !== undefined || seen.size > listedAtFirst || !isWhole;
  const isCovered = day === undefined || isWhole;
  return { isSure: !wasBound || (isCovered && !isRest), ignoresDates };
}
