// What each thief of the design has (section 3), played with the files of a home that was used. Rest of the vault: sealed-objects.test.ts.
import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { systemRandom } from "#base/id";
import { systemFiles } from "#base/io";
import { isProblem } from "#base/problem";
import { parseDataSet, Tag } from "#formats/dicom";
import { operator } from "#trust/access";
import { openKeyring } from "#trust/vault";
import { startHouse } from "../house/index.ts";
import { filesUnder, inside, readingOf, type UsedHome, usedHome, vaultOf, write } from "./thief.fixture.ts";

let used: UsedHome;
before(async () => {
  used = await usedHome();
});
after(() => used?.remove());

const keyringOf = (home: string, passphrase: string) =>
  openKeyring({ files: systemFiles, folder: join(home, "keys"), passphrase, random: systemRandom });

/** Every image half that opens, as it is. */
async function openedImages(loot: string, passphrase: string, keyring = join(loot, "keys")): Promise<Buffer[]> {
  const vault = await vaultOf(loot, { keyring, passphrase, image: true });
  const opened: Buffer[] = [];
  try {
    for await (const { id, place } of vault.images()) {
      try {
        const object = await vault.open(place, id);
        opened.push(await object.read(0, object.sizeBytes));
      } catch (error) {
        assert.ok(isProblem(error, "absent") || isProblem(error, "damaged"), String(error));
      }
    }
  } finally {
    await vault.close();
  }
  return opened;
}

test("whoever steals the index finds nobody in it, and opens none of its rows without keys", async () => {
  const loot = used.taken("identity/index.db");
  assert.deepEqual(used.namesIn(loot), []);
  const [patient] = used.patients;
  // In a home of the thief's own, with a keyring of the thief's own.
  const own = used.taken();
  await inside(own, async () => {});
  cpSync(join(loot, "identity", "index.db"), join(own, "identity", "index.db"));
  for (const log of ["-wal", "-shm"]) rmSync(join(own, "identity", `index.db${log}`), { force: true });
  await assert.rejects(
    inside(own, async () => {}),
    { code: "conflict" },
    "it says whose it is",
  );
  const database = new DatabaseSync(join(own, "identity", "index.db"));
  database.exec("delete from owner");
  database.close();
  await inside(own, async ({ archive }) => {
    const matches = [{ keyword: "PatientID", kind: "equal", values: [patient.id] } as const];
    const page = { limit: 100, offset: 0 };
    assert.deepEqual(await archive.findStudies(operator, { matches, ...page }), []);
    assert.deepEqual(await archive.findStudies(operator, { matches: [], ...page }).catch(() => []), []);
  });
});

test("whoever steals the image store, the identity store or the access database has sealed objects", () => {
  for (const name of ["packs", "identity/packs", "access.db"]) {
    const loot = used.taken(name);
    assert.ok(filesUnder(loot).length > 0, name);
    assert.deepEqual(used.namesIn(loot), [], name);
  }
});

test("whoever has the image store with every key that there is opens all pixels, and still learns of nobody", async () => {
  const loot = used.taken("packs", "keys");
  const opened = await openedImages(loot, used.passphrase);
  assert.ok(opened.length >= used.slices.length, `${opened.length} images`);
  for (const bytes of opened) assert.deepEqual(used.search.in(bytes), []);
  // The pixels are there, and so is what it takes to show them.
  const { dataSet } = used.full;
  const pixels = parseDataSet(dataSet, used.full).dataSet.bytes(Tag.PixelData);
  assert.ok(pixels !== undefined && pixels.length > 1_000);
  assert.equal(opened.filter((bytes) => bytes.includes(Buffer.from(pixels))).length >= 1, true);
  // The same search finds who it is in what was received.
  assert.ok(used.search.in(Buffer.from(dataSet)).length > 500);
});

test("whoever has the identity store and every key of the image hierarchy opens nothing of it", async () => {
  const loot = used.taken("identity/packs", "keys", "packs");
  const parts = { keyring: join(loot, "keys"), passphrase: used.passphrase, image: true } as const;
  const vault = await vaultOf(loot, { ...parts, identity: "objects" });
  let found = 0;
  for await (const _ of vault.recover(new Map())) found++;
  await vault.close();
  assert.equal(found, 0);
  // With the keys of identities as well it is all there: the loot was whole.
  cpSync(join(used.home, "identity", "keys"), join(loot, "identity", "keys"), { recursive: true });
  const whole = await vaultOf(loot, { ...parts, identity: "all" });
  for await (const _ of whole.recover(new Map())) found++;
  await whole.close();
  assert.ok(found >= used.slices.length, `${found} objects`);
});

