import { Problem } from "#base/problem";
import type { AuditEntry, LogCriteria } from "#trust/audit";
import { actSystem, type Server, tokenSystem } from "./audit-event.ts";

/** What a search of AuditEvent asks for. */
export interface AuditSearch {
  readonly criteria: LogCriteria;
  /** Absent: every action. */
  readonly actions?: ReadonlySet<string>;
  readonly count: number;
  /** Entries before this one; absent: from the newest on. */
  readonly before?: number;
  /** What was understood, for the links of the answer; without the cursor. */
  readonly used: readonly (readonly [string, string])[];
}

const countDefault = 50;
const countMax = 500;

/** Search parameters of FHIR R4's AuditEvent that are known here, for the CapabilityStatement. */
export const searchParameters = [
  { name: "date", type: "date", documentation: "eq, ge, gt, le, lt, sa, eb" },
  { name: "_lastUpdated", type: "date", documentation: "the same as date: an entry never changes" },
  { name: "agent", type: "reference", documentation: "the identifier of an actor, also as agent:identifier" },
  { name: "entity", type: "reference", documentation: "the token of a study, also as entity:identifier" },
  { name: "action", type: "token", documentation: "C, R, U, D, E" },
  { name: "outcome", type: "token", documentation: "0 done, 4 refused, 8 failed" },
  { name: "subtype", type: "token", documentation: "an act of the log, such as study.read" },
] as const;

interface Building {
  criteria: { -readonly [Key in keyof LogCriteria]: LogCriteria[Key] };
  actions?: ReadonlySet<string>;
  count: number;
  before?: number;
}

type Reader = (value: string, into: Building, server: Server) => void;

const outcomes: Readonly<Record<string, AuditEntry["outcome"]>> = { "0": "done", "4": "refused", "8": "failed" };
const nothing = "no such actor, act or study";

const readDate: Reader = (value, { criteria }) => {
  const { from, to } = rangeOf(value);
  if (from !== undefined) criteria.from = Math.max(from, criteria.from ?? from);
  if (to !== undefined) criteria.to = Math.min(to, criteria.to ?? to);
};
const readAgent: Reader = (value, { criteria }, server) => {
  criteria.actor = only(criteria.actor, ownValueOf(value, tokenSystem(server, "actor")));
};
const readEntity: Reader = (value, { criteria }, server) => {
  criteria.study = only(criteria.study, ownValueOf(value, tokenSystem(server, "study")));
};

const readers: Readonly<Record<string, Reader>> = {
  date: readDate,
  _lastUpdated: readDate,
  agent: readAgent,
  "agent:identifier": readAgent,
  entity: readEntity,
  "entity:identifier": readEntity,
  action(value, into) {
    const asked = value.split(",");
    if (!asked.every((each) => /^[CRUDE]$/.test(each))) throw invalid("action is one of C, R, U, D, E");
    into.actions = new Set(asked.filter((each) => into.actions?.has(each) ?? true));
  },
  outcome(value, { criteria }) {
    const outcome = outcomes[value.slice(value.lastIndexOf("|") + 1)];
    if (outcome === undefined) throw invalid("outcome is 0, 4 or 8");
    if (criteria.outcome !== undefined && criteria.outcome !== outcome) throw invalid("an entry has one outcome");
    criteria.outcome = outcome;
  },
  subtype(value, { criteria }) {
    criteria.act = only(criteria.act, ownValueOf(value, actSystem));
  },
  _count(value, into) {
    if (!/^[1-9]\d{0,5}$/.test(value)) throw invalid(`_count is a number from 1 to ${countMax}`);
    into.count = Math.min(Number(value), countMax);
  },
  _sort(value) {
    if (value !== "-date" && value !== "-_lastUpdated") throw invalid("entries come newest first: _sort is -date");
  },
  _cursor(value, into) {
    const [, before] = /^before (\d{1,15})$/.exec(Buffer.from(value, "base64url").toString("latin1")) ?? [];
    if (before === undefined) throw invalid("take the cursor from the link of another page");
    into.before = Number(before);
  },
  // Decided before, together with the Accept header.
  _format() {},
};

