import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { GrantView, InvitationView, SessionView, StudyPage } from "#formats/api";
import { type RunningHouse, startHouse } from "../house/index.ts";
import { makeAdministrator } from "../web/browser.fixture.ts";
import { asOperator, slicesOf, stow } from "./modality.fixture.ts";
import { enrol, type Person } from "./second-person.fixture.ts";

/*
 * Grants as the operator gives and ends them, and what people then see, on a real server: the tests follow on each other.
 */
let house: RunningHouse;
let rita: Person;
let studies: StudyPage["studies"] = [];

before(async () => {
  house = await startHouse();
  await makeAdministrator(house);
  for (const seed of [71, 72]) {
    const patient = { name: `Quill^Q${seed}`, id: `QQ-${seed}`, birthDate: "19700102", sex: "F" } as const;
    assert.equal((await stow(house, slicesOf({ kind: "mr-brain", slices: 2, size: 32, seed, patient }))).status, 200);
  }
  ({ studies } = await asOperator<StudyPage>(house, "/api/studies?limit=10"));
  const words = ["user", "add", "rita@example.org", "--role", "referrer", "--json"];
  const { link } = JSON.parse(house.command(words)) as InvitationView;
  rita = await enrol(house, "rita@example.org", link);
});
after(() => house?.remove());

const asRita = (path: string) => house.fetch(path, { anonymous: true, headers: rita.headers });
const seen = async () => ((await (await asRita("/api/studies?limit=10")).json()) as StudyPage).total;
const grants = (...more: string[]) => JSON.parse(house.command(["grant", "list", "--json", ...more])) as GrantView[];
const ritas = () => grants().filter(({ holderName }) => holderName === "rita@example.org");

test("who is invited for the whole tenant sees all studies, and may do what the role may and no more", async () => {
  assert.equal(await seen(), 2);
  const { account, may } = (await (await asRita("/api/session")).json()) as SessionView;
  assert.deepEqual(account.roles, ["referrer"]);
  assert.ok(may.includes("study.view") && !may.includes("device.read"));
  for (const path of ["/api/devices", "/api/grants", "/api/roles", "/api/accounts", "/api/audit", "/api/status"]) {
    assert.equal((await asRita(path)).status, 404, path);
  }
});

test("a grant for one study, and the other ended: the list and each read shrink at once, in the open session", async () => {
  const [whole] = ritas();
  const [one, other] = studies.map(({ token }) => token);
  const study = ["--study", one ?? "", "--days", "30"];
  const given = house.command(["grant", "add", "Rita@example.org", "referrer", ...study]);
  assert.match(
    given,
    new RegExp(`rita@example.org: referrer, study ${one}, for treatment, by the console since .*, until `),
  );
  assert.equal(house.command(["grant", "end", whole?.id ?? ""]), "ended");
  assert.equal(await seen(), 1);
  assert.equal((await asRita(`/api/studies/${one}`)).status, 200);
  const [refused, absent] = await Promise.all([other, "0".repeat(32)].map((token) => asRita(`/api/studies/${token}`)));
  assert.deepEqual([refused?.status, absent?.status], [404, 404]);
  assert.equal(await refused?.text(), await absent?.text());
  assert.equal(grants("--ended").filter(({ isLive }) => !isLive).length, 1, "what was is kept");
});

test("with the last grant the session ends, and nobody can sign in without one", async () => {
  const [last] = ritas();
  house.command(["grant", "end", last?.id ?? ""]);
  assert.equal((await asRita("/api/studies?limit=10")).status, 401);
  assert.match(house.command(["user", "list"]), /rita@example\.org .*no grant/);
});

test("the last administrator keeps the grant, a researcher holds no other role, and mistakes are told", () => {
  const administration = grants().find(({ role }) => role === "administrator");
  const last = house.tryCommand(["grant", "end", administration?.id ?? ""]);
  assert.equal(last.status, 1);
  assert.match(last.stderr, /last administrator/);
  const masked = house.tryCommand(["grant", "add", "ada", "researcher"]);
  assert.match(masked.stderr, /holds no other role\n {2}make a second account/);
  assert.match(house.tryCommand(["grant", "add", "nobody", "referrer"]).stderr, /nobody has this name/);
  assert.match(house.tryCommand(["grant", "end", "0".repeat(32)]).stderr, /no such grant/);
  for (const words of [["ada"], ["ada", "owner"], ["ada", "referrer", "--study", "x", "--patient", "y"]]) {
    assert.equal(house.tryCommand(["grant", "add", ...words]).status, 2, words.join(" "));
  }
});

test("a program that is new holds the role of a service, and what it is granted can be ended like a person's", async () => {
  house.command(["token", "--client", "nightly", "--minutes", "5"]);
  const [service] = grants().filter(({ holderName }) => holderName === "nightly");
  assert.equal(service?.role, "service");
  house.command(["grant", "end", service?.id ?? ""]);
  const token = house.command(["token", "--client", "nightly", "--minutes", "5"]);
  const answer = await house.fetch("/api/studies", { anonymous: true, headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 404);
});
