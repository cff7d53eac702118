import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ShredCertificateView } from "#formats/api";
import { newHome, type RunningHouse, root, startHouse } from "../house/index.ts";
import { listStudies, makeAdministrator } from "../web/browser.fixture.ts";
import { retrieve, type Slice, search, slicesOf, stow, wholeLog } from "./modality.fixture.ts";
import { confirm, invite, type Person } from "./second-person.fixture.ts";

/*
 * Shredding as two administrators do it on a real server: of a study, then of a patient; what is left is looked at.
 */
let house: RunningHouse;
const backup = mkdtempSync(join(tmpdir(), "lg-shred-backup-"));
const people: Person[] = [];
const doe = { name: "Doe^Jane", id: "P-1", birthDate: "19700102", sex: "F" } as const;
const roe = { name: "Roe^Richard", id: "P-2", birthDate: "19600102", sex: "M" } as const;
const sliceFor = (seed: number, patient: typeof doe | typeof roe) =>
  slicesOf({ kind: "mr-brain", slices: 1, size: 32, seed, patient, accessionNumber: `A-${seed}` })[0] as Slice;
const [one, two, other] = [sliceFor(61, doe), sliceFor(62, doe), sliceFor(63, roe)];

before(async () => {
  house = await startHouse();
  await makeAdministrator(house);
  for (const name of ["bob", "carol"]) people.push(await invite(house, name));
  assert.equal((await stow(house, [one, two, other])).status, 200);
  house.command(["vault", "backup", backup]);
});
after(async () => {
  await house?.remove();
  rmSync(backup, { recursive: true, force: true });
});

async function tokenOf(slice: Slice): Promise<string> {
  const found = (await listStudies(house)).find(({ studyUid }) => studyUid === slice.studyUid);
  assert.ok(found);
  return found.token;
}

test("a study is shredded when a second administrator has confirmed; its certificate is proven by the log alone", async () => {
  const token = await tokenOf(one);
  const out = join(backup, "..", `certificate-${token}.json`);
  const running = house.begin(["vault", "shred", token, "--out", out]);
  const asked = await confirm(house, people[0] as Person);
  assert.deepEqual([asked.act, asked.detail.Images], ["study.shred", "1"]);
  const { status, stdout, stderr } = await running;
  assert.equal(status, 0, stderr);
  assert.match(stdout, /1 studies shredded/);
  assert.match(stdout, new RegExp(`destroyed in ${backup} too`));

  assert.deepEqual(await search(house, `/studies?StudyInstanceUID=${one.studyUid}`), []);
  await assert.rejects(retrieve(house, one));
  assert.ok((await retrieve(house, two)).length > 0, "another study of the same patient stays");

  assert.match(house.command(["vault", "certificate", out]), /1 studies shredded, proven by the log/);
  const certificate = JSON.parse(readFileSync(out, "utf8")) as ShredCertificateView;
  assert.deepEqual(certificate.studies, [token]);
  const forged = JSON.stringify({ ...certificate, studies: [await tokenOf(two)] });
  writeFileSync(out, forged);
  assert.equal(house.tryCommand(["vault", "certificate", out]).status, 1);
  rmSync(out);
});

test("a patient is shredded whole, and others are not touched", async () => {
  assert.equal((await stow(house, [one])).status, 200, "what comes again is new");
  const tokens = [await tokenOf(one), await tokenOf(two)];
  const running = house.begin(["vault", "shred", tokens[1] ?? "", "--patient", "--json"]);
  const asked = await confirm(house, people[1] as Person);
  assert.deepEqual([asked.act, asked.detail.Studies], ["patient.shred", "2"]);
  const { status, stdout, stderr } = await running;
  assert.equal(status, 0, stderr);
  const certificate = JSON.parse(stdout) as ShredCertificateView;
  assert.deepEqual([...certificate.studies].sort(), tokens.sort());
  assert.equal((await search(house, "/studies")).length, 1);
  assert.ok((await retrieve(house, other)).length > 0);

  const acts = (await wholeLog(house)).map(({ act, actor }) => `${act} ${actor.split(":")[0]}`);
  assert.equal(acts.filter((act) => act === "keys.destroyed pair").length, 2);
  assert.match(house.command(["vault", "check"]), /objects have no key: shredded, or lost|0 damaged/);
});

test("what was shredded stays so after a start, a rebuild, and a restore from the backup", async () => {
  await house.stop();
  house = await startHouse({ home: house.home });
  assert.equal((await search(house, "/studies")).length, 1);
  house.command(["vault", "rebuild"]);
  assert.equal((await search(house, "/studies")).length, 1);
  const restored = newHome();
  const passphrase = join(house.home, "root.passphrase");
  const words = ["vault", "restore", backup, "--home", restored, "--passphrase-file", passphrase];
  const main = join(root, "apps", "cli", "main.ts");
  const { status, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const second = await startHouse({ home: restored, environment: { LEADGLASS_PASSPHRASE_FILE: passphrase } });
  try {
    assert.deepEqual(
      (await listStudies(second)).map(({ studyUid }) => studyUid),
      [other.studyUid],
    );
  } finally {
    await second.remove();
  }
});
