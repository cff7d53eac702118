import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/id";
import { crashState, createFaultyFiles, createTracedFiles, type Files } from "#base/io";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import { openVault } from "../../trust/vault/vault.fixture.ts";
import { openFactFiles } from "./retention-fact-files.ts";
import { createStudyFates, type StudyFates } from "./retention-facts.ts";

const { vault } = await openVault();
const box = vault.secrets;
const open = (files: Files, folders = ["home", "replica"]) => openFactFiles({ files, folders, box, log: silentLog });

async function openFates(files: Files, folders?: string[]): Promise<{ fates: StudyFates; close(): Promise<void> }> {
  const facts = await open(files, folders);
  const fates = createStudyFates({ facts, now: () => 1000 });
  await fates.load();
  return { fates, close: facts.close };
}

async function hurt(files: Files, path: string, position: number): Promise<void> {
  const file = await files.open(path, "update");
  await file.write([Buffer.from("damage")], position);
}

test("facts are there at the next start, from either folder, and nothing in them can be read", async () => {
  const { files } = createTracedFiles();
  const first = await openFates(files);
  const tokens = ["a", "b", "c"].map((each) => each.repeat(32));
  for (const token of tokens) await first.fates.hold(token);
  await first.fates.release(tokens[1] as string);
  await first.close();
  for (const folder of ["home", "replica"]) {
    const { fates } = await openFates(files, [folder]);
    assert.deepEqual(
      fates.held().map(({ studyToken }) => studyToken),
      [tokens[0], tokens[2]],
    );
    const file = await files.open(`${folder}/facts`, "read");
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    assert.equal(bytes.length, 4 * 512);
    for (const word of [...tokens, "hold", "release"]) assert.ok(!bytes.includes(word));
  }
});

const random = seededRandom(21);
const chance = () => (random(new Uint8Array(1))[0] ?? 0) / 256;

test("at every crash every fact that was recorded is there, and more can be recorded", async () => {
  const traced = createTracedFiles();
  const { fates } = await openFates(traced.files);
  for (let i = 0; i < 6; i++) {
    await fates.hold(`study ${i}`);
    traced.note(`study ${i}`);
  }
  let states = 0;
  for (let steps = 0; steps <= traced.trace.length; steps++) {
    for (const unsynced of ["kept", "dropped", "mixed", "mixed"] as const) {
      const { disk, notes } = crashState(traced.trace, steps, unsynced, chance);
      for (const folders of [["home", "replica"], ["home"]]) {
        const { files } = createTracedFiles(disk);
        const again = await openFates(files, folders);
        for (const note of notes) assert.ok(again.fates.isHeld(note), `${note} was lost at step ${steps}, ${unsynced}`);
        await again.fates.hold("later");
        await again.close();
        assert.ok((await openFates(files, folders)).fates.isHeld("later"));
        states++;
      }
    }
  }
  assert.ok(states > 100, `${states} states`);
});

test("a damaged fact comes from the replica; one that is damaged in both is missed, wherever it stands", async () => {
  for (const slot of [0, 1, 2]) {
    const { files } = createTracedFiles();
    const { fates, close } = await openFates(files);
    for (const each of ["one", "two", "three"]) await fates.hold(each);
    await close();
    await hurt(files, "home/facts", slot * 512 + 20);
    const again = await openFates(files);
    assert.equal(again.fates.held().length, 3);
    await again.close();
    assert.equal((await openFates(files, ["home"])).fates.held().length, 3, "the first copy is whole again");
    await hurt(files, "home/facts", slot * 512 + 20);
    await hurt(files, "replica/facts", slot * 512 + 300);
    await assert.rejects(open(files), (error) => isProblem(error, "damaged"));
  }
});

test("a replica that fails is given up and gets what it lacks at the next start; when both fail, a hold says so", async () => {
  const { files } = createTracedFiles();
  let failing: string[] = ["replica"];
  const faulty = createFaultyFiles(files, ({ kind, path }) =>
    kind === "write" && failing.some((each) => path.startsWith(each)) ? { code: "ENOSPC" } : undefined,
  );
  const { fates } = await openFates(faulty);
  await fates.hold("one");
  failing = ["home"];
  await assert.rejects(fates.hold("two"), (error) => isProblem(error, "no-room"));
  await assert.rejects(fates.hold("three"), (error) => isProblem(error, "unavailable"));
  failing = [];
  await openFates(files);
  const { fates: later } = await openFates(files, ["replica"]);
  assert.deepEqual(
    later.held().map(({ studyToken }) => studyToken),
    ["one"],
  );
});

test("facts of another home are not taken for ours", async () => {
  const { files } = createTracedFiles();
  const { fates, close } = await openFates(files);
  await fates.hold("one");
  await close();
  const { vault: other } = await openVault({ tenant: "other" });
  const otherBox = other.secrets;
  const opening = openFactFiles({ files, folders: ["home"], box: otherBox, log: silentLog });
  await assert.rejects(opening, (error) => isProblem(error, "damaged"));
});
