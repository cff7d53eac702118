import { isProblem } from "#base/problem";
import {
  attributeOf,
  type DataElement,
  type DataSet,
  decodeText,
  type ElementInput,
  encodeText,
  encodingOf,
  inputOf,
  parseDataSet,
  pixelDataTags,
  Tag,
  TransferSyntaxUid,
  tagOf,
  undefinedLength,
  usesCharacterSet,
  type Vr,
  writeDataSet,
} from "#formats/dicom";
/** Bytes taken out at a place, and others put there. */
export interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly inserted: Uint8Array;
}

/** What attributes say from now on, by keyword; undefined: the data set no longer has it. */
export type NewTexts = Readonly<Record<string, { readonly to: string | undefined }>>;

/** Attributes of the top level that are made to say something else; corrections are such changes. */
export interface HeaderChange {
  /** Epoch milliseconds. */
  readonly at: number;
  /** PS3.3 §C.12.1.1.9. */
  readonly reason: { readonly code: "COERCE" | "CORRECT" };
  readonly changes: NewTexts;
  /** By keyword of a sequence: what changes in each of its items, in their order. */
  readonly inItems?: Readonly<Record<string, readonly NewTexts[]>>;
}

/** What an attribute says: as received, or as a change has put it. */
type Value =
  | { readonly element: DataElement | undefined }
  | { readonly text: string }
  | { readonly items: readonly DataSet[]; readonly texts: readonly NewTexts[] };

/** What one change changed in this instance, with what it said before. */
interface Modified {
  readonly change: HeaderChange;
  readonly before: ReadonlyMap<number, Value>;
}

const modifyingSystem = "LEADGLASS";
const utf8 = ["ISO_IR 192"];
/** (0008,0001), retired: how long the rest of group 0008 is. */
const lengthToEnd = 0x00080001;

/**
 * What to change in the bytes of a data set (not deflated; up to its pixels, or all of it) so that it says what changes say, and keeps
 * what it said in an Original Attributes Sequence (PS3.3 §C.12.1.1.9). What none of them names is left as it is, byte for byte,
 * unless new text does not fit the Specific Character Set: then all text is put in UTF-8.
 */
export function headerEdits(bytes: Uint8Array, transferSyntaxUid: string, changes: readonly HeaderChange[]): Edit[] {
  const { dataSet, stoppedAt } = parseDataSet(bytes, { transferSyntaxUid, stopBefore: pixelDataTags });
  const { current, modified } = applied(dataSet, changes);
  if (modified.length === 0) return [];
  const sets = fits(dataSet, current, modified) ? dataSet.characterSets() : utf8;
  const isConverted = sets === utf8;
  const elements = new Map<number, ElementInput>();
  if (isConverted) {
    for (const element of converted(dataSet)) elements.set(element.tag, element);
    elements.set(Tag.SpecificCharacterSet, { tag: Tag.SpecificCharacterSet, vr: "CS", value: utf8 });
  }
  const gone = new Set<number>();
  for (const [tag, value] of current) {
    if (isNothing(value)) gone.add(tag);
    else elements.set(tag, valueInput(dataSet, tag, value, sets));
  }
  elements.set(Tag.OriginalAttributesSequence, originalAttributes(dataSet, modified, sets, elements));
  const end = stoppedAt?.headOffset ?? bytes.length;
  return elementEdits({ dataSet, bytes, end, transferSyntaxUid }, [...elements.values()], gone);
}

/** A data set of the top level, and the bytes in which it stands up to `end`. */
export interface ReadHeader {
  readonly dataSet: DataSet;
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly transferSyntaxUid: string;
}

/** What to change so that these elements stand there, in the places of those of their tags, and others are gone. */
export function elementEdits(
  { dataSet, bytes, end, transferSyntaxUid }: ReadHeader,
  put: readonly ElementInput[],
  gone: ReadonlySet<number>,
): Edit[] {
  return editsFor(placesOf(dataSet, bytes, end), end, { put, gone }, writtenAs(dataSet, transferSyntaxUid));
}

const isNothing = (value: Value) => "element" in value && value.element === undefined;

/** Goes through the changes in order: what each attribute says at the end, and what each of them changed. */
function applied(dataSet: DataSet, changes: readonly HeaderChange[]) {
  const current = new Map<number, Value>();
  const modified: Modified[] = [];
  const saidBy = (tag: number): Value => current.get(tag) ?? { element: dataSet.get(tag) };
  for (const change of changes) {
    const before = new Map<number, Value>();
    for (const [keyword, { to }] of Object.entries(change.changes)) {
      const tag = tagOf(keyword);
      const value = saidBy(tag);
      if (to === undefined ? isNothing(value) : saysOf(dataSet, value) === to) continue;
      before.set(tag, value);
      current.set(tag, to === undefined ? { element: undefined } : { text: to });
    }
    for (const [keyword, texts] of Object.entries(change.inItems ?? {})) {
      const tag = tagOf(keyword);
      if (texts.every((each) => Object.keys(each).length === 0)) continue;
      before.set(tag, saidBy(tag));
      current.set(tag, { items: dataSet.items(tag) ?? [], texts });
    }
    if (before.size === 0) continue;
    // Whose ID it was is said more precisely with its issuer, even one that did not change or was absent.
    if (before.has(Tag.PatientID) && !before.has(Tag.IssuerOfPatientID)) {
      before.set(Tag.IssuerOfPatientID, saidBy(Tag.IssuerOfPatientID));
    }
    modified.push({ change, before });
  }
  return { current, modified };
}

