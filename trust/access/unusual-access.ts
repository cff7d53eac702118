import type { Clock, Timer } from "#base/clock";
import type { Log } from "#base/log";
import { createTurns } from "#base/turns";
import type { Act, Actor, ActorKind } from "./acts.ts";
import type { Noticed, Reviews } from "./reviews.ts";
import type { KnownPerson, WatchedPeople } from "./watched-people.ts";

/** Identity that was shown, for as long as it takes to judge it: never kept. */
export interface ShownIdentity {
  readonly actor: Actor;
  readonly act: Act;
  /** What it was opened for. */
  readonly purpose: string;
  readonly rows: readonly {
    readonly studyToken: string;
    /** By keyword; undefined where there was nothing left to open. */
    readonly values: Readonly<Record<string, string>> | undefined;
  }[];
}

/**
 * Judges afterwards what was shown: who looks at much, at odd hours, at their own family, at themselves, at whom somebody marked. Machines
 * too, but for the hours: they work at night.
 */
export interface UnusualAccess {
  /** Returns at once; what comes of it is a review. */
  watch(shown: ShownIdentity): void;
  /** Resolves when all that was shown is judged. */
  settled(): Promise<void>;
}

/** How many studies somebody looked at in one hour. */
export interface LookedHour {
  /** Hours since 1970. */
  readonly hour: number;
  readonly studies: number;
}

export interface UnusualLimits {
  /** Hours of the day, here: from the first to before the second nothing is unusual. */
  readonly usualHours: readonly [number, number];
  /** Studies in an hour that are never too many. */
  readonly studiesFloor: number;
  /** So many times what this person usually looks at in a full hour is too much. */
  readonly timesUsual: number;
}

export const usualLimits: UnusualLimits = { usualHours: [6, 22], studiesFloor: 60, timesUsual: 3 };

export interface UnusualAccessParts {
  readonly reviews: Pick<Reviews, "notice">;
  readonly people: WatchedPeople;
  readonly patientOf: (studyToken: string) => Promise<string | undefined>;
  /** From the log: the hours since then in which this actor looked at something. */
  readonly hoursOf: (actorId: string, since: number) => Promise<readonly LookedHour[]>;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: UnusualLimits;
}

/** What counts as looking at a patient; a row in a list does not. */
const looking: ReadonlySet<string> = new Set(["read", "export", "correction"]);
const watched: ReadonlySet<ActorKind> = new Set(["user", "device"]);
const hourMs = 3_600_000;
const learnedMs = 28 * 24 * hourMs;
/** A page opens a study several times: within this it is one look. */
const oneLookMs = 60_000;
const looksRemembered = 10_000;
/** On so many days somebody was there at that hour: it is theirs. */
const daysOfHabit = 3;

export function createUnusualAccess(parts: UnusualAccessParts): UnusualAccess {
  const { clock, log, people } = parts;
  let queue: ShownIdentity[] = [];
  let timer: Timer | undefined;
  const turns = createTurns();
  const isNew = createOnce(clock);
  const judgePace = createPace(parts);
  const judgeHours = createHours(parts);

  const judgePatients = async (shown: ShownIdentity): Promise<Noticed[]> => {
    const person = people.personOf(shown.actor.id);
    if (person === undefined && !people.hasMarked()) return [];
    const found: Noticed[] = [];
    for (const studyToken of new Set(shown.rows.map((row) => row.studyToken))) {
      const patient = await parts.patientOf(studyToken);
      if (patient === undefined) continue;
      const about = { actor: shown.actor.id, patient, study: studyToken };
      if (people.isMarked(patient)) found.push({ kind: "vip", ...about });
      const values = shown.rows.filter((row) => row.studyToken === studyToken).map((row) => row.values ?? {});
      const kin = person === undefined ? undefined : kinship(people, person, patient, values);
      if (kin !== undefined) found.push({ kind: kin, ...about });
    }
    return found;
  };
  const judge = async (all: readonly ShownIdentity[]): Promise<void> => {
    for (const shown of all) {
      const hours = shown.actor.kind === "device" ? [] : await judgeHours(shown);
      const found = [...(await judgePatients(shown)), ...(await judgePace(shown)), ...hours];
      for (const noticed of found) if (isNew(noticed)) await parts.reviews.notice(noticed);
    }
  };
  const drain = (): void => {
    timer = undefined;
    const all = queue;
    queue = [];
    turns
      .take(() => judge(all))
      .catch((error) => log.warn("looks were not judged; the log has them", { looks: all.length }, error));
  };

  return {
    watch(shown) {
      if (!watched.has(shown.actor.kind) || !looking.has(shown.purpose)) return;
      queue.push(shown);
      timer ??= clock.after(0, drain);
    },
    async settled() {
      timer?.stop();
      if (queue.length > 0) drain();
      await turns.idle();
    },
  };
}

