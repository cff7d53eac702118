import assert from "node:assert/strict";
import { test } from "node:test";
import type { EntryStore } from "./entry-store.ts";

const lines = (...texts: string[]) => texts.map((text) => Buffer.from(text));
const texts = (buffers: readonly Buffer[]) => buffers.map(String);

/** What every entry store must do. `open` gives an empty one. */
export function entryStoreContract(open: () => Promise<EntryStore>): void {
  const withStore = async (work: (store: EntryStore) => Promise<void>) => {
    const store = await open();
    try {
      await work(store);
    } finally {
      await store.close();
    }
  };

  test("lines are given back by number, whatever is in them and however they came", () =>
    withStore(async (store) => {
      assert.equal(store.size(), 0);
      await store.append(lines("a"));
      await store.append(lines("", "ü\0\n", "x".repeat(5000)));
      await store.append(lines("last"));
      assert.equal(store.size(), 5);
      assert.deepEqual(texts(await store.read(0, 5)), ["a", "", "ü\0\n", "x".repeat(5000), "last"]);
      assert.deepEqual(texts(await store.read(2, 3)), ["ü\0\n"]);
      assert.deepEqual(texts(await store.read(4, 9)), ["last"]);
      assert.deepEqual(await store.read(3, 3), []);
      assert.deepEqual(await store.read(7, 9), []);
    }));

  test("what was taken in does not change with the caller's buffer", () =>
    withStore(async (store) => {
      const line = Buffer.from("one");
      await store.append([line]);
      line.fill(0);
      const [read] = await store.read(0, 1);
      read?.fill(0);
      assert.deepEqual(texts(await store.read(0, 1)), ["one"]);
    }));

  test("hashes are given back by place, and zeros where there is none", () =>
    withStore(async (store) => {
      await store.writeHashes(0, Buffer.alloc(64, 1));
      await store.writeHashes(2, Buffer.concat([Buffer.alloc(32, 2), Buffer.alloc(32, 3)]));
      await store.writeHashes(1, Buffer.alloc(32, 4));
      await store.syncHashes();
      const read = await store.readHashes([3, 0, 1, 9]);
      assert.deepEqual(
        read,
        [3, 1, 4, 0].map((byte) => Buffer.alloc(32, byte)),
      );
      assert.deepEqual(await store.readHashes([]), []);
    }));

  test("checkpoints are given back in order", () =>
    withStore(async (store) => {
      assert.equal(store.checkpointCount(), 0);
      for (const note of ["first\n", "second\n", "n".repeat(960)]) await store.appendCheckpoint(Buffer.from(note));
      assert.equal(store.checkpointCount(), 3);
      assert.deepEqual(texts(await store.readCheckpoints(1, 3)), ["second\n", "n".repeat(960)]);
      assert.deepEqual(texts(await store.readCheckpoints(0, 1)), ["first\n"]);
      assert.deepEqual(await store.readCheckpoints(3, 5), []);
    }));

  test("cosignatures are kept by the number of their checkpoint and may be written again", () =>
    withStore(async (store) => {
      await store.writeCosignatures(3, Buffer.from("a\n"));
      await store.writeCosignatures(1, Buffer.from("b\n"));
      await store.writeCosignatures(3, Buffer.from("c".repeat(2000)));
      assert.deepEqual(texts(await store.readCosignatures(0, 6)), ["", "b\n", "", "c".repeat(2000), "", ""]);
      assert.deepEqual(texts(await store.readCosignatures(3, 4)), ["c".repeat(2000)]);
      assert.deepEqual(await store.readCosignatures(4, 4), []);
    }));
}
