import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { CompactionView, ScrubView, StatusView, StudyPage, VaultReport } from "#formats/api";
import { newHome, type RunningHouse, root, startHouse } from "../house/index.ts";
import { flipByteInFirstPack } from "./flipped-byte.fixture.ts";
import { asOperator, retrieve, type Slice, search, sha256, slicesOf, stow, wholeLog } from "./modality.fixture.ts";

/*
 * What goes on by itself with stored objects, on a real server: two places, scrub, compaction, retention, legal hold.
 */

const json = <T>(text: string) => JSON.parse(text) as T;
const fastScrub = { LEADGLASS_SCRUB_RATE: "10000" };

async function assertServed(house: RunningHouse, slices: readonly Slice[]): Promise<void> {
  for (const slice of slices) assert.equal(sha256(await retrieve(house, slice)), slice.sha256);
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_200; tries++) {
    if (await isSo()) return;
    await sleep(50);
  }
  assert.fail(`not within a minute: ${what}`);
}

const statusOf = (house: RunningHouse) => asOperator<StatusView>(house, "/api/status");

/** One whole pass from now on. */
async function scrubbed(house: RunningHouse): Promise<ScrubView> {
  const before = json<ScrubView>(house.command(["vault", "scrub", "--now", "--json"])).lastFullPass?.endedAt ?? 0;
  let seen = await statusOf(house);
  await until("a full pass", async () => {
    seen = await statusOf(house);
    return (seen.care.scrub.lastFullPass?.startedAt ?? 0) > before;
  });
  return seen.care.scrub;
}

const packsIn = (folder: string) =>
  new Map(
    ["packs", join("identity", "packs")].flatMap((half) =>
      readdirSync(join(folder, half)).map((name) => [join(half, name), sha256(readFileSync(join(folder, half, name)))]),
    ),
  );
const bytesIn = (folder: string) =>
  ["packs", join("identity", "packs")]
    .flatMap((half) => readdirSync(join(folder, half)).map((name) => join(folder, half, name)))
    .reduce((sum, path) => sum + statSync(path).size, 0);

async function tokensByUid(house: RunningHouse): Promise<Map<string, string>> {
  const { studies } = await asOperator<StudyPage>(house, "/api/studies");
  return new Map(studies.map(({ studyUid, token }) => [studyUid, token]));
}

test("a second place holds the same packs; a byte that changes in the first is mended from it, and survives a restart", async () => {
  const [home, replica] = [newHome(), mkdtempSync(join(tmpdir(), "lg-replica-"))];
  const environment = { ...fastScrub, LEADGLASS_OBJECTS: `,${replica}` };
  let house = await startHouse({ home, environment });
  try {
    const slices = slicesOf({ kind: "mr-brain", slices: 4, size: 64, seed: 61 });
    assert.equal((await stow(house, slices)).status, 200);
    await assertServed(house, slices);
    const { replica: lag } = (await statusOf(house)).care;
    assert.deepEqual(lag, { laggingBytes: 0, since: null, strangePacks: 0 });
    assert.match(house.command(["status"]), /replica keeps step/);
    assert.deepEqual(packsIn(replica), packsIn(home));

    flipByteInFirstPack(join(home, "packs"), 5_000);
    const outcomes = await Promise.allSettled(slices.map((slice) => retrieve(house, slice)));
    assert.ok(outcomes.some(({ status }) => status === "rejected"));
    const { lastFullPass, damaged } = await scrubbed(house);
    assert.equal(lastFullPass?.repaired, 1);
    assert.equal(damaged, 0);
    await assertServed(house, slices);
    assert.deepEqual(json<VaultReport>(house.command(["vault", "check", "--json"])).damaged, []);
    assert.match(house.command(["vault", "scrub"]), /scrub resting, last full pass .* 1 mended/);

    await house.stop();
    house = await startHouse({ home, environment });
    await assertServed(house, slices);
    await until("the replica keeps step", async () => (await statusOf(house)).care.replica?.since === null);
    assert.deepEqual(packsIn(replica), packsIn(home));
    assert.equal((await statusOf(house)).care.scrub.lastFullPass?.endedAt, lastFullPass?.endedAt);
  } finally {
    await house.remove();
    rmSync(replica, { recursive: true, force: true });
  }
});

test("without a second place damage is told by status and by check; a paused scrub reads nothing", async () => {
  const house = await startHouse({ environment: fastScrub });
  try {
    const slices = slicesOf({ kind: "mr-brain", slices: 3, size: 64, seed: 62 });
    assert.equal((await stow(house, slices)).status, 200);
    flipByteInFirstPack(join(house.home, "packs"), 5_000);
    house.command(["vault", "scrub", "--pause"]);
    house.command(["vault", "scrub", "--now"]);
    await sleep(300);
    assert.match(house.command(["status"]), /scrub paused/);
    assert.equal((await statusOf(house)).care.scrub.damaged, 0);
    house.command(["vault", "scrub", "--resume"]);
    assert.equal((await scrubbed(house)).damaged, 1);
    assert.match(house.command(["status"]), /DAMAGED: 1 ranges/);
    assert.equal(house.tryCommand(["vault", "check"]).status, 1);
    assert.equal((await statusOf(house)).care.replica, null);
    const both = house.tryCommand(["vault", "scrub", "--pause", "--now"]);
    assert.equal(both.status, 2);
    await house.stop();
    assert.match(house.command(["status"]), /DAMAGED: 1 ranges/, "it is known while nothing runs");
  } finally {
    await house.remove();
  }
});

