import { Problem } from "#base/problem";
import { type ByteSink, createByteSink } from "./byte-sink.ts";
import { DataSet } from "./data-set.ts";
import { itemEndTag, itemTag, sequenceEndTag, undefinedLength } from "./element-head.ts";
import {
  type DataSetInput,
  type ElementInput,
  elementsOf,
  inputsOf,
  isEncapsulated,
  swapped,
} from "./element-input.ts";
import { readerLimits } from "./reader-limits.ts";
import { formatTag, Tag } from "./tags.ts";
import { encodingOf, TransferSyntaxUid } from "./transfer-syntaxes.ts";
import { valueBytes } from "./value-bytes.ts";
import { type Vr, vrTable } from "./vr.ts";

export interface WriteOptions {
  readonly transferSyntaxUid: string;
  /** Raw deflate (RFC 1951), wanted for the deflated transfer syntaxes only: formats bring none of their own. */
  readonly deflate?: (bytes: Uint8Array) => Uint8Array;
  /** How sequences and items end: by a stated length (the default) or by delimiters. */
  readonly sequences?: "lengths" | "delimiters";
}

/** What the file meta information says (PS3.10 §7.1). */
export interface MetaInput {
  readonly mediaStorageSopClassUid: string;
  readonly mediaStorageSopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
  /** AE title of the application that sent it. */
  readonly sourceAe?: string | undefined;
}

interface Writing {
  readonly sink: ByteSink;
  explicitVr: boolean;
  readonly bigEndian: boolean;
  readonly encapsulated: boolean;
  readonly delimiters: boolean;
}

/**
 * The data set in bytes: elements in order of tags, values padded to even length, text in the Specific Character Set
 * that the data set declares. Group lengths other than the command set's are left out, as PS3.5 §7.2 has retired them.
 *
 * @throws Problem `invalid` for values that do not fit their VR or character set, `unsupported` without `deflate`.
 */
export function writeDataSet(dataSet: DataSetInput, options: WriteOptions): Uint8Array<ArrayBuffer> {
  const syntax = encodingOf(options.transferSyntaxUid);
  const writing: Writing = {
    sink: createByteSink(),
    explicitVr: syntax.explicitVr,
    bigEndian: syntax.bigEndian,
    encapsulated: syntax.encapsulated,
    delimiters: options.sequences === "delimiters",
  };
  writing.sink.setBigEndian(syntax.bigEndian);
  writeElements(writing, dataSet, [], 0);
  const bytes = writing.sink.take();
  if (!syntax.deflated) return bytes;
  if (options.deflate === undefined) {
    throw new Problem("unsupported", `writing in ${syntax.name} needs a deflate function`);
  }
  const deflated = options.deflate(bytes);
  const even = new Uint8Array(deflated.length + (deflated.length % 2)); // PS3.5 §A.5 pads the stream with a NUL
  even.set(deflated);
  return even;
}

/** A whole file: preamble, prefix, file meta information, data set. */
export function writeFile(
  meta: MetaInput,
  dataSet: DataSetInput,
  options: Omit<WriteOptions, "transferSyntaxUid"> = {},
): Uint8Array<ArrayBuffer> {
  const start = writeMeta(meta);
  const body = writeDataSet(dataSet, { ...options, transferSyntaxUid: meta.transferSyntaxUid });
  const file = new Uint8Array(start.length + body.length);
  file.set(start);
  file.set(body, start.length);
  return file;
}

/** Preamble, DICM and group 0002, which go in front of a data set that came without them (PS3.10 §7.1). */
export function writeMeta(meta: MetaInput): Uint8Array<ArrayBuffer> {
  const group = writeDataSet(
    elementsOf({
      FileMetaInformationVersion: Uint8Array.of(0, 1),
      MediaStorageSOPClassUID: meta.mediaStorageSopClassUid,
      MediaStorageSOPInstanceUID: meta.mediaStorageSopInstanceUid,
      TransferSyntaxUID: meta.transferSyntaxUid,
      ImplementationClassUID: meta.implementationClassUid,
      ImplementationVersionName: meta.implementationVersionName,
      SourceApplicationEntityTitle: meta.sourceAe,
    }),
    { transferSyntaxUid: TransferSyntaxUid.explicitLittleEndian },
  );
  const sink = createByteSink(144 + group.length);
  sink.room(128);
  sink.bytes(Uint8Array.of(0x44, 0x49, 0x43, 0x4d));
  sink.bytes(Uint8Array.of(0x02, 0x00, 0x00, 0x00, 0x55, 0x4c, 0x04, 0x00)); // (0002,0000) UL, 4 bytes
  sink.u32(group.length);
  sink.bytes(group);
  return sink.take();
}

