import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { Actor } from "#trust/access";
import { type Kept, openHeldShelf, type RecordChange, type Records } from "#trust/vault";
import { key, stepOf, textAt } from "./attributes.ts";
import { orderTurns, type TellOrders } from "./order-turns.ts";
import { isOver, type ScheduledStep, type StepContent } from "./scheduled-step.ts";
import { termsOf } from "./worklist-query.ts";

/** The schedule is held open in memory, so it is bounded. */
const stepsMax = 20_000;
const charactersMax = 96 * 1024 * 1024;
const dayMs = 24 * 60 * 60 * 1000;
/**
 * Ended steps are kept for so long: who schedules one again in that time finds it done. One of which nobody says that it ended, for so long
 * after its day, or after what was last said of it: many machines never say so, and the schedule would fill up.
 */
const keptMs = { ended: 7 * dayMs, open: 90 * dayMs };

/** A step in memory. */
export interface HeldStep extends ScheduledStep {
  /** Date and time: the order in which steps are due. */
  readonly startsAt: string;
}

export const byStart = (a: HeldStep, b: HeldStep) => (a.startsAt < b.startsAt ? -1 : a.startsAt > b.startsAt ? 1 : 0);

/** Every scheduled step, sealed on disk and open in memory, found by what consoles ask for. */
export interface HeldSteps {
  get(token: string): HeldStep | undefined;
  all(): HeldStep[];
  /** Those that have one of the terms of each group, or some more. */
  having(terms: readonly (readonly string[])[]): HeldStep[];
  /** Puts them, and does what else belongs to the same change, all or nothing. Problem `no-room` when the schedule is full. */
  put(contents: ReadonlyMap<string, StepContent>, by: Actor, ...more: RecordChange[]): Promise<void>;
  /** False when there is no such step. */
  remove(token: string): Promise<boolean>;
  /** Another number after each change, in this process. */
  changes(): number;
  /** One after the other: whatever reads before it changes. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/** Opens all records of steps. */
export async function openHeldSteps(records: Records, clock: Clock, telling?: TellOrders): Promise<HeldSteps> {
  const index = createStepIndex();
  const shelf = await openHeldShelf<StepContent>({
    ...{ records, kind: "scheduled-step", recordsMax: stepsMax, charactersMax, index },
    full: () =>
      new Problem("no-room", "the schedule is full", { remedy: "remove what is over: leadglass worklist remove" }),
  });

  let changes = 0;

  return {
    changes: () => changes,
    get: index.get,
    all: index.all,
    having: index.having,
    async put(contents, by, ...more) {
      const now = clock.now();
      const turns = telling === undefined ? [] : orderTurns(index, contents);
      const told = turns.length === 0 ? [] : await telling?.changesFor(turns, by);
      await shelf.sweep(now, () => undefined);
      const values = new Map(
        Array.from(contents, ([token, value]) => [token, { value, dueAt: dueOf(value, shelf.get(token), now) }]),
      );
      await shelf.change(values, ...(told ?? []), ...more);
      changes++;
      if (told !== undefined && told.length > 0) telling?.kept();
    },
    async remove(token) {
      if (index.get(token) === undefined) return false;
      await shelf.change(new Map([[token, undefined]]));
      changes++;
      return true;
    },
    inTurn: shelf.inTurn,
  };
}

function dueOf(content: StepContent, known: Kept<StepContent> | undefined, now: number): number {
  if (!isOver(content)) return Math.max(now, dayOf(content)) + keptMs.open;
  const hadEnded = known !== undefined && isOver(known.value);
  return hadEnded && known.dueAt !== undefined ? known.dueAt : now + keptMs.ended;
}

/** The day on which it is planned, 0 for a date that is none. */
function dayOf({ attributes }: StepContent): number {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(textAt(stepOf(attributes), key.startDate)) ?? [];
  return year === undefined ? 0 : Date.UTC(Number(year), Number(month) - 1, Number(day));
}

function createStepIndex() {
  const byToken = new Map<string, HeldStep>();
  const byTerm = new Map<string, Set<HeldStep>>();
  return {
    add({ id: token, value: content }: Kept<StepContent>) {
      const { attributes } = content;
      const at = stepOf(attributes);
      const startsAt = textAt(at, key.startDate) + textAt(at, key.startTime);
      const step = { token, content, startsAt };
      byToken.set(token, step);
      for (const term of termsOf(attributes)) {
        const having = byTerm.get(term) ?? new Set();
        byTerm.set(term, having.add(step));
      }
    },
    remove({ id: token, value: { attributes } }: Kept<StepContent>) {
      const step = byToken.get(token);
      if (step === undefined) return;
      byToken.delete(token);
      for (const term of termsOf(attributes)) {
        const having = byTerm.get(term);
        having?.delete(step);
        if (having?.size === 0) byTerm.delete(term);
      }
    },
    get: (token: string) => byToken.get(token),
    all: () => [...byToken.values()],
    /** Looks at the group of which fewest have a term. */
    having(terms: readonly (readonly string[])[]): HeldStep[] {
      let fewest: Set<HeldStep>[] | undefined;
      let least = byToken.size + 1;
      for (const group of terms) {
        const sets = group.flatMap((term) => byTerm.get(term) ?? []);
        const size = sets.reduce((sum, set) => sum + set.size, 0);
        if (size < least) [fewest, least] = [sets, size];
      }
      return fewest === undefined ? [...byToken.values()] : [...new Set(fewest.flatMap((set) => [...set]))];
    },
  };
}
