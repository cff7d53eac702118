import { newToken } from "#base/id";
import { Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { MigrationStudyView } from "#formats/api";
import type { Actor } from "#trust/access";
import type { Records } from "#trust/vault";
import { createCompare, type HoldingsParts } from "./holdings.ts";
import { isOver, type Job, type MigrationSpec, noCounts } from "./job.ts";
import { absent, type Book, createLedger } from "./ledger.ts";
import { daysIn, firstStage, timeOfDate } from "./plan.ts";
import { type MigrationReport, reportOf, wrongStudies } from "./report.ts";
import { type Run, type RunFacts, type RunParts, startRun } from "./run.ts";

/** A migration, and how it goes. */
export interface MigrationStanding extends Job, Partial<RunFacts> {}

/**
 * Takes old archives over, study by study, over weeks and through restarts. Acts `migration.read` and `migration.write`; who looks at who
 * the studies are of does `migration.identify`. What is fetched is stored as the machine's.
 */
export interface Migrations {
  /** The newest first. */
  list(actor: Actor): Promise<MigrationStanding[]>;
  /** Problem `conflict` while another one of the same machine is not over, `invalid` for what cannot be meant. */
  start(actor: Actor, spec: MigrationSpec): Promise<MigrationStanding>;
  pause(actor: Actor, id: string): Promise<MigrationStanding>;
  /** Goes on in the name of `actor`, also with one that is done; what was set aside is tried again. */
  resume(actor: Actor, id: string): Promise<MigrationStanding>;
  /** For good. What was fetched stays. */
  stop(actor: Actor, id: string): Promise<MigrationStanding>;
  /** Forgets one that is over, with what is known of its studies. */
  remove(actor: Actor, id: string): Promise<void>;
  report(actor: Actor, id: string): Promise<MigrationReport>;
  /** Studies that are not whole; who they are of for who may know, and asks. */
  wrong(
    actor: Actor,
    id: string,
    choice: { readonly limit: number; readonly identified: boolean },
  ): Promise<MigrationStudyView[]>;
  /** Tells how far it is; resolves when it does not run any more. Problem `unavailable` when `signal` ends that. */
  follow(
    actor: Actor,
    id: string,
    tell: (standing: MigrationStanding) => void,
    signal: AbortSignal,
  ): Promise<MigrationStanding>;
  /** Takes up what the last process left. */
  begin(): Promise<void>;
  /** Cuts off what runs; it is taken up at the next start. */
  close(): Promise<void>;
}

export interface MigrationParts extends HoldingsParts, Omit<RunParts, "compare"> {
  readonly records: Records;
}

const migrationsMost = 100;
/** A century of days, each of them asked for. */
const daysMost = 36_525;

interface Open {
  readonly book: Book;
  run: Run | undefined;
}

export function createMigrations(parts: MigrationParts): Migrations {
  const { gate, source, records, clock, random } = parts;
  const ledger = createLedger(records);
  const compare = createCompare(parts);
  const all = new Map<string, Open>();
  const turns = createTurns();
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };

  const standing = ({ book, run }: Open): MigrationStanding => ({
    ...book.job(),
    ...(book.job().state === "running" && run?.facts()),
  });
  const named = (id: string): Open => {
    const open = all.get(id);
    if (open === undefined) throw absent();
    return open;
  };
  const launch = (open: Open) => {
    open.run = startRun({ ...parts, compare }, open.book, changed);
  };
  const halt = async ({ run }: Open): Promise<void> => {
    run?.stop();
    await run?.over;
  };
  const requireAlone = (from: string, but?: string): void => {
    const other = [...all.values()].find(({ book }) => {
      const { id, spec, state } = book.job();
      return id !== but && spec.from === from && !isOver({ state });
    });
    if (other === undefined) return;
    throw new Problem("conflict", "a migration from this machine is under way", {
      remedy: "`leadglass migrate list` shows it; stop that one first",
    });
  };
  const steer = (actor: Actor, id: string, work: (open: Open) => Promise<void>): Promise<MigrationStanding> =>
    gate.pass(actor, "migration.write", subjectOf(all.get(id)), () =>
      turns.take(async () => {
        await work(named(id));
        changed();
        return standing(named(id));
      }),
    );
  const reading = <T>(actor: Actor, id: string, work: (open: Open) => Promise<T>): Promise<T> =>
    gate.pass(actor, "migration.read", subjectOf(all.get(id)), () => work(named(id)));
  /** Which way it goes from its state; another way is none. */
  const turnTo = (state: Job["state"], from: readonly Job["state"][], by?: string) => async (open: Open) => {
    const now = open.book.job().state;
    if (!from.includes(now)) throw new Problem("conflict", `this migration is ${now}`);
    if (now === "running") {
      await open.book.change((job) => ({ ...job, state, changedAt: clock.now() }));
      return halt(open);
    }
    if (state === "running") {
      requireAlone(open.book.job().spec.from, open.book.job().id);
      await open.book.tryAgain();
    }
    await open.book.change(({ trouble, ...job }) => ({
      ...job,
      ...(state !== "running" && trouble && { trouble }),
      ...{ state, by: by ?? job.by, changedAt: clock.now() },
    }));
    if (state === "running") launch(open);
  };

  return {
    list: (actor) =>
      gate.pass(actor, "migration.read", undefined, async () =>
        [...all.values()].map(standing).sort((a, b) => b.startedAt - a.startedAt),
      ),
    start: (actor, spec) =>
      gate.pass(actor, "migration.write", machine(spec.from), () =>
        turns.take(async () => {
          requireMeant(spec);
          await source.titleOf(spec.from);
          requireAlone(spec.from);
          if (all.size >= migrationsMost) {
            throw new Problem("busy", "there are too many migrations", { remedy: "leadglass migrate remove ID" });
          }
          const at = clock.now();
          const job: Job = {
            ...{ id: newToken(random), spec, by: actor.id, state: "running", startedAt: at, changedAt: at },
            ...{ stage: firstStage(spec.dates), unsureDays: 0, ignoresDates: false, totals: noCounts },
          };
          const open: Open = { book: await ledger.create(job), run: undefined };
          all.set(job.id, open);
          launch(open);
          changed();
          return standing(open);
        }),
      ),
    pause: (actor, id) => steer(actor, id, turnTo("paused", ["running"])),
    resume: (actor, id) => steer(actor, id, turnTo("running", ["paused", "done"], actor.id)),
    stop: (actor, id) => steer(actor, id, turnTo("stopped", ["running", "paused"])),
    remove: (actor, id) =>
      gate.pass(actor, "migration.write", subjectOf(all.get(id)), () =>
        turns.take(async () => {
          const open = named(id);
          if (!isOver(open.book.job())) throw new Problem("conflict", "stop this migration first");
          await halt(open);
          await ledger.remove(id);
          all.delete(id);
          changed();
        }),
      ),
    report: (actor, id) => reading(actor, id, ({ book }) => reportOf(book)),
    wrong: (actor, id, { limit, identified }) =>
      gate.pass(actor, identified ? "migration.identify" : "migration.read", subjectOf(all.get(id)), (pass) =>
        wrongStudies(named(id).book, { limit, identified: identified && pass.sees === "whole" }),
      ),
    follow: (actor, id, tell, signal) =>
      reading(actor, id, () => untilStill(() => standing(named(id)), { parts, listeners, tell, signal })),
    async begin() {
      for await (const { id } of ledger.jobs()) all.set(id, { book: await ledger.open(id), run: undefined });
      for (const open of all.values()) if (open.book.job().state === "running") launch(open);
    },
    async close() {
      await Promise.all([...all.values()].map(halt));
    },
  };
}

