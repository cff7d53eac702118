import { type Attribute, allAttributes, attributeOf } from "./dictionary.ts";
import { safeBlockOf } from "./identifying-private.ts";
import { once } from "./once.ts";
import { isPrivateTag, Tag } from "./tags.ts";
import type { Vr } from "./vr.ts";

/** What the image half shows of an element: nothing but its head, its value, or (of a sequence) what its items hold. */
export const Handling = { cut: 0, kept: 1, keptItems: 2 } as const;
export type Handling = (typeof Handling)[keyof typeof Handling];

/** Of the file meta information only what says how the file is written (PS3.10 §7.1): no UID, AE title or address. */
const keptOfMeta: readonly number[] = [
  Tag.FileMetaInformationGroupLength,
  Tag.FileMetaInformationVersion,
  Tag.MediaStorageSOPClassUID,
  Tag.TransferSyntaxUID,
  Tag.ImplementationClassUID,
  Tag.ImplementationVersionName,
];

/** UIDs that name a kind of thing, registered once for everybody. Every other UID names something of a patient. */
const keptUids: readonly number[] = [
  Tag.SOPClassUID,
  0x0008001a, // Related General SOP Class UID
  0x0008001b, // Original Specialized SOP Class UID
  Tag.SOPClassesInStudy,
  0x0008010c, // Coding Scheme UID
  0x00080117, // Context UID
  0x00080118, // Mapping Resource UID
  Tag.ReferencedSOPClassUID,
  0x0008115a, // SOP Classes Supported
  0x04000010, // MAC Calculation Transfer Syntax UID
  0x04000510, // Encrypted Content Transfer Syntax UID
];

/** VRs whose values name a person, a machine on a network, or a moment, whatever the attribute. */
const identifyingVrs: ReadonlySet<Vr> = new Set(["PN", "AE", "DA", "DT", "TM", "UI"]);

/**
 * Cut is what PS3.15 Table E.1-1 removes or replaces in any way, and beyond it what the table does not name and yet
 * identifies: names, dates and UIDs of newer attributes, the command set, and all that the dictionary does not know.
 */
function handlingOfAttribute({ tag, vrs, profileAction }: Attribute): Handling {
  const group = tag >>> 16;
  if (group === 0x0000) return Handling.cut;
  if (group === 0x0002) return keptOfMeta.includes(tag) ? Handling.kept : Handling.cut;
  if (profileAction !== undefined) return Handling.cut;
  const vr = vrs[0]!;
  if (vr === "SQ") return Handling.keptItems;
  return identifyingVrs.has(vr) && !keptUids.includes(tag) ? Handling.cut : Handling.kept;
}

const slotBits = 14;
const slotMask = (1 << slotBits) - 1;

interface Kept {
  /** Open addressing; 0 is an empty slot, as (0000,0000) is never kept. Signed, as V8 keeps those unboxed. */
  readonly tags: Int32Array;
  readonly handlings: Uint8Array;
}

/** Only what is kept stands in the table, so that whatever goes wrong here cuts. */
const kept = /*#__PURE__*/ once((): Kept => {
  const tags = new Int32Array(1 << slotBits);
  const handlings = new Uint8Array(1 << slotBits);
  for (const attribute of allAttributes()) {
    const handling = handlingOfAttribute(attribute);
    if (handling === Handling.cut) continue;
    let slot = slotOf(attribute.tag);
    while (tags[slot] !== 0) slot = (slot + 1) & slotMask;
    tags[slot] = attribute.tag;
    handlings[slot] = handling;
  }
  return { tags, handlings };
});

function slotOf(tag: number): number {
  return Math.imul(tag, 0x9e3779b1) >>> (32 - slotBits);
}

/** Of a standard attribute; private ones depend on their creator, `handlingOfPrivate`. */
export function handlingOf(tag: number): Handling {
  const { tags, handlings } = kept();
  const wanted = tag | 0;
  for (let slot = slotOf(tag); tags[slot] !== 0; slot = (slot + 1) & slotMask) {
    if (tags[slot] === wanted) return handlings[slot] as Handling;
  }
  // Overlays are the one repeating group still in use (PS3.3 §C.9.2). The others are retired, and cut.
  if ((tag & 0xff01_0000) >>> 0 !== 0x6000_0000) return Handling.cut;
  const overlay = attributeOf(tag);
  return overlay === undefined ? Handling.cut : handlingOfAttribute(overlay);
}

/** Of an element in the block of `creator`, or of the element that declares this creator (PS3.5 §7.8.1). */
export function handlingOfPrivate(tag: number, creator: string): Handling {
  const block = safeBlockOf(tag >>> 16, creator);
  if (block === undefined) return Handling.cut;
  if (isPrivateCreator(tag)) return Handling.kept;
  const vr = (tag & 0xffff) < 0x1000 ? undefined : block.get(tag & 0xff);
  if (vr === undefined) return Handling.cut;
  return vr === "SQ" ? Handling.keptItems : Handling.kept;
}

/** (gggg,0010) to (gggg,00FF) of an odd group: declares whose the elements (gggg,xx00) to (gggg,xxFF) are. */
export function isPrivateCreator(tag: number): boolean {
  return isPrivateTag(tag) && (tag & 0xff00) === 0 && (tag & 0xff) >= 0x10;
}

/** (gggg,0000): a number that tells the bytes of the group, and nothing else. */
export function isGroupLength(tag: number): boolean {
  return (tag & 0xffff) === 0;
}

/**
 * Whether the value of an element belongs to the identity half, by itself: below an identifying sequence everything
 * does. `creator` is the private creator of the element's block, for a creator element its own value.
 */
export function isIdentifying(tag: number, creator = ""): boolean {
  if (isGroupLength(tag)) return false;
  return (isPrivateTag(tag) ? handlingOfPrivate(tag, creator) : handlingOf(tag)) === Handling.cut;
}
