import { attributeOf, type DataElement, type DataSet, isPrivateTag, type Vr, vrTable } from "#formats/dicom";
import {
  combineDateTimes,
  heldAt,
  heldInItems,
  levelOf,
  type Match,
  type MatchingManner,
  readMatches,
} from "#radiology/archive";
import { type AskedLevel, controlTags, keywordAt } from "./archive-identifier.ts";
import { countKeys, levelIn, type QueryLevel, queryLevels } from "./archive-models.ts";

/** A key of the request, to be returned with what an entity has for it. */
export interface WantedKey {
  readonly tag: number;
  readonly vr: Vr;
  /** "" for one that the dictionary does not have. */
  readonly keyword: string;
  /**
   * - `row`      what the index holds, counts or knows
   * - `header`   from the objects themselves
   * - `nowhere`  returned empty
   */
  readonly from: "row" | "header" | "nowhere";
  /** What is asked of the items of a sequence; all of them where nothing is. */
  readonly items?: DataSet;
}

/** What a C-FIND identifier asks for. */
export interface FindKeys {
  readonly level: QueryLevel;
  readonly matches: readonly Match[];
  readonly wanted: readonly WantedKey[];
  /** A key was not matched by, or is nothing that entities of this level have here (PS3.4 §C.4.1.1.4, FF01). */
  readonly keysIgnored: boolean;
}

/** Known of entities without being held as values. */
const knownAt: Readonly<Record<string, QueryLevel>> = {
  ...countKeys,
  ModalitiesInStudy: "STUDY",
  SOPClassesInStudy: "STUDY",
  AvailableTransferSyntaxUID: "IMAGE",
  RetrieveAETitle: "PATIENT",
  InstanceAvailability: "PATIENT",
};

/** @throws Problem `invalid` for a value that cannot be read. */
export function readKeys(identifier: DataSet, { level }: AskedLevel, manner: MatchingManner): FindKeys {
  const matches: Match[] = [];
  const wanted: WantedKey[] = [];
  let keysIgnored = false;
  for (const element of identifier) {
    const { tag } = element;
    if (controlTags.has(tag) || (tag & 0xffff) === 0) continue;
    const key = wantedKey(identifier, element, level);
    wanted.push(key);
    const asked = element.items === undefined ? asksOf(identifier, element, key) : asksOfItems(element, key);
    for (const { keyword, values } of asked.matched) matches.push(...readMatches(keyword, values, manner));
    if (key.from === "nowhere" || asked.isMore) keysIgnored = true;
  }
  const combined = manner.dateTimes === true ? combineDateTimes(matches) : matches;
  return { level, matches: combined, wanted, keysIgnored };
}

function wantedKey(identifier: DataSet, element: DataElement, level: QueryLevel): WantedKey {
  const { tag, items } = element;
  const attribute = attributeOf(tag);
  const keyword = keywordAt(tag);
  const vr = attribute?.vrs[0] ?? identifier.vrOf(element);
  const [item] = items ?? [];
  const key = { tag, vr, keyword, ...(item !== undefined && { items: item }) };
  const held = heldAt(tag);
  const at = knownAt[keyword] ?? (held && levelIn(keyword, held));
  if (at !== undefined) return { ...key, from: isAtOrAbove(at, keyword, level) ? "row" : "nowhere" };
  const isInHeader = level === "SERIES" || level === "IMAGE";
  const isKnown = attribute !== undefined && !isPrivateTag(tag) && vrTable[vr].kind !== "bytes";
  return { ...key, from: isInHeader && isKnown ? "header" : "nowhere" };
}

/** What a key has to be matched by, and whether there is more to it that nothing here is matched by. */
interface Asks {
  readonly matched: readonly { readonly keyword: string; readonly values: readonly string[] }[];
  readonly isMore: boolean;
}

function asksOf(dataSet: DataSet, element: DataElement, { keyword, from }: WantedKey): Asks {
  const values = dataSet.textsOf(element);
  if (from === "row" && levelOf(keyword) !== undefined) return { matched: [{ keyword, values }], isMore: false };
  return { matched: [], isMore: values.some((value) => value.trim() !== "") };
}

/** Of the one item that a sequence is matched by (PS3.4 §C.2.2.2.6). */
function asksOfItems({ tag, items = [] }: DataElement, { from }: WantedKey): Asks {
  const held = from === "header" ? (heldInItems.get(tag) ?? []) : [];
  const [item, ...others] = items;
  const elements = item === undefined ? [] : [...item].filter(({ length, items: below }) => length > 0 || below);
  const matched = elements.flatMap((element) => {
    const keyword = keywordAt(element.tag);
    return item !== undefined && held.includes(keyword) ? [{ keyword, values: item.textsOf(element) }] : [];
  });
  const unmatched = elements.some((one) => !held.includes(keywordAt(one.tag)) && (one.items?.some(asksFor) ?? true));
  return { matched, isMore: unmatched || others.some(asksFor) };
}

/** A patient is counted for among patients alone. */
function isAtOrAbove(at: QueryLevel, keyword: string, level: QueryLevel): boolean {
  if (countKeys[keyword] === "PATIENT") return level === "PATIENT";
  return queryLevels.indexOf(at) <= queryLevels.indexOf(level);
}

/** Whether an item of a sequence holds any value to match by. */
function asksFor(item: DataSet): boolean {
  for (const { items, length } of item) {
    if (items === undefined ? length > 0 : items.some(asksFor)) return true;
  }
  return false;
}