function saysOf(dataSet: DataSet, value: Value): string {
  if ("text" in value) return value.text;
  if ("items" in value) return "\0";
  const { element } = value;
  if (element === undefined) return "";
  // No text is like a sequence that holds something: it can only be emptied.
  if (element.items !== undefined) return element.items.length === 0 ? "" : "\0";
  return dataSet.textsOf(element).join("\\");
}

function fits(dataSet: DataSet, current: ReadonlyMap<number, Value>, modified: readonly Modified[]): boolean {
  const sets = dataSet.characterSets();
  const written = [...current, ...modified.flatMap(({ before }) => [...before])];
  try {
    for (const [tag, value] of written) {
      if ("text" in value) encodedText(tag, value.text, sets);
      if (!("items" in value)) continue;
      for (const [at, item] of value.items.entries()) changedItem(item, value.texts[at] ?? {}, item.characterSets());
    }
    return true;
  } catch (error) {
    if (isProblem(error, "invalid")) return false;
    throw error;
  }
}

const vrOfTag = (tag: number): Vr => attributeOf(tag)?.vrs[0] ?? "UN";
const setsFor = (vr: Vr, sets: readonly string[]) => (usesCharacterSet(vr) ? sets : []);

const encodedText = (tag: number, text: string, sets: readonly string[]) =>
  encodeText(text, setsFor(vrOfTag(tag), sets), vrOfTag(tag));

/** An item with other texts in it, in its own character set or, with everything else, in UTF-8. */
function changedItem(item: DataSet, texts: NewTexts, sets: readonly string[]): ElementInput[] {
  const elements = new Map<number, ElementInput>();
  for (const element of item.elements) {
    if (sets === utf8 && element.tag === Tag.SpecificCharacterSet) continue;
    elements.set(element.tag, sets === utf8 ? convertedInput(item, element).input : inputOf(item, element));
  }
  for (const [keyword, { to }] of Object.entries(texts)) {
    const tag = tagOf(keyword);
    if (to === undefined) elements.delete(tag);
    else elements.set(tag, { tag, vr: vrOfTag(tag), value: encodedText(tag, to, sets) });
  }
  return [...elements.values()];
}

function valueInput(dataSet: DataSet, tag: number, value: Value, sets: readonly string[]): ElementInput {
  if ("text" in value) {
    const vr = vrOfTag(tag);
    return { tag, vr, value: vr === "SQ" ? [] : encodedText(tag, value.text, sets) };
  }
  if ("items" in value) {
    const changed = value.items.map((item, at) =>
      changedItem(item, value.texts[at] ?? {}, sets === utf8 ? utf8 : item.characterSets()),
    );
    return { tag, vr: "SQ", value: changed };
  }
  const { element } = value;
  if (element === undefined) return { tag, vr: vrOfTag(tag), value: vrOfTag(tag) === "SQ" ? [] : new Uint8Array(0) };
  return sets === utf8 ? convertedInput(dataSet, element).input : inputOf(dataSet, element);
}

/** The items that came with the instance stay, ours stand behind them. */
function originalAttributes(
  dataSet: DataSet,
  modified: readonly Modified[],
  sets: readonly string[],
  elements: ReadonlyMap<number, ElementInput>,
): ElementInput {
  const tag = Tag.OriginalAttributesSequence;
  const held = elements.get(tag)?.value ?? dataSet.items(tag) ?? [];
  const items = modified.map(({ change, before }) => originalItem(dataSet, change, before, sets));
  return { tag, vr: "SQ", value: [...(held as readonly (readonly ElementInput[])[]), ...items] };
}

function originalItem(
  dataSet: DataSet,
  { at, reason }: HeaderChange,
  before: ReadonlyMap<number, Value>,
  sets: readonly string[],
): ElementInput[] {
  const values = [...before].map(([tag, value]) => valueInput(dataSet, tag, value, sets));
  const named = (keyword: string, value: ElementInput["value"]): ElementInput => {
    const tag = tagOf(keyword);
    return { tag, vr: vrOfTag(tag), value };
  };
  return [
    named("ModifiedAttributesSequence", [values]),
    named("AttributeModificationDateTime", dateTimeOf(at)),
    named("ModifyingSystem", modifyingSystem),
    named("SourceOfPreviousValues", ""),
    named("ReasonForTheAttributeModification", reason.code),
  ];
}

