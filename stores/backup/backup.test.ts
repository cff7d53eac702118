import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "#base/id";
import { createTracedFiles, type Files } from "#base/io";
import { isProblem } from "#base/problem";
import { backUp, bytesOf, createMadeUpHome, createParts, keyOf, restore, wholeFile } from "./home.fixture.ts";
import { refreshBackupKeys } from "./index.ts";

async function begin() {
  const traced = createTracedFiles();
  const home = await createMadeUpHome(traced.files);
  await home.grow("identity/packs", "i1", 500);
  await home.grow("packs", "p1", 5_000);
  await home.addKey("first");
  await home.say("an entry of the log");
  return { ...traced, home, parts: createParts(traced.files) };
}

/** Bytes that were written below a folder since a step of the trace. */
function writtenSince(traced: Awaited<ReturnType<typeof begin>>, step: number, folder: string): number {
  const paths = new Map<number, string>();
  let bytes = 0;
  traced.trace.forEach((each, at) => {
    if (each.kind === "create") paths.set(each.file, each.path);
    if (each.kind === "write" && at >= step && paths.get(each.file)?.startsWith(folder)) bytes += each.bytes.length;
  });
  return bytes;
}

async function allBytes(files: Files, folder: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (const sub of ["", "/keys", "/pieces", "/points", "/packs", "/identity/packs"]) {
    for (const name of await files.list(`${folder}${sub}`)) {
      const path = `${folder}${sub}/${name}`;
      if (await files.exists(path)) pieces.push(await wholeFile(files, path));
    }
  }
  return Buffer.concat(pieces);
}

test("what was saved comes back byte for byte, each thing at its place", async () => {
  const { files, home, parts } = await begin();
  const report = await backUp(parts, home);
  assert.equal(report.point, 1);
  assert.equal(report.copiedBytes, 5_500);
  const restored = await restore(parts);
  assert.deepEqual(restored.report.losses, []);
  assert.deepEqual(await wholeFile(files, "restored/packs/p1.5000.pack"), await wholeFile(files, "home/packs/p1"));
  assert.equal((await wholeFile(files, "restored/packs/p1.0-0.void")).length, 0);
  assert.deepEqual(
    await wholeFile(files, "restored/identity/packs/i1.500.pack"),
    await wholeFile(files, "home/identity/packs/i1"),
  );
  assert.deepEqual(
    await wholeFile(files, "restored/keys/000001.keys"),
    await wholeFile(files, "home/keys/000001.keys"),
  );
  assert.equal(String(await wholeFile(files, "restored/keys/keyring.json")), "keyring one");
  assert.equal(String(await wholeFile(files, "restored/leadglass.json")), '{"aeTitle":"CLINIC"}');
  assert.equal(restored.states.get("accounts"), "accounts beside 1 lines");
  assert.deepEqual((await restored.log.read(0, 9)).map(String), ["an entry of the log"]);
  assert.equal(restored.log.checkpointCount(), 1);
});

test("a second run copies only what is new, of a growing pack only its new bytes", async () => {
  const traced = await begin();
  const { home, parts } = traced;
  await backUp(parts, home);
  const step = traced.trace.length;
  const nothing = await backUp(parts, home);
  assert.equal(nothing.copiedBytes, 0);
  assert.equal(writtenSince(traced, step, "backup/packs"), 0);
  assert.equal(writtenSince(traced, step, "backup/keys/"), 0);
  await home.grow("packs", "p1", 700);
  await home.grow("packs", "p2", 30);
  const more = traced.trace.length;
  assert.equal((await backUp(parts, home)).copiedBytes, 730);
  assert.equal(writtenSince(traced, more, "backup/packs"), 730);
  await restore(parts);
  assert.deepEqual(
    await wholeFile(traced.files, "restored/packs/p1.5700.pack"),
    await wholeFile(traced.files, "home/packs/p1"),
  );
});

