import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  blockOf,
  conflictHeld,
  digestOf,
  idsOf,
  instanceHeld,
  nameOf,
  same,
  sealedOf,
  seriesHeld,
  sorted,
  studyHeld,
} from "./blind-store.fixture.ts";
import type { BlindStore } from "./blind-store.ts";

/** What every blind store must do. `open` gives one store for the whole suite; it is cleared before each test. */
export function blindStoreContract(open: () => Promise<BlindStore>): void {
  describe("contract of BlindStore", () => {
    let store: BlindStore;
    before(async () => {
      store = await open();
    });
    after(() => store.close());
    const cleared = async () => {
      await store.change((rows) => rows.clear());
      return store;
    };
    rowTests(cleared);
    changeTests(cleared);
    orderTests(cleared);
    conflictTests(cleared);
    blockTests(cleared);
    removalTests(cleared);
  });
}

type Cleared = () => Promise<BlindStore>;

function rowTests(cleared: Cleared): void {
  test("rows come back as they were put, by number, digest and token", async () => {
    const store = await cleared();
    const study = studyHeld(1, { modalities: [], sopClassUids: ["1.2", "1.3"], instanceCount: 2 ** 33 });
    const series = [
      seriesHeld(1, 1, { blobPlace: { pack: "identity-2", offset: 2 ** 40 }, blobInstanceCount: 7 }),
      seriesHeld(2, 1, { modality: "", seriesNumber: 2 ** 40 }),
      seriesHeld(3, 1, { seriesNumber: -4 }),
    ];
    const instances = [
      instanceHeld(1, 1, 1, { pixelOffset: 2 ** 40, pixelLength: 2 ** 41, sizeBytes: 2 ** 42 }),
      instanceHeld(2, 1, 2, { instanceNumber: 2 ** 40, pixelOffset: 0 }),
    ];
    const conflicts = [conflictHeld(1, 1, { pixelLength: 0, studyToken: "another" })];
    await store.change((rows) => rows.put({ studies: [study], series, instances, conflicts }));
    same(await store.studies([1]), [study]);
    same(await store.studiesByDigest([study.uidDigest]), [study]);
    same(await store.studiesByToken([study.studyToken]), [study]);
    same(await store.seriesOfStudies([1]), [series[2], series[0], series[1]]);
    same(await store.seriesByDigest([digestOf("series 2")]), [series[1]]);
    same(await store.instancesOfStudy(1), instances);
    same(await store.instances([2]), [instances[1]]);
    same(await store.instancesByDigest([digestOf("sop 1")]), [instances[0]]);
    same(await store.conflicts(), conflicts);
  });

  test("what is not there is left out, once asked twice is given once, and of nothing comes nothing", async () => {
    const store = await cleared();
    await store.change((rows) =>
      rows.put({
        studies: [studyHeld(1), studyHeld(2)],
        series: [seriesHeld(1, 1)],
        instances: [instanceHeld(1, 1, 1)],
      }),
    );
    assert.deepEqual(sorted(await store.studies([2, 1, 9, 2])), [1, 2]);
    assert.deepEqual(
      idsOf(await store.studiesByDigest([digestOf("x"), digestOf("study 2"), digestOf("study 2")])),
      [2],
    );
    assert.deepEqual(idsOf(await store.studiesByToken(["none", "token1", "token1"])), [1]);
    assert.deepEqual(await store.studies([]), []);
    assert.deepEqual(await store.studiesByDigest([]), []);
    assert.deepEqual(await store.studiesByToken([]), []);
    assert.deepEqual(await store.seriesOfStudies([]), []);
    assert.deepEqual(await store.seriesByDigest([]), []);
    assert.deepEqual(await store.instances([]), []);
    assert.deepEqual(await store.instancesByDigest([]), []);
    assert.deepEqual(await store.conflicts({ sopDigests: [] }), []);
    assert.deepEqual(await store.blocks([]), []);
    assert.deepEqual(await store.lastBlocks([]), []);
  });

  test("a row takes the place of the one with its number, whole", async () => {
    const store = await cleared();
    const blobPlace = { pack: "p", offset: 1 };
    await store.change((rows) =>
      rows.put({
        studies: [studyHeld(1)],
        series: [seriesHeld(1, 1, { blobPlace, blobInstanceCount: 1 })],
        instances: [instanceHeld(1, 1, 1, { pixelOffset: 4 })],
      }),
    );
    const study = studyHeld(1, { identity: sealedOf("other"), modalities: ["MR"], changedAt: 5, conflictCount: 3 });
    const series = seriesHeld(1, 1, { instanceCount: 9 });
    const instance = instanceHeld(1, 1, 1, { identity: sealedOf("other") });
    await store.change((rows) => rows.put({ studies: [study], series: [series], instances: [instance] }));
    same(await store.studies([1]), [study]);
    same(await store.seriesOfStudies([1]), [series]);
    same(await store.instances([1]), [instance]);
    assert.equal(await store.studyCount(), 1);
  });

  test("what was said of a rejection is found by the digest of what was rejected, the last word on it", async () => {
    const store = await cleared();
    const first = { sopDigest: digestOf("sop 1"), note: "note 1", at: 2 ** 40, code: "113001" };
    const second = { sopDigest: digestOf("sop 2"), note: "note 1", at: 7, code: "" };
    await store.change((rows) => rows.put({ rejections: [first, second] }));
    same(await store.rejections([digestOf("sop 2"), digestOf("sop 9"), digestOf("sop 2")]), [second]);
    await store.change((rows) =>
      rows.put({
        rejections: [
          { ...first, at: 1 },
          { ...first, note: "note 2" },
        ],
      }),
    );
    same(await store.rejections([digestOf("sop 1")]), [{ ...first, note: "note 2" }]);
    assert.deepEqual(await store.rejections([]), []);
  });

  test("a study that shows no instance is not counted", async () => {
    const store = await cleared();
    const hidden = studyHeld(1, { instanceCount: 0, rejectedCount: 2 ** 33 });
    const instance = instanceHeld(1, 1, 1, { isRejected: true });
    await store.change((rows) => rows.put({ studies: [hidden, studyHeld(2)], instances: [instance] }));
    assert.equal(await store.studyCount(), 1);
    same(await store.studies([1]), [hidden]);
    same(await store.instancesOfStudy(1), [instance]);
    await store.change((rows) => rows.put({ studies: [studyHeld(1)] }));
    assert.equal(await store.studyCount(), 2);
  });

  test("thousands of rows go in at once, and thousands are asked for at once", async () => {
    const store = await cleared();
    const numbers = Array.from({ length: 3000 }, (_, i) => i + 1);
    await store.change((rows) =>
      rows.put({
        studies: numbers.map((id) => studyHeld(id)),
        series: numbers.map((id) => seriesHeld(id, id)),
        instances: numbers.map((id) => instanceHeld(id, id, id)),
        blocks: numbers.map((number) => blockOf(number, 0)),
      }),
    );
    assert.equal((await store.studies(numbers)).length, 3000);
    assert.equal((await store.studiesByDigest(numbers.map((id) => digestOf(`study ${id}`)))).length, 3000);
    assert.equal((await store.studiesByToken(numbers.map((id) => `token${id}`))).length, 3000);
    assert.equal((await store.seriesOfStudies(numbers)).length, 3000);
    assert.equal((await store.instancesByDigest(numbers.map((id) => digestOf(`sop ${id}`)))).length, 3000);
    assert.equal((await store.lastBlocks(numbers.map(nameOf))).length, 3000);
  });
}

