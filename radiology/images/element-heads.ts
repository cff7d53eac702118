import { Problem } from "#base/problem";
import { Tag, type TransferSyntax, undefinedLength, type Vr, vrTable } from "#formats/dicom";

/** Head of pixel data whose value is written piece by piece (PS3.5 §7.1.2, §7.1.3); `length` may be undefined length for fragments. */
export function elementHead(
  { explicitVr, bigEndian, encapsulated }: TransferSyntax,
  tag: number,
  vr: Vr,
  length: number,
): Buffer {
  if (!encapsulated && length >= undefinedLength) {
    throw new Problem("too-large", "the pixels are 4 GiB or more when they are not compressed", {
      remedy: "retrieve the instance as stored, or frame by frame",
    });
  }
  if (!vrTable[vr].longLength) throw new Problem("invalid", "pixel data of a VR that pixels cannot have");
  const head = Buffer.alloc(explicitVr ? 12 : 8);
  writeMark(head, tag, bigEndian);
  if (explicitVr) head.write(vr, 4, "latin1");
  const at = head.length - 4;
  if (bigEndian) head.writeUInt32BE(length, at);
  else head.writeUInt32LE(length, at);
  return head;
}

/** Head of a fragment; all encapsulated transfer syntaxes are little endian. */
export function itemHead(length: number): Buffer {
  if (length >= undefinedLength) throw new Problem("too-large", "a frame of 4 GiB or more");
  const head = Buffer.alloc(8);
  writeMark(head, Tag.Item, false);
  head.writeUInt32LE(length, 4);
  return head;
}

export function sequenceEnd(): Buffer {
  const mark = Buffer.alloc(8);
  writeMark(mark, Tag.SequenceDelimitationItem, false);
  return mark;
}

function writeMark(head: Buffer, tag: number, bigEndian: boolean): void {
  const [group, element] = [tag >>> 16, tag & 0xffff];
  if (bigEndian) {
    head.writeUInt16BE(group, 0);
    head.writeUInt16BE(element, 2);
  } else {
    head.writeUInt16LE(group, 0);
    head.writeUInt16LE(element, 2);
  }
}