test("each kept point is restored as it was; what no kept point needs is let go", async () => {
  const { files, home, parts } = await begin();
  await backUp(parts, home);
  await home.grow("packs", "p2", 4_000);
  await home.say("a second entry");
  await backUp(parts, home);
  await home.compact("packs", "p1");
  await backUp(parts, home);
  const first = await restore(parts, { point: 1, home: "one" });
  assert.deepEqual(await files.list("one/packs"), ["p1.0-0.void", "p1.5000.pack"]);
  assert.equal(first.log.size(), 1);
  await restore(parts, { point: 3, home: "three" });
  assert.deepEqual(await files.list("three/packs"), ["p2.0-0.void", "p2.4000.pack"]);
  const pieces = (await files.list("backup/pieces")).length;
  assert.deepEqual((await backUp(parts, home, { keepPoints: 2 })).points, [3, 4]);
  assert.deepEqual(await files.list("backup/packs"), ["p2"]);
  assert.ok((await files.list("backup/pieces")).length < pieces);
  await assert.rejects(restore(parts, { point: 1, home: "gone" }), { message: /no point 1/ });
  assert.equal((await restore(parts, { home: "four" })).log.size(), 2);
});

test("of what was saved nothing but sealed packs, wrapped keys and the keyring can be read", async () => {
  const { files, home, parts } = await begin();
  await home.say("canary in the log");
  await backUp(parts, home);
  const all = (await allBytes(files, "backup")).toString("latin1");
  for (const canary of ["canary", "accounts beside", "CLINIC", "p1.5000", "an entry"]) {
    assert.ok(!all.includes(canary), canary);
  }
});

test("a destroyed key is gone from the backup with the next run, for every kept point", async () => {
  const { files, home, parts } = await begin();
  await backUp(parts, home);
  await home.addKey("second");
  await backUp(parts, home);
  assert.ok((await allBytes(files, "backup")).includes(keyOf("first")));
  await home.destroyKey("first");
  await backUp(parts, home);
  const all = await allBytes(files, "backup");
  assert.ok(!all.includes(keyOf("first")));
  assert.ok(all.includes(keyOf("second")));
  for (const point of [1, 2, 3]) {
    await restore(parts, { point, home: `home ${point}` });
    assert.ok(!(await wholeFile(files, `home ${point}/keys/000001.keys`)).includes(keyOf("first")));
  }
});

test("a key that is destroyed between runs leaves the backup at once when it is told, overwritten and not only removed", async () => {
  const traced = await begin();
  const { files, home, parts } = traced;
  await backUp(parts, home);
  const [piece] = await files.list("backup/keys");
  await home.destroyKey("first");
  await refreshBackupKeys(parts, { folder: "backup", keys: home.sources.keys });
  assert.ok(!(await allBytes(files, "backup")).includes(keyOf("first")));
  const number = traced.trace.flatMap((step) =>
    step.kind === "create" && step.path === `backup/keys/${piece}` ? [step.file] : [],
  )[0];
  const last = traced.trace.findLast((step) => step.kind === "write" && step.file === number);
  assert.ok(last?.kind === "write" && Buffer.from(last.bytes).equals(Buffer.alloc(128)));
  await restore(parts);
});

test("keys that vanish from the home without being destroyed do not vanish from the backup", async () => {
  const { files, home, parts } = await begin();
  await backUp(parts, home);
  await files.remove("home/keys/000001.keys");
  await assert.rejects(backUp(parts, home), (error) => isProblem(error, "damaged") && /1 keys/.test(error.message));
  await restore(parts);
  assert.ok((await wholeFile(files, "restored/keys/000001.keys")).includes(keyOf("first")));
});

