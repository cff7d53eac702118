import type { Clock } from "#base/clock";
import type { Random } from "#base/id";
import type { Log } from "#base/log";
import { asProblem, isPassing, type Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import { pauseMs } from "#radiology/relay";
import type { Actor, ActorKind, Gate } from "#trust/access";
import type { Kept } from "#trust/vault";
import { carry, isAskedFor } from "./carrying.ts";
import type { Compare } from "./holdings.ts";
import { type Job, nothingHeld, type StudyWork, type Trouble } from "./job.ts";
import type { Book } from "./ledger.ts";
import { type Listed, listDay } from "./listing.ts";
import { createHours, createPace } from "./pace.ts";
import { dateIn, endStage, stageAfter, undatedStage } from "./plan.ts";
import type { ListedStudy, Source } from "./source.ts";

export interface RunParts {
  readonly source: Source;
  readonly compare: Compare;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** IANA: in which the hours of a migration are meant. */
  readonly timeZone: string;
}

/** What a run keeps in memory alone. */
export interface RunFacts {
  /** Studies of the last minutes, as a rate; undefined while too few are over. */
  readonly studiesPerMinute: number | undefined;
  /** What it waits for, if it does. */
  readonly waitsFor: "hours" | "archive" | "retries" | undefined;
}

export interface Run {
  /** Resolves when there is nothing more to do, or it was stopped. Never rejects. */
  readonly over: Promise<void>;
  facts(): RunFacts;
  stop(): void;
}

const attemptsMost = 5;
/** So many studies fail one after the other: it is not the studies. */
const failuresInARowMost = 10;
/** A day that the archive refuses to list so often is passed over; so many days in a row are not. */
const refusalsMost = 4;
const skippedMost = 3;
const awayMsMost = 15 * 60_000;
const lookMsMost = 60_000;
/** Taken in together, so that a day of thousands is not as many transactions. */
const enrolledAtOnce = 100;
const ratedMost = 60;

/** Works through a migration until it is over or stopped: what it leaves at any moment, the next run goes on from. */
export function startRun(parts: RunParts, book: Book, changed: () => void): Run {
  const stop = new AbortController();
  const work = createWork(parts, book, stop);
  const { associations } = book.job().spec;
  const lanes = Array.from({ length: associations }, () => lane(work, stop.signal));
  const over = Promise.all(lanes).then(async () => {
    if (!stop.signal.aborted) await work.finished();
  });
  return {
    over: over
      .catch((error) => parts.log.error("a migration ended badly", { migration: book.job().id }, error))
      .then(changed),
    facts: work.facts,
    stop: () => stop.abort(),
  };
}

async function lane({ next, take, stumbled }: ReturnType<typeof createWork>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const study = await next();
      if (study === undefined) return;
      await take(study);
    } catch (error) {
      if (!signal.aborted) await stumbled(asProblem(error, "taking a study over"));
    }
  }
}

