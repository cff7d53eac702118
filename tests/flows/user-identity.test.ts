import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { has, type RunningHouse, startHouse } from "../house/index.ts";
import { assertionOf } from "../house/oauth-proofs.ts";
import { fileOf, slicesOf, storescu, wholeLog } from "./modality.fixture.ts";

/*
 * User identity negotiation (PS3.7 §D.3.3.7) as DCMTK sends it, through a machine that is known: a name changes nothing, a program's token or its signed
 * assertion says in the log who it is, everything else is refused.
 */
const skip = has("storescu") ? false : "needs dcmtk: apt install dcmtk";
let house: RunningHouse;
let folder: string;
let file: string;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "lg-identity-"));
  house = await startHouse();
  house.command(["device", "add", "WS1", "--address", "127.0.0.1"]);
  file = join(folder, "a.dcm");
  const [slice] = slicesOf({ kind: "mr-brain", slices: 1, size: 64, seed: 7 });
  writeFileSync(file, slice ? fileOf(slice) : "");
});
after(async () => {
  await house?.remove();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

const store = (...identity: string[]) => storescu(house, [file], "WS1", identity);
const identified = async () =>
  (await wholeLog(house))
    .filter(({ act }) => act === "association.identify")
    .map(({ actor, outcome }) => [actor.split(":")[0], outcome]);

test("a name proves nothing, takes nothing away, and is answered", { skip }, async () => {
  assert.equal((await store("-usr", "somebody", "-rsp")).code, 0);
  assert.deepEqual(await identified(), []);
});

test("attack 15: a program's token says who it is; another passcode, Kerberos and SAML are refused, and no secret is logged", {
  skip,
}, async () => {
  const token = house.command(["token", "--client", "workstation", "--minutes", "5"]);
  assert.equal((await store("-usr", "workstation", "-pwd", token, "-rsp")).code, 0);
  const ticket = join(folder, "ticket");
  writeFileSync(ticket, "a ticket");
  const refused = [
    ["-usr", "workstation", "-pwd", `${token}0`],
    ["-usr", "workstation", "-epw"],
    ["-kt", ticket],
    ["--saml", ticket],
    ["--jwt", ticket],
  ];
  for (const words of refused) {
    const { code, output } = await store(...words);
    assert.notEqual(code, 0, words[0]);
    assert.match(output, /Result: Rejected Permanent/, words.join(" "));
  }
  const told = await identified();
  assert.deepEqual(told[0], ["client", "done"]);
  assert.ok(
    told.slice(1).length >= 4 &&
      told.slice(1).every(([actor, outcome]) => actor === "anonymous" && outcome === "refused"),
  );
  for (const reason of ["no program's token", "Kerberos tickets are not taken", "SAML assertions are not taken"])
    assert.ok(house.output().includes(reason), reason);
  assert.ok(!house.output().includes(token));
});

test("a program signs who it is, once and for us", { skip }, async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = join(folder, "keys.json");
  writeFileSync(keys, JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", alg: "ES256" }] }));
  const { id } = JSON.parse(
    house.command(["client", "add", "signing", "--jwks", keys, "--grant", "service", "--json"]),
  );
  let count = 0;
  const signed = async (claims: Record<string, unknown> = {}): Promise<string[]> => {
    const path = join(folder, `${count++}.jwt`);
    writeFileSync(path, await assertionOf(id, `https://localhost:${house.https}/oauth`, privateKey, { claims }));
    return ["--jwt", path];
  };
  const good = await signed();
  assert.equal((await store(...good, "-rsp")).code, 0);
  assert.notEqual((await store(...good)).code, 0, "a second time");
  assert.notEqual((await store(...(await signed({ aud: "https://elsewhere.example.org/oauth" })))).code, 0);
  assert.notEqual((await store(...(await signed({ iat: Math.floor(Date.now() / 1000) - 3_600 })))).code, 0);
  assert.notEqual((await store(...(await signed({ iss: "another" })))).code, 0);
  house.command(["client", "remove", id]);
  assert.notEqual((await store(...(await signed()))).code, 0);
});
