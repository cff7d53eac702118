import type { Problem } from "#base/problem";
import {
  createReader,
  encodingOf,
  isUid,
  pixelDataTags,
  type ReaderOptions,
  Tag,
  undefinedLength,
  type Vr,
  withoutPadding,
} from "#formats/dicom";
import {
  accessionIssuerTag,
  type CapturedValue,
  isIndexed,
  isRequestId,
  saysIssuer,
  withAnother,
} from "./received-values.ts";
import type { Vouched } from "./study-index.ts";
import { refusal, unwanted } from "./unwanted.ts";

/** What C-STORE says of a data set before it comes. */
export interface DataSetHeader {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** Calling AE title, for the file meta information. */
  readonly sourceAe?: string;
  /** Token of the facility that the sender stands in. */
  readonly facility?: string;
  /** What an edge vouches for, where it came by one; asked for when all has come, and verified by then. */
  readonly provenance?: () => Vouched | undefined;
  /** Whoever sends it said that somebody waits for it. */
  readonly isUrgent?: boolean;
}

export interface StoredInstance {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopUid: string;
  readonly sopClassUid: string;
}

/** Of a value that was asked for besides. */
const alsoBytesMax = 1_024;

/** What the reader has told about the instance so far. */
export interface Seen {
  hasPreamble: boolean;
  isDeflated: boolean;
  /** Why it cannot be kept, although it can be read. */
  refused: Problem | undefined;
  readonly captured: Map<number, CapturedValue>;
  dataSetOffset: number | undefined;
  /** The newest element at the top of the data set. */
  lastTag: number;
  pixelOffset: number | undefined;
  pixelLength: number | undefined;
}

export function newSeen(): Seen {
  return {
    ...{ captured: new Map(), hasPreamble: false, isDeflated: false, refused: undefined, lastTag: 0 },
    ...{ dataSetOffset: undefined, pixelOffset: undefined, pixelLength: undefined },
  };
}

/** Reads what passes, without keeping it: whether it can be kept, what it is, and some values on the way. */
export interface Inspection {
  /** The next bytes of the data set. Throws the Problem that says why it cannot be kept. */
  take(bytes: Uint8Array): void;
  /** A value at the top of the data set that has passed, of those that the index holds or that were asked for; undefined: not so far. */
  text(tag: number): string | undefined;
  /** Whether what stands at the top of the data set is beyond it: its value will not come any more (PS3.5 §7.1, ascending tags). */
  isBeyond(tag: number): boolean;
  end(): StoredInstance;
}

/** `also`: attributes besides those that the index holds. */
export function inspect(header: DataSetHeader, also: ReadonlySet<number> = new Set()): Inspection {
  const seen = newSeen();
  const reader = createReader(optionsInto(seen, header, also));
  return {
    take(bytes) {
      if (!reader.write(bytes)) throw asRefusal(reader.end().problem);
      if (seen.refused !== undefined) throw seen.refused;
    },
    text(tag) {
      const value = seen.captured.get(tag);
      return value && withoutPadding(Buffer.from(value.bytes).toString("latin1"));
    },
    isBeyond: (tag) => seen.lastTag > tag,
    end() {
      const { problem } = reader.end();
      if (problem !== undefined) throw problem;
      return checkedUids(seen, header);
    },
  };
}

export function optionsInto(
  seen: Seen,
  header: DataSetHeader | undefined,
  also: ReadonlySet<number> = new Set(),
): ReaderOptions {
  let last: { tag: number; vr: Vr; isOfItems: boolean } = { tag: 0, vr: "UN", isOfItems: false };
  /** Items around what comes next: an icon has pixels of its own (PS3.3 §F.7). */
  let itemDepth = 0;
  /** The sequence whose items these are, of the outermost. */
  let within = 0;
  const notePixels = (tag: number, offset: number, length: number | undefined, depth: number) => {
    if (depth > 0 || !pixelDataTags.includes(tag)) return;
    seen.pixelOffset = offset;
    seen.pixelLength = length;
  };
  return {
    ...(header && { transferSyntaxUid: header.transferSyntaxUid }),
    capture(tag, vr, length, depth) {
      const isIssuer =
        depth === 1 &&
        within === accessionIssuerTag &&
        saysIssuer(tag, length) &&
        !seen.captured.has(accessionIssuerTag);
      const isOfItems = depth === 1 && isRequestId(within, tag, length);
      last = { tag: isIssuer ? accessionIssuerTag : tag, vr, isOfItems };
      return (
        isIssuer || isOfItems || (depth === 0 && (isIndexed(tag, length) || (also.has(tag) && length <= alsoBytesMax)))
      );
    },
    events: {
      preamble() {
        seen.hasPreamble = true;
      },
      dataSetStart(transferSyntaxUid, offset) {
        seen.dataSetOffset = offset;
        seen.isDeflated = encodingOf(transferSyntaxUid).deflated;
      },
      element(tag, vr, offset, length, depth) {
        if (seen.dataSetOffset !== undefined) seen.refused ??= unwanted(tag, vr, length, depth);
        notePixels(tag, offset, length === undefinedLength ? undefined : length, depth);
        if (depth === 0) seen.lastTag = tag;
      },
      value(bytes, from, to) {
        // A copy: the bytes are lent, and `slice` of a Buffer would be a view of them.
        const value = { vr: last.vr, bytes: new Uint8Array(bytes.subarray(from, to)) };
        seen.captured.set(last.tag, last.isOfItems ? withAnother(seen.captured.get(last.tag), value) : value);
      },
      sequenceStart(tag) {
        if (itemDepth === 0) within = tag;
      },
      itemStart: () => void itemDepth++,
      itemEnd: () => void itemDepth--,
      encapsulatedStart: (tag, _vr, offset) => notePixels(tag, offset, undefined, itemDepth),
    },
  };
}

export function checkedUids(seen: Seen, header: DataSetHeader | undefined): StoredInstance {
  const uid = (tag: number, name: string): string => {
    const value = seen.captured.get(tag);
    if (value === undefined || value.bytes.length === 0) throw refusal(`${name} is missing`, tag);
    const text = uidOf(value);
    if (text === undefined) throw refusal(`${name} is not a UID`, tag);
    return text;
  };
  const uids = {
    studyUid: uid(Tag.StudyInstanceUID, "Study Instance UID"),
    seriesUid: uid(Tag.SeriesInstanceUID, "Series Instance UID"),
    sopUid: uid(Tag.SOPInstanceUID, "SOP Instance UID"),
    sopClassUid: uid(Tag.SOPClassUID, "SOP Class UID"),
  };
  if (header !== undefined && uids.sopUid !== header.sopInstanceUid) {
    throw refusal("SOP Instance UID differs from the command's", Tag.SOPInstanceUID);
  }
  if (header !== undefined && uids.sopClassUid !== header.sopClassUid) {
    throw refusal("SOP Class UID differs from the command's", Tag.SOPClassUID);
  }
  return uids;
}

export function uidOf({ bytes }: CapturedValue): string | undefined {
  const text = withoutPadding(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"));
  return isUid(text) ? text : undefined;
}

export function asRefusal(problem: Problem | undefined): Problem {
  return problem ?? refusal("the data set ended early");
}
