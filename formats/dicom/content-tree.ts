import type { DataSet } from "./data-set.ts";
import { tagOf } from "./dictionary.ts";

/** A code as a content item holds it (PS3.3 §8.8). */
export interface CodedConcept {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}

/** One content item of a structured report (PS3.3 §C.17.3), and how deep it stands. */
export interface ContentItem {
  readonly depth: number;
  /** TEXT, NUM, CODE, CONTAINER, … */
  readonly type: string;
  /** What it is about. */
  readonly concept: CodedConcept | undefined;
  readonly item: DataSet;
}

const tag = {
  content: tagOf("ContentSequence"),
  concept: tagOf("ConceptNameCodeSequence"),
  conceptCode: tagOf("ConceptCodeSequence"),
  meaning: tagOf("CodeMeaning"),
  values: [tagOf("CodeValue"), tagOf("LongCodeValue"), tagOf("URNCodeValue")],
  scheme: tagOf("CodingSchemeDesignator"),
  valueType: tagOf("ValueType"),
  measured: tagOf("MeasuredValueSequence"),
  numeric: tagOf("NumericValue"),
  units: tagOf("MeasurementUnitsCodeSequence"),
} as const;

/** The code in a sequence of one; undefined where there is none. */
export function conceptAt(holder: DataSet | undefined, sequence: number): CodedConcept | undefined {
  const code = holder?.items(sequence)?.[0];
  if (code === undefined) return undefined;
  const value = tag.values.map((at) => code.text(at)).find((text) => text !== undefined && text !== "") ?? "";
  const meaning = code.text(tag.meaning) ?? "";
  return value === "" && meaning === "" ? undefined : { value, scheme: code.text(tag.scheme) ?? "", meaning };
}

/** The items in the order that they are read in, the report itself first; walked without recursion. */
export function* contentItems(report: DataSet): Generator<ContentItem> {
  const waiting = [{ item: report, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { item, depth } = next;
    yield { depth, type: item.text(tag.valueType) ?? "", concept: conceptAt(item, tag.concept), item };
    const children = item.items(tag.content) ?? [];
    for (let at = children.length - 1; at >= 0; at--) waiting.push({ item: children[at] as DataSet, depth: depth + 1 });
  }
}

/** What a CODE says. */
export const codeOf = ({ item }: ContentItem): CodedConcept | undefined => conceptAt(item, tag.conceptCode);

/** What a NUM says; the number is empty where none was measured. */
export function measuredOf({ item }: ContentItem): {
  readonly number: string;
  readonly units: CodedConcept | undefined;
} {
  const measured = item.items(tag.measured)?.[0];
  return { number: measured?.text(tag.numeric) ?? "", units: conceptAt(measured, tag.units) };
}

const plain: Readonly<Record<string, number>> = {
  TEXT: tagOf("TextValue"),
  PNAME: tagOf("PersonName"),
  DATE: tagOf("Date"),
  TIME: tagOf("Time"),
  DATETIME: tagOf("DateTime"),
  UIDREF: tagOf("UID"),
};

/** What an item of a plain text says; undefined for one of another type. */
export function plainTextOf({ type, item }: ContentItem): string | undefined {
  const at = Object.hasOwn(plain, type) ? plain[type] : undefined;
  return at === undefined ? undefined : (item.text(at) ?? "");
}