/** Only what looks like a token of ours goes into the log; anything else came from the caller. */
const machine = (id: string) => ({ kind: "device", id: /^[0-9a-f]{32}$/.test(id) ? id : "unknown" }) as const;
const subjectOf = (open: Open | undefined) => open && machine(open.book.job().spec.from);

function requireMeant({ dates, modalities, associations, hours, ...more }: MigrationSpec): void {
  const wrong = (what: string, remedy: string): never => {
    throw new Problem("invalid", what, { remedy });
  };
  const isDates = timeOfDate(dates.from) !== undefined && timeOfDate(dates.to) !== undefined;
  if (!isDates || dates.from > dates.to) wrong("these are not dates from and to", "YYYYMMDD, the earlier one first");
  if (daysIn(dates) > daysMost) wrong("that are more than a hundred years", "choose the dates nearer to each other");
  if (modalities.length > 20 || modalities.some((one) => !/^[A-Z0-9_ ]{1,16}$/.test(one))) {
    wrong("these are not modalities", "as DICOM names them: CT, MR");
  }
  if (!isWithin(associations, 1, 4)) wrong("so many associations are not opened", "1 to 4");
  if (hours && !(isWithin(hours.from, 0, 23) && isWithin(hours.to, 0, 23) && hours.from !== hours.to)) {
    wrong("these are not hours", "19-6 is from seven in the evening until six in the morning");
  }
  for (const [name, value] of Object.entries({ ...more })) {
    if (typeof value === "number" && !isWithin(value, 1, 1_000_000))
      wrong(`${name} is not a number for that`, "1 or more");
  }
}

const isWithin = (value: number, least: number, most: number) =>
  Number.isInteger(value) && value >= least && value <= most;

const toldEveryMs = 2_000;

interface Following {
  readonly parts: Pick<MigrationParts, "clock">;
  readonly listeners: Set<() => void>;
  readonly tell: (standing: MigrationStanding) => void;
  readonly signal: AbortSignal;
}

async function untilStill(
  look: () => MigrationStanding,
  { parts: { clock }, listeners, tell, signal }: Following,
): Promise<MigrationStanding> {
  for (;;) {
    if (signal.aborted) throw new Problem("unavailable", "nobody waits for this any more");
    const now = look();
    if (now.state !== "running") return now;
    tell(now);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.after(toldEveryMs, resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    listeners.add(resolve);
    await promise;
    timer.stop();
    listeners.delete(resolve);
  }
}
