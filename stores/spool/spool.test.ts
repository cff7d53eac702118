import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createVirtualClock, systemClock } from "#base/clock";
import { createTracedFiles, type Files, systemFiles } from "#base/io";
import { isProblem, Problem } from "#base/problem";
import { type Spool, urgencies } from "#radiology/uplink";
import { createMemorySpool } from "#stores/memory";
import { noteOf, putParcel, spoolContract, tokenOf } from "../../radiology/uplink/spool.contract.ts";
import { createIndexHistory } from "../sql/spool-index.fixture.ts";
import { openSpool, type SpoolOptions } from "./index.ts";

const root = mkdtempSync(join(tmpdir(), "leadglass-spool-"));
process.on("exit", () => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(root, String(folders++));
const openAt = (folder: string, more: Partial<SpoolOptions> = {}) =>
  openSpool({ files: systemFiles, folder, clock: systemClock, reserveBytes: 0, ...more });

spoolContract(async (clock) => openAt(newFolder(), { clock }));

const segmentsIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith(".parcels"));

test("a spool that is opened again gives what was taken, keeps what was decided, and nobody else may read its files", async () => {
  const folder = newFolder();
  const first = await openAt(folder);
  for (const name of ["a", "b", "c", "d"]) await putParcel(first, name, { subject: tokenOf(`subject ${name}`) });
  await first.take("routine", 9);
  await first.settle(tokenOf("a"), Buffer.from("receipt"), 5);
  await first.setAside(tokenOf("b"), new Problem("invalid", "not wanted"), 6);
  await first.putBack(tokenOf("c"), systemClock.now() + 5e5);
  for (const name of readdirSync(folder)) {
    assert.equal(statSync(join(folder, name)).mode & 0o077, 0, `${name} is for its owner alone`);
  }
  assert.equal(statSync(folder).mode & 0o077, 0);
  await first.close();
  const again = await openAt(folder);
  assert.deepEqual(
    (await again.take("routine", 9)).map(({ id }) => id),
    [tokenOf("d")],
  );
  assert.equal((await again.standing(tokenOf("subject a")))?.state, "arrived");
  assert.equal((await again.standing(tokenOf("subject b")))?.state, "aside");
  assert.deepEqual([again.state().parcels, again.state().aside], [2, 1]);
  await again.close();
});

test("a flipped bit of a parcel that waits is found wherever it is, when it is read and not before", async () => {
  const folder = newFolder();
  const bytes = Buffer.alloc(40_000, "sealed");
  const spool = await openAt(folder);
  await putParcel(spool, "a", {}, bytes);
  await putParcel(spool, "b", {}, bytes);
  await spool.close();
  const path = join(folder, segmentsIn(folder)[0] ?? "");
  const whole = readFileSync(path);
  for (const at of [0, 16_383, 16_384, 16_387, 16_388, 33_000, 40_011]) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    writeFileSync(path, flipped);
    const again = await openAt(folder);
    await assert.rejects(again.read(tokenOf("a"), 0, 40_000), (error) => isProblem(error, "damaged"), `byte ${at}`);
    assert.deepEqual(Buffer.from(await again.read(tokenOf("b"), 0, 40_000)), bytes);
    await again.close();
  }
});

test("an index that is lost or damaged is made again from the segments: what is in them waits", async () => {
  const folder = newFolder();
  const spool = await openAt(folder);
  const content = Buffer.alloc(20_000, "x");
  for (const name of ["a", "b", "c"]) await putParcel(spool, name, { urgency: "first", putAt: 77 }, content);
  await spool.settle(tokenOf("b"), Buffer.from("receipt"), 5);
  await spool.close();
  for (const lose of [
    () => rmSync(join(folder, "index.sqlite")),
    () => writeFileSync(join(folder, "index.sqlite"), Buffer.alloc(50_000, "no database")),
    () => writeFileSync(join(folder, "index.damaged"), ""),
  ]) {
    for (const ending of ["-wal", "-shm"]) rmSync(join(folder, `index.sqlite${ending}`), { force: true });
    lose();
    const again = await openAt(folder);
    const given = await again.take("first", 9);
    assert.deepEqual(
      given.map(({ id }) => id),
      ["a", "b", "c"].map(tokenOf),
    );
    assert.deepEqual(given[0]?.sha256, noteOf("a", content).sha256);
    assert.deepEqual(Buffer.from(await again.read(tokenOf("c"), 0, 20_000)), content);
    assert.equal(again.state().oldestAt, 77);
    await again.close();
  }
});

