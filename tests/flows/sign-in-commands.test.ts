import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { IdentityProviderView, IssuedLinkView } from "#formats/api";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { invite } from "./second-person.fixture.ts";

let house: RunningHouse;

before(async () => {
  house = await startHouse();
  house.command(["init", "--admin", "first@example.org", "--password-stdin"], "four unrelated words here");
});
after(() => house.remove());

test("the operator gives who lost everything a link; what they had signed in with ends at once", async () => {
  const bob = await invite(house, "bob@example.org");
  assert.equal((await house.fetch("/api/session", { anonymous: true, headers: bob.headers })).status, 200);
  const words = ["user", "recover", "bob@example.org", "--reason", "phone lost", "--json"];
  const { link } = JSON.parse(house.command(words)) as IssuedLinkView;
  assert.match(link, /^https:\/\/localhost:\d+\/#setup=[\w-]{43}$/);
  assert.equal((await house.fetch("/api/session", { anonymous: true, headers: bob.headers })).status, 401);
  assert.notEqual(house.tryCommand(["user", "recover", "nobody", "--reason", "phone lost"]).status, 0);
  assert.notEqual(house.tryCommand(["user", "recover", "bob@example.org"]).status, 0);
});

test("an identity provider is added, shown, changed without its secret, and removed", async () => {
  const add = ["idp", "add", "hospital", "--issuer", "https://login.example.org", "--client-id", "leadglass", "--json"];
  const groups = ["--group", "rad=radiologist", "--group", "CN=IT,OU=staff=administrator"];
  const added = JSON.parse(
    house.command([...add, ...groups, "--secret-stdin"], "client secret\n"),
  ) as IdentityProviderView;
  assert.equal(added.hasSecret, true);
  assert.deepEqual(
    added.rules.map(({ group, role }) => [group, role]),
    [
      ["rad", "radiologist"],
      ["CN=IT,OU=staff", "administrator"],
    ],
  );
  const changed = JSON.parse(house.command([...add, ...groups, "--label", "Hospital"])) as IdentityProviderView;
  assert.deepEqual([changed.label, changed.hasSecret], ["Hospital", true]);
  assert.match(house.command(["idp", "list"]), /hospital {2}Hospital {2}https:\/\/login\.example\.org/);
  assert.doesNotMatch(house.command(["idp", "list", "--json"]), /client secret/);
  const plain = house.tryCommand(["idp", "add", "x", "--issuer", "http://login.example.org", "--client-id", "y"]);
  assert.match(plain.stderr, /https:/);
  house.command(["idp", "remove", "hospital"]);
  assert.match(house.command(["idp", "list"]), /^none/);
});
