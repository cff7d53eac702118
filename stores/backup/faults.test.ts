import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/id";
import { crashState, createFaultyFiles, createTracedFiles, type DiskImage, type Files } from "#base/io";
import { isProblem } from "#base/problem";
import {
  backUp,
  bytesOf,
  createMadeUpHome,
  createParts,
  keyOf,
  type MadeUpHome,
  restore,
  wholeFile,
} from "./home.fixture.ts";
import { refreshBackupKeys } from "./index.ts";

const random = seededRandom(11);
const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;

/** What each point must give back: the bytes of its packs, and so many lines of the log. */
const expected = [
  { p1: 5_000, p2: 0, lines: 1 },
  { p1: 9_000, p2: 30_000, lines: 2 },
  { p1: 0, p2: 30_000, lines: 3 },
];

async function first(home: MadeUpHome): Promise<void> {
  await home.grow("identity/packs", "i1", 500);
  await home.grow("packs", "p1", 5_000);
  await home.addKey("kept");
  await home.addKey("destroyed");
  await home.say("first");
}

async function second(home: MadeUpHome): Promise<void> {
  await home.grow("packs", "p1", 4_000);
  await home.grow("packs", "p2", 30_000);
  await home.addKey("late");
  await home.destroyKey("destroyed");
  await home.say("second");
}

async function third(home: MadeUpHome): Promise<void> {
  await home.compact("packs", "p1");
  await home.say("third");
}

/** A point of the backup in `files` is what it was; whole with its keys, or not there. */
async function assertPoint(files: Files, point: number, isDestroyedGone: boolean): Promise<void> {
  const { p1, p2, lines } = expected[point - 1] ?? assert.fail("no such point");
  const home = `restored ${point}`;
  const { log, report } = await restore(createParts(files), { home, point });
  assert.deepEqual(report.losses, []);
  assert.equal(log.size(), lines);
  const packs = (await files.list(`${home}/packs`)).filter((name) => name.endsWith(".pack"));
  assert.deepEqual(packs, [...(p1 > 0 ? [`p1.${p1}.pack`] : []), ...(p2 > 0 ? [`p2.${p2}.pack`] : [])]);
  if (p1 > 0) {
    const whole = Buffer.concat([bytesOf("packs/p1 0", 5_000), bytesOf("packs/p1 5000", 4_000)]);
    assert.ok((await wholeFile(files, `${home}/packs/p1.${p1}.pack`)).equals(whole.subarray(0, p1)));
  }
  if (p2 > 0) assert.ok((await wholeFile(files, `${home}/packs/p2.${p2}.pack`)).equals(bytesOf("packs/p2 0", p2)));
  const keys = await wholeFile(files, `${home}/keys/000001.keys`);
  assert.ok(keys.includes(keyOf("kept")));
  if (isDestroyedGone) assert.ok(!keys.includes(keyOf("destroyed")));
}

const onlyBackup = (disk: DiskImage): Map<string, Uint8Array> =>
  new Map([...disk].filter(([path]) => path.startsWith("backup/")));

test("at every crash of a run the points that were finished are whole, and the next run makes one more", async () => {
  const traced = createTracedFiles();
  const home = await createMadeUpHome(traced.files);
  const parts = createParts(traced.files);
  await first(home);
  const begun = traced.trace.length;
  await backUp(parts, home, { keepPoints: 2 });
  traced.note("1");
  await second(home);
  await backUp(parts, home, { keepPoints: 2 });
  traced.note("2");
  await third(home);
  const lastRun = traced.trace.length;
  await backUp(parts, home, { keepPoints: 2 });
  traced.note("3");
  let states = 0;
  for (let steps = begun; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed", "mixed"] as const) {
      const { disk, notes } = crashState(traced.trace, steps, unsynced, chance);
      const { files } = createTracedFiles(onlyBackup(disk));
      const there = (await files.list("backup/points"))
        .map((name) => Number.parseInt(name, 10))
        .filter(Number.isInteger);
      const points = [...new Set(there)];
      const last = Number(notes.at(-1) ?? 0);
      assert.ok(last === 0 || points.includes(last), `point ${last} is gone at step ${steps}, ${unsynced}`);
      const isWhole = (point: number) => files.exists(`backup/points/${String(point).padStart(8, "0")}.point`);
      for (const point of points) if (await isWhole(point)) await assertPoint(files, point, last >= 2);
      if (steps > lastRun && unsynced !== "kept") await assertNextRun(disk, last);
      states++;
    }
  }
  assert.ok(states > 400, `${states} states`);
});

/** The home went on to what the third run saw; a run on what the crash left ends with a whole point. */
async function assertNextRun(disk: DiskImage, last: number): Promise<void> {
  const again = createTracedFiles(onlyBackup(disk));
  const home = await createMadeUpHome(again.files, "home");
  await first(home);
  await second(home);
  await third(home);
  const parts = createParts(again.files);
  const { points, losses } = await backUp(parts, home, { verify: true, keepPoints: 2 });
  assert.deepEqual(losses, []);
  assert.ok((points.at(-1) ?? 0) > last || last === 3);
  const { log } = await restore(parts, { home: "restored after" });
  assert.equal(log.size(), 3);
  assert.ok((await wholeFile(again.files, "restored after/packs/p2.30000.pack")).equals(bytesOf("packs/p2 0", 30_000)));
}