test("a pack that goes away while it is copied: what came in its place is in the backup, and all ends are taken again", async () => {
  const { files, home, parts } = await begin();
  await home.grow("packs", "p2", 100);
  let reads = 0;
  const [identity, image] = home.sources.growing;
  assert.ok(identity && image);
  const moved = {
    ...image,
    async read(id: string, position: number, into: Uint8Array) {
      if (id === "p1" && reads++ === 0) {
        await home.grow("identity/packs", "i1", 50);
        await home.grow("packs", "p3", 5_000);
        await home.compact("packs", "p1");
      }
      return image.read(id, position, into);
    },
  };
  await backUp(parts, { ...home, sources: { ...home.sources, growing: [identity, moved] } });
  await restore(parts);
  const packs = (await files.list("restored/packs")).filter((name) => name.endsWith(".pack"));
  assert.deepEqual(packs, ["p2.100.pack", "p3.5000.pack"]);
  assert.deepEqual(await files.list("restored/identity/packs"), ["i1.0-0.void", "i1.550.pack"]);
});

test("a keyring that is to change while the keys are taken changes behind them; what is wrapped under it is in the next point", async () => {
  const { files, home, parts } = await begin();
  let changing: Promise<void> | undefined;
  const rotating: Files = {
    ...files,
    list(folder) {
      if (folder === "home/keys") {
        changing ??= home.setKeyring("keyring two").then(() => home.addKey("wrapped under two"));
      }
      return files.list(folder);
    },
  };
  await backUp({ ...parts, files: rotating }, home);
  await changing;
  await restore(parts, { home: "one" });
  assert.equal(String(await wholeFile(files, "one/keys/keyring.json")), "keyring one");
  assert.ok(!(await wholeFile(files, "one/keys/000001.keys")).includes(keyOf("wrapped under two")));
  await backUp(parts, home);
  await restore(parts, { home: "two" });
  assert.equal(String(await wholeFile(files, "two/keys/keyring.json")), "keyring two");
  assert.ok((await wholeFile(files, "two/keys/000001.keys")).includes(keyOf("wrapped under two")));
});

test("a folder that is not empty, another home's backup and a home that is not empty are refused", async () => {
  const { files, home, parts } = await begin();
  await assert.rejects(backUp(parts, home, { folder: "home/keys" }), { message: /not empty/ });
  await backUp(parts, home);
  const other = createParts(files, systemRandom, 2);
  await assert.rejects(backUp(other, home), { message: /another home/ });
  await assert.rejects(restore(parts, { home: "home/keys" }), { message: /not empty/ });
  await assert.rejects(restore(parts, { folder: "nowhere" }), (error) => isProblem(error, "absent"));
  await assert.rejects(restore(parts, { secret: 2 }), { message: /another home/ });
});

test("a setting that no home has is not written anywhere", async () => {
  const { files, home, parts } = await begin();
  await backUp(parts, home);
  await assert.rejects(restore(parts, { settings: [] }), { message: /setting/ });
  assert.deepEqual(await files.list("restored"), []);
});

test("another keyring in the place of the saved one is found", async () => {
  const { files, home, parts } = await begin();
  await backUp(parts, home);
  const kept = JSON.parse(String(await wholeFile(files, "backup/keys.json")));
  kept.settings[0].base64 = Buffer.from("keyring of a stranger").toString("base64");
  await files.remove("backup/keys.json");
  const file = await files.open("backup/keys.json", "create");
  await file.write([Buffer.from(JSON.stringify(kept))], 0);
  await assert.rejects(restore(parts), { message: /keyring of the backup/ });
});

test("a log that was lost and begun anew is saved whole again, and the older points keep the old one", async () => {
  const { home, parts } = await begin();
  await backUp(parts, home);
  const fresh = await createMadeUpHome(createTracedFiles().files);
  await fresh.say("a new log");
  await fresh.say("of two lines");
  await backUp(parts, { ...home, sources: { ...home.sources, log: fresh.sources.log } });
  const old = await restore(parts, { point: 1, home: "one" });
  assert.deepEqual((await old.log.read(0, 9)).map(String), ["an entry of the log"]);
  const now = await restore(parts, { home: "two" });
  assert.deepEqual((await now.log.read(0, 9)).map(String), ["a new log", "of two lines"]);
});