function changeTests(cleared: Cleared): void {
  test("a change sees what it put, others see it when it has ended", async () => {
    const store = await cleared();
    const put = Promise.withResolvers<void>();
    const looked = Promise.withResolvers<void>();
    const change = store.change(async (rows) => {
      await rows.put({ studies: [studyHeld(1)], blocks: [blockOf(1, 0)], marks: [{ pack: "a", position: 1 }] });
      assert.deepEqual(idsOf(await rows.studies([1])), [1]);
      assert.deepEqual(idsOf(await rows.studiesByDigest([digestOf("study 1")])), [1]);
      assert.equal(await rows.studyCount(), 1);
      assert.equal((await rows.blocks([nameOf(1)])).length, 1);
      assert.equal((await rows.marks()).length, 1);
      put.resolve();
      await looked.promise;
      return "done";
    });
    await put.promise;
    assert.deepEqual(await store.studies([1]), []);
    assert.equal(await store.studyCount(), 0);
    assert.deepEqual(await store.blocks([nameOf(1)]), []);
    looked.resolve();
    assert.equal(await change, "done");
    assert.deepEqual(idsOf(await store.studies([1])), [1]);
  });

  test("of a change that rejects nothing stands, and the next one goes on", async () => {
    const store = await cleared();
    await store.change((rows) =>
      rows.put({ studies: [studyHeld(1)], series: [seriesHeld(1, 1)], blocks: [blockOf(1, 0), blockOf(1, 1)] }),
    );
    const broken = store.change(async (rows) => {
      await rows.put({
        studies: [studyHeld(1, { instanceCount: 99 }), studyHeld(2)],
        blocks: [blockOf(1, 0, "other"), blockOf(2, 0)],
        marks: [{ pack: "a", position: 1 }],
      });
      await rows.removeBlocks(nameOf(1), 2);
      await rows.removeStudy(1);
      throw new RangeError("given up");
    });
    await assert.rejects(broken, RangeError);
    same(await store.studiesAfter(0, 9), [studyHeld(1)]);
    assert.equal(await store.studyCount(), 1);
    same(await store.seriesOfStudies([1]), [seriesHeld(1, 1)]);
    same(await store.blocks([nameOf(1), nameOf(2)]), [blockOf(1, 0), blockOf(1, 1)]);
    assert.deepEqual(await store.marks(), []);
    await store.change((rows) => rows.put({ studies: [studyHeld(2)] }));
    assert.equal(await store.studyCount(), 2);
  });

  test("changes take turns", async () => {
    const store = await cleared();
    await store.change((rows) => rows.put({ studies: [studyHeld(1, { instanceCount: 0 })] }));
    const increment = () =>
      store.change(async (rows) => {
        const [study] = await rows.studies([1]);
        await rows.put({ studies: [studyHeld(1, { instanceCount: (study?.instanceCount ?? 0) + 1 })] });
      });
    await Promise.all(Array.from({ length: 12 }, increment));
    assert.equal((await store.studies([1]))[0]?.instanceCount, 12);
  });

  test("the next numbers are above all that stand", async () => {
    const store = await cleared();
    assert.deepEqual(await store.change((rows) => rows.next()), { study: 1, series: 1, instance: 1, conflict: 1 });
    await store.change((rows) =>
      rows.put({
        studies: [studyHeld(7)],
        series: [seriesHeld(3, 7), seriesHeld(9, 7)],
        instances: [instanceHeld(20, 7, 9)],
        conflicts: [conflictHeld(4, 20)],
      }),
    );
    assert.deepEqual(await store.change((rows) => rows.next()), { study: 8, series: 10, instance: 21, conflict: 5 });
  });

  test("digests that are taken are refused with all that came along", async () => {
    const store = await cleared();
    await store.change((rows) =>
      rows.put({
        studies: [studyHeld(1), studyHeld(2)],
        series: [seriesHeld(1, 1)],
        instances: [instanceHeld(1, 1, 1)],
        conflicts: [conflictHeld(1, 1)],
      }),
    );
    const refused = (rows: Parameters<Parameters<Parameters<BlindStore["change"]>[0]>[0]["put"]>[0]) =>
      assert.rejects(store.change((change) => change.put({ studies: [studyHeld(9)], ...rows })));
    await refused({ studies: [studyHeld(9), studyHeld(3, { uidDigest: digestOf("study 1") })] });
    await refused({ series: [seriesHeld(2, 1, { uidDigest: digestOf("series 1") })] });
    await refused({ instances: [instanceHeld(2, 1, 1, { sopDigest: digestOf("sop 1") })] });
    await refused({ conflicts: [conflictHeld(2, 1, { contentDigest: digestOf("conflict content 1") })] });
    assert.deepEqual(sorted(await store.studiesAfter(0, 9)), [1, 2]);
    // The same series digest in another study, and the same bytes under another SOP digest, are fine.
    await store.change((rows) =>
      rows.put({
        series: [seriesHeld(2, 2, { uidDigest: digestOf("series 1") })],
        instances: [instanceHeld(2, 2, 2, { contentDigest: digestOf("served content 1") })],
      }),
    );
    assert.deepEqual(sorted(await store.seriesByDigest([digestOf("series 1")])), [1, 2]);
  });

  test("marks only move forward", async () => {
    const store = await cleared();
    await store.change((rows) => rows.put({ marks: [{ pack: "b", position: 7 }] }));
    await store.change((rows) =>
      rows.put({
        marks: [
          { pack: "a", position: 3 },
          { pack: "b", position: 9 },
        ],
      }),
    );
    await store.change((rows) => rows.put({ marks: [{ pack: "b", position: 8 }] }));
    assert.deepEqual(await store.marks(), [
      { pack: "a", position: 3 },
      { pack: "b", position: 9 },
    ]);
  });
}

