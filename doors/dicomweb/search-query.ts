import { Problem } from "#base/problem";
import { keywordOf, parseTag } from "#formats/dicom";
import { heldInItems, type Level, levelOf, type Match, type Query, readMatches } from "#radiology/archive";

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
  /** Sequences of which more is asked for than a row holds: they are read from the objects. */
  readonly wholeItems: ReadonlySet<number>;
  readonly includeAll: boolean;
  /** Matching keys that this level is not searched by: they were ignored. */
  readonly ignored: readonly string[];
}

/** Parameters that are no keys (PS3.18 §8.3.4). */
export const searchControls = [
  "limit",
  "offset",
  "includefield",
  "fuzzymatching",
  "emptyvaluematching",
  "multiplevaluematching",
  "accept",
  "charset",
] as const;
export const controls: ReadonlySet<string> = new Set(searchControls);
/** Keys, fields to include, and names in a path. */
export const queryLimits = { keysMax: 64, includeMax: 512, pathMax: 8 } as const;
const { keysMax, includeMax, pathMax } = queryLimits;

/**
 * Reads the query parameters of a search (PS3.18 §8.3.4): keys as keyword or tag, or as a path of them into a sequence, matched by
 * single value, UID list, wildcard or range. Unknown keys are ignored. `fixed` are the UIDs in the path.
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
  const wholeItems = new Set<number>();
  const ignored: string[] = [];
  const manner = {
    fuzzyNames: isOn(parameters, "fuzzymatching"),
    emptyValues: isOn(parameters, "emptyvaluematching"),
    multipleValues: isOn(parameters, "multiplevaluematching"),
  };
  const names = [...new Set(parameters.keys())].filter((name) => !controls.has(name.toLowerCase()));
  if (names.length > keysMax) throw unreadable(`more than ${keysMax} matching keys`);
  for (const name of names) {
    const key = attributeAt(name);
    if (key === undefined) continue;
    const values = parameters.getAll(name).filter((value) => value.trim() !== "");
    include.add(key.tag);
    if (values.length === 0 || key.keyword in fixed) continue;
    if (!canSearch(key.keyword, level)) ignored.push(key.keyword);
    else matches.push(...readMatches(key.keyword, values, manner));
  }
  const asked = includeFields(parameters);
  for (const { tag, isHeld } of asked.attributes) {
    include.add(tag);
    if (!isHeld) wholeItems.add(tag);
  }
  const limit = Math.min(whole(parameters.get("limit"), "limit", limits.limitDefault, 1), limits.limitMax);
  const offset = whole(parameters.get("offset"), "offset", 0, 0);
  if (offset > limits.offsetMax) throw unreadable(`offset is over ${limits.offsetMax}`, "narrow the search");
  return { query: { matches, limit: limit + 1, offset }, limit, include, wholeItems, includeAll: asked.all, ignored };
}

const rank: Record<Level, number> = { study: 0, series: 1, instance: 2 };

function canSearch(keyword: string, level: Level): boolean {
  const at = levelOf(keyword);
  return at !== undefined && rank[at] <= rank[level];
}

interface AskedAttribute {
  /** Of the outermost. */
  readonly tag: number;
  /** What it is searched by, where it is; else only its name: keywords, points between them. */
  readonly keyword: string;
  /** Whether rows hold all of it. */
  readonly isHeld: boolean;
}

/** An attribute by keyword or tag, or a path to one in the items of a sequence (PS3.18 §8.3.4.1); undefined for an unknown one. */
function attributeAt(name: string): AskedAttribute | undefined {
  const parts = name.trim().split(".", pathMax + 1);
  if (parts.length > pathMax) return undefined;
  const tags = parts.map(parseTag).filter((tag) => tag !== undefined);
  const keywords = tags.map(keywordOf).filter((keyword) => keyword !== undefined);
  const [tag] = tags;
  if (tag === undefined || keywords.length < parts.length) return undefined;
  const held = heldInItems.get(tag);
  const [, inItem = ""] = keywords;
  if (keywords.length === 2 && held?.includes(inItem)) return { tag, keyword: inItem, isHeld: true };
  return { tag, keyword: keywords.join("."), isHeld: held === undefined };
}

export const isOn = (parameters: URLSearchParams, name: string): boolean =>
  parameters.get(name)?.toLowerCase() === "true";

function includeFields(parameters: URLSearchParams): { attributes: AskedAttribute[]; all: boolean } {
  const names = parameters.getAll("includefield").flatMap((value) => value.split(","));
  if (names.length > includeMax) throw unreadable(`more than ${includeMax} values of includefield`);
  const attributes = names.map(attributeAt).filter((one) => one !== undefined);
  return { attributes, all: names.some((name) => name.trim().toLowerCase() === "all") };
}

export function whole(text: string | null, name: string, otherwise: number, least: number): number {
  if (text === null || text === "") return otherwise;
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < least) throw unreadable(`${name} must be a whole number from ${least}`);
  return value;
}

export function unreadable(what: string, remedy = "see PS3.18 §8.3.4 for what a search can ask"): Problem {
  return new Problem("invalid", what, { remedy });
}
