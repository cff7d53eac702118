import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { listDay } from "./listing.ts";
import {
  type Dates,
  daysBefore,
  daysIn,
  endStage,
  firstStage,
  halvesOf,
  keysOf,
  secondOf,
  stageAfter,
  timeOfDate,
  turnOf,
  undatedStage,
  type Window,
  wholeDay,
} from "./plan.ts";
import type { ListedStudy } from "./source.ts";

const seed = 20_240_131;

function stagesOf(dates: Dates): string[] {
  const stages: string[] = [];
  for (let stage = firstStage(dates); stage !== endStage; stage = stageAfter(dates, stage)) stages.push(stage);
  return stages;
}

test("every day of a range is listed once, the newest first or the oldest, and those without a date at the end", () => {
  const day = fc.integer({ min: 0, max: 30_000 }).map((days) => new Date(days * 86_400_000));
  const text = (date: Date) => date.toISOString().slice(0, 10).replaceAll("-", "");
  const property = fc.property(day, fc.nat(800), fc.boolean(), fc.boolean(), (from, days, isNewest, undated) => {
    const to = new Date(from.getTime() + days * 86_400_000);
    const order = isNewest ? "newest" : "oldest";
    const dates: Dates = { from: text(from), to: text(to), order, undated };
    const stages = stagesOf(dates);
    assert.equal(stages.length, days + 1 + (undated ? 1 : 0));
    assert.equal(stages.at(-1) === undatedStage, undated);
    const listed = stages.slice(0, days + 1);
    assert.equal(listed.length, daysIn(dates));
    assert.deepEqual(isNewest ? [...listed].reverse() : listed, [...new Set(listed)].sort());
    for (const [at, stage] of listed.entries()) assert.equal(daysBefore(dates, stage), at);
    const turns = stages.map((stage) => turnOf(dates, stage === undatedStage ? "" : stage));
    assert.deepEqual(
      turns,
      [...turns].sort((a, b) => a - b),
    );
  });
  fc.assert(property, { seed, numRuns: 60 });
});

test("what is no date is none", () => {
  for (const text of ["", "20240230", "2024013", "20241301", "20240131-", "*", "99999999"]) {
    assert.equal(timeOfDate(text), undefined, text);
  }
  assert.equal(timeOfDate("2024.01.31"), timeOfDate("20240131"));
});

test("windows are halved down to the second, and cover what they came from without a gap", () => {
  let windows: Window[] = [wholeDay("20240131")];
  for (let depth = 0; depth < 10; depth++) {
    windows = windows.flatMap((window) => halvesOf(window) ?? [window]).sort((a, b) => a.from - b.from);
    assert.equal(windows[0]?.from, 0);
    assert.equal(windows.at(-1)?.to, 86_399);
    for (const [at, { from }] of windows.entries()) if (at > 0) assert.equal(from, (windows[at - 1]?.to ?? 0) + 1);
  }
  assert.equal(halvesOf({ day: "20240131", from: 7, to: 7 }), undefined);
  assert.deepEqual(keysOf({ day: "20240131", from: 36_900, to: 36_959, modality: "CT" }), {
    StudyDate: "20240131",
    StudyTime: "1015-101559.999999",
    ModalitiesInStudy: "CT",
  });
});

const time = fc
  .tuple(fc.integer({ min: 0, max: 86_399 }), fc.constantFrom("", ".5", ".999999"), fc.constantFrom(2, 4, 6, 6, 6))
  .map(([second, fraction, digits]) => {
    const text = (of: number) => String(of).padStart(2, "0");
    const whole = `${text(Math.floor(second / 3600))}${text(Math.floor(second / 60) % 60)}${text(second % 60)}`;
    return digits === 6 ? whole + fraction : whole.slice(0, digits);
  });

/** A day of an archive; `matches` is how it compares times. */
function dayOf(times: readonly string[], matches: (time: string, from: string, to: string) => boolean) {
  const studies = times.map((time, at): ListedStudy => {
    const modalities = at % 3 === 0 ? ["MR", "SR"] : ["CT"];
    const identity = { patientId: "", patientName: "", accession: "" };
    return { studyUid: `1.2.${at}`, date: "20240131", time, modalities, ...identity };
  });
  return (window: Window) => {
    const { StudyTime, ModalitiesInStudy } = keysOf(window);
    const [from = "", to = ""] = StudyTime?.split("-") ?? [];
    return studies.filter(
      (study) =>
        (StudyTime === undefined || (study.time !== "" && matches(study.time, from, to))) &&
        (ModalitiesInStudy === undefined || study.modalities.includes(ModalitiesInStudy)),
    );
  };
}

const byText = (time: string, from: string, to: string) => time >= from && time <= to;
const bySecond = (time: string, from: string, to: string) => {
  const second = secondOf(time) ?? -1;
  return second >= (secondOf(from) ?? 0) && second <= (secondOf(to) ?? 0);
};

test("whatever bound an archive cuts its answers at, each study of a day is found, or it is said that it is not sure", async () => {
  const property = fc.asyncProperty(
    fc.array(fc.oneof({ weight: 9, arbitrary: time }, { weight: 1, arbitrary: fc.constant("") }), { maxLength: 240 }),
    fc.constantFrom(5, 20, 50, 64, 100, 1_000),
    fc.boolean(),
    fc.constantFrom(byText, bySecond),
    async (times, bound, saysSo, matches) => {
      const all = dayOf(times, matches);
      const found = new Set<string>();
      const ask = async (window: Window, take: (study: ListedStudy) => Promise<void>) => {
        const studies = all(window);
        for (const study of studies.slice(0, bound)) await take(study);
        return saysSo && studies.length > bound;
      };
      const answersMost = saysSo || bound >= 50 ? undefined : bound;
      const { isSure, ignoresDates } = await listDay(ask, "20240131", [], answersMost, async ({ studyUid }) => {
        found.add(studyUid);
      });
      assert.equal(ignoresDates, false);
      if (isSure) assert.equal(found.size, times.length);
      const inSecond = new Map<number, string[]>();
      for (const [at, text] of times.entries()) {
        const second = secondOf(text);
        if (second !== undefined) inSecond.set(second, [...(inSecond.get(second) ?? []), `1.2.${at}`]);
      }
      // A second with more than are answered cannot be parted.
      const findable = [...inSecond.values()].filter((uids) => uids.length <= bound).flat();
      assert.deepEqual(
        findable.filter((uid) => !found.has(uid)),
        [],
      );
    },
  );
  await fc.assert(property, { seed, numRuns: 120 });
});

test("an archive that does not look at the date or the time is not asked on and on, and it is said", async () => {
  const studies = Array.from({ length: 100 }, (_, at): ListedStudy => {
    const identity = { patientId: "", patientName: "", accession: "" };
    const date = at < 90 ? `202301${String(10 + (at % 20))}` : "20240131";
    return { studyUid: `1.2.${at}`, date, time: "1200", modalities: [], ...identity };
  });
  let questions = 0;
  const asked = (all: readonly ListedStudy[]) => async (_: Window, take: (study: ListedStudy) => Promise<void>) => {
    questions++;
    for (const study of all) await take(study);
    return false;
  };
  const anyDay = await listDay(asked(studies), "20240131", [], undefined, async () => {});
  assert.deepEqual(anyDay, { isSure: false, ignoresDates: true });
  const sameDay = studies.map((study) => ({ ...study, date: "20240131" }));
  const anyTime = await listDay(asked(sameDay), "20240131", [], 100, async () => {});
  assert.deepEqual(anyTime, { isSure: false, ignoresDates: false });
  assert.ok(questions < 100, String(questions));
});
