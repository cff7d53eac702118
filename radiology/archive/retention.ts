import { Problem } from "#base/problem";

/** What a study is in, as far as a rule may ask. `conflict`: it holds copies of an instance that differ. */
export type RetentionState = "settled" | "conflict";

/** For how long studies are kept that it applies to. */
export interface RetentionRule {
  /** All when absent. */
  readonly modalities?: readonly string[];
  /** Only settled ones when absent: who has to decide about a conflict is not to find it gone. */
  readonly states?: readonly RetentionState[];
  readonly days: number;
  /** From when the days count. A study without a study date counts from its arrival. */
  readonly from: "arrival" | "studyDate";
}

export interface RetentionPolicy {
  readonly rules: readonly RetentionRule[];
  /** Nothing goes sooner after its newest image came, whatever its study date says. */
  readonly afterArrivalDays: number;
}

export interface RetainedStudy {
  readonly studyToken: string;
  readonly modalities: readonly string[];
  readonly state: RetentionState;
  /** Epoch milliseconds of the newest arrival. */
  readonly changedAt: number;
}

/** A study is due from `dueAt` on; never when it is undefined: a modality of it is under no rule. */
export interface RetentionVerdict {
  readonly dueAt: number | undefined;
}

const dayMs = 24 * 3600 * 1000;
const defaultAfterArrivalDays = 30;

const applies = (rule: RetentionRule, study: RetainedStudy, modality: string): boolean =>
  (rule.modalities?.includes(modality) ?? true) && (rule.states ?? ["settled"]).includes(study.state);

/** Whether the verdict hangs on the study's date, which identifies and is only opened when it is needed. */
export function needsStudyDate(policy: RetentionPolicy, study: RetainedStudy): boolean {
  return policy.rules.some(
    (rule) => rule.from === "studyDate" && study.modalities.some((modality) => applies(rule, study, modality)),
  );
}

/**
 * Every modality of a study must be under a rule, and the longest of all rules that apply counts. `studyDate` as in the data set
 * (DA); one that is no date counts as none.
 */
export function judgeRetention(policy: RetentionPolicy, study: RetainedStudy, studyDate?: string): RetentionVerdict {
  let dueAt = study.changedAt + policy.afterArrivalDays * dayMs;
  if (study.modalities.length === 0) return { dueAt: undefined };
  for (const modality of study.modalities) {
    const rules = policy.rules.filter((rule) => applies(rule, study, modality));
    if (rules.length === 0) return { dueAt: undefined };
    for (const { from, days } of rules) {
      const begin = (from === "studyDate" ? endOfDate(studyDate) : undefined) ?? study.changedAt;
      dueAt = Math.max(dueAt, begin + days * dayMs);
    }
  }
  return { dueAt };
}

/** When a date is over everywhere on earth: a study says in whose time zone it was made only now and then. */
function endOfDate(date: string | undefined): number | undefined {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(date?.trim() ?? "")?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  return midnight.getTime() + 1.5 * dayMs;
}

/** `retention` of `leadglass.json`. Throws Problem "invalid": rules that are not understood delete nothing. */
export function parseRetention(value: unknown): RetentionPolicy {
  const { rules, afterArrivalDays = defaultAfterArrivalDays, ...rest } = fieldsOf(value, "retention");
  refuseUnknown(rest, "retention");
  if (!Array.isArray(rules)) throw refused("retention.rules must be a list");
  return { rules: rules.map(parseRule), afterArrivalDays: daysOf(afterArrivalDays, "retention.afterArrivalDays", 1) };
}

function parseRule(value: unknown, at: number): RetentionRule {
  const where = `retention.rules[${at}]`;
  const { modalities, states, days, from, ...rest } = fieldsOf(value, where);
  refuseUnknown(rest, where);
  if (from !== "arrival" && from !== "studyDate") throw refused(`${where}.from must be arrival or studyDate`);
  return {
    days: daysOf(days, `${where}.days`, 1),
    from,
    ...(modalities !== undefined && {
      modalities: listOf(modalities, `${where}.modalities`, /^[A-Z][A-Z0-9 _]{0,15}$/),
    }),
    ...(states !== undefined && {
      states: listOf(states, `${where}.states`, /^(settled|conflict)$/) as RetentionState[],
    }),
  };
}

function fieldsOf(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw refused(`${where} must be an object`);
}

function refuseUnknown(rest: object, where: string): void {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw refused(`${where} has an unknown field ${unknown}`);
}

function daysOf(value: unknown, where: string, from: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= from && value <= 100_000) return value;
  throw refused(`${where} must be a whole number of days from ${from} to 100000`);
}

function listOf(value: unknown, where: string, pattern: RegExp): string[] {
  const isList = Array.isArray(value) && value.length > 0;
  if (isList && value.every((each) => typeof each === "string" && pattern.test(each))) return value as string[];
  throw refused(`${where} must be a list of words that mean something there`);
}

function refused(what: string): Problem {
  const remedy = `for example {"rules":[{"modalities":["CT","MR"],"days":3650,"from":"studyDate"}]}`;
  return new Problem("invalid", `refusing to start: ${what}`, { remedy });
}