function isGroupLength(tag: number): boolean {
  return (tag & 0xffff) === 0 && tag >>> 16 > 0x0002;
}

function writeElements(w: Writing, dataSet: DataSetInput, outerSets: readonly string[], depth: number): void {
  if (depth > readerLimits.depthMax) throw new Problem("invalid", "sequences nest too deeply to be written");
  const read = dataSet instanceof DataSet;
  const elements = read ? inputsOf(dataSet) : [...dataSet].sort((a, b) => a.tag - b.tag);
  const sets = read ? dataSet.characterSets() : (declaredSets(dataSet) ?? outerSets);
  for (const element of elements) {
    if (isGroupLength(element.tag)) continue;
    if (element.vr === "SQ") writeSequence(w, element, sets, depth);
    else if (isEncapsulated(element.value)) writeFragments(w, element.tag, element.vr, element.value.fragments);
    else writeValue(w, element, sets);
  }
}

function declaredSets(elements: readonly ElementInput[]): readonly string[] | undefined {
  const value = elements.find(({ tag }) => tag === Tag.SpecificCharacterSet)?.value;
  if (value === undefined) return undefined;
  if (value instanceof Uint8Array)
    return new TextDecoder("latin1")
      .decode(value)
      .split("\\")
      .map((term) => term.trim());
  return Array.isArray(value) ? value.map(String) : String(value) === "" ? [] : String(value).split("\\");
}

function writeValue(w: Writing, element: ElementInput, sets: readonly string[]): void {
  const little = valueBytes(element, sets);
  const bytes = w.bigEndian ? swapped(little, vrTable[element.vr].unitBytes) : little;
  if (bytes.length >= undefinedLength) throw new Problem("too-large", `${formatTag(element.tag)} is 4 GiB or more`);
  // What a 16-bit length cannot hold is written as UN, PS3.5 §6.2.2.
  const vr = w.explicitVr && bytes.length > 0xffff && !vrTable[element.vr].longLength ? "UN" : element.vr;
  writeHead(w, element.tag, vr, bytes.length);
  w.sink.bytes(bytes);
}

function writeTag(w: Writing, tag: number): void {
  w.sink.u16((tag >>> 16) & 0xffff);
  w.sink.u16(tag & 0xffff);
}

function writeHead(w: Writing, tag: number, vr: Vr, length: number): void {
  writeTag(w, tag);
  if (!w.explicitVr) {
    w.sink.u32(length);
    return;
  }
  w.sink.u8(vr.charCodeAt(0));
  w.sink.u8(vr.charCodeAt(1));
  if (vrTable[vr].longLength) {
    w.sink.u16(0);
    w.sink.u32(length);
  } else {
    w.sink.u16(length);
  }
}

function writeMark(w: Writing, tag: number, length: number): void {
  writeTag(w, tag);
  w.sink.u32(length);
}

/** Writes what `body` writes between a head with a length still open and, as the options say, its end. */
function enclosed(w: Writing, endTag: number, body: () => void): void {
  const lengthAt = w.sink.size() - 4;
  body();
  if (w.delimiters) writeMark(w, endTag, 0);
  else w.sink.u32At(lengthAt, w.sink.size() - lengthAt - 4);
}

function writeSequence(w: Writing, { tag, value }: ElementInput, sets: readonly string[], depth: number): void {
  if (!Array.isArray(value)) throw new Problem("invalid", `${formatTag(tag)} is a sequence and takes a list of items`);
  const items = value as readonly DataSetInput[];
  if (items.length === 0) {
    writeHead(w, tag, "SQ", 0);
    return;
  }
  writeHead(w, tag, "SQ", undefinedLength);
  enclosed(w, sequenceEndTag, () => {
    for (const item of items) {
      writeMark(w, itemTag, undefinedLength);
      enclosed(w, itemEndTag, () => writeElements(w, item, sets, depth + 1));
    }
  });
}

function writeFragments(w: Writing, tag: number, vr: Vr, fragments: readonly Uint8Array[]): void {
  if (!w.encapsulated)
    throw new Problem("invalid", `${formatTag(tag)}: fragments need an encapsulated transfer syntax`);
  writeHead(w, tag, vr, undefinedLength);
  for (const fragment of fragments.length === 0 ? [new Uint8Array(0)] : fragments) {
    writeMark(w, itemTag, fragment.length + (fragment.length % 2));
    w.sink.bytes(fragment);
    if (fragment.length % 2 === 1) w.sink.u8(0);
  }
  writeMark(w, sequenceEndTag, 0);
}
