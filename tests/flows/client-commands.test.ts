import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ClientView } from "#formats/api";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { assertionOf, clientAssertionType } from "../house/oauth-proofs.ts";

/*
 * Programs as the owner of a running server lets them in, on SQLite, through a restart.
 */
let house: RunningHouse;
before(async () => {
  house = await startHouse({ environment: { LEADGLASS_HTTPS_PORT: "0" } });
});
after(() => house?.remove());

const add = (...words: string[]) => JSON.parse(house.command(["client", "add", ...words, "--json"])) as ClientView;
const list = () => JSON.parse(house.command(["client", "list", "--json"])) as ClientView[];
const issuer = () => `https://localhost:${house.https}/oauth`;
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
let machine: ClientView;

const token = async (): Promise<{ status: number; token: string }> => {
  const form = {
    ...{
      grant_type: "client_credentials",
      scope: "system/ImagingStudy.rs",
      client_assertion_type: clientAssertionType,
    },
    client_assertion: await assertionOf(machine.id, issuer(), privateKey),
  };
  const answer = await house.fetch("/oauth/token", {
    anonymous: true,
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: String(new URLSearchParams(form)),
  });
  return { status: answer.status, token: ((await answer.json()) as { access_token?: string }).access_token ?? "" };
};
const search = async (secret: string) =>
  (await house.fetch("/dicom-web/studies", { headers: { authorization: `Bearer ${secret}` } })).status;

test("a viewer and a machine are added, listed, and refused when they could not be safe", () => {
  const file = join(house.home, "keys.json");
  writeFileSync(file, JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", alg: "ES256" }] }));
  const viewer = add("ohif", "--public", "--redirect", "https://viewer.example/callback");
  machine = add("router", "--jwks", file, "--grant", "service");
  assert.deepEqual([viewer.proof, machine.proof], ["none", "keys"]);
  assert.deepEqual(
    list()
      .map(({ name }) => name)
      .sort(),
    ["ohif", "router"],
  );
  writeFileSync(file, JSON.stringify({ keys: [privateKey.export({ format: "jwk" })] }));
  for (const words of [
    ["a", "--jwks", file],
    ["b", "--public", "--redirect", "https://*.example/"],
    ["c", "--public", "--redirect", "https://a.example/", "--grant", "service"],
    ["d"],
    ["ohif", "--public", "--redirect", "https://a.example/"],
  ]) {
    assert.notEqual(house.tryCommand(["client", "add", ...words]).status, 0, words.join(" "));
  }
  assert.equal(list().length, 2, "what was refused left nothing");
});

test("the machine's token opens DICOMweb, also after a restart, until the machine is removed", async () => {
  const issued = await token();
  assert.equal(issued.status, 200);
  assert.equal(await search(issued.token), 200);
  const { home } = house;
  await house.stop();
  house = await startHouse({ home, environment: { LEADGLASS_HTTPS_PORT: String(house.https) } });
  assert.equal(await search(issued.token), 200);
  house.command(["client", "keys", "rotate"]);
  assert.equal(await search(issued.token), 200);
  house.command(["client", "remove", machine.id]);
  assert.equal(await search(issued.token), 401);
  assert.equal((await token()).status, 401);
  assert.deepEqual(
    list().map(({ name }) => name),
    ["ohif"],
  );
});

test("a browser on the viewer's origin may ask for DICOMweb, one on another may not", async () => {
  const ask = (origin: string) =>
    house.fetch("/dicom-web/studies", {
      anonymous: true,
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "GET" },
    });
  const ours = await ask("https://viewer.example");
  assert.deepEqual([ours.status, ours.headers.get("access-control-allow-origin")], [204, "https://viewer.example"]);
  const other = await ask("https://evil.example");
  assert.deepEqual([other.status, other.headers.get("access-control-allow-origin")], [401, null]);
});
