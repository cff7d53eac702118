import { attributeOf, type DicomJson, hexOfTag, type JsonElement, parseTag } from "#formats/dicom";
import { wordPatterns, wordsOf } from "#radiology/archive";
import type { WorkItemQuery } from "#radiology/workitems";
import { controls, isOn, queryLimits, unreadable, whole } from "./search-query.ts";

const limits = { limitDefault: 1_000, limitMax: 5_000, offsetMax: 100_000 } as const;

/** Keys of a query, and what it names of each item. */
interface Keys {
  readonly identifiers: readonly DicomJson[];
  readonly named: readonly string[];
}

/**
 * A search for work items as it stands in the URL (PS3.18 §11.9): as one for studies (§8.3.4), but any attribute is a key, by a path of keywords
 * or tags through sequences.
 *
 * @throws Problem `invalid` for a limit, offset or too many keys.
 */
export function workItemQueryOf(parameters: URLSearchParams): WorkItemQuery {
  const { identifiers, named } = keysOf(parameters, isOn(parameters, "fuzzymatching"));
  const fields = parameters.getAll("includefield").flatMap((value) => value.split(","));
  if (fields.length > queryLimits.includeMax) throw unreadable("too many values of includefield");
  const included = fields.flatMap((field) => pathOf(field)?.[0]?.at ?? []);
  const limit = Math.min(whole(parameters.get("limit"), "limit", limits.limitDefault, 1), limits.limitMax);
  const offset = whole(parameters.get("offset"), "offset", 0, 0);
  if (offset > limits.offsetMax) throw unreadable(`offset is over ${limits.offsetMax}`, "narrow the search");
  const isAll = fields.some((field) => field.trim().toLowerCase() === "all");
  return { identifiers, include: isAll ? "all" : [...named, ...included], limit, offset };
}

/**
 * The filter of a subscription (§11.10.1.2): keys in one parameter, commas between them; undefined for none. UIDs in a list have commas too, and
 * no equals sign behind them.
 */
export function filterOf(parameters: URLSearchParams): readonly DicomJson[] | undefined {
  const pairs = parameters
    .getAll("filter")
    .flatMap((text) => text.split(/,(?=[\w.]+=)/))
    .map((pair) => [pair.slice(0, Math.max(pair.indexOf("="), 0)).trim(), pair.slice(pair.indexOf("=") + 1)]);
  const { identifiers, named } = keysOf(new URLSearchParams(pairs), false);
  return named.length === 0 ? undefined : identifiers;
}

function keysOf(parameters: URLSearchParams, isFuzzy: boolean): Keys {
  const names = [...new Set(parameters.keys())].filter((name) => !controls.has(name.toLowerCase()));
  if (names.length > queryLimits.keysMax) throw unreadable(`more than ${queryLimits.keysMax} matching keys`);
  const together: DicomJson = {};
  const apart: DicomJson[] = [];
  const named: string[] = [];
  for (const name of names) {
    const path = pathOf(name);
    const [outermost] = path ?? [];
    const last = path?.at(-1);
    if (path === undefined || outermost === undefined || last === undefined) continue;
    named.push(outermost.at);
    const values = parameters.getAll(name).filter((value) => value.trim() !== "");
    if (values.length === 0 || last.vr === "SQ") continue;
    if (isFuzzy && last.vr === "PN") {
      for (const word of values.flatMap(wordsOf)) apart.push(put({}, path, wordPatterns(word)));
    } else put(together, path, values.flatMap(last.vr === "UI" ? uidsIn : (value) => value.split("\\")));
  }
  return { identifiers: [together, ...apart], named };
}

const uidsIn = (value: string): string[] => value.split(/[,\\]/).map((uid) => uid.trim());

interface Step {
  readonly at: string;
  readonly vr: JsonElement["vr"];
}

/** Sequences, and an attribute in their items; undefined for what the dictionary does not have. */
function pathOf(name: string): Step[] | undefined {
  const names = name.trim().split(".", queryLimits.pathMax + 1);
  const steps = names.flatMap((each): Step[] => {
    const tag = parseTag(each);
    const vr = tag === undefined ? undefined : attributeOf(tag)?.vrs[0];
    return tag === undefined || vr === undefined ? [] : [{ at: hexOfTag(tag), vr }];
  });
  const isWhole = steps.length === names.length && steps.length <= queryLimits.pathMax;
  return isWhole && steps.slice(0, -1).every(({ vr }) => vr === "SQ") ? steps : undefined;
}

/** Puts values at the end of a path; what lies in one sequence is in one item of it, so that one item must match all. */
function put(identifier: DicomJson, path: readonly Step[], values: string[]): DicomJson {
  let item = identifier;
  for (const { at, vr } of path.slice(0, -1)) {
    item[at] ??= { vr, Value: [{}] };
    item = item[at].Value?.[0] as DicomJson;
  }
  const last = path.at(-1);
  if (last !== undefined) item[last.at] = { vr: last.vr, Value: values };
  return identifier;
}