test("a clock that jumps ahead deletes nothing; confirmed, what is due goes, and neither what is held nor what is under no rule", async () => {
  const home = newHome();
  const rules = { rules: [{ modalities: ["MR"], days: 1, from: "arrival" }], afterArrivalDays: 1 };
  writeFileSync(join(home, "leadglass.json"), JSON.stringify({ retention: rules }));
  const shift = join(home, "shift.mjs");
  writeFileSync(shift, "const now = Date.now; Date.now = () => now() + Number(process.env.TEST_SHIFT_MS);\n");
  const threeDaysOn = { NODE_OPTIONS: `--import=${shift}`, TEST_SHIFT_MS: String(3 * 24 * 3600 * 1000) };
  const [due, held, other] = [
    slicesOf({ kind: "mr-brain", slices: 2, size: 32, seed: 63 }),
    slicesOf({ kind: "mr-brain", slices: 2, size: 32, seed: 64 }),
    slicesOf({ kind: "ct-head", slices: 2, size: 32, seed: 65 }),
  ];
  const uidOf = (slices: readonly Slice[]) => slices[0]?.studyUid ?? "";
  let house = await startHouse({ home });
  try {
    assert.equal((await stow(house, [...due, ...held, ...other])).status, 200);
    const tokens = await tokensByUid(house);
    const tokenOf = (slices: readonly Slice[]) => tokens.get(uidOf(slices)) ?? "";
    house.command(["vault", "hold", tokenOf(held)]);
    assert.equal(house.tryCommand(["vault", "hold", "0".repeat(32)]).status, 1, "no such study");
    assert.equal(house.tryCommand(["vault", "hold", "everything"]).status, 2);
    await house.stop();

    house = await startHouse({ home, environment: threeDaysOn });
    assert.match(house.command(["vault", "holds"]), new RegExp(`^${tokenOf(held)} since `));
    assert.match(
      house.command(["status"]),
      /3\.0 days behind; leadglass vault confirm-clock[\s\S]*1 studies under legal/,
    );
    await sleep(500);
    assert.equal((await tokensByUid(house)).size, 3);
    assert.match(house.command(["vault", "confirm-clock"]), /was 3\.0 days behind/);
    await until("the study that is due is gone", async () => (await tokensByUid(house)).size === 2);
    assert.equal((await tokensByUid(house)).has(uidOf(due)), false);
    await assertServed(house, [...held, ...other]);

    house.command(["vault", "hold", tokenOf(held), "--release"]);
    house.command(["vault", "confirm-clock"]);
    await until("the released study is gone", async () => (await tokensByUid(house)).size === 1);
    const endings = async () =>
      (await wholeLog(house))
        .filter(
          ({ act, on }) => /^study\.(delete|hold|release)$/.test(act) && [...tokens.values()].includes(on?.id ?? ""),
        )
        .filter(({ outcome }) => outcome === "done")
        .map(({ act, actor, on }) => `${actor} ${act} ${on?.id}`);
    // A list drops a study when its deletion begins; the log says done when it has ended.
    await until("the log says how the four acts ended", async () => (await endings()).length >= 4);
    assert.deepEqual(await endings(), [
      `operator study.hold ${tokenOf(held)}`,
      `system study.delete ${tokenOf(due)}`,
      `operator study.release ${tokenOf(held)}`,
      `system study.delete ${tokenOf(held)}`,
    ]);
    const report = json<CompactionView>(house.command(["vault", "compact", "--json"]));
    assert.ok(report.freedBytes > 0 && report.damagedPacks === 0);
    await house.stop();
    house = await startHouse({ home });
    assert.equal(json<VaultReport>(house.command(["vault", "rebuild", "--json"])).instances, other.length);
    await assertServed(house, other);
  } finally {
    await house.remove();
  }
});

