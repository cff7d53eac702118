import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ConfirmationView, EnrolledSecondFactor, InvitationView } from "#formats/api";
import { totpCode } from "#trust/access";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { makeAdministrator, password, seedOf } from "../web/browser.fixture.ts";

/*
 * A command that takes two: one waits at the console, the other decides in the browser.
 */
let house: RunningHouse;
const bob = { cookie: "", seed: new Uint8Array() };
const json = { "content-type": "application/json" };

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  house.fetch(path, { anonymous: true, method: "POST", headers: { ...headers, ...json }, body: JSON.stringify(body) });
const asBob = (path: string, body: object = {}) => post(path, body, { cookie: bob.cookie, "x-leadglass": "1" });

before(async () => {
  house = await startHouse();
  await makeAdministrator(house);
  const { link } = JSON.parse(house.command(["user", "add", "bob", "--json"])) as InvitationView;
  const secret = new URL(link).hash.replace("#setup=", "");
  const begun = (await (
    await post("/api/setup/account", { secret, name: "bob", password })
  ).json()) as EnrolledSecondFactor;
  bob.seed = Uint8Array.from(seedOf(begun.totpSecret));
  const confirmed = await post("/api/setup/confirm", { secret, code: totpCode(bob.seed, Date.now()) });
  bob.cookie = (confirmed.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
});
after(() => house?.remove());

async function pending(): Promise<ConfirmationView> {
  for (let tries = 0; tries < 400; tries++) {
    const answer = await house.fetch("/api/confirmations", { anonymous: true, headers: { cookie: bob.cookie } });
    const found = ((await answer.json()) as ConfirmationView[]).find(({ state }) => state === "pending");
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("nothing was asked for");
}

test("a command that was refused or withdrawn exits with 1 and says by whom", async () => {
  const refused = house.begin(["vault", "recovery-kit"]);
  const { id, requestedBy } = await pending();
  assert.equal(requestedBy, "the console");
  assert.equal((await asBob(`/api/confirmations/${id}/refuse`)).status, 200);
  const ended = await refused;
  assert.deepEqual([ended.status, ended.stdout], [1, ""]);
  assert.match(ended.stderr, /bob refused it; nothing was done\n {2}talk to the other administrator/);

  const withdrawn = house.begin(["vault", "recovery-kit"]);
  house.command(["confirmation", "withdraw", (await pending()).id]);
  assert.match((await withdrawn).stderr, /it was withdrawn; nothing was done/);
});

test("one that is confirmed ends with what came of it", async () => {
  const waiting = house.begin(["vault", "recovery-kit", "--json"]);
  const { id } = await pending();
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
