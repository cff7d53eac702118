import { sopClassLines } from "./sop-classes.generated.ts";

export interface SopClass {
  readonly uid: string;
  readonly name: string;
  /** Instances are sent by C-STORE and STOW-RS. */
  readonly storage: boolean;
}

const classes: ReadonlyMap<string, SopClass> = /*#__PURE__*/ new Map(
  /*#__PURE__*/ sopClassLines.split("\n").map((line) => {
    const space = line.indexOf(" ");
    const uid = line.slice(0, space);
    return [uid, { uid, storage: line[space + 1] === "S", name: line.slice(space + 3) }];
  }),
);

/** A SOP class of the standard; undefined for private and unknown ones. */
export function sopClassOf(uid: string): SopClass | undefined {
  return classes.get(uid);
}

/** Every SOP class of the standard that is stored, retired ones included. */
export function storageSopClasses(): SopClass[] {
  return [...classes.values()].filter((sopClass) => sopClass.storage);
}

/**
 * Whether an abstract syntax may be accepted for storage: a storage class of the standard, or one that the table does
 * not know, so that private and future classes are kept too (PS3.4 §B.3.1). Other services of the standard are not.
 */
export function isStorageSopClass(uid: string): boolean {
  const known = classes.get(uid);
  if (known !== undefined) return known.storage;
  if (!/^[0-9]+(\.[0-9]+)+$/.test(uid) || uid.length > 64) return false;
  return !uid.startsWith("1.2.840.10008.") || uid.startsWith("1.2.840.10008.5.1.4.1.1.");
}
