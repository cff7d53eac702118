import { Problem } from "#base/problem";
import { type DataSet, keywordOf, Tag, tagOf } from "#formats/dicom";
import type { Match } from "#radiology/archive";
import { type InformationModel, type QueryLevel, uniqueKeys } from "./archive-models.ts";
import type { WithDimseDetail } from "./ports.ts";

/** What an identifier of C-FIND, C-MOVE or C-GET says of where it asks. */
export interface AskedLevel {
  readonly level: QueryLevel;
  /** The levels above, from the top. */
  readonly above: readonly QueryLevel[];
}

const elementsMax = 512;

/** @throws Problem `invalid` for a level that is not the model's. */
export function readLevel(identifier: DataSet, { levels }: InformationModel): AskedLevel {
  if (identifier.elements.length > elementsMax) throw mismatch(`more than ${elementsMax} keys`);
  const level = levels.find((one) => one === identifier.text(tagOf("QueryRetrieveLevel")));
  if (level === undefined) throw mismatch("Query/Retrieve Level is not one of the model", "QueryRetrieveLevel");
  return { level, above: levels.slice(0, levels.indexOf(level)) };
}

/**
 * Each level above that of the request is named by one value of its unique key, unless relational queries were agreed on
 * (PS3.4 §C.4.1.2.1, §C.4.1.2.2).
 *
 * @throws Problem `invalid` where one is not.
 */
export function requireUniqueKeys(identifier: DataSet, above: readonly QueryLevel[]): void {
  for (const level of above) {
    const keyword = uniqueKeys[level];
    const [only, ...more] = valuesOf(identifier, keyword);
    if (only === undefined || more.length > 0 || /[*?]/.test(only)) {
      throw mismatch(`${keyword} must name one ${level.toLowerCase()}`, keyword);
    }
  }
}

/** The values of a key that are not empty. */
export function valuesOf(identifier: DataSet, keyword: string): string[] {
  return (identifier.texts(tagOf(keyword)) ?? []).filter((value) => value.trim() !== "");
}

export function equal(keyword: string, values: readonly string[]): Match {
  return { keyword, kind: "equal", values };
}

/** A900: what the identifier asks is not of the model. */
export function mismatch(what: string, keyword?: string): Problem {
  const detail: WithDimseDetail = keyword === undefined ? {} : { offendingElements: [tagOf(keyword)] };
  return Object.assign(new Problem("invalid", what), detail);
}

/** Not keys: they say how the others are meant. */
export const controlTags: ReadonlySet<number> = new Set([
  Tag.SpecificCharacterSet,
  tagOf("QueryRetrieveLevel"),
  tagOf("TimezoneOffsetFromUTC"),
]);

export const keywordAt = (tag: number): string => keywordOf(tag) ?? "";
