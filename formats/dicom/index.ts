/**
 * DICOM data sets as bytes (PS3.5, PS3.6, PS3.10, PS3.18 F). Pure and synchronous, for the server and the browser.
 */
export { characterSetsFor, decodeText, encodeText, isKnownCharacterSet, splitValues } from "./charsets/index.ts";
export {
  type CodedConcept,
  type ContentItem,
  codeOf,
  conceptAt,
  contentItems,
  measuredOf,
  plainTextOf,
} from "./content-tree.ts";
export { type CutTable, createMender, decodeCuts, encodeCuts, type Mender } from "./cuts.ts";
export { type Cutter, type CutterOptions, createCutter } from "./cutter.ts";
export { type ByteRange, type DataElement, DataSet } from "./data-set.ts";
export {
  type DicomJson,
  dicomJsonText,
  elementAtPath,
  type JsonElement,
  type JsonValue,
  type PersonNameJson,
  type ToJsonOptions,
  toDicomJson,
} from "./dicom-json.ts";
export { type FromJsonOptions, fromDicomJson } from "./dicom-json-input.ts";
export { type DirectoryEntry, directoryEntryOf, writeDicomdir } from "./dicomdir.ts";
export {
  type Attribute,
  allAttributes,
  attributeOf,
  findTag,
  implicitVrOf,
  keywordOf,
  type ProfileAction,
  tagOf,
} from "./dictionary.ts";
export { undefinedLength } from "./element-head.ts";
export {
  type DataSetInput,
  type ElementInput,
  type Encapsulated,
  elementsOf,
  inputOf,
  type KeywordDataSet,
  type KeywordValue,
  type ValueInput,
} from "./element-input.ts";
export {
  type FrameLayout,
  type FrameLocation,
  frameLayoutOf,
  frameLocations,
  type PixelDataLocation,
  pixelDataOf,
  startsCodestream,
} from "./frames.ts";
export { createHeaderReader, type Header, type HeaderReader, type HeaderReaderOptions } from "./header-reader.ts";
export { isIdentifying } from "./identifying.ts";
export { createInflater, type InflateOptions, type Inflater } from "./inflate.ts";
export { attributeNameOf } from "./names.ts";
export { readNativeModel, writeNativeModel } from "./native-model.ts";
export { withoutPadding } from "./padding.ts";
export { type OptionAction, optionActionOf, type ProfileOption } from "./profile-options.ts";
export {
  type DicomFile,
  parseDataSet,
  parsingDataSet,
  type ReadDataSet,
  type ReadOptions,
  readDataSet,
  readFile,
} from "./read-data-set.ts";
export {
  createReader,
  type Reader,
  type ReaderOptions,
  type ReadResult,
} from "./reader.ts";
export type { ReaderEvents, StopPoint } from "./reader-events.ts";
export { type ReaderLimits, readerLimits } from "./reader-limits.ts";
export { isStorageSopClass, type SopClass, sopClassOf, storageSopClasses } from "./sop-classes.ts";
export { formatTag, hexOfTag, isPrivateTag, parseTag, pixelDataTags, Tag } from "./tags.ts";
export {
  cleanText,
  foldPattern,
  foldText,
  matchesPattern,
  namePattern,
  nameText,
  type PatternPart,
  patternOf,
  type TextRange,
  temporalRange,
} from "./text-matching.ts";
export {
  allTransferSyntaxes,
  encodingOf,
  type PixelCodec,
  type TransferSyntax,
  TransferSyntaxUid,
  transferSyntaxOf,
} from "./transfer-syntaxes.ts";
export { isUid } from "./uid.ts";
export { allVrs, isVr, usesCharacterSet, type Vr, type VrKind, type VrRules, vrTable } from "./vr.ts";
export { type MetaInput, type WriteOptions, writeDataSet, writeFile, writeMeta } from "./writer.ts";
