import { decodeText, splitValues } from "./charsets/index.ts";
import { isSignednessOpen } from "./dictionary.ts";
import { undefinedLength } from "./element-head.ts";
import { withoutPadding } from "./padding.ts";
import { Tag } from "./tags.ts";
import { type Vr, vrTable } from "./vr.ts";

/** A run of bytes in the stream that a data set was read from. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** An element where it stands: nothing of its value is decoded or copied. */
export interface DataElement {
  readonly tag: number;
  readonly vr: Vr;
  /** Of the value, in the stream as received (deflated: see ReaderEvents). */
  readonly offset: number;
  /** As written: `undefinedLength` where a delimiter ends it. */
  readonly length: number;
  /** Of a sequence. */
  readonly items: readonly DataSet[] | undefined;
  /** Of encapsulated pixel data: where each fragment lies, the Basic Offset Table first. */
  readonly fragments: readonly ByteRange[] | undefined;
}

/** Bytes that elements lie in, and the stream offset of the first of them. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly shift: number;
}

/**
 * A data set, an item of a sequence, or the file meta information, over the bytes it was read from. Values are decoded
 * when asked for. An absent element gives undefined, an empty one an empty text or list.
 *
 * A class, not a closure, because a series of a thousand instances makes a million of these.
 */
export class DataSet implements Iterable<DataElement> {
  /** In order of tags. */
  readonly elements: readonly DataElement[];
  /** The data set whose item this is. */
  readonly parent: DataSet | undefined;
  readonly bigEndian: boolean;
  readonly explicitVr: boolean;
  private readonly source: Source;
  private declaredSets: readonly string[] | undefined;

  constructor(
    source: Source,
    elements: readonly DataElement[],
    encoding: { explicitVr: boolean; bigEndian: boolean },
    parent?: DataSet,
  ) {
    this.source = source;
    this.elements = elements;
    this.parent = parent;
    this.explicitVr = encoding.explicitVr;
    this.bigEndian = encoding.bigEndian;
  }

  [Symbol.iterator](): Iterator<DataElement> {
    return this.elements[Symbol.iterator]();
  }