test("whoever steals a backup has nothing without the passphrase that is not in it", async () => {
  assert.deepEqual(used.namesIn(used.backup), []);
  for (const path of filesUnder(used.backup)) assert.ok(!readFileSync(path).includes(used.passphrase), path);
  const own = used.taken();
  await inside(own, async () => {});
  const house = await startHouse({ home: own });
  try {
    const guessed = join(used.taken(), "guess");
    write(guessed, "correct horse battery staple");
    const into = join(used.taken(), "restored");
    const words = ["vault", "restore", used.backup, "--passphrase-file", guessed, "--home", into];
    const refused = house.tryCommand(words);
    assert.notEqual(refused.status, 0);
    assert.deepEqual(used.search.in(Buffer.from(refused.stdout + refused.stderr)), []);
  } finally {
    await house.remove();
  }
});

test("whoever steals a home without the passphrase, kept elsewhere, cannot open it; with it, they can", async () => {
  const loot = used.taken(".");
  rmSync(join(loot, "root.passphrase"));
  assert.deepEqual(used.namesIn(loot), []);
  for (const path of filesUnder(loot)) assert.ok(!readFileSync(path).includes(used.passphrase), path);
  for (const guess of ["", "leadglass", used.passphrase.slice(1), `${used.passphrase}x`]) {
    await assert.rejects(keyringOf(loot, guess), (error) => isProblem(error, "denied"));
  }
  await assert.rejects(
    inside(loot, async () => {}),
    (error) => isProblem(error),
  );
  // A home with its passphrase in it, as a first start makes it, opens for everybody who has it.
  write(join(loot, "root.passphrase"), used.passphrase);
  assert.deepEqual(await inside(loot, (house) => readingOf(house, used.full)), [used.full.sha256]);
});

test("what was shredded opens in no old copy under the keys of now; an old copy of keys opens it until a rotation has ended", async () => {
  const { full, other } = used;
  const old = used.taken(".");
  const now = used.taken(".");
  await inside(now, async (house) => {
    assert.deepEqual(await readingOf(house, full), [full.sha256]);
    const study = await house.index.study(full.studyUid);
    const patientToken = await house.vault.patientOf(study?.studyToken ?? "");
    await house.vault.shred({
      studyTokens: [study?.studyToken ?? ""],
      ...(patientToken !== undefined && { patientToken }),
    });
    assert.deepEqual(await readingOf(house, full), ["absent"]);
    assert.deepEqual(await readingOf(house, other), [other.sha256]);
  });
  /** The old bytes of index, packs and log with other keys. */
  const oldWith = (from: { readonly studies: string; readonly keyring: string }) => {
    const home = used.taken();
    cpSync(old, home, { recursive: true });
    for (const keys of ["keys", "identity/keys"]) {
      rmSync(join(home, keys), { recursive: true });
      cpSync(join(from.studies, keys), join(home, keys), { recursive: true });
    }
    cpSync(join(from.keyring, "keys", "keyring.json"), join(home, "keys", "keyring.json"));
    return home;
  };
  const reading = (home: string) =>
    inside(home, async (house) => [await readingOf(house, full), await readingOf(house, other)]);
  const gone = [["absent"], [other.sha256]];
  assert.deepEqual(await reading(oldWith({ studies: now, keyring: now })), gone);
  const opened = await openedImages(oldWith({ studies: now, keyring: now }), used.passphrase);
  assert.equal(opened.length, (await openedImages(used.taken("packs", "keys"), used.passphrase)).length - 1);
  // Honestly: who kept the key stores of before has the study's keys, wrapped, and the keyring of now still unwraps them.
  assert.deepEqual(await reading(oldWith({ studies: old, keyring: now })), [[full.sha256], [other.sha256]]);

  await inside(now, (house) => rotated(house));
  assert.deepEqual(await inside(now, (house) => readingOf(house, other)), [other.sha256]);
  assert.deepEqual(await openedImages(oldWith({ studies: old, keyring: now }), used.passphrase), []);
  // Nothing helps against who kept everything, keyring and passphrase too: a new passphrase, and old copies destroyed.
  assert.deepEqual(await reading(old), [[full.sha256], [other.sha256]]);
});

async function rotated(house: Parameters<Parameters<typeof inside>[1]>[0]): Promise<void> {
  const { isWhole } = await house.keyRotation.rotateTenant(operator, () => {});
  assert.ok(isWhole);
}
