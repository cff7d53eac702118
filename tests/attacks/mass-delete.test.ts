// Row 100 of the attack table: an administrator who is bought, or whose session was stolen, and wants everything gone.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ConfirmationView } from "#formats/api";
import { retrieve, type Slice, search, sha256, slicesOf, stow } from "../flows/modality.fixture.ts";
import { confirm, invite, type Person, postJson } from "../flows/second-person.fixture.ts";
import { newHome, root, startHouse } from "../house/index.ts";
import { type Administrator, listStudies, makeAdministrator } from "../web/browser.fixture.ts";
import { type AttackedHouse, type AttackedRoute, startAttackedHouse } from "./attacked-house.fixture.ts";

let house: AttackedHouse;
let administrator: Administrator;
/** One for each confirmation: a code is good once. */
const others: Person[] = [];
const folder = mkdtempSync(join(tmpdir(), "lg-mass-delete-"));
const backup = join(folder, "backup");
const slices = [91, 92, 93].map(
  (seed) =>
    slicesOf({
      ...{ kind: "mr-brain", slices: 1, size: 32, seed, accessionNumber: `A-${seed}` },
      patient: { name: "Doe^Jane", id: "P-1", birthDate: "19700102", sex: "F" },
    })[0] as Slice,
);

before(async () => {
  house = await startAttackedHouse();
  administrator = await makeAdministrator(house);
  for (const name of ["bob", "carol"]) others.push(await invite(house, name));
  assert.equal((await stow(house, slices)).status, 200);
  house.command(["vault", "backup", backup]);
});
after(async () => {
  await house?.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function allThere(where: Pick<AttackedHouse, "fetch">): Promise<void> {
  for (const slice of slices) assert.equal(sha256(await retrieve(where as AttackedHouse, slice)), slice.sha256);
}

/** What a route that deletes might take, for each of the studies. */
async function askToDelete(route: AttackedRoute): Promise<void> {
  for (const { token, studyUid } of await listStudies(house)) {
    for (const id of [token, studyUid, "P-1"]) {
      const path = route.url.replace(/:[A-Za-z]+(\([^)]*\))?/g, id).replace("*", id);
      const body = JSON.stringify({
        study: token,
        patient: false,
        token,
        studies: [token],
        id,
        all: true,
        reason: "none",
        confirm: true,
        force: true,
      });
      const answer = await house.fetch(path, {
        method: route.method,
        headers: {
          ...{
            authorization: "",
            cookie: `${administrator.cookie.name}=${administrator.cookie.value}`,
            "x-leadglass": "1",
          },
          ...{ "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) },
        },
        body,
      });
      await answer.body?.cancel();
    }
  }
}

test("attack 100: whatever one administrator asks alone, nothing is gone", { timeout: 120_000 }, async () => {
  const routes = (await house.routes()).filter(
    ({ method, url }, at, all) =>
      !["GET", "HEAD", "OPTIONS"].includes(method) &&
      url.startsWith("/api/") &&
      !/session|follow|sign-?out|phantom/.test(url) &&
      all.findIndex((each) => each.method === method && each.url === url) === at,
  );
  assert.ok(routes.length > 15, `${routes.length} routes that change something`);
  await house.under({}, async () => {
    for (const route of routes) await askToDelete(route);
  });
  assert.equal((await search(house, "/studies")).length, slices.length);
  await allThere(house);
  // What was asked for is seen by the others, and refused.
  const [bob] = others as [Person];
  const asked = (await (
    await house.fetch("/api/confirmations", { anonymous: true, headers: bob.headers })
  ).json()) as ConfirmationView[];
  const pending = asked.filter(({ state }) => state === "pending");
  assert.ok(pending.length > 0);
  for (const { id } of pending) {
    const answer = await postJson(house, `/api/confirmations/${id}/refuse`, {}, bob.headers);
    assert.ok(answer.ok, await answer.text());
  }
  await allThere(house);
});

test("attack 100: what is on hold is deleted by nobody, not by two either, and the one deletion that two agree on is one", async () => {
  const [held, gone] = await listStudies(house);
  assert.ok(held !== undefined && gone !== undefined);
  house.command(["vault", "hold", held.token]);
  const refused = house.begin(["vault", "shred", held.token]);
  await confirm(house, others[0] as Person);
  const { status, stderr } = await refused;
  assert.notEqual(status, 0);
  assert.match(stderr, /hold/);
  await allThere(house);
  const running = house.begin(["vault", "shred", gone.token]);
  await confirm(house, others[1] as Person);
  assert.equal((await running).status, 0);
  assert.equal((await search(house, "/studies")).length, slices.length - 1, "that one, and no more");
});

test("attack 100: with every object on the disk encrypted, the backup gives all back that was not shredded by two", async () => {
  const left = (await listStudies(house)).map(({ studyUid }) => studyUid);
  const passphrase = join(folder, "passphrase");
  cpSync(join(house.home, "root.passphrase"), passphrase);
  await house.stop();
  for (const name of readdirSync(house.home, { recursive: true, encoding: "utf8" })) {
    const path = join(house.home, name);
    if (statSync(path, { throwIfNoEntry: false })?.isFile())
      writeFileSync(path, Buffer.alloc(statSync(path).size, 0x58));
  }
  const restored = newHome();
  const words = ["vault", "restore", backup, "--home", restored, "--passphrase-file", passphrase];
  const done = spawnSync(process.execPath, [join(root, "apps", "cli", "main.ts"), ...words], { encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  const again = await startHouse({ home: restored, environment: { LEADGLASS_PASSPHRASE_FILE: passphrase } });
  try {
    assert.deepEqual((await listStudies(again)).map(({ studyUid }) => studyUid).sort(), [...left].sort());
    for (const slice of slices.filter(({ studyUid }) => left.includes(studyUid)))
      assert.equal(sha256(await retrieve(again, slice)), slice.sha256);
  } finally {
    await again.remove();
  }
});
