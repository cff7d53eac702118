import { Problem } from "#base/problem";
import type { DicomJson, JsonElement } from "#formats/dicom";
import { itemsOf, textsOf } from "./attributes.ts";
import { matchedVrOf, valueTest } from "./value-matching.ts";

/** Which attributes of an item are keys of an information model. */
export interface KnownKeys {
  isKey(tag: number): boolean;
  /** Of the items of this sequence, by its place in the DICOM JSON model. */
  below(at: string): KnownKeys;
}

export const allAreKeys: KnownKeys = { isKey: () => true, below: () => allAreKeys };

/** A key of an item. */
interface Key {
  readonly at: string;
  readonly vr: JsonElement["vr"];
  readonly isKnown: boolean;
  readonly test: ((held: JsonElement | undefined) => boolean) | undefined;
  /** What is asked of the items of a sequence; undefined: for all that they hold. */
  readonly item: ItemQuery | undefined;
}

/** An identifier of a query, ready to be held against items (PS3.4 §C.2.2.2). */
export interface ItemQuery {
  readonly keys: readonly Key[];
  /** It holds a key that is not matched by. */
  readonly keysIgnored: boolean;
  matches(item: DicomJson): boolean;
}

const characterSet = "00080005";

/** @throws Problem `invalid` for a key whose values cannot be read, or a sequence of several items. */
export function itemQuery(asked: DicomJson, known: KnownKeys): ItemQuery {
  const keys: Key[] = [];
  let keysIgnored = false;
  for (const [at, element] of Object.entries(asked)) {
    if (at === characterSet) continue;
    const isKnown = known.isKey(Number.parseInt(at, 16));
    // Binary values are not matched by either.
    if (!isKnown || element.InlineBinary !== undefined) keysIgnored = true;
    if (!isKnown) keys.push({ at, vr: element.vr, isKnown, test: undefined, item: undefined });
    else if (element.vr === "SQ") keys.push(sequenceKey(at, element, known.below(at)));
    else keys.push(valueKey(at, element));
  }
  const tests = keys.flatMap(({ at, test }) => (test === undefined ? [] : [{ at, test }]));
  return {
    keys,
    keysIgnored: keysIgnored || keys.some(({ item }) => item?.keysIgnored),
    matches: (item) => tests.every(({ at, test }) => test(item[at])),
  };
}

function valueKey(at: string, element: JsonElement): Key {
  const tag = Number.parseInt(at, 16);
  const vr = matchedVrOf(tag, element.vr);
  const test = valueTest(tag, vr, textsOf(element));
  return { at, vr, isKnown: true, item: undefined, test: test && ((held) => test(textsOf(held))) };
}

/** Sequence matching (PS3.4 §C.2.2.2.6): one item of keys, of which all must match within one item. An empty one asks for everything. */
function sequenceKey(at: string, element: JsonElement, known: KnownKeys): Key {
  const items = itemsOf(element);
  if (items.length > 1) throw new Problem("invalid", "a sequence of the identifier has more than one item");
  const [asked] = items;
  if (asked === undefined || Object.keys(asked).length === 0) {
    return { at, vr: "SQ", isKnown: true, test: undefined, item: undefined };
  }
  const item = itemQuery(asked, known);
  const isAsked = item.keys.some(({ test }) => test !== undefined);
  const test = isAsked ? (held: JsonElement | undefined) => itemsOf(held).some(item.matches) : undefined;
  return { at, vr: "SQ", isKnown: true, item, test };
}
