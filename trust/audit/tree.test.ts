import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  consistencyPath,
  countOfHashes,
  createTree,
  emptyRoot,
  inclusionPath,
  leafHash,
  nodeHash,
  peaksOf,
  placeOfHash,
  rootOfPeaks,
  verifyConsistency,
  verifyInclusion,
} from "./tree.ts";

/** The leaves, roots and paths that Certificate Transparency's own tests use. */
const leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const roots = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

function grown(entries: readonly Buffer[]) {
  const tree = createTree();
  const hashes: Buffer[] = [];
  const rootsOfSizes = [tree.root()];
  for (const entry of entries) {
    hashes.push(...tree.append(entry));
    rootsOfSizes.push(tree.root());
  }
  const at = (place: number) => {
    const found = hashes[place];
    assert.ok(found !== undefined, `no hash at ${place}`);
    return found;
  };
  return { tree, hashes, rootsOfSizes, at };
}

/** RFC 6962 §2.1 as it is written. */
function rootByDefinition(entries: readonly Buffer[]): Buffer {
  if (entries.length === 0) return emptyRoot;
  if (entries.length === 1) return leafHash(entries[0] as Buffer);
  let split = 1;
  while (split * 2 < entries.length) split *= 2;
  return nodeHash(rootByDefinition(entries.slice(0, split)), rootByDefinition(entries.slice(split)));
}

const hex = (buffers: readonly Buffer[]) => buffers.map((buffer) => buffer.toString("hex"));
const numbered = (count: number) => Array.from({ length: count }, (_, i) => Buffer.from(`entry ${i}`));

test("roots of 0 to 8 leaves are those of Certificate Transparency", () => {
  const { rootsOfSizes } = grown(leaves.map((leaf) => Buffer.from(leaf, "hex")));
  assert.deepEqual(hex(rootsOfSizes), roots);
});

test("paths are those of Certificate Transparency", () => {
  const { at } = grown(leaves.map((leaf) => Buffer.from(leaf, "hex")));
  assert.deepEqual(inclusionPath(0, 1, at), []);
  assert.deepEqual(hex(inclusionPath(0, 8, at)), [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
  ]);
  assert.deepEqual(hex(inclusionPath(5, 8, at)), [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  ]);
  assert.deepEqual(hex(consistencyPath(6, 8, at)), [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  ]);
  assert.deepEqual(hex(consistencyPath(2, 5, at)), [
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
  ]);
});

test("every size up to 70 has the root of the definition, its hashes in their places and its right edge", () => {
  const entries = numbered(70);
  const { rootsOfSizes, hashes, at } = grown(entries);
  for (let size = 0; size <= entries.length; size++) {
    const root = rootsOfSizes[size] as Buffer;
    assert.deepEqual(root, rootByDefinition(entries.slice(0, size)));
    assert.deepEqual(rootOfPeaks(peaksOf(size).map(at)), root);
  }
  assert.equal(countOfHashes(entries.length), hashes.length);
  assert.deepEqual(at(placeOfHash(3, 2)), rootByDefinition(entries.slice(16, 24)));
});

test("a tree that is opened at its right edge grows as if it had never stopped", () => {
  const entries = numbered(41);
  const { rootsOfSizes, at } = grown(entries);
  for (let size = 0; size < entries.length; size++) {
    const tree = createTree(size, peaksOf(size).map(at));
    for (const entry of entries.slice(size)) tree.append(entry);
    assert.deepEqual(tree.root(), rootsOfSizes.at(-1));
  }
});

test("every path of every tree up to 40 verifies, and no other index, size, leaf or root does", () => {
  const entries = numbered(40);
  const { rootsOfSizes, at } = grown(entries);
  for (let size = 1; size <= entries.length; size++) {
    const root = rootsOfSizes[size] as Buffer;
    for (let index = 0; index < size; index++) {
      const path = inclusionPath(index, size, at);
      const leaf = leafHash(entries[index] as Buffer);
      assert.ok(verifyInclusion(leaf, index, size, path, root));
      assert.ok(!verifyInclusion(leaf, index - 1, size, path, root));
      assert.ok(!verifyInclusion(leaf, index + 1, size, path, root));
      assert.ok(!verifyInclusion(leafHash(Buffer.from("other")), index, size, path, root));
      assert.ok(!verifyInclusion(leaf, index, size, [...path, root], root));
      assert.ok(!verifyInclusion(leaf, index, size, path, rootsOfSizes[size - 1] as Buffer));
    }
    for (let before = 1; before <= size; before++) {
      const path = consistencyPath(before, size, at);
      const older = rootsOfSizes[before] as Buffer;
      assert.ok(verifyConsistency(before, older, size, root, path));
      assert.ok(!verifyConsistency(before, rootsOfSizes[before - 1] as Buffer, size, root, path));
      assert.ok(!verifyConsistency(before, older, size, rootsOfSizes[size - 1] as Buffer, path) || before === size);
      assert.ok(!verifyConsistency(before, older, size, root, [...path, root]));
    }
    assert.ok(verifyConsistency(0, emptyRoot, size, root, []));
  }
});

interface Tampering {
  readonly size: number;
  readonly index: number;
  readonly step: number;
  readonly byte: number;
  readonly flip: number;
  readonly drop: boolean;
}

test("a path with any byte changed, or a step left out, does not verify", () => {
  const entries = numbered(1000);
  const { rootsOfSizes, at } = grown(entries);
  const tampering: fc.Arbitrary<Tampering> = fc.record({
    size: fc.integer({ min: 2, max: 1000 }),
    index: fc.nat({ max: 999 }),
    step: fc.nat({ max: 9 }),
    byte: fc.nat({ max: 31 }),
    flip: fc.integer({ min: 1, max: 255 }),
    drop: fc.boolean(),
  });
  const check = ({ size, index, step, byte, flip, drop }: Tampering) => {
    const root = rootsOfSizes[size] as Buffer;
    const leaf = leafHash(entries[index % size] as Buffer);
    const before = 1 + (index % (size - 1));
    const change = (path: Buffer[]) => {
      const changed = path.map((hash) => Buffer.from(hash));
      const target = changed[step % changed.length] as Buffer;
      target[byte] = (target[byte] ?? 0) ^ flip;
      return drop ? path.toSpliced(step % path.length, 1) : changed;
    };
    assert.ok(!verifyInclusion(leaf, index % size, size, change(inclusionPath(index % size, size, at)), root));
    const older = rootsOfSizes[before] as Buffer;
    assert.ok(!verifyConsistency(before, older, size, root, change(consistencyPath(before, size, at))));
  };
  fc.assert(fc.property(tampering, check), { numRuns: 1000, seed: 5 });
});
