import type { Clock } from "#base/clock";
import { Problem } from "#base/problem";
import type { HeldReason } from "#formats/api";
import { type DataSet, parseDataSet, pixelDataTags, Tag, tagOf } from "#formats/dicom";
import {
  editedBytes,
  editedDataSet,
  elementEdits,
  type HeaderEditing,
  type HeldInstance,
  headerEdits,
} from "#radiology/archive";
import { isKnownClean } from "#radiology/images";
import { coercedChange } from "./coercions.ts";
import { deidentified, ownMethod } from "./deidentify.ts";
import { createPseudonyms } from "./pseudonyms.ts";
import type { Changes, Deidentification } from "./rule.ts";

/** A data set as it may leave, or why it is held back. */
export type Changed = { readonly bytes: Uint8Array } | { readonly held: HeldReason };

/** An instance as it leaves. */
export interface Outgoing {
  /** With the UID that it has out there; its bytes are made as they are read. */
  readonly instance: HeldInstance;
  /** Why nothing of it was given, once somebody has tried to read it. */
  heldBack(): HeldReason | undefined;
}

export interface Changing {
  /** A whole data set, without file meta information; its pixels stay as they are, byte for byte. Problem `invalid` for what is none. */
  change(dataSet: Uint8Array, transferSyntaxUid: string, changes: Changes): Changed;
  outgoing(instance: HeldInstance, changes: Changes | undefined): Outgoing;
}

/** What was de-identified so often comes back again and again under new UIDs: two archives send to each other. */
const deidentifiedMost = 2;

export function createChanging({ key, clock }: { readonly key: Uint8Array; readonly clock: Clock }): Changing {
  const pseudonymsOf = ({ project = "" }: Deidentification) => createPseudonyms(key, project);

  /** `held` is told why, before a Problem is thrown. */
  const editing =
    ({ deidentify, coercions }: Changes, held: (reason: HeldReason) => void): HeaderEditing =>
    (bytes, transferSyntaxUid) => {
      const { dataSet, stoppedAt } = parseDataSet(bytes, { transferSyntaxUid, stopBefore: pixelDataTags });
      const end = stoppedAt?.headOffset ?? bytes.length;
      const reason = deidentify && reasonToHold(dataSet, stoppedAt !== undefined);
      if (reason !== undefined) throw holding(reason, held);
      let header = bytes.subarray(0, end);
      if (deidentify !== undefined) {
        const { put, gone } = deidentified(dataSet, deidentify, pseudonymsOf(deidentify));
        const read = { dataSet, bytes: header, end, transferSyntaxUid };
        header = editedDataSet(header, transferSyntaxUid, () => elementEdits(read, put, gone));
      }
      if (coercions.length > 0) {
        const coerced = coercedChange(parseDataSet(header, { transferSyntaxUid }).dataSet, coercions, clock.now());
        if (coerced === undefined) throw holding("value", held);
        header = editedDataSet(header, transferSyntaxUid, (given) => headerEdits(given, transferSyntaxUid, [coerced]));
      }
      const behind = deidentify === undefined ? undefined : pixelsEnd(bytes, transferSyntaxUid, end);
      const rest = behind === undefined ? [] : [{ at: behind, removed: bytes.length - behind, inserted: nothing }];
      return [{ at: 0, removed: end, inserted: header }, ...rest];
    };

  return {
    change(dataSet, transferSyntaxUid, changes) {
      let held: HeldReason | undefined;
      try {
        const edit = editing(changes, (reason) => {
          held = reason;
        });
        return { bytes: editedDataSet(dataSet, transferSyntaxUid, edit) };
      } catch (error) {
        if (held !== undefined) return { held };
        throw error;
      }
    },
    outgoing(instance, changes) {
      if (changes === undefined) return { instance, heldBack: () => undefined };
      const { deidentify } = changes;
      let held: HeldReason | undefined;
      const edit = editing(changes, (reason) => {
        held = reason;
      });
      const isRenamed = deidentify !== undefined && !deidentify.options.includes("retain-uids");
      const changed: HeldInstance = {
        ...instance,
        ...(isRenamed && { sopUid: pseudonymsOf(deidentify).uid(instance.sopUid) }),
        async current(received) {
          const before = await instance.current(received);
          const manner = { endsAtPixels: deidentify !== undefined };
          const after = await editedBytes(before.layout, before.object, edit, manner);
          return { ...after, spliced: (bytes) => after.spliced(before.spliced(bytes)) };
        },
      };
      return { instance: changed, heldBack: () => held };
    },
  };
}

const nothing = new Uint8Array(0);

function holding(reason: HeldReason, held: (reason: HeldReason) => void): Problem {
  held(reason);
  return new Problem("unsupported", "a rule holds this instance back", { remedy: "the page Routing shows why" });
}

/** Pictures that may show whose they are and documents that may say it are not sent: no header that is cleaned helps them. */
function reasonToHold(dataSet: DataSet, hasPixels: boolean): HeldReason | undefined {
  const before = (dataSet.texts(tagOf("DeidentificationMethod")) ?? []).filter((method) => method === ownMethod);
  if (before.length >= deidentifiedMost) return "again";
  if (dataSet.has(tagOf("EncapsulatedDocument"))) return "document";
  return hasPixels && !isKnownClean(dataSet.text(Tag.SOPClassUID) ?? "", dataSet) ? "pixels" : undefined;
}

/** Where the pixels end, of bytes that hold them; undefined of a header alone. */
function pixelsEnd(bytes: Uint8Array, transferSyntaxUid: string, headOffset: number): number | undefined {
  if (bytes.length <= headOffset + longHeadBytes) return undefined;
  const { dataSet } = parseDataSet(bytes, { transferSyntaxUid });
  const pixels = dataSet.elements.findLast(({ tag }) => pixelDataTags.includes(tag));
  const last = pixels?.fragments?.at(-1);
  if (pixels === undefined) return undefined;
  return last === undefined ? pixels.offset + pixels.length : last.offset + last.length + delimiterBytes;
}

/** Of an element with an explicit VR of long values, and of the end of a sequence. */
const longHeadBytes = 12;
const delimiterBytes = 8;
