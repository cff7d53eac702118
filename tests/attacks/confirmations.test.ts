import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ConfirmationView, LinkView, RecoveryKit } from "#formats/api";
import { operator } from "#trust/access";
import { startConfirmingHouse } from "../house/confirming-house.ts";

/*
 * Dual control over HTTP, with callers who would do alone what takes two.
 */
type House = Awaited<ReturnType<typeof startConfirmingHouse>>;
type Person = Awaited<ReturnType<House["person"]>>;
let house: House;
let [ada, bob, oscar]: Person[] = [];
let done: string[] = [];
let studies = 0;

before(async () => {
  house = await startConfirmingHouse({
    "study.shred": async ({ on }) => {
      done.push(on?.id ?? "");
      return { shredded: on?.id };
    },
  });
  [ada, bob, oscar] = [await house.person("ada"), await house.person("bob"), await house.person("oscar", "researcher")];
});
after(() => house?.remove());

const people = () => {
  if (ada === undefined || bob === undefined || oscar === undefined) throw new Error("nobody is there");
  return { ada, bob, oscar };
};

async function asked(by = people().ada.actor): Promise<string> {
  done = [];
  const on = { kind: "study", id: `study${++studies}` } as const;
  return (await house.confirmations.request(by, "study.shred", on, { Images: "3" })).id;
}

const confirmPath = (id: string) => `/api/confirmations/${id}/confirm`;
const stateOf = async (id: string) => (await house.confirmations.read(operator, id)).state;

test("who asked does not get through with another session, nor with a fresh code", async () => {
  const id = await asked();
  for (let session = 0; session < 2; session++) {
    const secret = await people().ada.session();
    const answer = await house.call(secret, "POST", confirmPath(id), { code: people().ada.code() });
    assert.equal(answer.status, 409);
    assert.match(((await answer.json()) as { message: string }).message, /who asked/);
  }
  assert.equal(await stateOf(id), "pending");
  assert.deepEqual(done, []);
});

test("a code that let in does not confirm as well, and one code confirms one thing", async () => {
  const { bob } = people();
  const [first, second] = [await asked(), await asked(operator)];
  const secret = await bob.session();
  const used = bob.codeBefore();
  assert.ok(await house.signIn.secondFactorIs(bob.id, used), "as at signing in");
  assert.equal((await house.call(secret, "POST", confirmPath(first), { code: used })).status, 400);
  const code = bob.code();
  assert.equal((await house.call(secret, "POST", confirmPath(first), { code })).status, 200);
  assert.equal((await house.call(secret, "POST", confirmPath(second), { code })).status, 400);
  assert.equal(await stateOf(second), "pending");
  assert.equal((await house.call(secret, "POST", confirmPath(second), { code: bob.codeAfter() })).status, 200);
});