function orderTests(cleared: Cleared): void {
  test("studies come in order of arrival or of their last change, page by page", async () => {
    const store = await cleared();
    const changes = [50, 30, 50, 10, 40];
    await store.change((rows) =>
      rows.put({ studies: changes.map((changedAt, i) => studyHeld(i + 1, { changedAt })).reverse() }),
    );
    assert.deepEqual(idsOf(await store.studiesAfter(0, 3)), [1, 2, 3]);
    assert.deepEqual(idsOf(await store.studiesAfter(3, 3)), [4, 5]);
    assert.deepEqual(await store.studiesByChange({ limit: 9, offset: 0, ascending: true }), [4, 2, 5, 1, 3]);
    assert.deepEqual(await store.studiesByChange({ limit: 9, offset: 0, ascending: false }), [3, 1, 5, 2, 4]);
    assert.deepEqual(await store.studiesByChange({ limit: 2, offset: 1, ascending: false }), [1, 5]);
    assert.deepEqual(await store.studiesByChange({ limit: 2, offset: 9, ascending: false }), []);
    assert.equal(await store.studyCount(), 5);
  });

  test("series come by study, number and arrival, instances by series, number and arrival", async () => {
    const store = await cleared();
    const series = [
      seriesHeld(1, 2, { seriesNumber: 1 }),
      seriesHeld(2, 1, { seriesNumber: 10 }),
      seriesHeld(3, 1, { seriesNumber: 9 }),
      seriesHeld(4, 1, { seriesNumber: -1 }),
      seriesHeld(5, 1, { seriesNumber: 9 }),
      seriesHeld(6, 1, { seriesNumber: 2 ** 40 }),
    ];
    const numbers = [10, 9, 2 ** 40, 9, -1];
    const instances = [
      ...numbers.map((instanceNumber, i) => instanceHeld(i + 1, 1, 3, { instanceNumber })),
      instanceHeld(6, 1, 2),
      instanceHeld(7, 2, 1),
    ];
    await store.change((rows) => rows.put({ studies: [studyHeld(1), studyHeld(2)], series, instances }));
    assert.deepEqual(idsOf(await store.seriesOfStudies([2, 1])), [4, 3, 5, 2, 6, 1]);
    assert.deepEqual(idsOf(await store.instancesOfStudy(1)), [6, 5, 2, 4, 1, 3]);
    assert.deepEqual(idsOf(await store.instancesOfStudy(1, 3)), [5, 2, 4, 1, 3]);
    assert.deepEqual(await store.instancesOfStudy(1, 1), []);
    assert.deepEqual(await store.instancesOfStudy(9), []);
  });

  test("series that wait for a blob come by their last change, the newest first", async () => {
    const store = await cleared();
    const blobPlace = { pack: "p", offset: 12 };
    await store.change((rows) =>
      rows.put({
        studies: [studyHeld(1)],
        series: [
          seriesHeld(1, 1, { changedAt: 30 }),
          seriesHeld(2, 1, { changedAt: 20 }),
          seriesHeld(3, 1, { changedAt: 25, blobPlace, blobInstanceCount: 1 }),
          seriesHeld(4, 1, { changedAt: 20, blobPlace, blobInstanceCount: 1, instanceCount: 2 }),
        ],
      }),
    );
    assert.deepEqual(idsOf(await store.seriesWithoutBlob(30, 9)), [1, 4, 2]);
    assert.deepEqual(idsOf(await store.seriesWithoutBlob(30, 1)), [1]);
    assert.deepEqual(idsOf(await store.seriesWithoutBlob(29, 9)), [4, 2]);
  });
}