export function cursorOf(before: number): string {
  return Buffer.from(`before ${before}`).toString("base64url");
}

/**
 * Reads a query string. Unknown parameters are refused (Problem "invalid"), or passed over where the caller is lenient (FHIR R4 §3.1.1.3.2);
 * a value that cannot be understood is refused in either case.
 */
export function readSearch(query: string, isLenient: boolean, server: Server): AuditSearch {
  const into: Building = { criteria: {}, count: countDefault };
  const used: [string, string][] = [];
  for (const [name, value] of new URLSearchParams(query)) {
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (reader === undefined && isLenient) continue;
    if (reader === undefined) throw unknownParameter();
    if (value.length > 512) throw invalid("a value of the search is too long");
    reader(value, into, server);
    if (name !== "_cursor") used.push([name, value]);
  }
  return { ...into, used };
}

function invalid(message: string): Problem {
  return new Problem("invalid", message, { remedy: "see docs/conformance.md" });
}

function unknownParameter(): Problem {
  const names = Object.keys(readers).join(", ");
  return new Problem("invalid", `a search parameter is not known here; known are ${names}`, {
    remedy: "send `Prefer: handling=lenient` to have others passed over",
  });
}

/** Two different values for what an entry has once: nothing fits. */
function only(before: string | undefined, value: string): string {
  if (before !== undefined && before !== value) throw invalid(nothing);
  return value;
}

/** `[system|]value` of ours. */
function ownValueOf(text: string, system: string): string {
  const at = text.lastIndexOf("|");
  const value = text.slice(at + 1);
  if (value === "" || value.includes(",")) throw invalid("one value, and no list, is taken here");
  if (at > 0 && text.slice(0, at) !== system) throw invalid(nothing);
  return value;
}

const datePattern =
  /^(eq|ge|gt|le|lt|sa|eb)?([1-9]\d{3})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;

/** The moments that a date of FHIR means, as [from, to): from the beginning to the end of the day, say, when it is a day. */
function rangeOf(text: string): { readonly from?: number; readonly to?: number } {
  const { prefix, start, end } = intervalOf(text);
  switch (prefix) {
    case "ge":
      return { from: start };
    case "gt":
    case "sa":
      return { from: end };
    case "le":
      return { to: end };
    case "lt":
    case "eb":
      return { to: start };
    default:
      return { from: start, to: end };
  }
}

function intervalOf(text: string) {
  const parts = datePattern.exec(text);
  if (parts === null)
    throw invalid("a date is a year, a month, a day or a moment, with eq, ge, gt, le, lt, sa or eb in front");
  const [, prefix = "eq", year = "", month, day, hours, minutes, seconds, fraction, zone = "Z"] = parts;
  const date = `${year}-${month ?? "01"}-${day ?? "01"}`;
  const whole = `${date}T${hours ?? "00"}:${minutes ?? "00"}:${seconds ?? "00"}`;
  const start = Date.parse(`${whole}.${(fraction ?? "000").slice(0, 3).padEnd(3, "0")}${zone}`);
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // The 30th of February is taken for the 2nd of March.
  const isReal = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(date);
  if (Number.isNaN(start) || !isReal) throw invalid("there is no such date");
  return { prefix, start, end: endOf(start, { month, day, hours, seconds, fraction }) };
}

interface Precision {
  readonly month: string | undefined;
  readonly day: string | undefined;
  readonly hours: string | undefined;
  readonly seconds: string | undefined;
  readonly fraction: string | undefined;
}

function endOf(start: number, { month, day, hours, seconds, fraction }: Precision): number {
  const from = new Date(start);
  if (month === undefined) return Date.UTC(from.getUTCFullYear() + 1, 0);
  if (day === undefined) return Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1);
  if (hours === undefined) return start + 86_400_000;
  if (seconds === undefined) return start + 60_000;
  return start + (fraction === undefined ? 1_000 : 1);
}