test("observers, programs and the console see no request and confirm none; the answers tell nothing", async () => {
  const id = await asked();
  const { oscar } = people();
  const secret = await oscar.session();
  const tokens = [await house.clientTokens.issue("script", 5), await house.clientTokens.issue("script", 5, "masked")];
  const nothing = await (
    await house.call(await people().bob.session(), "GET", `/api/confirmations/${"0".repeat(32)}`)
  ).json();
  assert.equal((nothing as { code: string }).code, "absent");
  for (const path of ["/api/confirmations", `/api/confirmations/${id}`, `/api/confirmations/${"0".repeat(32)}`]) {
    assert.equal((await house.call(secret, "GET", path)).status, 404, path);
    for (const { secret: token } of tokens) {
      const answer = await house.fetch(path, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(answer.status, 404, path);
    }
  }
  for (const act of ["confirm", "refuse", "withdraw"]) {
    const path = `/api/confirmations/${id}/${act}`;
    const body = act === "confirm" ? { code: oscar.code() } : undefined;
    assert.equal((await house.call(secret, "POST", path, body)).status, 404, act);
    for (const { secret: token } of tokens) {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const answer = await house.fetch(path, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
      assert.equal(answer.status, 404, act);
    }
    assert.equal((await house.fetch(path, { method: "POST" })).status, 401, act);
  }
  await assert.rejects(house.confirmations.confirm(operator, id, "000000"), { code: "denied" });
  assert.equal(await stateOf(id), "pending");
});

test("a foreign page that has the browser send its cookie confirms nothing", async () => {
  const id = await asked();
  const { bob } = people();
  const cookie = `__Host-leadglass=${await bob.session()}`;
  const type = { "content-type": "application/json" };
  const body = JSON.stringify({ code: bob.code() });
  const foreign = [
    { cookie, ...type },
    { cookie, ...type, "x-leadglass": "1", origin: "https://evil.example" },
    { cookie, "content-type": "text/plain" },
    { cookie, "content-type": "application/x-www-form-urlencoded" },
  ];
  for (const headers of foreign) {
    const answer = await house.fetch(confirmPath(id), { method: "POST", headers, body });
    assert.equal(answer.status, 404);
  }
  assert.equal(await stateOf(id), "pending");
});

test("of many who confirm and refuse at once one gets through, and it is done once or not at all", async () => {
  for (let round = 0; round < 5; round++) {
    const id = await asked();
    const others = [];
    for (let n = 0; n < 4; n++) others.push(await house.person(`extra${round}-${n}`));
    const answers = await Promise.all(
      others.map(async (person, n) =>
        house.call(
          await person.session(),
          "POST",
          `/api/confirmations/${id}/${n === 3 ? "refuse" : "confirm"}`,
          n === 3 ? undefined : { code: person.code() },
        ),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409]);
    const final = await house.confirmations.read(operator, id);
    assert.equal(done.length, final.state === "refused" ? 0 : 1);
    for (const { name } of others) await house.people.remove(name, operator);
  }
});

test("what is in a request's path and body is bounded, and odd ids are absent", async () => {
  const secret = await people().bob.session();
  for (const id of ["x", "%2e%2e", "0".repeat(4000), "Smith%5EJohn"]) {
    const answer = await house.call(secret, "POST", confirmPath(id), { code: "123456" });
    assert.ok([404, 414].includes(answer.status), `${answer.status}`);
  }
  const id = await asked();
  for (const body of [{}, { code: 1 }, { code: "1".repeat(33) }, { code: "123456", more: true }]) {
    assert.equal((await house.call(secret, "POST", confirmPath(id), body)).status, 400);
  }
});

test("the result is shown to who asked alone, and somebody who was removed is out at once", async () => {
  const { ada, bob } = people();
  const eve = await house.person("eve");
  const eveSecret = await eve.session();
  const id = await asked();
  const stream = await house.call(eveSecret, "GET", "/api/events");
  const confirmed = await house.call(eveSecret, "POST", confirmPath(id), { code: eve.code() });
  assert.equal(confirmed.status, 200);
  const read = async (person: Person) =>
    (await (await house.call(await person.session(), "GET", `/api/confirmations/${id}`)).json()) as ConfirmationView;
  for (let turns = 0; (await read(ada)).state === "confirmed" && turns < 100; turns++);
  const [own, others] = [await read(ada), await read(bob)];
  assert.ok(own.isOwn && !others.isOwn);
  assert.deepEqual([own.decidedBy, own.result, others.result], ["eve", { shredded: `study${studies}` }, undefined]);
  await house.people.remove("eve", operator);
  assert.equal((await house.call(eveSecret, "GET", "/api/confirmations")).status, 401);
  await stream.body?.cancel();
});

const terms = { role: "researcher", place: { kind: "tenant" }, purpose: "research", endsAt: 0 } as const;

test("a one-use link makes the one account that it names, once, and its kit opens no vault", async () => {
  const { secret } = await house.people.invite("Fay", [terms], operator);
  const post = (path: string, body: object) =>
    house.fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const link = (await (await post("/api/setup/link", { secret })).json()) as LinkView;
  assert.deepEqual(link, { kind: "join", roles: ["researcher"], name: "fay" });
  const begun = await post("/api/setup/account", { secret, name: "mallory", password: "four unrelated words here" });
  const { totpSecret } = (await begun.json()) as { totpSecret: string };
  assert.equal((await post("/api/setup/confirm", { secret, code: "000000x" })).status, 400);
  const code = await codeOf(totpSecret);
  const both = await Promise.all([1, 2].map(() => post("/api/setup/confirm", { secret, code })));
  const good = both.find(({ status }) => status === 200) ?? assert.fail("none got through");
  assert.equal(both.filter(({ status }) => status === 200).length, 1);
  assert.deepEqual(Object.keys((await good.json()) as RecoveryKit).sort(), ["madeAt", "recoveryCodes"]);
  const { accounts, invitations } = await house.people.list();
  const fay = accounts.find(({ name }) => name === "fay");
  assert.deepEqual(
    house.grants.liveOf(`user:${fay?.id}`).map(({ role }) => role),
    ["researcher"],
  );
  assert.ok(!accounts.some(({ name }) => name === "mallory"));
  assert.deepEqual(invitations, []);
  for (const [path, body] of [
    ["/api/setup/link", { secret }],
    ["/api/setup/account", { secret, name: "x", password: "four unrelated words here" }],
    ["/api/setup/confirm", { secret, code }],
  ] as const) {
    assert.equal((await post(path, body)).status, 401, `${path} after use`);
    assert.equal((await post(path, { ...body, secret: "guess" })).status, 401, `${path} guessed`);
  }
});

async function codeOf(base32: string): Promise<string> {
  const { seedOf } = await import("../web/browser.fixture.ts");
  const { totpCode } = await import("#trust/access");
  return totpCode(seedOf(base32), Date.now());
}