/** Tells what was noticed from what was noticed a moment ago. */
function createOnce(clock: Clock) {
  const noticedAt = new Map<string, number>();
  return ({ kind, actor, patient = "" }: Noticed): boolean => {
    const key = `${kind} ${actor} ${patient}`;
    const now = clock.monotonicMs();
    if ((noticedAt.get(key) ?? Number.NEGATIVE_INFINITY) + oneLookMs > now) return false;
    noticedAt.delete(key);
    noticedAt.set(key, now);
    const oldest = noticedAt.keys().next().value;
    if (noticedAt.size > looksRemembered && oldest !== undefined) noticedAt.delete(oldest);
    return true;
  };
}

type Values = Readonly<Record<string, string>>;

function kinship(people: WatchedPeople, person: KnownPerson, patient: string, rows: readonly Values[]) {
  if (person.patient === patient) return "own-record";
  const names = new Map(
    rows.flatMap(({ PatientName = "", PatientBirthDate = "" }) =>
      PatientName === "" ? [] : [[`${PatientName}\0${PatientBirthDate}`, [PatientName, PatientBirthDate]] as const],
    ),
  );
  const shown = [...names.values()].map(([name = "", birthDate = ""]) => people.compared(name, birthDate));
  const meets = (kind: "families" | "wholes") =>
    shown.some((name) => [...name[kind]].some((one) => person[kind].has(one)));
  if (meets("wholes")) return "own-record";
  return meets("families") ? "same-surname" : undefined;
}

/** Far more studies within an hour than ever before. */
function createPace({ clock, limits, hoursOf }: UnusualAccessParts) {
  /** By actor: when each study was looked at last, the oldest first. */
  const lately = new Map<string, Map<string, number>>();
  const toldAt = new Map<string, number>();
  /** Asked for once in an hour. */
  const usual = new Map<string, { readonly at: number; readonly most: number }>();
  const usualOf = async (actorId: string, now: number): Promise<number> => {
    const known = usual.get(actorId);
    if (known !== undefined && known.at > now - hourMs) return known.most;
    const thisHour = Math.floor(now / hourMs) - 1;
    const hours = (await hoursOf(actorId, now - learnedMs)).filter(({ hour }) => hour < thisHour);
    const most = Math.max(0, ...hours.map(({ studies }) => studies));
    usual.set(actorId, { at: now, most });
    return most;
  };
  return async ({ actor, rows }: ShownIdentity): Promise<Noticed[]> => {
    const now = clock.now();
    const seen = lately.get(actor.id) ?? new Map<string, number>();
    lately.set(actor.id, seen);
    for (const { studyToken } of rows) {
      seen.delete(studyToken);
      seen.set(studyToken, now);
    }
    for (const [study, at] of seen) {
      if (at > now - hourMs) break;
      seen.delete(study);
    }
    if (seen.size <= limits.studiesFloor || (toldAt.get(actor.id) ?? 0) > now - hourMs) return [];
    if (seen.size <= (await usualOf(actor.id, now)) * limits.timesUsual) return [];
    toldAt.set(actor.id, now);
    return [{ kind: "volume", actor: actor.id, count: seen.size }];
  };
}

/** At an hour at which this person was hardly ever there. */
function createHours({ clock, limits, hoursOf }: UnusualAccessParts) {
  const [from, to] = limits.usualHours;
  /** By actor: the hour since 1970 that was judged last. */
  const judged = new Map<string, number>();
  return async ({ actor }: ShownIdentity): Promise<Noticed[]> => {
    const now = clock.now();
    const hour = Math.floor(now / hourMs);
    const ofDay = localHour(now);
    const isUsual = from <= to ? ofDay >= from && ofDay < to : ofDay >= from || ofDay < to;
    if (isUsual || judged.get(actor.id) === hour) return [];
    judged.set(actor.id, hour);
    const before = (await hoursOf(actor.id, now - learnedMs)).filter((one) => one.hour < hour - 1);
    const days = before.filter((one) => localHour(one.hour * hourMs) === ofDay).length;
    return days >= daysOfHabit ? [] : [{ kind: "hours", actor: actor.id }];
  };
}

const localHour = (at: number) => new Date(at).getHours();