test("the reserve of the disk is not touched, and room that is there again is used again", async () => {
  let freeBytes = 150_000;
  const clock = createVirtualClock();
  const folder = newFolder();
  const files: Files = { ...systemFiles, freeBytes: async () => freeBytes };
  const spool = await openAt(folder, { files, clock, reserveBytes: 100_000 });
  await putParcel(spool, "a", {}, Buffer.alloc(30_000));
  freeBytes -= 30_000;
  await assert.rejects(putParcel(spool, "b", {}, Buffer.alloc(30_000)), (error) => isProblem(error, "no-room"));
  const [segment = ""] = segmentsIn(folder);
  assert.ok(statSync(join(folder, segment)).size < 31_000, "what was begun was taken back");
  freeBytes = 99_000;
  clock.advance(2000);
  await assert.rejects(spool.begin(), (error) => isProblem(error, "no-room"));
  freeBytes = 300_000;
  assert.equal(await putParcel(spool, "b", {}, Buffer.alloc(30_000)), "kept");
  await spool.close();
});

test("segments of what has gone are removed, and what is left of many moves together", async () => {
  const folder = newFolder();
  const spool = await openAt(folder, { segmentBytes: 100_000, segmentsLeast: 2, lanes: 2 });
  const names = Array.from({ length: 120 }, (_, at) => `p${at}`);
  const content = (name: string) => Buffer.alloc(10_000, name);
  for (const name of names) await putParcel(spool, name, {}, content(name));
  assert.ok(segmentsIn(folder).length >= 12);
  const stay = names.filter((_, at) => at % 12 === 0);
  for (const name of names) if (!stay.includes(name)) await spool.settle(tokenOf(name), Buffer.from("receipt"), 1);
  for (let rounds = 0; segmentsIn(folder).length > 5 && rounds < 500; rounds++) {
    await putParcel(spool, `later ${rounds}`, {}, Buffer.alloc(100));
    await spool.settle(tokenOf(`later ${rounds}`), Buffer.from("receipt"), 1);
  }
  assert.ok(segmentsIn(folder).length <= 5, `${segmentsIn(folder).length} segments`);
  for (const name of stay) assert.deepEqual(Buffer.from(await spool.read(tokenOf(name), 0, 10_000)), content(name));
  await spool.close();
  const again = await openAt(folder);
  assert.deepEqual(
    (await again.take("routine", 50)).map(({ id }) => id),
    stay.map(tokenOf),
    "in the order of putting",
  );
  await again.close();
});

const name = fc.constantFrom("a", "b", "c", "d", "e", "f");
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      name,
      urgency: fc.constantFrom(...urgencies),
      inOrder: fc.boolean(),
      subject: fc.constantFrom(undefined, "x", "y"),
      length: fc.nat({ max: 40 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("take" as const),
      urgency: fc.constantFrom(...urgencies),
      most: fc.nat({ max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("settle" as const, "aside" as const, "drop" as const, "again" as const),
      name,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("putBack" as const), name, inMs: fc.constantFrom(0, 0, 3, 7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat({ max: 5 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(spool: Spool, each: Step, at: number, now: number): Promise<unknown> {
  switch (each.do) {
    case "put": {
      const { urgency, inOrder, subject, length } = each;
      const noted = { urgency, inOrder, subject: subject && tokenOf(subject), putAt: at };
      return putParcel(spool, each.name, noted, Buffer.alloc(length, at));
    }
    case "take":
      return (await spool.take(each.urgency, each.most)).map(({ id, length }) => [id, length]);
    case "settle":
      return spool.settle(tokenOf(each.name), Buffer.from([at]), at);
    case "aside":
      return spool.setAside(tokenOf(each.name), new Problem("invalid", `${at}`), at);
    case "drop":
      return spool.drop(tokenOf(each.name));
    case "again":
      return spool.again(tokenOf(each.name));
    case "putBack":
      return spool.putBack(tokenOf(each.name), now + each.inMs);
    case "advance":
      return undefined;
  }
}

async function seen(spool: Spool): Promise<unknown> {
  const standings = await Promise.all(["x", "y"].map((subject) => spool.standing(tokenOf(subject))));
  const state = spool.state();
  return JSON.parse(JSON.stringify({ standings, state, asides: await spool.asides(9) }));
}

// Done before the test begins: node:test follows every promise that is made inside of one.
const asTheModel = await fc.check(
  fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const clock = createVirtualClock();
    const { index } = await createIndexHistory();
    const { files } = createTracedFiles();
    const sizes = { segmentBytes: 300, segmentsLeast: 1, reserveBytes: 0 };
    const spool = await openSpool({ files, folder: "spool", clock, openIndex: async () => index, ...sizes });
    const model = createMemorySpool({ clock });
    for (const [at, each] of steps.entries()) {
      if (each.do === "advance") clock.advance(each.ms);
      const [done, expected] = [await play(spool, each, at, clock.now()), await play(model, each, at, clock.now())];
      assert.deepEqual(done, expected, `step ${at}`);
      assert.deepEqual(await seen(spool), await seen(model), `behind step ${at}`);
    }
    await spool.close();
  }),
  { numRuns: 60, seed: 21 },
);

test("whatever is asked of it, the spool on a disk does as the one in memory", () => {
  assert.equal(asTheModel.failed, false, fc.defaultReportMessage(asTheModel) ?? "");
});
