import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { BackupView, StatusView, VaultReport } from "#formats/api";
import { newHome, type RunningHouse, root, startHouse } from "../house/index.ts";
import { retrieve, type Slice, search, sha256, slicesOf, storeAll } from "./modality.fixture.ts";

const admit = (house: RunningHouse) => house.command(["device", "add", "CT1", "--address", "127.0.0.1"]);
const studyOf = (seed: number, slices = 4) => slicesOf({ kind: "mr-brain", slices, size: 64, seed });

interface Restored {
  readonly point: number;
  readonly instances: number;
  readonly studies: number;
  readonly withoutImage: number;
}

interface Drill extends Restored {
  readonly isWhole: boolean;
  readonly objects: number;
  readonly found: number;
  readonly opened: number;
  readonly damaged: number;
  readonly recoveryMs: number;
  readonly takenAt: number;
  readonly newestInstanceAt: number | null;
  readonly behindMs: number | null;
}

/** A running home with a backup folder beside it; both go when the work is over. */
async function withHouse(work: (house: RunningHouse, folder: string) => Promise<void>): Promise<void> {
  const beside = mkdtempSync(join(tmpdir(), "lg-backup-"));
  const house = await startHouse();
  try {
    admit(house);
    await work(house, beside);
  } finally {
    await house.remove();
    rmSync(beside, { recursive: true, force: true });
  }
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `leadglass` command on a home, while this process goes on. */
function run(home: string, ...words: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(join(root, "bin", "leadglass"), [...words, "--home", home]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

async function runWell<Report>(home: string, ...words: string[]): Promise<Report> {
  const { status, stdout, stderr } = await run(home, ...words, "--json");
  if (status !== 0) throw new Error(`leadglass ${words.join(" ")} exited with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Report;
}

const backUp = (house: RunningHouse, folder: string, ...words: string[]) =>
  runWell<BackupView>(house.home, "vault", "backup", join(folder, "backup"), ...words);

/** The passphrase lies in the home of a first try: it is taken along by hand, as its owner would from the recovery kit. */
function passphraseOf(house: RunningHouse, folder: string): string {
  const file = join(folder, "passphrase");
  if (!existsSync(file)) cpSync(join(house.home, "root.passphrase"), file);
  return file;
}

const restoreWords = (house: RunningHouse, folder: string) => [
  ...["vault", "restore", join(folder, "backup")],
  ...["--passphrase-file", passphraseOf(house, folder)],
];

async function assertServed(house: RunningHouse, slices: readonly Slice[]): Promise<void> {
  for (const slice of slices) assert.equal(sha256(await retrieve(house, slice)), slice.sha256);
}

/** A server on a restored home. */
function startRestored(home: string, passphraseFile: string): Promise<RunningHouse> {
  return startHouse({ home, environment: { LEADGLASS_PASSPHRASE_FILE: passphraseFile } });
}

test("a backup that is taken while images arrive gives every image back that was acknowledged before it", () =>
  withHouse(async (house, folder) => {
    const before = studyOf(81, 6);
    await storeAll(house, before);
    let isOver = false;
    const arriving = (async () => {
      const stored: Slice[] = [];
      for (let seed = 100; !isOver; seed++) {
        const slices = studyOf(seed, 2);
        await storeAll(house, slices);
        stored.push(...slices);
      }
      return stored;
    })();
    const { point } = await backUp(house, folder);
    isOver = true;
    const stored = await arriving;
    assert.equal(point, 1);

    const home = newHome();
    const restored = await runWell<Restored>(home, ...restoreWords(house, folder));
    assert.ok(restored.instances >= before.length, `${restored.instances} instances`);
    assert.equal(restored.withoutImage, 0);
    const again = await startRestored(home, passphraseOf(house, folder));
    try {
      await assertServed(again, before);
      const held = new Set(
        (await search(again, "/instances?limit=200")).map((json) => String(json["00080018"]?.Value?.[0])),
      );
      await assertServed(
        again,
        stored.filter(({ sopInstanceUid }) => held.has(sopInstanceUid)),
      );
      assert.equal(held.size, restored.instances);
      const checked = JSON.parse(again.command(["vault", "check", "--json"])) as VaultReport;
      assert.deepEqual(checked.damaged, []);
      assert.match(again.command(["audit", "verify"]), /entries/);
      assert.match(again.command(["device", "list"]), /CT1/);
      await storeAll(again, studyOf(300));
      await assertServed(again, studyOf(300));
    } finally {
      await again.remove();
    }
  }));

test("the second point copies what is new; each point gives back its own time; the drill tells how long and how much", () =>
  withHouse(async (house, folder) => {
    const first = studyOf(82);
    const second = studyOf(83);
    await storeAll(house, first);
    const one = await backUp(house, folder);
    await storeAll(house, second);
    const two = await backUp(house, folder, "--verify");
    assert.deepEqual(two.losses, []);
    assert.deepEqual(two.points, [1, 2]);
    assert.ok(two.copiedBytes < two.bytes && one.copiedBytes > 0);
    const nothing = await backUp(house, folder);
    assert.ok(nothing.copiedBytes < one.copiedBytes / 10, "a metadata blob at most");

    const old = newHome();
    const restored = await runWell<Restored>(old, ...restoreWords(house, folder), "--point", "1");
    assert.equal(restored.instances, first.length);
    rmSync(old, { recursive: true });

    await storeAll(house, studyOf(84));
    const drill = await runWell<Drill>(house.home, "vault", "drill", join(folder, "backup"), "--in", folder);
    assert.ok(drill.isWhole);
    assert.equal(drill.instances, first.length + second.length);
    assert.deepEqual([drill.opened, drill.damaged], [drill.objects, 0]);
    assert.ok(drill.recoveryMs > 0 && drill.newestInstanceAt !== null && drill.newestInstanceAt <= drill.takenAt);
    assert.ok((drill.behindMs ?? 0) > 0, "the home has newer ones");
    const words = ["vault", "drill", join(folder, "backup"), "--sample", "3", "--in", folder];
    assert.match(house.command(words), /^whole: point 3, recovery time .* 3 of \d+ objects opened/);
    assert.deepEqual(readdirSync(folder).sort(), ["backup", "passphrase"], "nothing of the drill is left");
  }));

test("a drill on a backup that lost a pack says what is lost, exits 1 and leaves nothing behind", () =>
  withHouse(async (house, folder) => {
    await storeAll(house, studyOf(85));
    await backUp(house, folder);
    const packs = join(folder, "backup", "packs");
    const pack = join(packs, readdirSync(packs)[0] ?? "");
    rmSync(pack);
    const drill = house.tryCommand(["vault", "drill", join(folder, "backup"), "--in", folder]);
    assert.equal(drill.status, 1);
    assert.match(drill.stdout, /NOT WHOLE/);
    assert.match(drill.stdout, /packs\/\S+: missing/);
    assert.deepEqual(readdirSync(folder), ["backup"]);
    assert.deepEqual((await backUp(house, folder, "--verify")).losses, [], "the home still has it");
    assert.equal(house.tryCommand(["vault", "drill", join(folder, "backup"), "--in", folder]).status, 0);
  }));

test("a restore into a home that is not empty, with another passphrase, or from damage is refused and says why", () =>
  withHouse(async (house, folder) => {
    await storeAll(house, studyOf(86));
    await backUp(house, folder);
    const occupied = await run(house.home, ...restoreWords(house, folder));
    assert.equal(occupied.status, 1);
    assert.match(occupied.stderr, /not empty/);
    const wrong = join(folder, "wrong");
    writeFileSync(wrong, "six random words that are others\n");
    const words = ["vault", "restore", join(folder, "backup"), "--passphrase-file", wrong];
    const denied = await run(join(folder, "new"), ...words);
    assert.equal(denied.status, 1);
    assert.match(denied.stderr, /does not open/);
    const packs = join(folder, "backup", "identity", "packs");
    const name = readdirSync(packs)[0] ?? "";
    const bytes = readFileSync(join(packs, name));
    bytes[200] = (bytes[200] ?? 0) ^ 1;
    writeFileSync(join(packs, name), bytes);
    const damaged = await run(join(folder, "newer"), ...restoreWords(house, folder));
    assert.equal(damaged.status, 1);
    assert.match(damaged.stderr, new RegExp(`identity/packs/${name}: bytes 0 to`));
    assert.match(damaged.stderr, /--accept-loss/);
    const accepted = await run(join(folder, "newest"), ...restoreWords(house, folder), "--accept-loss");
    assert.equal(accepted.status, 0, accepted.stderr);
  }));

test("a thief of the backup folder finds no name, number, UID, account or entry of the log in it", () =>
  withHouse(async (house, folder) => {
    const [slice] = slicesOf({ kind: "mr-brain", slices: 1, size: 64, seed: 87 }, (same) => ({
      ...same,
      PatientName: "Canary^Backup",
      PatientID: "CANARY-ID-77",
      AccessionNumber: "CANARYACC",
    })) as [Slice];
    await storeAll(house, [slice]);
    house.command(["init", "--admin", "canary@example.org", "--password-stdin"], "a long enough password\n");
    await backUp(house, folder);
    const canaries = ["Canary^Backup", "CANARY-ID-77", "CANARYACC", slice.studyUid, slice.sopInstanceUid];
    const inOthers = ["canary@example.org", "instance.store", "BEGIN PRIVATE", "BEGIN CERTIFICATE"];
    for (const file of filesUnder(join(folder, "backup"))) {
      const bytes = readFileSync(file);
      for (const canary of [...canaries, ...inOthers]) assert.ok(!bytes.includes(canary), `${canary} in ${file}`);
    }
  }));

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

test("a backup folder whose disk is not mounted, or that lies in the home, is not begun anew by mistake", () =>
  withHouse(async (house, folder) => {
    await storeAll(house, studyOf(88, 1));
    await backUp(house, folder);
    rmSync(join(folder, "backup"), { recursive: true });
    const unmounted = house.tryCommand(["vault", "backup", join(folder, "backup")]);
    assert.equal(unmounted.status, 1);
    assert.match(unmounted.stderr, /mounted/);
    assert.ok(!existsSync(join(folder, "backup")));
    assert.equal((await backUp(house, folder, "--begin-anew")).point, 1);
    assert.match(house.tryCommand(["vault", "backup", join(house.home, "b")]).stderr, /inside the home/);
    assert.equal((JSON.parse(house.command(["status", "--json"])) as StatusView).studies, 1);
  }));