  get(tag: number): DataElement | undefined {
    const { elements } = this;
    let low = 0;
    let high = elements.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const element = elements[middle]!;
      if (element.tag === tag) return element;
      if (element.tag < tag) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  has(tag: number): boolean {
    return this.get(tag) !== undefined;
  }

  /** The VR of an element; US or SS settled by Pixel Representation where implicit VR leaves it open. */
  vr(tag: number): Vr | undefined {
    const element = this.get(tag);
    return element && this.vrOf(element);
  }

  vrOf(element: DataElement): Vr {
    if (element.vr !== "US" || this.explicitVr || !isSignednessOpen(element.tag)) return element.vr;
    for (let at: DataSet | undefined = this; at !== undefined; at = at.parent) {
      const representation = at.get(Tag.PixelRepresentation);
      if (representation !== undefined) return at.numbersOf(representation)[0] === 1 ? "SS" : "US";
    }
    return "US";
  }

  /** The value as it was encoded, padding and byte order untouched, as a view. Undefined for sequences too. */
  bytes(tag: number): Uint8Array | undefined {
    const element = this.get(tag);
    return element && this.bytesOf(element);
  }

  bytesOf(element: DataElement): Uint8Array | undefined {
    if (element.length === undefinedLength || element.items !== undefined) return undefined;
    return this.range(element);
  }

  /** The bytes of a fragment or other range, as a view. */
  range(range: ByteRange): Uint8Array {
    const from = range.offset - this.source.shift;
    return this.source.bytes.subarray(from, from + range.length);
  }

  /** The first value as text without padding; numbers are written out. */
  text(tag: number): string | undefined {
    const texts = this.texts(tag);
    return texts && (texts[0] ?? "");
  }

  /** All values as texts; an empty element has none. */
  texts(tag: number): string[] | undefined {
    const element = this.get(tag);
    return element && this.textsOf(element);
  }

  textsOf(element: DataElement): string[] {
    const { vr } = element;
    const { kind, multiple } = vrTable[vr];
    if (kind === "number") {
      return isLong(vr) ? this.bigintsOf(element).map(String) : this.numbersOf(element).map(String);
    }
    const bytes = this.bytesOf(element);
    if (bytes === undefined || bytes.length === 0) return [];
    if (kind === "bytes") return [withoutPadding(decodeText(bytes, [], "CS"))];
    const sets = kind === "words" ? this.characterSets() : [];
    const { trimStart } = vrTable[vr];
    if (!multiple || !bytes.includes(0x5c)) {
      const only = withoutPadding(decodeText(bytes, sets, vr), trimStart);
      return only === "" ? [] : [only];
    }
    return splitValues(bytes, sets, vr).map((value) => withoutPadding(decodeText(value, sets, vr), trimStart));
  }

  /** The first value of a numeric element, IS and DS included; undefined when there is none or it is no number. */
  number(tag: number): number | undefined {
    const first = this.numbers(tag)?.[0];
    return first === undefined || Number.isNaN(first) ? undefined : first;
  }

  /** All values of a numeric element; AT as tags; what is no number is NaN. SV and UV beyond 2^53 lose precision. */
  numbers(tag: number): number[] | undefined {
    const element = this.get(tag);
    return element && this.numbersOf(element);
  }

  numbersOf(element: DataElement): number[] {
    const vr = this.vrOf(element);
    if (vrTable[vr].kind === "text") return this.textsOf(element).map(numberOfText);
    if (isLong(vr)) return this.bigintsOf(element).map(Number);
    const bytes = this.bytesOf(element);
    const unit = vr === "AT" ? 4 : vr === "UN" ? 0 : vrTable[vr].unitBytes;
    if (bytes === undefined || unit === 0) return [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const out: number[] = [];
    for (let at = 0; at + unit <= bytes.length; at += unit) out.push(numberAt(view, at, vr, !this.bigEndian));
    return out;
  }

  /** All values of an SV, UV or OV element. */
  bigints(tag: number): bigint[] | undefined {
    const element = this.get(tag);
    return element && this.bigintsOf(element);
  }

  bigintsOf(element: DataElement): bigint[] {
    const bytes = this.bytesOf(element);
    if (bytes === undefined || !isLong(element.vr)) return [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const out: bigint[] = [];
    for (let at = 0; at + 8 <= bytes.length; at += 8) {
      out.push(element.vr === "SV" ? view.getBigInt64(at, !this.bigEndian) : view.getBigUint64(at, !this.bigEndian));
    }
    return out;
  }

  /** The items of a sequence. */
  items(tag: number): readonly DataSet[] | undefined {
    const element = this.get(tag);
    return element && (element.items ?? []);
  }

  /** Specific Character Set (0008,0005) in force here: this data set's own, else that of the one around it. */
  characterSets(): readonly string[] {
    if (this.declaredSets === undefined) {
      const own = this.get(Tag.SpecificCharacterSet);
      // Said first, since a wrong VR would have the names of the sets read in the sets that they name.
      this.declaredSets = [];
      this.declaredSets = own === undefined ? (this.parent?.characterSets() ?? []) : declared(this.textsOf(own));
    }
    return this.declaredSets;
  }
}

/** An attribute that is there and empty declares nothing, an empty first value the default repertoire. */
function declared(terms: readonly string[]): readonly string[] {
  return terms.every((term) => term === "") ? [] : terms;
}

function isLong(vr: Vr): boolean {
  return vr === "SV" || vr === "UV" || vr === "OV";
}

function numberOfText(text: string): number {
  return text === "" ? Number.NaN : Number(text);
}

function numberAt(view: DataView, at: number, vr: Vr, little: boolean): number {
  switch (vr) {
    case "AT":
      return view.getUint16(at, little) * 0x10000 + view.getUint16(at + 2, little);
    case "US":
    case "OW":
      return view.getUint16(at, little);
    case "SS":
      return view.getInt16(at, little);
    case "UL":
    case "OL":
      return view.getUint32(at, little);
    case "SL":
      return view.getInt32(at, little);
    case "FL":
    case "OF":
      return view.getFloat32(at, little);
    case "FD":
    case "OD":
      return view.getFloat64(at, little);
    default:
      return view.getUint8(at);
  }
}
