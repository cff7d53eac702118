import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createVirtualClock } from "#base/clock";
import { systemRandom } from "#base/id";
import { createTracedFiles, type DiskImage, type Files } from "#base/io";
import { silentLog } from "#base/log";
import { isProblem } from "#base/problem";
import type { BlindStore } from "#radiology/archive";
import { createMemoryBlindStore } from "#stores/memory";
import { operator } from "#trust/access";
import { verifyLog } from "#trust/audit";
import { openKeyring, recoverKeyring } from "#trust/vault";
import { cost, type HouseOnFiles, home, openHouseOnFiles } from "./house-on-files.ts";
import { type Act, type ActOf, standing } from "./ledger.ts";
import { passphrases, type Recording } from "./recording.ts";
import { restoredDisk } from "./restored-backup.ts";
import { smallImage } from "./small-images.ts";

/** A disk and an index as a crash may have left them behind so many steps of a recorded workload. */
export interface Crashed {
  readonly recording: Recording;
  readonly steps: number;
  readonly disk: DiskImage;
  readonly blindStore: BlindStore;
}

/** What stands in a house: each copy once, by `copyKey`, with what its study says. */
interface Found {
  readonly copies: ReadonlyMap<string, string>;
  readonly studies: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

const copyKey = (sopUid: string, sha256: string) => `${sopUid} ${sha256}`;

/** Starts on what a crash left, twice, and throws when anything that was acknowledged is not so, or parts disagree. */
export async function checkCrashed(crashed: Crashed): Promise<void> {
  const { recording, steps, disk, blindStore } = crashed;
  const { files } = createTracedFiles(disk);
  const house = await start(files, blindStore);
  await checkLog(house, recording, steps);
  await endRotation(house);
  const found = await survey(house);
  checkCopies(found, recording.ledger.acts, steps);
  checkCorrections(found, recording.ledger.acts, steps);
  await checkAgreement(house, found);
  await checkKeys(files, house, recording.ledger.acts, steps);
  const after = await storeOneMore(house);
  await house.close();

  const second = await start(files, blindStore);
  const again = await survey(second);
  assert.deepEqual(again, { ...found, ...withOneMore(found, after, again) }, "a second start finds something else");
  await second.close();
  await checkBackup(crashed);
  await checkKit(crashed);
}

const start = (files: Files, blindStore: BlindStore) =>
  openHouseOnFiles({
    ...{ files, blindStore, passphrases },
    clock: createVirtualClock(1_800_000_000_000),
    random: systemRandom,
    log: silentLog,
  });

/** Reads everything back, whole and proven. */
async function survey({ archive }: HouseOnFiles): Promise<Found> {
  const copies = new Map<string, string>();
  const studies = new Map<string, Readonly<Record<string, string>>>();
  const add = (key: string, id: string) => {
    assert.ok(!copies.has(key), "a copy is there twice");
    copies.set(key, id);
  };
  const rows = await archive.findStudies(operator, { matches: [], limit: 1000, offset: 0 });
  for (const { studyUid, values } of rows) {
    assert.ok(!studies.has(studyUid), "a study is there twice");
    studies.set(studyUid, values);
    for (const held of await archive.read(operator, { studyUid })) {
      const object = await held.open();
      const bytes = await object.read(held.dataSetOffset, object.sizeBytes);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      assert.equal(sha256, held.dataSetSha256, "an instance is not what was received");
      add(copyKey(held.sopUid, sha256), held.id);
    }
  }
  const inConflict = await archive.conflicts(operator);
  for (const { sopUid, dataSetSha256, id } of inConflict) {
    if (copies.get(copyKey(sopUid, dataSetSha256)) !== id) add(copyKey(sopUid, dataSetSha256), id);
  }
  return { copies, studies };
}

type Standing = ReturnType<typeof standing>;
const isOpen = (how: Standing) => how === "under way" || how === "failed";

/** Of each copy: whether it must be there, and whether it may. */
function checkCopies(found: Found, acts: readonly Act[], steps: number): void {
  const must = new Set<string>();
  const may = new Set<string>();
  const removals = new Map<string, Standing[]>();
  for (const act of acts) {
    if (act.kind === "remove")
      removals.set(act.studyUid, [...(removals.get(act.studyUid) ?? []), standing(act, steps)]);
  }
  for (const act of acts) {
    if (act.kind !== "store") continue;
    const how = standing(act, steps);
    const removed = removals.get(act.copy.studyUid) ?? [];
    if (removed.includes("done") || act.copy.isRefused || how === undefined) continue;
    const key = copyKey(act.copy.sopUid, act.copy.sha256);
    if (how !== "failed") may.add(key);
    if (how === "done" && !removed.some(isOpen)) must.add(key);
  }
  for (const key of must) assert.ok(found.copies.has(key), "what was acknowledged is lost");
  for (const key of found.copies.keys())
    assert.ok(may.has(key), "something is there that nobody stored, or that is shredded");
  for (const [studyUid, how] of removals) {
    if (!how.some(isOpen)) continue;
    const expected = acts.filter(
      (act) => act.kind === "store" && act.copy.studyUid === studyUid && standing(act, steps) === "done",
    );
    const there = expected.filter(
      (act) => act.kind === "store" && found.copies.has(copyKey(act.copy.sopUid, act.copy.sha256)),
    );
    assert.ok(there.length === 0 || there.length === expected.length, "a study is shredded in part");
  }
}

/** What a study says is what its last correction said that was acknowledged, or one that was under way. */
function checkCorrections(found: Found, acts: readonly Act[], steps: number): void {
  for (const [studyUid, values] of found.studies) {
    const corrections = acts.filter(
      (act): act is ActOf<"correct"> => act.kind === "correct" && act.studyUid === studyUid,
    );
    const allowed = new Map<string, (string | undefined)[]>();
    for (const correction of corrections) {
      const how = standing(correction, steps);
      if (how === undefined) continue;
      for (const [keyword, value] of Object.entries(correction.values)) {
        const before = allowed.get(keyword) ?? [undefined];
        allowed.set(keyword, how === "done" ? [value] : [...before, value]);
      }
    }
    for (const [keyword, any] of allowed) {
      const isAsBefore =
        any.includes(undefined) && !corrections.some(({ values: to }) => to[keyword] === values[keyword]);
      assert.ok(isAsBefore || any.includes(values[keyword]), `${keyword} is not what it was corrected to`);
    }
  }
}

/** The log begins with every entry that anybody was told of, and proves. */
async function checkLog({ audit }: HouseOnFiles, { lines }: Recording, steps: number): Promise<void> {
  const kept = await audit.lines(0, lines.length);
  for (const [at, { line, endedAt }] of lines.entries()) {
    if (endedAt > steps) continue;
    assert.ok(kept[at]?.equals(line), `entry ${at} of the audit log is lost or changed`);
  }
  await audit.checkpoint();
  const notes: string[] = [];
  for await (const { note } of audit.checkpoints()) notes.push(note);
  const verdict = await verifyLog({
    text: (await audit.lines(0, audit.size())).map((line) => Buffer.concat([line, Buffer.from("\n")])),
    checkpoints: notes,
    verifierKey: audit.verifierKey(),
  });
  assert.ok(verdict.ok, verdict.what ?? "");
  assert.equal(verdict.vouchedUntil, audit.size());
}

/** The index names what the packs hold, each instance with its entry in the log, and nothing is damaged. */
async function checkAgreement({ vault, archive, audit }: HouseOnFiles, { copies }: Found): Promise<void> {
  const inPacks = new Set<string>();
  const ids = new Set<string>();
  const images = new Set<string>();
  for await (const { id } of vault.images()) images.add(id);
  for await (const { record } of vault.recover(new Map())) {
    const stored = JSON.parse(record.toString("utf8")) as {
      readonly kind: string;
      readonly record: { readonly sopUid: string; readonly dataSetSha256: string };
      readonly image: { readonly id: string };
    };
    if (stored.kind !== "instance" || !images.has(stored.image.id)) continue;
    assert.ok(!ids.has(stored.image.id), "an identity half is there twice");
    ids.add(stored.image.id);
    inPacks.add(copyKey(stored.record.sopUid, stored.record.dataSetSha256));
  }
  assert.deepEqual([...copies.keys()].sort(), [...inPacks].sort(), "index and packs disagree");
  const entries = await audit.entries(0, audit.size());
  const logged = new Set(
    entries.flatMap(({ act, on, outcome }) => (act === "instance.store" && outcome === "done" ? [on?.id] : [])),
  );
  for (const id of copies.values()) {
    assert.ok(ids.has(id), "the index names what no pack holds");
    assert.ok(logged.has(id), "an instance has no entry in the audit log");
  }
  // Of objects that share a sync a later one may reach the disk alone. Nobody knows what stood before it, so check tells of the gap.
  const damage = (await archive.check(operator, () => {})).filter(({ what }) => !what.includes("no finished object"));
  assert.deepEqual(damage, []);
}

/** A rotation that was cut off comes to its end. */
async function endRotation({ keyring }: HouseOnFiles): Promise<void> {
  const tenant = keyring.tenant("main");
  for (let turns = 0; tenant.olderGenerations.length > 0; turns++) {
    assert.ok(turns < 10_000, "a rotation that was cut off does not come to its end");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The keyring opens with the phrase that was acknowledged last, and with no other. */
async function checkKeys(files: Files, { keyring }: HouseOnFiles, acts: readonly Act[], steps: number): Promise<void> {
  const place = { files, folder: `${home}/keys`, random: systemRandom };
  const change = acts.find((act) => act.kind === "root");
  if (change === undefined) return;
  const how = standing(change, steps);
  const opens = await Promise.all(
    passphrases.map((passphrase) =>
      openKeyring({ ...place, passphrase }).then(
        (opened) => {
          opened.wipe();
          return true;
        },
        (error) => {
          assert.ok(isProblem(error, "denied"), String(error));
          return false;
        },
      ),
    ),
  );
  if (how === "done") assert.deepEqual(opens, [false, true], "a new root key does not hold");
  else if (how === undefined) assert.deepEqual(opens, [true, false]);
  else assert.equal(opens.filter(Boolean).length, 1);
  assert.equal(keyring.rootKind(), "passphrase");
}

/** Two shares of a kit that was acknowledged open the keyring. */
async function checkKit({ recording, steps, disk }: Crashed): Promise<void> {
  for (const act of recording.ledger.acts) {
    if (act.kind !== "kit" || act.shares === undefined || standing(act, steps) !== "done") continue;
    const { files } = createTracedFiles(disk);
    const place = {
      files,
      folder: `${home}/keys`,
      random: systemRandom,
      passphrase: "a phrase after the recovery",
      cost,
    };
    (await recoverKeyring({ ...place, shares: act.shares.slice(1) })).wipe();
  }
}

/** What was acknowledged before a backup began that was acknowledged too comes back from it on another machine. */
async function checkBackup({ recording, steps, disk }: Crashed): Promise<void> {
  const { acts } = recording.ledger;
  const backup = acts.findLast((act) => act.kind === "backup" && standing(act, steps) === "done");
  if (backup === undefined) return;
  const { files } = createTracedFiles(await restoredDisk(disk, passphrases[0] ?? ""));
  const house = await start(files, createMemoryBlindStore());
  const { copies } = await survey(house);
  const gone = new Set(acts.flatMap((act) => (act.kind === "remove" && act.begunAt <= steps ? [act.studyUid] : [])));
  for (const act of acts) {
    if (act.kind !== "store" || act.outcome !== "done" || act.endedAt > backup.begunAt) continue;
    if (gone.has(act.copy.studyUid)) continue;
    assert.ok(copies.has(copyKey(act.copy.sopUid, act.copy.sha256)), "a backup does not hold what it was taken of");
  }
  await house.close();
}

async function storeOneMore({ archive }: HouseOnFiles) {
  const copy = smallImage({ study: 99, number: 1 });
  const receiving = archive.receiveFile(operator);
  await receiving.write(copy.file);
  await receiving.finish();
  return copy;
}

/** What was found before, and the one more as it was found. */
function withOneMore(found: Found, more: Awaited<ReturnType<typeof storeOneMore>>, again: Found): Found {
  const key = copyKey(more.sopUid, more.sha256);
  const id = again.copies.get(key);
  assert.ok(id !== undefined, "what was stored after the crash is not there");
  return {
    copies: new Map([...again.copies.keys()].map((each) => [each, each === key ? id : (found.copies.get(each) ?? "")])),
    studies: new Map([...found.studies, [more.studyUid, again.studies.get(more.studyUid) ?? {}]]),
  };
}