function conflictTests(cleared: Cleared): void {
  test("copies in conflict come by the served one, all, under some digests, or of one study", async () => {
    const store = await cleared();
    await store.change((rows) =>
      rows.put({
        studies: [studyHeld(1), studyHeld(2)],
        series: [seriesHeld(1, 1), seriesHeld(2, 2)],
        instances: [instanceHeld(1, 2, 2), instanceHeld(2, 1, 1), instanceHeld(3, 1, 1)],
        conflicts: [conflictHeld(1, 2), conflictHeld(2, 1), conflictHeld(3, 2), conflictHeld(4, 1)],
      }),
    );
    assert.deepEqual(idsOf(await store.conflicts()), [2, 4, 1, 3]);
    assert.deepEqual(idsOf(await store.conflicts({ sopDigests: [digestOf("sop 2"), digestOf("sop 3")] })), [1, 3]);
    assert.deepEqual(idsOf(await store.conflicts({ studyId: 2 })), [2, 4]);
    await store.change((rows) => rows.removeConflicts([1, 4, 99]));
    assert.deepEqual(idsOf(await store.conflicts()), [2, 3]);
    await store.change((rows) => rows.removeConflicts([]));
    assert.equal((await store.conflicts()).length, 2);
  });
}

function blockTests(cleared: Cleared): void {
  test("blocks come by name and serial, and the last one of each name is found", async () => {
    const store = await cleared();
    const serials = [11, 2, 0, 10, 9, 1];
    await store.change((rows) =>
      rows.put({ blocks: [...serials.map((serial) => blockOf(513, serial)), blockOf(1, 0), blockOf(255, 3)] }),
    );
    const ordered = [0, 1, 2, 9, 10, 11].map((serial) => blockOf(513, serial));
    same(await store.blocks([nameOf(513)]), ordered);
    // By bytes: 513 begins with 1 and is above 1 in its last byte.
    same(await store.blocks([nameOf(255), nameOf(513), nameOf(1), nameOf(4)]), [
      blockOf(1, 0),
      ...ordered,
      blockOf(255, 3),
    ]);
    const last = await store.lastBlocks([nameOf(255), nameOf(4), nameOf(513)]);
    same(
      last.sort((a, b) => a.serial - b.serial),
      [blockOf(255, 3), blockOf(513, 11)],
    );
  });

  test("a block takes the place of the one with its name and serial, and may have any length", async () => {
    const store = await cleared();
    const long = { name: nameOf(1), serial: 1, sealed: new Uint8Array(70_000).fill(7) };
    const empty = { name: nameOf(1), serial: 2, sealed: new Uint8Array(0) };
    await store.change((rows) => rows.put({ blocks: [blockOf(1, 0), blockOf(1, 1), blockOf(1, 2)] }));
    await store.change((rows) => rows.put({ blocks: [long, empty] }));
    same(await store.blocks([nameOf(1)]), [blockOf(1, 0), long, empty]);
  });

  test("blocks are removed up to a serial, of one name", async () => {
    const store = await cleared();
    await store.change((rows) =>
      rows.put({ blocks: [blockOf(1, 0), blockOf(1, 1), blockOf(1, 5), blockOf(2, 0), blockOf(2, 1)] }),
    );
    await store.change((rows) => rows.removeBlocks(nameOf(1), 5));
    await store.change((rows) => rows.removeBlocks(nameOf(3), 5));
    same(await store.blocks([nameOf(1), nameOf(2)]), [blockOf(1, 5), blockOf(2, 0), blockOf(2, 1)]);
  });
}