/** With its offset from UTC (PS3.5 §6.2, DT). */
function dateTimeOf(at: number): string {
  const text = new Date(at).toISOString().replace(/[-:T]/g, "");
  return `${text.slice(0, 14)}.${text.slice(15, 18)}000+0000`;
}

/** What of a data set reads otherwise in UTF-8. Items no longer declare a set of their own. */
function converted(dataSet: DataSet): ElementInput[] {
  const changed: ElementInput[] = [];
  for (const element of dataSet.elements) {
    const { input, isChanged } = convertedInput(dataSet, element);
    if (isChanged) changed.push(input);
  }
  return changed;
}

function convertedInput(dataSet: DataSet, element: DataElement): { input: ElementInput; isChanged: boolean } {
  const input = inputOf(dataSet, element);
  const { vr, value } = input;
  if (element.items !== undefined) return convertedSequence(element.items, input);
  if (!(value instanceof Uint8Array) || !usesCharacterSet(vr)) return { input, isChanged: false };
  const text = decodeText(value, dataSet.characterSets(), vr);
  const bytes = encodeText(text, utf8, vr);
  const isSame = bytes.length === value.length && bytes.every((byte, at) => byte === value[at]);
  return isSame ? { input, isChanged: false } : { input: { ...input, value: bytes }, isChanged: true };
}

function convertedSequence(items: readonly DataSet[], input: ElementInput) {
  let isChanged = false;
  const value = items.map((item) => {
    const own = item.get(Tag.SpecificCharacterSet);
    if (own !== undefined) isChanged = true;
    return item.elements
      .filter((element) => element !== own)
      .map((element) => {
        const inner = convertedInput(item, element);
        if (inner.isChanged) isChanged = true;
        return inner.input;
      });
  });
  return { input: isChanged ? { ...input, value } : input, isChanged };
}

/** The transfer syntax that writes as this data set was read, whatever its label said. */
function writtenAs({ explicitVr, bigEndian }: DataSet, transferSyntaxUid: string): string {
  const labelled = encodingOf(transferSyntaxUid);
  if (labelled.explicitVr === explicitVr && labelled.bigEndian === bigEndian) return transferSyntaxUid;
  if (!explicitVr) return TransferSyntaxUid.implicitLittleEndian;
  return bigEndian ? TransferSyntaxUid.explicitBigEndian : TransferSyntaxUid.explicitLittleEndian;
}

interface Place {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** From where to where each element of the top level stands, in the order in which they stand. */
function placesOf(dataSet: DataSet, bytes: Uint8Array, end: number): Place[] {
  const inOrder = [...dataSet.elements].sort((a, b) => a.offset - b.offset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isTagAt = (at: number, tag: number): boolean => {
    const [group, element] = [view.getUint16(at, !dataSet.bigEndian), view.getUint16(at + 2, !dataSet.bigEndian)];
    return group === tag >>> 16 && element === (tag & 0xffff);
  };
  /** A head is of 8 bytes or, with an explicit VR of long values, of 12. */
  const startOf = ({ tag, offset }: DataElement) => (isTagAt(offset - 8, tag) ? offset - 8 : offset - 12);
  return inOrder.map((element, at) => {
    const next = inOrder[at + 1];
    const stated = element.offset + element.length;
    const until = element.length !== undefinedLength ? stated : next === undefined ? end : startOf(next);
    return { tag: element.tag, start: startOf(element), end: until };
  });
}

/** Each element takes the place of the one of its tag, or stands where its tag belongs; lengths of groups that change go. */
function editsFor(
  places: readonly Place[],
  end: number,
  change: { readonly put: readonly ElementInput[]; readonly gone: ReadonlySet<number> },
  transferSyntaxUid: string,
): Edit[] {
  const groups = new Set([...change.put.map(({ tag }) => tag), ...change.gone].map((tag) => tag >>> 16));
  const isGone = ({ tag }: Place) =>
    ((tag & 0xffff) === 0 && groups.has(tag >>> 16)) || tag === lengthToEnd || change.gone.has(tag);
  const gone = places.filter(isGone).map(({ start, end: to }) => ({ tag: 0, at: start, removed: to - start }));
  const byTag = new Map(places.map((place) => [place.tag, place]));
  const put = change.put.map((element) => {
    const { tag } = element;
    const place = byTag.get(tag);
    const at = place?.start ?? places.find((one) => one.tag > tag)?.start ?? end;
    const removed = place === undefined ? 0 : place.end - place.start;
    return { tag, at, removed, inserted: writeDataSet([element], { transferSyntaxUid }) };
  });
  const nothing = new Uint8Array(0);
  return [...gone.map((one) => ({ ...one, inserted: nothing })), ...put]
    .sort((a, b) => a.at - b.at || a.removed - b.removed || a.tag - b.tag)
    .map(({ at, removed, inserted }) => ({ at, removed, inserted }));
}