test("a long log is saved in pieces, of which only the last is written again", async () => {
  const { files, home, parts } = await begin();
  for (let i = 0; i < 40; i++) await home.say(`${i} ${"x".repeat(50_000)}`);
  await backUp(parts, home);
  const before = new Set(await files.list("backup/pieces"));
  await home.say("one more");
  await backUp(parts, home);
  const restored = await restore(parts);
  assert.equal(restored.log.size(), 42);
  assert.equal(restored.log.checkpointCount(), 2);
  const kept = (await files.list("backup/pieces")).filter((name) => before.has(name));
  assert.equal(kept.length, before.size, "the older point keeps its pieces");
});

test("damage anywhere is found by verify, and a pack that the home still has is written again", async () => {
  const { files, home, parts } = await begin();
  await backUp(parts, home);
  await damage(files, "backup/packs/p1", 4_000);
  const mended = await backUp(parts, home, { verify: true });
  assert.deepEqual(mended.losses, []);
  await damage(files, "backup/identity/packs/i1", 1);
  await home.compact("identity/packs", "i1");
  const lost = await backUp(parts, home, { verify: true });
  assert.deepEqual(
    lost.losses.map(({ name }) => name),
    ["identity/packs/i1"],
  );
});

async function damage(files: Files, path: string, position: number): Promise<void> {
  const file = await files.open(path, "update");
  const byte = Buffer.alloc(1);
  await file.read(byte, position);
  await file.write([Buffer.from([(byte[0] ?? 0) ^ 1])], position);
}

test("a restore names every damaged or missing file and what is lost with it, and goes on only when that is accepted", async () => {
  const { files, home, parts } = await begin();
  await home.grow("packs", "p2", 100);
  await backUp(parts, home);
  await damage(files, "backup/packs/p1", 10);
  await files.remove("backup/packs/p2");
  await assert.rejects(
    restore(parts),
    (error) =>
      isProblem(error, "damaged") &&
      /packs\/p1: bytes 0 to 5000.*50 objects/.test(error.message) &&
      /packs\/p2: missing/.test(error.message),
  );
  assert.ok(!(await files.exists("restored/keys/keyring.json")), "the home cannot be started");
  await assert.rejects(restore(parts), { message: /not empty/ });
  const { report } = await restore(parts, { home: "accepted", acceptLoss: true });
  assert.equal(report.losses.length, 2);
  assert.equal(String(await wholeFile(files, "accepted/keys/keyring.json")), "keyring one");
});

test("every file of a backup that is taken away or damaged is told by a restore, or is one that it does not need", async () => {
  const { files, home, parts } = await begin();
  await backUp(parts, home);
  const places: string[] = [];
  for (const sub of ["", "/keys", "/pieces", "/points", "/packs", "/identity/packs"]) {
    for (const name of await files.list(`backup${sub}`)) {
      if (!(await files.list(`backup${sub}/${name}`)).length) places.push(`backup${sub}/${name}`);
    }
  }
  assert.ok(places.length >= 8, places.join(" "));
  let tries = 0;
  for (const place of places) {
    for (const change of ["damaged", "missing"] as const) {
      const copy = createTracedFiles(await imageOf(files, places)).files;
      if (change === "missing") await copy.remove(place);
      else await damage(copy, place, 60);
      const again = createParts(copy);
      await assert.rejects(
        restore(again, { home: `try ${tries++}` }),
        (error) => isProblem(error),
        `${place} ${change}`,
      );
    }
  }
});

async function imageOf(files: Files, places: readonly string[]): Promise<Map<string, Buffer>> {
  const image = new Map<string, Buffer>();
  for (const place of places) image.set(place, await wholeFile(files, place));
  return image;
}

test("a file larger than one copy buffer comes back whole", async () => {
  const { files, home, parts } = await begin();
  await home.grow("packs", "large", 9_000_001);
  await backUp(parts, home);
  await restore(parts);
  assert.ok((await wholeFile(files, "restored/packs/large.9000001.pack")).equals(bytesOf("packs/large 0", 9_000_001)));
});