function removalTests(cleared: Cleared): void {
  const two = {
    studies: [studyHeld(1), studyHeld(2)],
    series: [seriesHeld(1, 1, { blobPlace: { pack: "identity-1", offset: 77 } }), seriesHeld(2, 2)],
    instances: [instanceHeld(1, 1, 1), instanceHeld(2, 2, 2)],
    conflicts: [conflictHeld(1, 1), conflictHeld(2, 2)],
    blocks: [blockOf(1, 0)],
    marks: [{ pack: "a", position: 1 }],
  };

  test("a study goes with all below it, and leaves blocks, marks and others alone", async () => {
    const store = await cleared();
    await store.change((rows) => rows.put(two));
    await store.change(async (rows) => {
      await rows.removeStudy(1);
      assert.deepEqual(await rows.studies([1]), []);
    });
    await store.change((rows) => rows.removeStudy(99));
    assert.deepEqual(idsOf(await store.studiesAfter(0, 9)), [2]);
    assert.equal(await store.studyCount(), 1);
    assert.deepEqual(idsOf(await store.seriesOfStudies([1, 2])), [2]);
    assert.deepEqual(sorted(await store.instances([1, 2])), [2]);
    assert.deepEqual(idsOf(await store.conflicts()), [2]);
    assert.equal((await store.blocks([nameOf(1)])).length, 1);
    assert.equal((await store.marks()).length, 1);
    await store.change((rows) => rows.put({ studies: [studyHeld(3, { uidDigest: digestOf("study 1") })] }));
    assert.deepEqual(idsOf(await store.studiesByDigest([digestOf("study 1")])), [3]);
  });

  test("what was moved is found in its new place: instances, copies in conflict, and blobs among identity halves", async () => {
    const store = await cleared();
    await store.change((rows) => rows.put(two));
    const to = { pack: "new", offset: 2 ** 40 };
    const image = { from: { pack: "image-1", offset: 4096 }, to };
    const unknown = { from: { pack: "image-1", offset: 1 }, to };
    // The served copy and the one in conflict are made with the same image place here.
    await store.change((rows) => rows.relocate("image", [unknown, image]));
    assert.deepEqual((await store.instances([1]))[0]?.places, {
      image: to,
      identity: { pack: "identity-1", offset: 512 },
    });
    assert.deepEqual((await store.conflicts({ studyId: 1 }))[0]?.places.image, to);
    assert.deepEqual((await store.instances([2]))[0]?.places.image, { pack: "image-1", offset: 8192 });
    await store.change((rows) =>
      rows.relocate("identity", [
        { from: { pack: "identity-1", offset: 77 }, to: { pack: "new", offset: 1 } },
        { from: { pack: "identity-1", offset: 1024 }, to: { pack: "new", offset: 2 } },
        { from: { pack: "image-1", offset: 8192 }, to: { pack: "new", offset: 3 } },
      ]),
    );
    assert.deepEqual((await store.seriesOfStudies([1]))[0]?.blobPlace, { pack: "new", offset: 1 });
    const [second] = await store.instances([2]);
    assert.deepEqual(second?.places, {
      image: { pack: "image-1", offset: 8192 },
      identity: { pack: "new", offset: 2 },
    });
    assert.deepEqual((await store.conflicts({ studyId: 2 }))[0]?.places.identity, { pack: "new", offset: 2 });
    await store.change((rows) => rows.relocate("image", []));
  });

  test("clear forgets everything", async () => {
    const store = await cleared();
    await store.change((rows) => rows.put(two));
    const rejection = { sopDigest: digestOf("sop 1"), note: "n", at: 1, code: "113001" };
    await store.change((rows) => rows.put({ rejections: [rejection] }));
    await store.change((rows) => rows.clear());
    assert.deepEqual(await store.rejections([digestOf("sop 1")]), []);
    assert.deepEqual(await store.studiesAfter(0, 9), []);
    assert.equal(await store.studyCount(), 0);
    assert.deepEqual(await store.seriesOfStudies([1, 2]), []);
    assert.deepEqual(await store.instances([1, 2]), []);
    assert.deepEqual(await store.conflicts(), []);
    assert.deepEqual(await store.blocks([nameOf(1)]), []);
    assert.deepEqual(await store.marks(), []);
    assert.deepEqual(await store.change((rows) => rows.next()), { study: 1, series: 1, instance: 1, conflict: 1 });
  });
}
