import { hash } from "node:crypto";

/**
 * The Merkle tree of RFC 6962 §2.1 over SHA-256. Hashes of complete subtrees are kept in the order in which they come to be
 * (each leaf, then every subtree that it completes), so that the hash of the n-th subtree of a level has a fixed place and a
 * log of n entries has fewer than 2n of them.
 */
export const hashBytes = 32;

/** Hash of an empty tree: SHA-256 of nothing. */
export const emptyRoot: Buffer = hash("sha256", "", "buffer");

const leafPrefix = Buffer.of(0);
const nodePrefix = Buffer.of(1);

export function leafHash(entry: Uint8Array): Buffer {
  return hash("sha256", Buffer.concat([leafPrefix, entry]), "buffer");
}

/** The same of an entry that stands behind a zero byte in memory already. */
export function zeroedLeafHash(zeroAndEntry: Uint8Array): Buffer {
  return hash("sha256", zeroAndEntry, "buffer");
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return hash("sha256", Buffer.concat([nodePrefix, left, right]), "buffer");
}

/** Place of the hash of the `n`-th subtree of 2^`level` leaves among the kept hashes. */
export function placeOfHash(level: number, n: number): number {
  let leaf = n;
  for (let at = 0; at < level; at++) leaf = 2 * leaf + 1;
  let place = level;
  for (; leaf > 0; leaf = Math.floor(leaf / 2)) place += leaf;
  return place;
}

/** How many hashes are kept for a tree of `size`. */
export function countOfHashes(size: number): number {
  if (size === 0) return 0;
  let count = placeOfHash(0, size - 1) + 1;
  for (let left = size - 1; left % 2 === 1; left = Math.floor(left / 2)) count++;
  return count;
}

/** A tree that grows: knows only its size and the hashes of the complete subtrees at its right edge. */
export interface GrowingTree {
  size(): number;
  root(): Buffer;
  /** Appends an entry; gives the hashes that are to be kept, in order. */
  append(entry: Uint8Array): Buffer[];
  /** The same for one whose leaf hash is known. */
  appendLeaf(leaf: Buffer): Buffer[];
}

/** `peaks`: from the largest complete subtree to the smallest, as `peaksOf` names them. */
export function createTree(startSize = 0, startPeaks: readonly Buffer[] = []): GrowingTree {
  let size = startSize;
  const peaks = [...startPeaks];
  // Hashed millions of times: the one place where a node's bytes are put together again and again.
  const node = Buffer.alloc(1 + 2 * hashBytes, nodePrefix);
  const appendLeaf = (leaf: Buffer): Buffer[] => {
    let top = leaf;
    const made = [top];
    for (let left = size; left % 2 === 1; left = Math.floor(left / 2)) {
      node.set(peaks.pop() as Buffer, 1);
      node.set(top, 1 + hashBytes);
      top = hash("sha256", node, "buffer");
      made.push(top);
    }
    peaks.push(top);
    size++;
    return made;
  };
  return {
    size: () => size,
    root: () => rootOfPeaks(peaks),
    append: (entry) => appendLeaf(leafHash(entry)),
    appendLeaf,
  };
}

export function rootOfPeaks(peaks: readonly Buffer[]): Buffer {
  let root = peaks.at(-1);
  for (let at = peaks.length - 2; at >= 0; at--) root = nodeHash(peaks[at] as Buffer, root as Buffer);
  return root ?? emptyRoot;
}

/** Places of the complete subtrees at the right edge of a tree of `size`, the largest first. */
export function peaksOf(size: number): number[] {
  const places: number[] = [];
  for (let start = 0; start < size; ) {
    const level = Math.floor(Math.log2(size - start));
    places.push(placeOfHash(level, start / 2 ** level));
    start += 2 ** level;
  }
  return places;
}

/** Gives the kept hash at a place. */
export type HashAt = (place: number) => Buffer;

/** Audit path of a leaf in the tree of `size` (RFC 6962 §2.1.1), from the leaf up. `0 <= index < size`. */
export function inclusionPath(index: number, size: number, at: HashAt): Buffer[] {
  const path: Buffer[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      path.push(rangeHash(middle, end, at));
      end = middle;
    } else {
      path.push(rangeHash(start, middle, at));
      start = middle;
    }
  }
  return path.reverse();
}

/** Proof that the tree of `size` begins with the tree of `before` (RFC 6962 §2.1.2). `0 < before <= size`. */
export function consistencyPath(before: number, size: number, at: HashAt): Buffer[] {
  const path: Buffer[] = [];
  let start = 0;
  let end = size;
  let wholeBefore = true;
  while (before !== end) {
    const middle = start + splitOf(end - start);
    if (before <= middle) {
      path.push(rangeHash(middle, end, at));
      end = middle;
    } else {
      path.push(rangeHash(start, middle, at));
      start = middle;
      wholeBefore = false;
    }
  }
  if (!wholeBefore) path.push(rangeHash(start, end, at));
  return path.reverse();
}

/** The largest power of two below `count` (RFC 6962 §2.1). */
function splitOf(count: number): number {
  const power = 2 ** Math.floor(Math.log2(count));
  return power === count ? power / 2 : power;
}

function rangeHash(start: number, end: number, at: HashAt): Buffer {
  const hashes: Buffer[] = [];
  for (let from = start; from < end; ) {
    const level = Math.floor(Math.log2(end - from));
    hashes.push(at(placeOfHash(level, from / 2 ** level)));
    from += 2 ** level;
  }
  return rootOfPeaks(hashes);
}

/** Whether `path` leads from the leaf at `index` to `root` in a tree of `size` (RFC 9162 §2.1.3.2). */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!(index >= 0 && index < size)) return false;
  let node = index;
  let last = size - 1;
  let hashed: Buffer = Buffer.from(leaf);
  for (const step of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hashed = nodeHash(step, hashed);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else hashed = nodeHash(hashed, step);
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && hashed.equals(root);
}

/** Whether the tree of `size` and `root` begins with that of `before` and `beforeRoot` (RFC 9162 §2.1.4.2). */
export function verifyConsistency(
  before: number,
  beforeRoot: Uint8Array,
  size: number,
  root: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (!(before >= 0 && before <= size)) return false;
  if (before === size) return path.length === 0 && Buffer.from(beforeRoot).equals(root);
  if (before === 0) return path.length === 0 && emptyRoot.equals(beforeRoot);
  const steps = 2 ** Math.floor(Math.log2(before)) === before ? [beforeRoot, ...path] : [...path];
  let node = before - 1;
  let last = size - 1;
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  const first = steps.shift();
  if (first === undefined) return false;
  let older: Buffer = Buffer.from(first);
  let newer: Buffer = Buffer.from(first);
  for (const step of steps) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      older = nodeHash(step, older);
      newer = nodeHash(step, newer);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else newer = nodeHash(newer, step);
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && older.equals(beforeRoot) && newer.equals(root);
}