test("any one call that fails on the backup's disk: a clear error or a whole point, the older point stays, the next run mends it", async () => {
  let failures = 0;
  for (const code of ["EIO", "ENOSPC", "EMFILE"] as const) {
    for (let nth = 0, isBeyond = false; !isBeyond; nth++) {
      const traced = createTracedFiles();
      const home = await createMadeUpHome(traced.files);
      await first(home);
      await backUp(createParts(traced.files), home);
      await second(home);
      let calls = 0;
      const faulty = createFaultyFiles(traced.files, ({ path, kind }) => {
        if (!path.startsWith("backup")) return undefined;
        return calls++ === nth ? { code, ...(kind === "write" && nth % 2 === 1 && { writtenBytes: 100 }) } : undefined;
      });
      const outcome = await backUp(createParts(faulty), home).catch((error: unknown) => {
        assert.ok(isProblem(error), `${error}`);
        assert.ok(code !== "ENOSPC" || error.code === "no-room", error.message);
        assert.ok(error.remedy !== undefined, error.message);
        return undefined;
      });
      const failed = faulty.calls.find(({ isFailed }) => isFailed);
      isBeyond = failed === undefined;
      if (!isBeyond) failures++;
      if (failed?.kind === "sync") {
        const later = faulty.calls.slice(faulty.calls.indexOf(failed) + 1);
        assert.ok(!later.some(({ kind, path }) => kind === "sync" && path === failed.path), "no sync is tried again");
      }
      for (const unsynced of code === "EIO" ? (["kept", "dropped"] as const) : []) {
        const { disk } = crashState(traced.trace, traced.trace.length, unsynced, chance);
        const { files } = createTracedFiles(onlyBackup(disk));
        await assertPoint(files, 1, outcome !== undefined);
        if (outcome !== undefined) await assertPoint(files, 2, true);
      }
      const { losses, point } = await backUp(createParts(traced.files), home, { verify: true });
      assert.deepEqual(losses, []);
      await assertPoint(traced.files, 2, true);
      assert.ok(point >= 2);
    }
  }
  assert.ok(failures > 150, `${failures} calls failed`);
});

test("any one call that fails while a destroyed key is purged: told, or no byte of the key is left", async () => {
  for (let nth = 0, isBeyond = false; !isBeyond; nth++) {
    const traced = createTracedFiles();
    const home = await createMadeUpHome(traced.files);
    await first(home);
    await backUp(createParts(traced.files), home);
    await home.destroyKey("destroyed");
    let calls = 0;
    const faulty = createFaultyFiles(traced.files, ({ path }) =>
      path.startsWith("backup") && calls++ === nth ? { code: "EIO" } : undefined,
    );
    const request = { folder: "backup", keys: home.sources.keys };
    const isTold = await refreshBackupKeys(createParts(faulty), request).then(
      () => false,
      (error: unknown) => isProblem(error),
    );
    isBeyond = !faulty.calls.some(({ isFailed }) => isFailed);
    const left = async () => {
      const { disk } = crashState(traced.trace, traced.trace.length, "dropped", chance);
      return [...onlyBackup(disk).values()].some((bytes) => Buffer.from(bytes).includes(keyOf("destroyed")));
    };
    if (!isTold) assert.ok(!(await left()), `call ${nth}`);
    await refreshBackupKeys(createParts(traced.files), request);
    assert.ok(!(await left()), `after the second purge, call ${nth}`);
    await assertPoint(traced.files, 1, true);
  }
});

test("an interrupted restore cannot be started, at any crash before its last step", async () => {
  const source = createTracedFiles();
  const home = await createMadeUpHome(source.files);
  await first(home);
  await backUp(createParts(source.files), home);
  const disk = crashState(source.trace, source.trace.length, "kept", chance).disk;
  const traced = createTracedFiles(onlyBackup(disk));
  const begun = traced.trace.length;
  await restore(createParts(traced.files));
  traced.note("restored");
  for (let steps = begun; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed"] as const) {
      const after = crashState(traced.trace, steps, unsynced, chance);
      const bytes = after.disk.get("restored/packs/p1.5000.pack");
      const isStartable = after.disk.has("restored/keys/keyring.json");
      if (isStartable) assert.ok(bytes !== undefined && bytesOf("packs/p1 0", 5_000).equals(bytes));
      else assert.deepEqual(after.notes, []);
    }
  }
});

test("a disk that is taken out, an empty folder in its place: it is told, and no point is made there", async () => {
  const { files } = createTracedFiles();
  const home = await createMadeUpHome(files);
  await first(home);
  await backUp(createParts(files), home);
  let isOut = false;
  const gone: Files = {
    ...files,
    exists: async (path) => !(isOut && path === "backup/leadglass-backup.json") && files.exists(path),
  };
  const states = [
    {
      name: "accounts",
      async read() {
        isOut = true;
        return Buffer.from("accounts");
      },
    },
  ];
  const away = { ...home, sources: { ...home.sources, states } };
  await assert.rejects(backUp(createParts(gone), away), (error) => isProblem(error, "unavailable"));
  assert.equal((await files.list("backup/points")).length, 1);
});