function createWork(parts: RunParts, book: Book, stop: AbortController) {
  const { source, compare, gate, clock, random, log } = parts;
  const { spec } = book.job();
  const { signal } = stop;
  const pace = createPace(spec, clock);
  const isOpenAt = createHours(spec.hours, parts.timeZone);
  const turns = createTurns();
  const inHand = new Set<string>();
  const failing = new Set<string>();
  const ended: number[] = [];
  let awayTimes = 0;
  let awayUntil = 0;
  let [refusals, skipped] = [0, 0];
  let waitsFor: RunFacts["waitsFor"];

  const changeJob = (change: Partial<Pick<Job, "state" | "stage" | "unsureDays" | "ignoresDates" | "trouble">>) =>
    book.change((job) => ({ ...job, ...change, changedAt: clock.now() }));
  const troubleOf = ({ code, message, remedy }: Problem): Trouble => {
    return { code, message, ...(remedy !== undefined && { remedy }), at: clock.now() };
  };
  const pauseItself = async (problem: Problem, remedy: string): Promise<void> => {
    log.warn("a migration paused itself", { migration: book.job().id }, problem);
    await changeJob({ state: "paused", trouble: { ...troubleOf(problem), remedy } });
    stop.abort();
  };
  /** In the name of who started it, as long as they may. */
  const passing = async <T>(work: () => Promise<T>): Promise<T> => {
    const { by } = book.job();
    const actor: Actor = { kind: by.replace(/:.*$/, "") as ActorKind, id: by };
    let isAllowed = false;
    try {
      return await gate.pass(actor, "migration.carry", { kind: "device", id: spec.from }, () => {
        isAllowed = true;
        return work();
      });
    } catch (error) {
      if (!isAllowed)
        await pauseItself(asProblem(error, "going on"), "who started it may not any more: resume it yourself");
      throw error;
    }
  };
  /** The archive does not answer, or we cannot go on: no study is to blame. */
  const away = async (problem: Problem): Promise<void> => {
    awayTimes++;
    awayUntil = clock.monotonicMs() + pauseMs(awayTimes, random, awayMsMost);
    await changeJob({ trouble: troubleOf(problem) });
  };
  const rested = (ms: number, why: RunFacts["waitsFor"]) => {
    waitsFor = why;
    return resting(clock, Math.min(ms, lookMsMost), signal);
  };

  /** Until the archive may be asked something. */
  const untilAllowed = async (): Promise<void> => {
    while (!signal.aborted) {
      if (!isOpenAt(clock.now())) await rested(lookMsMost, "hours");
      else if (awayUntil > clock.monotonicMs()) await rested(awayUntil - clock.monotonicMs(), "archive");
      else if (pace.waitMs() > 0) await rested(pace.waitMs(), undefined);
      else break;
    }
    waitsFor = undefined;
  };

  const enrolAll = async (stage: string): Promise<Listed> => {
    const day = stage === undatedStage ? undefined : stage;
    let batch: StudyWork[] = [];
    const enrol = async () => {
      const found = batch;
      batch = [];
      if (found.length > 0) await book.enrol(found);
    };
    const take = async (study: ListedStudy) => {
      signal.throwIfAborted();
      const work = enrolled(study, day, book.job());
      if (work !== undefined) batch.push(work);
      if (batch.length >= enrolledAtOnce) await enrol();
    };
    const ask: Parameters<typeof listDay>[0] = (window, each) => source.list(spec.from, window, each, signal);
    const listed = await listDay(ask, day, spec.modalities, spec.answersMost, take);
    await enrol();
    return listed;
  };
  const listStage = async (): Promise<void> => {
    const { stage, unsureDays, ignoresDates } = book.job();
    try {
      const { isSure, ignoresDates: ignores } = await passing(() => enrolAll(stage));
      signal.throwIfAborted();
      [awayTimes, refusals, skipped] = [0, 0, 0];
      await changeJob({
        // Who answers with all days to each has been listed whole, those without a date too.
        stage: ignores ? endStage : stageAfter(spec.dates, stage),
        unsureDays: unsureDays + (isSure ? 0 : 1),
        ignoresDates: ignoresDates || ignores,
      });
    } catch (error) {
      signal.throwIfAborted();
      const problem = asProblem(error, "listing studies");
      const isAway = isPassing(problem) && !(await source.answers(spec.from));
      if (isAway || ++refusals < refusalsMost) return away(problem);
      // It answers, and will not list this day: the others are not held up.
      [refusals, skipped] = [0, skipped + 1];
      await changeJob({
        stage: stageAfter(spec.dates, stage),
        unsureDays: unsureDays + 1,
        trouble: troubleOf(problem),
      });
      if (skipped >= skippedMost) await pauseItself(problem, "see why the archive does not list its studies");
    }
  };

  const next = (): Promise<Kept<StudyWork> | undefined> =>
    turns.take(async () => {
      while (!signal.aborted) {
        await untilAllowed();
        if (signal.aborted) break;
        const first = (await book.waiting(inHand.size + 1)).find(({ id }) => !inHand.has(id));
        const waitMs = first === undefined ? Number.POSITIVE_INFINITY : (first.dueAt ?? 0) - clock.now();
        if (first !== undefined && waitMs <= 0) {
          inHand.add(first.id);
          pace.begun();
          return first;
        }
        if (book.job().stage !== endStage) await listStage();
        // What another lane has in hand may wait again: that lane goes on with it.
        else if (first === undefined) return undefined;
        else await rested(waitMs, "retries");
      }
      return undefined;
    });

  const failed = async (known: Kept<StudyWork>, work: StudyWork, problem: Problem): Promise<void> => {
    if (isPassing(problem) && !(await source.answers(spec.from))) return away(problem);
    const attempts = work.attempts + 1;
    const isOver = !isPassing(problem) || attempts >= attemptsMost;
    const told = { ...work, attempts, problem: { code: problem.code, message: problem.message } };
    const state = isOver ? (work.state === "waiting" ? "failed" : work.state) : "waiting";
    await book.note(known, { ...told, state }, isOver ? undefined : clock.now() + pauseMs(attempts + 2, random));
    failing.add(known.id);
    await changeJob({ trouble: troubleOf(problem) });
    if (failing.size < failuresInARowMost || book.job().stage === endStage) return;
    await pauseItself(problem, "see why the archive or this server refuses, then: leadglass migrate resume");
  };

  const take = async (study: Kept<StudyWork>): Promise<void> => {
    let known = study;
    const keep = async (work: StudyWork) => {
      known = await book.note(known, work, known.dueAt);
    };
    try {
      await passing(async () => {
        const carried = await carry(study.value, { source, compare, spec, keep, signal }).catch((error: unknown) => {
          signal.throwIfAborted();
          return { work: known.value, failure: asProblem(error, "taking a study over") };
        });
        pace.brought(carried.work.brought.bytes - study.value.brought.bytes);
        if (carried.failure !== undefined) return failed(known, carried.work, carried.failure);
        await book.note(known, carried.work);
        failing.clear();
        awayTimes = 0;
        ended.push(clock.monotonicMs());
        if (ended.length > ratedMost) ended.shift();
      });
    } finally {
      inHand.delete(study.id);
    }
  };

  return {
    next,
    take,
    stumbled: away,
    finished: () => changeJob({ state: "done" }),
    facts: (): RunFacts => ({ studiesPerMinute: rateOf(ended, clock.monotonicMs()), waitsFor }),
  };
}

/** Undefined for what was not asked for: another day, another modality. */
function enrolled(study: ListedStudy, day: string | undefined, { spec }: Job): StudyWork | undefined {
  const { studyUid, modalities, patientId, patientName, accession } = study;
  const given = dateIn(study.date);
  // An undated study that an archive gives for a day is one of that day.
  const date = given ?? day ?? "";
  const isMeant = day === undefined ? given === undefined : date >= spec.dates.from && date <= spec.dates.to;
  if (!isMeant || !isAskedFor(modalities, spec)) return undefined;
  return {
    ...{ studyUid, date, modalities: [...modalities].sort(), patientId, patientName, accession },
    ...{ state: "waiting", attempts: 0, listed: 0, missing: 0, brought: nothingHeld },
  };
}

function rateOf(ended: readonly number[], nowMs: number): number | undefined {
  const [first] = ended;
  if (first === undefined || ended.length < 3 || nowMs <= first) return undefined;
  return (ended.length / (nowMs - first)) * 60_000;
}

function resting(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.after(ms, resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  return promise.finally(timer.stop);
}
