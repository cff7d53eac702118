import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { totpCode } from "#trust/access";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { makeAdministrator } from "../web/browser.fixture.ts";
import { invite, type Person, pending, postJson } from "./second-person.fixture.ts";

/*
 * A command that takes two: one waits at the console, the other decides in the browser.
 */
let house: RunningHouse;
let bob: Person;
const asBob = (path: string, body: object = {}) => postJson(house, path, body, bob.headers);

before(async () => {
  house = await startHouse();
  await makeAdministrator(house);
  bob = await invite(house, "bob");
});
after(() => house?.remove());

test("a command that was refused or withdrawn exits with 1 and says by whom", async () => {
  const refused = house.begin(["vault", "recovery-kit"]);
  const { id, requestedBy } = await pending(house, bob);
  assert.equal(requestedBy, "the console");
  assert.equal((await asBob(`/api/confirmations/${id}/refuse`)).status, 200);
  const ended = await refused;
  assert.deepEqual([ended.status, ended.stdout], [1, ""]);
  assert.match(ended.stderr, /bob refused it; nothing was done\n {2}talk to the other administrator/);

  const withdrawn = house.begin(["vault", "recovery-kit"]);
  house.command(["confirmation", "withdraw", (await pending(house, bob)).id]);
  assert.match((await withdrawn).stderr, /it was withdrawn; nothing was done/);
});

test("one that is confirmed ends with what came of it", async () => {
  const waiting = house.begin(["vault", "recovery-kit", "--json"]);
  const { id } = await pending(house, bob);
  // The code of this half minute made the account.
  const code = totpCode(bob.seed, Date.now() + 30_000);
  assert.equal((await asBob(`/api/confirmations/${id}/confirm`, { code })).status, 200);
  const { status, stdout, stderr } = await waiting;
  assert.equal(status, 0, stderr);
  assert.equal(typeof JSON.parse(stdout), "object");
});

test("while the server does not run nobody can confirm, and the command says so before it asks", async () => {
  await house.stop();
  const { status, stderr } = house.tryCommand(["vault", "recovery-kit"]);
  assert.equal(status, 1);
  assert.match(stderr, /nobody can confirm while the server of this home does not run\n {2}leadglass start/);
  assert.doesNotMatch(house.command(["confirmation", "list"]), /until/);
});
