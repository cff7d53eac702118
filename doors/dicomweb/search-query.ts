import { Problem } from "#base/problem";
import { keywordOf, parseTag } from "#formats/dicom";
import { type Level, levelOf, type Match, type Query, readMatches } from "#radiology/archive";

/** How many results a page has: asked for or not. */
export interface PageLimits {
  readonly limitDefault: number;
  readonly limitMax: number;
  readonly offsetMax: number;
}

/** A search transaction (PS3.18 §10.6) as it was asked. */
export interface Search {
  /** For the index; asks for one more than the page, which tells whether there are more. */
  readonly query: Query;
  readonly limit: number;
  /** Attributes asked for beyond those always returned. */
  readonly include: ReadonlySet<number>;
  readonly includeAll: boolean;
  /** Matching keys that this level is not searched by: they were ignored. */
  readonly ignored: readonly string[];
}

const controls = new Set([
  "limit",
  "offset",
  "includefield",
  "fuzzymatching",
  "accept",
  "charset",
  "emptyvaluematching",
]);
const keysMax = 64;
const includeMax = 512;

/**
 * Reads the query parameters of a search (PS3.18 §8.3.4): keys as keyword or tag, matched by single value, UID list,
 * wildcard or range. Unknown keys are ignored. `fixed` are the UIDs in the path.
 *
 * @throws Problem `invalid` for a limit, offset or value that cannot be read.
 */
export function parseSearch(
  parameters: URLSearchParams,
  level: Level,
  fixed: Readonly<Record<string, string>>,
  limits: PageLimits,
): Search {
  const matches: Match[] = Object.entries(fixed).map(([keyword, value]) => ({
    keyword,
    kind: "equal",
    values: [value],
  }));
  const include = new Set<number>();
  const ignored: string[] = [];
  const names = [...new Set(parameters.keys())].filter((name) => !controls.has(name.toLowerCase()));
  if (names.length > keysMax) throw unreadable(`more than ${keysMax} matching keys`);
  for (const name of names) {
    const tag = parseTag(name);
    const keyword = tag === undefined ? undefined : keywordOf(tag);
    if (tag === undefined || keyword === undefined) continue;
    const values = parameters.getAll(name).filter((value) => value.trim() !== "");
    include.add(tag);
    if (values.length === 0 || keyword in fixed) continue;
    if (canSearch(keyword, level)) matches.push(...readMatches(keyword, values));
    else ignored.push(keyword);
  }
  const asked = includeFields(parameters);
  for (const tag of asked.tags) include.add(tag);
  const limit = Math.min(whole(parameters.get("limit"), "limit", limits.limitDefault, 1), limits.limitMax);
  const offset = whole(parameters.get("offset"), "offset", 0, 0);
  if (offset > limits.offsetMax) throw unreadable(`offset is over ${limits.offsetMax}`, "narrow the search");
  return { query: { matches, limit: limit + 1, offset }, limit, include, includeAll: asked.all, ignored };
}

const rank: Record<Level, number> = { study: 0, series: 1, instance: 2 };

function canSearch(keyword: string, level: Level): boolean {
  const at = levelOf(keyword);
  return at !== undefined && rank[at] <= rank[level];
}

function includeFields(parameters: URLSearchParams): { tags: number[]; all: boolean } {
  const names = parameters.getAll("includefield").flatMap((value) => value.split(","));
  if (names.length > includeMax) throw unreadable(`more than ${includeMax} values of includefield`);
  const tags = names.map((name) => parseTag(name.trim())).filter((tag) => tag !== undefined);
  return { tags, all: names.some((name) => name.trim().toLowerCase() === "all") };
}

function whole(text: string | null, name: string, otherwise: number, least: number): number {
  if (text === null || text === "") return otherwise;
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < least) throw unreadable(`${name} must be a whole number from ${least}`);
  return value;
}

function unreadable(what: string, remedy = "see PS3.18 §8.3.4 for what a search can ask"): Problem {
  return new Problem("invalid", what, { remedy });
}