test("a copy in conflict is given up, unless it is served or held; compaction takes its room back, and all else is served from where it was moved", async () => {
  const home = newHome();
  let house = await startHouse({ home });
  try {
    const slices = slicesOf({ kind: "mr-brain", slices: 4, size: 64, seed: 66 });
    const [first] = slicesOf({ kind: "mr-brain", slices: 4, size: 64, seed: 66 }, (same) => ({
      ...same,
      SeriesDescription: "sent again, changed",
    }));
    assert.ok(first !== undefined);
    assert.equal((await stow(house, slices)).status, 200);
    await stow(house, [first]);
    const [token] = [...(await tokensByUid(house)).values()];
    const checked = json<VaultReport>(house.command(["vault", "check", "--json"]));
    const [served, other] = [true, false].map((isServed) => checked.copies.find((each) => each.isServed === isServed));
    assert.ok(checked.copies.length === 2 && served !== undefined && other !== undefined && served.study === token);
    assert.match(house.command(["vault", "check"]), new RegExp(`conflict: ${served.instance} .*is served`));

    assert.equal(house.tryCommand(["vault", "discard-conflict", served.instance]).status, 1);
    house.command(["vault", "hold", served.study]);
    assert.match(house.tryCommand(["vault", "discard-conflict", other.instance]).stderr, /legal hold/);
    house.command(["vault", "hold", served.study, "--release"]);
    house.command(["vault", "discard-conflict", other.instance]);
    assert.equal(house.tryCommand(["vault", "discard-conflict", other.instance]).status, 1, "it is gone already");

    const before = bytesIn(home);
    const compacted = json<CompactionView>(house.command(["vault", "compact", "--json"]));
    assert.ok(compacted.packs >= 1 && bytesIn(home) <= before - compacted.freedBytes, "room came back");
    const assertWhole = async () => {
      await assertServed(house, slices);
      assert.equal((await search(house, `/studies/${first.studyUid}/instances`)).length, slices.length);
      const { damaged, conflicts } = json<VaultReport>(house.command(["vault", "check", "--json"]));
      assert.deepEqual([damaged, conflicts], [[], 0]);
    };
    await assertWhole();
    await house.stop("SIGKILL");
    house = await startHouse({ home });
    await assertWhole();
    assert.equal(json<VaultReport>(house.command(["vault", "rebuild", "--json"])).instances, slices.length);
    await assertWhole();
    assert.equal(json<CompactionView>(house.command(["vault", "compact", "--json"])).packs, 0, "nothing is left to do");
  } finally {
    await house.remove();
  }
});

test("objects rest in a folder of their own; a start without it, or with another home's, is refused", async () => {
  const [home, objects, another] = [newHome(), mkdtempSync(join(tmpdir(), "lg-objects-")), newHome()];
  const environment = { LEADGLASS_OBJECTS: objects };
  let house = await startHouse({ home, environment });
  try {
    const slices = slicesOf({ kind: "mr-brain", slices: 2, size: 32, seed: 67 });
    assert.equal((await stow(house, slices)).status, 200);
    await house.stop();
    assert.ok(readdirSync(join(objects, "packs")).length > 0);
    await assert.rejects(startHouse({ home }), /in another folder than is set/);
    await assert.rejects(startHouse({ home: another, environment }), /belongs to another home/);
    await assert.rejects(startHouse({ home, environment: { LEADGLASS_OBJECTS: "s3://a-bucket" } }), /not built yet/);
    renameSync(objects, `${objects}.away`);
    await assert.rejects(startHouse({ home, environment }), /is the disk of .* mounted/);
    renameSync(`${objects}.away`, objects);
    house = await startHouse({ home, environment });
    await assertServed(house, slices);
  } finally {
    await house.remove();
    for (const folder of [objects, another]) rmSync(folder, { recursive: true, force: true });
  }
});

test("holds come back from a backup; what is restored touches no folder of objects, whatever is set", async () => {
  const [home, beside] = [newHome(), mkdtempSync(join(tmpdir(), "lg-beside-"))];
  const [objects, backup, restored] = ["objects", "backup", "restored"].map((name) => join(beside, name)) as [
    string,
    string,
    string,
  ];
  const environment = { LEADGLASS_OBJECTS: `${objects},${join(beside, "replica")}` };
  let house = await startHouse({ home, environment });
  try {
    const slices = slicesOf({ kind: "mr-brain", slices: 2, size: 32, seed: 68 });
    assert.equal((await stow(house, slices)).status, 200);
    const [token = ""] = [...(await tokensByUid(house)).values()];
    house.command(["vault", "hold", token]);
    house.command(["vault", "backup", backup]);
    assert.match(house.command(["vault", "drill", backup]), /^whole/);
    await house.stop();
    const before = packsIn(objects);
    const passphrase = join(home, "root.passphrase");
    const words = ["vault", "restore", backup, "--passphrase-file", passphrase];
    const made = spawnSync(join(root, "bin", "leadglass"), [...words, "--home", restored], {
      env: { ...process.env, ...environment },
    });
    assert.equal(made.status, 0, made.stderr.toString());
    assert.deepEqual(packsIn(objects), before);
    const opening = { LEADGLASS_PASSPHRASE_FILE: passphrase };
    await assert.rejects(
      startHouse({ home: restored, environment: { ...environment, ...opening } }),
      /in another folder than is set/,
    );
    house = await startHouse({ home: restored, environment: opening });
    assert.match(house.command(["vault", "holds"]), new RegExp(`^${token} since `));
    await assertServed(house, slices);
  } finally {
    await house.remove();
    for (const folder of [beside, home]) rmSync(folder, { recursive: true, force: true });
  }
});
