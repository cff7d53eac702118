import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { EnrolledSecondFactor, InvitationView, PeopleView, StudyPage, TokenView } from "#formats/api";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { codeNow, makeAdministrator, password } from "../web/browser.fixture.ts";
import { slicesOf, stow, wholeLog } from "./modality.fixture.ts";

/*
 * People as the operator lets them in and out, on a real server: the tests follow on each other.
 */
let house: RunningHouse;
const slices = slicesOf({
  kind: "mr-brain",
  slices: 2,
  size: 64,
  seed: 90,
  patient: { name: "Quill^Quentin", id: "QQ-4711", birthDate: "19700102", sex: "M" },
  accessionNumber: "A-90210",
});
const [slice] = slices;
let session = "";

before(async () => {
  house = await startHouse();
});
after(() => house?.remove());

const post = (path: string, body: object) =>
  house.fetch(path, {
    anonymous: true,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const asked = (path: string, headers: Record<string, string>, init: RequestInit = {}) =>
  house.fetch(path, { ...init, headers: { ...headers, "x-leadglass": "1" }, anonymous: true });

/** Goes the way of the link; gives the session cookie. */
async function join(link: string): Promise<string> {
  const secret = new URL(link).hash.replace("#setup=", "");
  const begun = await post("/api/setup/account", { secret, name: "", password });
  const { totpSecret } = (await begun.json()) as EnrolledSecondFactor;
  const confirmed = await post("/api/setup/confirm", { secret, code: codeNow(totpSecret) });
  assert.equal(confirmed.status, 200, await confirmed.text());
  return (confirmed.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

test("before there is an administrator nobody is invited, and the way is said", () => {
  const { status, stderr } = house.tryCommand(["user", "add", "bob", "--role", "administrator"]);
  assert.equal(status, 1);
  assert.match(stderr, /no administrator yet\n {2}open the one-use link/);
});

test("a link that is printed makes that person, once; a later one for the same name makes the earlier void", async () => {
  await makeAdministrator(house);
  assert.equal((await stow(house, slices)).status, 200);
  const first = JSON.parse(
    house.command(["user", "add", "Bob@Example.org", "--role", "administrator", "--json"]),
  ) as InvitationView;
  const second = JSON.parse(
    house.command(["user", "add", "bob@example.org", "--role", "administrator", "--json"]),
  ) as InvitationView;
  assert.equal(second.name, "bob@example.org");
  assert.equal(new URL(second.link).origin, `https://localhost:${house.https}`);
  assert.match(house.command(["user", "list"]), /bob@example\.org .*INVITED/);
  await assert.rejects(join(first.link));
  await join(second.link);
  await assert.rejects(join(second.link));
  const { accounts, invitations } = JSON.parse(house.command(["user", "list", "--json"])) as PeopleView;
  assert.deepEqual(
    accounts.map(({ name, roles }) => [name, roles]),
    [
      ["ada", ["administrator", "radiologist", "technologist"]],
      ["bob@example.org", ["administrator"]],
    ],
  );
  assert.deepEqual(invitations, []);
  assert.equal(house.tryCommand(["user", "add", "ada", "--role", "auditor"]).status, 1, "the name is taken");
  assert.equal(house.tryCommand(["user", "add", "eve", "--role", "owner"]).status, 2);
});

test("an observer finds and views the study with its identity masked, and gets no whole instance", async () => {
  const { link } = JSON.parse(
    house.command(["user", "add", "olga", "--role", "researcher", "--json"]),
  ) as InvitationView;
  session = await join(link);
  await observes({ cookie: session });
});

test("so does a program with a masked token", async () => {
  const words = ["token", "--client", "script", "--minutes", "5", "--masked", "--json"];
  const { token } = JSON.parse(house.command(words)) as TokenView;
  await observes({ authorization: `Bearer ${token}` });
});

async function observes(headers: Record<string, string>): Promise<void> {
  if (slice === undefined) throw new Error("no slice");
  const list = (await (await asked("/api/studies", headers)).json()) as StudyPage;
  assert.equal(list.total, 1);
  const shown = JSON.stringify(list);
  for (const whole of ["Quill", "Quentin", "QQ-4711", "A-90210", "19700102"]) {
    assert.ok(!shown.includes(whole), `${whole} in ${shown}`);
  }
  const { studyUid, seriesUid, sopInstanceUid } = slice;
  const study = `/dicom-web/studies/${studyUid}`;
  const instance = `${study}/series/${seriesUid}/instances/${sopInstanceUid}`;
  const seen = async (path: string, accept: string) => (await asked(path, { ...headers, accept })).status;
  assert.equal(await seen(`${instance}/frames/1`, 'multipart/related; type="application/octet-stream"'), 200);
  assert.equal(await seen(`${instance}/rendered`, "image/png"), 200);
  const whole = 'multipart/related; type="application/dicom"';
  for (const path of [instance, study]) assert.equal(await seen(path, whole), 404, path);
  for (const path of ["/api/devices", "/api/status", "/api/audit", "/api/accounts", "/api/confirmations"]) {
    assert.equal((await asked(path, headers)).status, 404, path);
  }
  const storing = await asked(
    "/dicom-web/studies",
    { ...headers, "content-type": "application/dicom" },
    {
      method: "POST",
      body: "x",
    },
  );
  assert.notEqual(storing.status, 200);
}

test("who is removed is out at once, with the stream of events", async () => {
  const stream = await asked("/api/events", { cookie: session });
  assert.equal(stream.status, 200);
  const ended = (async () => {
    for await (const _piece of stream.body ?? []);
  })();
  assert.equal(house.command(["user", "remove", "Olga"]), "removed Olga");
  await Promise.race([
    ended,
    new Promise((_, reject) => setTimeout(() => reject(new Error("still open")), 30_000).unref()),
  ]);
  assert.equal((await asked("/api/studies", { cookie: session })).status, 401);
  house.command(["user", "remove", "bob@example.org"]);
  const last = house.tryCommand(["user", "remove", "ada"]);
  assert.equal(last.status, 1);
  assert.match(last.stderr, /last administrator\n {2}make somebody else an administrator first/);
  assert.match(house.tryCommand(["user", "remove", "nobody"]).stderr, /nobody has this name/);
});

test("nothing waits for a second administrator yet, and an id that is none is refused", () => {
  assert.match(house.command(["confirmation", "list"]), /nothing was asked for/);
  for (const words of ["wait", "withdraw"]) {
    assert.equal(house.tryCommand(["confirmation", words]).status, 2);
    assert.equal(house.tryCommand(["confirmation", words, "Smith"]).status, 2);
    assert.match(house.tryCommand(["confirmation", words, "0".repeat(32)]).stderr, /no such request/);
  }
});

test("the log has who was invited, who came in and who was removed, without a name", async () => {
  const acts = (await wholeLog(house)).filter(({ act }) => act.startsWith("account."));
  const count = (act: string, outcome: string) =>
    acts.filter((entry) => entry.act === act && entry.outcome === outcome).length;
  assert.equal(count("account.invite", "done") - count("account.invite", "failed"), 3);
  assert.equal(count("account.remove", "done") - count("account.remove", "failed"), 2);
  assert.ok(acts.some(({ act, on }) => act === "account.remove" && /^[0-9a-f]{32}$/.test(on?.id ?? "")));
  assert.doesNotMatch(JSON.stringify(acts), /\b(olga|bob|ada)\b/i);
});
