import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { Kept, RecordChange, Records, Shelf } from "#trust/vault";
import { key, stepOf, textAt } from "./attributes.ts";
import { isOver, type ScheduledStep, type StepContent } from "./scheduled-step.ts";
import { termsOf } from "./worklist-query.ts";

/** Steps beyond that are refused: the schedule is held open in memory. */
const stepsMax = 20_000;
const charactersMax = 96 * 1024 * 1024;
/** Ended steps are kept for so long: who schedules one again in that time finds it done. */
const keptMs = 7 * 24 * 60 * 60 * 1000;
const sweptAtOnce = 500;

/** A step in memory. */
export interface HeldStep extends ScheduledStep {
  /** Date and time: the order in which steps are due. */
  readonly startsAt: string;
  readonly kept: Kept<StepContent>;
}

/** Every scheduled step, sealed on disk and open in memory, found by what consoles ask for. */
export interface HeldSteps {
  get(token: string): HeldStep | undefined;
  all(): HeldStep[];
  /** Those that have one of the terms of each group, or some more. */
  having(terms: readonly (readonly string[])[]): HeldStep[];
  /** Puts them, and does what else belongs to the same change, all or nothing. Problem `no-room` when the schedule is full. */
  put(contents: ReadonlyMap<string, StepContent>, ...more: RecordChange[]): Promise<void>;
  /** False when there is no such step. */
  remove(token: string): Promise<boolean>;
  /** One after the other: whatever reads before it changes. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/** Opens all records of steps. */
export async function openHeldSteps(records: Records, clock: Clock): Promise<HeldSteps> {
  const shelf: Shelf<StepContent> = records.shelf("scheduled-step");
  const steps = new Map<string, HeldStep>();
  const byTerm = new Map<string, Set<HeldStep>>();
  let characters = 0;
  let running: Promise<unknown> = Promise.resolve();

  const drop = (token: string) => {
    const step = steps.get(token);
    if (step === undefined) return;
    steps.delete(token);
    characters -= sizeOf(step.content);
    for (const term of termsOf(step.content.attributes)) {
      const having = byTerm.get(term);
      having?.delete(step);
      if (having?.size === 0) byTerm.delete(term);
    }
  };
  const hold = (kept: Kept<StepContent>) => {
    drop(kept.id);
    const { attributes } = kept.value;
    const at = stepOf(attributes);
    const startsAt = textAt(at, key.startDate) + textAt(at, key.startTime);
    const step = { token: kept.id, content: kept.value, startsAt, kept };
    steps.set(kept.id, step);
    characters += sizeOf(kept.value);
    for (const term of termsOf(attributes)) {
      const having = byTerm.get(term) ?? new Set();
      byTerm.set(term, having.add(step));
    }
  };
  for await (const kept of shelf.all()) hold(kept);

  const sweep = async (now: number) => {
    for (const kept of await shelf.due(now, sweptAtOnce)) {
      if (await records.change(shelf.remove(kept))) drop(kept.id);
    }
  };

  return {
    get: (token) => steps.get(token),
    all: () => [...steps.values()],
    having(terms) {
      let fewest: Set<HeldStep>[] | undefined;
      let least = steps.size + 1;
      for (const group of terms) {
        const sets = group.flatMap((term) => byTerm.get(term) ?? []);
        const size = sets.reduce((sum, set) => sum + set.size, 0);
        if (size < least) [fewest, least] = [sets, size];
      }
      return fewest === undefined ? [...steps.values()] : [...new Set(fewest.flatMap((set) => [...set]))];
    },
    async put(contents, ...more) {
      const now = clock.now();
      await sweep(now);
      const added = [...contents].filter(([token]) => !steps.has(token));
      const size = added.reduce((sum, [, content]) => sum + sizeOf(content), characters);
      if (added.length > 0 && (steps.size + added.length > stepsMax || size > charactersMax)) {
        throw new Problem("no-room", "the schedule is full", {
          remedy: "remove what is over: leadglass worklist remove",
        });
      }
      const changes = [...contents].map(([token, content]) => {
        const known = steps.get(token)?.kept;
        const dueAt = isOver(content) ? { dueAt: known?.dueAt ?? now + keptMs } : {};
        return { change: shelf.put(token, content, { known, ...dueAt }), token, content, known, ...dueAt };
      });
      if (!(await records.change(...changes.map(({ change }) => change), ...more))) {
        throw new Problem("busy", "somebody else changes the schedule");
      }
      for (const { token, content, known, dueAt } of changes) {
        hold({ id: token, version: (known?.version ?? 0) + 1, dueAt, value: content });
      }
    },
    async remove(token) {
      const step = steps.get(token);
      if (step === undefined || !(await records.change(shelf.remove(step.kept)))) return false;
      drop(token);
      return true;
    },
    inTurn(work) {
      const turn = running.then(work);
      running = turn.catch(() => {});
      return turn;
    },
  };
}

const sizeOf = (content: StepContent): number => JSON.stringify(content).length;
