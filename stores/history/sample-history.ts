import type { Files, OpenFile } from "#base/io";
import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { EdgeHistoryView, EdgeSample } from "#formats/api";
import { isPeriod, merged, sampleIn, slotBytes, slotOf } from "./slots.ts";

/** How an edge did, one sample a minute, in a file that does not grow. */
export interface SampleHistory {
  /** The sample of its minute, in place of one that there is. When it rejects, that minute is a gap, or as it was. */
  add(sample: EdgeSample): Promise<void>;
  /** From the step that `from` lies in to the one before `to` (epoch milliseconds), in at most `points` steps. */
  read(from: number, to: number, points: number): Promise<EdgeHistoryView>;
  remove(): Promise<void>;
}

/** One of the two rings in the file. A period's slot is found by its number. */
interface Ring {
  readonly at: number;
  readonly slots: number;
  readonly periodMs: number;
}

const minuteMs = 60_000;
const minutesOfQuarter = 15;
const minutes: Ring = { at: 0, slots: 24 * 60, periodMs: minuteMs };
const quarters: Ring = { at: minutes.slots * slotBytes, slots: 90 * 96, periodMs: minutesOfQuarter * minuteMs };
export const historyBytesMax = quarters.at + quarters.slots * slotBytes;
const pointsMost = 2_000;

/**
 * 24 hours by the minute and 90 days by the quarter of an hour. Nothing is held in memory and nothing synced: the death of the process loses
 * nothing, that of the machine the last half minute or so. A slot that tore is a gap. Samples from a time that has not come yet, by a clock
 * that was set back since, are deleted.
 */
export function createSampleHistory(files: Files, folder: string, name: string): SampleHistory {
  const path = `${folder}/${name}`;
  const { take: inTurn } = createTurns();
  /** Of the newest sample that this process has added. */
  let newest: number | undefined;

  const open = async (): Promise<OpenFile> =>
    (await files.exists(path)) ? files.open(path, "update") : files.open(path, "create");
  const withFile = async <T>(work: (file: OpenFile) => Promise<T>): Promise<T> => {
    const file = await open();
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  };

  return {
    add: (sample) =>
      inTurn(async () => {
        const minute = Math.floor(sample.at / minuteMs);
        if (!isPeriod(minute)) throw new Problem("invalid", "a sample of no time");
        await withFile(async (file) => {
          if (newest === undefined || minute < newest) await forgetAfter(file, sample.at);
          await file.write([slotOf(minute, sample)], placeOf(minutes, minute));
          const quarter = Math.floor(minute / minutesOfQuarter);
          const first = quarter * minutesOfQuarter;
          const whole = merged(await samplesOf(file, minutes, first, first + minutesOfQuarter));
          if (whole !== undefined) await file.write([slotOf(quarter, whole)], placeOf(quarters, quarter));
        });
        newest = minute;
      }),
    read: (from, to, points) =>
      inTurn(async () => {
        if (!(points >= 1 && points <= pointsMost && from >= 0 && to >= from && to <= Number.MAX_SAFE_INTEGER)) {
          throw new Problem("invalid", "not a time that can be shown", {
            remedy: `from before to, and 1 to ${pointsMost} points`,
          });
        }
        if (!(await files.exists(path))) return stepped(quarters, { from, to, points }, new Map());
        return withFile(async (file) => {
          const fine = await readRing(file, minutes, { from, to, points });
          return fine?.up.some((value) => value !== null) ? fine : readAny(file, { from, to, points });
        });
      }),
    remove: () => inTurn(() => files.remove(path)),
  };
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly points: number;
}

/** Undefined for a time that is longer than the ring. */
async function readRing(file: OpenFile, ring: Ring, span: Span): Promise<EdgeHistoryView | undefined> {
  const last = Math.ceil(span.to / ring.periodMs);
  const first = Math.floor(span.from / ring.periodMs);
  return last - first > ring.slots ? undefined : readAny(file, span, ring);
}

async function readAny(file: OpenFile, span: Span, ring = quarters): Promise<EdgeHistoryView> {
  return stepped(ring, span, await heldIn(file, ring));
}

type Held = NonNullable<ReturnType<typeof sampleIn>>["values"];

/** Steps are whole periods, each beginning at a multiple of its length. What it costs goes by what is held, not by the time that is asked for. */
function stepped(ring: Ring, { from, to, points }: Span, held: ReadonlyMap<number, Held>): EdgeHistoryView {
  const perStep = Math.max(1, Math.ceil((to - from) / ring.periodMs / points));
  const stepMs = perStep * ring.periodMs;
  const first = Math.floor(from / stepMs);
  const count = Math.max(0, Math.ceil(to / stepMs) - first);
  const byStep = Map.groupBy(held, ([period]) => Math.floor(period / perStep) - first);
  const steps = Array.from({ length: count }, (_, step) => merged((byStep.get(step) ?? []).map(([, each]) => each)));
  const of = (measure: keyof Held) => steps.map((step) => step?.[measure] ?? null);
  return {
    ...{ stepMs, at: steps.map((_, step) => (first + step) * stepMs) },
    ...{ parcels: of("parcels"), bytes: of("bytes"), oldestMs: of("oldestMs"), up: of("up") },
    ...{ sentBytesPerSecond: of("sentBytesPerSecond"), receivedPerMinute: of("receivedPerMinute") },
    freeBytes: of("freeBytes"),
  };
}

const placeOf = (ring: Ring, period: number) => ring.at + (period % ring.slots) * slotBytes;

/** Those of consecutive periods. A quarter of an hour never lies around the ring's end. */
async function samplesOf(file: OpenFile, ring: Ring, from: number, to: number): Promise<Held[]> {
  const bytes = await readAt(file, placeOf(ring, from), (to - from) * slotBytes);
  return slotsIn(bytes).flatMap((sample, each) => (sample?.period === from + each ? [sample.values] : []));
}

async function heldIn(file: OpenFile, ring: Ring): Promise<ReadonlyMap<number, Held>> {
  const found = slotsIn(await readAt(file, ring.at, ring.slots * slotBytes));
  return new Map(found.flatMap((sample) => (sample === undefined ? [] : [[sample.period, sample.values] as const])));
}

function slotsIn(bytes: Buffer) {
  return Array.from({ length: bytes.length / slotBytes }, (_, each) =>
    sampleIn(bytes.subarray(each * slotBytes, (each + 1) * slotBytes)),
  );
}

/** Zeros behind the end of the file. */
async function readAt(file: OpenFile, position: number, count: number): Promise<Buffer> {
  const bytes = Buffer.alloc(count);
  await file.read(bytes, position);
  return bytes;
}

async function forgetAfter(file: OpenFile, at: number): Promise<void> {
  for (const ring of [minutes, quarters]) {
    const now = Math.floor(at / ring.periodMs);
    for (const period of (await heldIn(file, ring)).keys()) {
      if (period > now) await file.write([Buffer.alloc(slotBytes)], placeOf(ring, period));
    }
  }
}
